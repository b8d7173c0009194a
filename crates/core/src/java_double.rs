//! Numbers as AWS writes them into texts, JSON and XML: the manner of Java's `Double.toString`.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A number that shows as Java shows it: `21.5`, `45628.0`, `1.2345678E7`, `1.0E-5`, `NaN`, `-Infinity`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JavaDouble(pub f64);

impl fmt::Display for JavaDouble {
    /// Plain between 10⁻³ and 10⁷, scientific outside, and always with a digit after the point. The digits
    /// are the shortest that tell the number apart, as in Java from version 19 on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        let size = value.abs();
        if size.is_infinite() {
            return f.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
        }
        if size == 0.0 || size.is_nan() || (1e-3..1e7).contains(&size) {
            return write!(f, "{value:?}");
        }
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if digits.contains('.') => write!(f, "{digits}E{exponent}"),
            Some((digits, exponent)) => write!(f, "{digits}.0E{exponent}"),
            None => f.write_str(&text),
        }
    }
}

impl Serialize for JavaDouble {
    /// A JSON number with these very digits; `null` if there is no such number. For `serde_json` only.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match RawValue::from_string(self.to_string()) {
            Ok(number) if self.0.is_finite() => number.serialize(serializer),
            _ => serializer.serialize_unit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_as_in_java() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (21.5, "21.5"),
            (45628.0, "45628.0"),
            (-3.0, "-3.0"),
            (99.50160229693434, "99.50160229693434"),
            (0.001, "0.001"),
            (0.0009, "9.0E-4"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (0.000_15, "1.5E-4"),
            (12_345_678.0, "1.2345678E7"),
            (-1.5e300, "-1.5E300"),
            (5e-324, "5.0E-324"),
        ] {
            assert_eq!(JavaDouble(value).to_string(), text);
            assert_eq!(serde_json::to_string(&JavaDouble(value)).expect("a number"), text);
        }
        for (value, text) in
            [(f64::NAN, "NaN"), (f64::INFINITY, "Infinity"), (f64::NEG_INFINITY, "-Infinity")]
        {
            assert_eq!(JavaDouble(value).to_string(), text);
            assert_eq!(serde_json::to_string(&JavaDouble(value)).expect("null"), "null");
        }
    }
}
