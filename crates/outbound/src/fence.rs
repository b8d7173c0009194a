//! Keeping requests of users out of the operator's own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Where a client may go. A subscriber's URL comes from a user of the API, who may know addresses that only
/// this server reaches: a cloud's metadata service, a database without a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fence {
    /// Everywhere.
    #[default]
    Open,
    /// To public addresses only, whatever name leads there.
    PublicOnly,
}

/// The address lies inside the fence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} is not a public address, and this server is configured not to go there")]
pub(crate) struct Fenced {
    host: String,
}

impl Fence {
    /// Checks a URL whose host is an address; one with a name is checked when the name is resolved.
    pub(crate) fn check_url(self, url: &Url) -> Result<(), Fenced> {
        let address: IpAddr = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.lets_through(address) { Ok(()) } else { Err(Fenced { host: address.to_string() }) }
    }

    fn lets_through(self, address: IpAddr) -> bool {
        match self {
            Self::Open => true,
            Self::PublicOnly => is_public(address),
        }
    }
}

impl Resolve for Fence {
    fn resolve(&self, name: Name) -> Resolving {
        let fence = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| fence.lets_through(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Fenced { host: name.as_str().to_owned() }.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the internet at large, by IANA's registries of special-purpose addresses.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_benchmarking = first == 198 && (second == 18 || second == 19);
    let is_protocol_assignment = (first, second, third) == (192, 0, 0);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || is_shared
        || is_benchmarking
        || is_protocol_assignment
        || first == 0
        || first >= 224)
}

/// Global unicast is 2000::/3; within it, documentation and the tunnels that carry IPv4 addresses are left
/// out.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_global_unicast = first & 0xe000 == 0x2000;
    let is_documentation = first == 0x2001 && second == 0xdb8;
    let is_tunnel = first == 0x2002 || (first == 0x2001 && second == 0);
    is_global_unicast && !is_documentation && !is_tunnel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_at_large_are_public() {
        let check = |url: &str, expected: bool| {
            let url = Url::parse(url).expect("a URL");
            assert_eq!(Fence::PublicOnly.check_url(&url).is_ok(), expected, "{url}");
            assert!(Fence::Open.check_url(&url).is_ok());
        };
        check("http://8.8.8.8/", true);
        check("http://[2606:4700::1111]/", true);
        check("http://127.0.0.1:4566/", false);
        check("http://2130706433/", false); // 127.0.0.1 as a number
        check("http://0x7f.1/", false);
        check("http://10.1.2.3/", false);
        check("http://172.31.0.1/", false);
        check("http://192.168.0.1/", false);
        check("http://169.254.169.254/latest/meta-data/", false);
        check("http://100.100.0.1/", false);
        check("http://0.0.0.0/", false);
        check("http://255.255.255.255/", false);
        check("http://[::1]/", false);
        check("http://[::ffff:10.0.0.1]/", false);
        check("http://[fd00::1]/", false);
        check("http://[fe80::1]/", false);
        check("http://[2002:7f00:1::]/", false);
    }
}
