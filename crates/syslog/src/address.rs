//! Where to listen, as it is configured: `tcp://127.0.0.1:1514`.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// A transport and an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Connections with messages in frames.
    Tcp(SocketAddr),
    /// Datagrams of one message each.
    Udp(SocketAddr),
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form tcp://ADDRESS:PORT or udp://ADDRESS:PORT")]
pub struct AddressError(String);

impl Address {
    /// The address.
    pub fn socket(self) -> SocketAddr {
        match self {
            Self::Tcp(socket) | Self::Udp(socket) => socket,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(socket) => write!(f, "tcp://{socket}"),
            Self::Udp(socket) => write!(f, "udp://{socket}"),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        let (transport, socket) = text.split_once("://").ok_or_else(wrong)?;
        let socket = socket.parse().map_err(|_| wrong())?;
        match transport {
            "tcp" => Ok(Self::Tcp(socket)),
            "udp" => Ok(Self::Udp(socket)),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_transport() {
        assert_eq!("tcp://127.0.0.1:1514".parse(), Ok(Address::Tcp(([127, 0, 0, 1], 1514).into())));
        assert_eq!("udp://127.0.0.1:514".parse(), Ok(Address::Udp(([127, 0, 0, 1], 514).into())));
        for wrong in ["127.0.0.1:514", "tls://127.0.0.1:514", "tcp://localhost", ""] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}
