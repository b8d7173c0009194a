//! Processors that find fields in text: those that are told how, and those that know one of AWS's own logs.

mod csv;
mod grok;
mod grok_patterns;
mod json;
mod key_value;
mod vended;
mod waf;

pub(crate) use csv::Csv;
pub(crate) use grok::Grok;
pub(crate) use json::ParseJson;
pub(crate) use key_value::ParseKeyValue;
pub(crate) use vended::{ParseCloudfront, ParsePostgres, ParseRoute53, ParseVpc};
pub(crate) use waf::ParseWaf;
