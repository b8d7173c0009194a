//! IAM and STS: says who is calling.
//!
//! Owns [`Identities`], which answers STS's `GetCallerIdentity`. Does not own reading the access key from a
//! request (`groundwatch-wire` does) nor, yet, any policy: in development mode every access key is the root
//! user of the account that the key names.
//!
//! What always holds: the answer depends on the caller alone; no credential but the access key's id is ever
//! seen here.

mod caller_identity;

pub use caller_identity::{Identities, Identity};
