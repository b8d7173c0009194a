//! AWS's query protocol: form parameters in, XML out.

mod de;
mod form;
mod xml;

use groundwatch_api::Flattened;
use serde::{Deserialize, Serialize};

use crate::Malformed;

pub use form::PARAMETERS_MAX;
pub(crate) use form::first_value;
pub(crate) use xml::escape;

/// Reads an input from `form`: a form-urlencoded body, or the query string of a GET request. `flattened` are
/// the names that the service has for it besides the members' own.
pub fn decode<'de, T: Deserialize<'de>>(
    form: &'de [u8],
    flattened: &'static [Flattened],
) -> Result<T, Malformed> {
    let parameters = form::parse(form)?;
    de::decode(&parameters, flattened)
}

/// Writes what stands inside an operation's result element: members as elements, without any envelope.
pub fn encode<T: Serialize + ?Sized>(
    value: &T,
    flattened: &'static [Flattened],
) -> Result<String, Malformed> {
    xml::encode(value, flattened)
}
