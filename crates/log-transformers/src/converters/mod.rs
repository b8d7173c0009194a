//! Processors that change the type or the form of a field's value.

mod date_pattern;
mod date_time;
mod types;

pub(crate) use date_time::DateTimeConverter;
pub(crate) use types::TypeConverter;
