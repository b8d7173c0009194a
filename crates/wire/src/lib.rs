//! placeholder

mod body;
mod bounds;
pub mod cbor;
mod codec;
mod credentials;
mod errors;
mod fault;
pub mod json;
mod listener;
mod malformed;
pub mod query;
mod request;
mod response;
mod route;
mod router;

pub use body::{Intake, Received, TOTAL_BYTES_MAX, UNPACKED_BYTES_MAX, WIRE_BYTES_MAX};
pub use bounds::{DEPTH_MAX, ELEMENTS_MAX, STRUCTURES_MAX};
pub use codec::decode;
pub use credentials::{Authenticator, Claim, Credential, DevelopmentAuthenticator};
pub use errors::render;
pub use listener::{Listener, Paths};
pub use malformed::Malformed;
pub use request::Dialect;
pub use response::{Body, Response};
pub use route::{Route, route};
pub use router::Router;
