//! Processors that change fields: their keys, and their texts.

mod keys;
mod list_to_map;
mod strings;
mod substitute;

pub(crate) use keys::{AddKeys, CopyValue, DeleteKeys, MoveKeys, RenameKeys};
pub(crate) use list_to_map::ListToMap;
pub(crate) use strings::{ChangeCase, SplitString, TrimString};
pub(crate) use substitute::SubstituteString;
