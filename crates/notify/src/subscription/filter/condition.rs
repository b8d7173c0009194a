//! One condition of a filter policy on one value of a message.

use std::net::IpAddr;

use super::FilterPolicyError;

/// What may be asked of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// The property is there, or is not.
    Exists(bool),
    /// It is this value.
    Equals(Scalar),
    /// It is a text that does this.
    Text(TextTest),
    /// It is a number in this range.
    Numeric(Range),
    /// It is an address of this network.
    Cidr(Network),
    /// It is a value, and none of these.
    AnythingBut(Vec<Excluded>),
}

/// A value that stands by itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Text(String),
    /// Compared by value: 100 and 100.0 are one number.
    Number(f64),
    Boolean(bool),
    Null,
}

/// A test of texts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TextTest {
    Prefix(String),
    Suffix(String),
    /// In lower case.
    EqualsIgnoreCase(String),
}

/// What `anything-but` excludes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Excluded {
    Value(Scalar),
    /// All texts that begin so.
    Prefix(String),
}

/// Numbers between two bounds; a bound that is left out is infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Range {
    pub(super) bottom: Option<Bound>,
    pub(super) top: Option<Bound>,
}

/// A bound of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bound {
    pub(super) value: f64,
    /// Whether the value itself is within.
    pub(super) inclusive: bool,
}

/// The addresses whose first bits are those of `address`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Condition {
    /// Whether it holds of `value`, one that is there.
    pub(super) fn holds_of(&self, value: &Scalar) -> bool {
        match self {
            Self::Exists(wanted) => *wanted,
            Self::Equals(wanted) => value == wanted,
            Self::Text(test) => matches!(value, Scalar::Text(text) if test.holds_of(text)),
            Self::Numeric(range) => matches!(value, Scalar::Number(number) if range.contains(*number)),
            Self::Cidr(network) => {
                matches!(value, Scalar::Text(text) if text.parse().is_ok_and(|address| network.contains(address)))
            }
            Self::AnythingBut(excluded) => !excluded.iter().any(|excluded| match excluded {
                Excluded::Value(unwanted) => value == unwanted,
                Excluded::Prefix(prefix) => {
                    matches!(value, Scalar::Text(text) if text.starts_with(prefix.as_str()))
                }
            }),
        }
    }

    /// Whether it holds of a property that is not there.
    pub(super) fn holds_of_absence(&self) -> bool {
        *self == Self::Exists(false)
    }
}

impl TextTest {
    fn holds_of(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::EqualsIgnoreCase(lower) => text.to_lowercase() == *lower,
        }
    }
}

impl Range {
    fn contains(&self, number: f64) -> bool {
        let above = self
            .bottom
            .is_none_or(|bottom| number > bottom.value || (bottom.inclusive && number == bottom.value));
        let below = self.top.is_none_or(|top| number < top.value || (top.inclusive && number == top.value));
        above && below
    }
}

impl Network {
    /// A network such as `10.0.0.0/24`. The order of the checks is recorded.
    pub(super) fn parse(text: &str) -> Result<Self, FilterPolicyError> {
        let (address, mask) = text.split_once('/').ok_or(FilterPolicyError::Cidr)?;
        let prefix_bits: u32 = mask.parse().map_err(|_| FilterPolicyError::CidrMask)?;
        let address: IpAddr =
            address.parse().map_err(|_| FilterPolicyError::CidrAddress(address.to_owned()))?;
        let (version, bits) = if address.is_ipv4() { (4, 32) } else { (6, 128) };
        match u8::try_from(prefix_bits) {
            Ok(prefix_bits) if prefix_bits <= bits => Ok(Self { address, prefix_bits }),
            _ => Err(FilterPolicyError::CidrBits { version, bits }),
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        let differing = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differing >= u32::from(self.prefix_bits)
    }
}
