//! The certificate that the server shows: the operator's, or one that it makes for itself.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rcgen::{KeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What SDKs put in front of the host's name for live tail: those of before April 2026, and those of today.
const HOST_PREFIXES: [&str; 2] = ["streaming-", "stream-"];

/// Where certificates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TlsSetting {
    /// Made at the first start, and kept in the data directory.
    Auto,
    /// PEM files of the operator's.
    Files { certificates: PathBuf, key: PathBuf },
}

impl FromStr for TlsSetting {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text.split_once(',') {
            None if text == "auto" => Ok(Self::Auto),
            Some((certificates, key)) if !certificates.is_empty() && !key.is_empty() => {
                Ok(Self::Files { certificates: certificates.into(), key: key.into() })
            }
            _ => bail!("`{text}` is neither `auto` nor `CERT,KEY`, the names of two PEM files"),
        }
    }
}

/// What the listener and the operator need to know.
pub(crate) struct Tls {
    pub(crate) config: ServerConfig,
    /// The certificate to trust, if the server made its own.
    pub(crate) authority: Option<PathBuf>,
}

/// Loads certificates, and makes them before if they are the server's own and not there yet.
pub(crate) fn load(setting: &TlsSetting, data_dir: &Path, hosts: &BTreeSet<String>) -> anyhow::Result<Tls> {
    match setting {
        TlsSetting::Files { certificates, key } => {
            Ok(Tls { config: read(certificates, key)?, authority: None })
        }
        TlsSetting::Auto => {
            let own = OwnFiles::of(data_dir);
            if !own.key.exists() {
                own.make(hosts).context("cannot make a certificate")?;
            }
            Ok(Tls { config: read(&own.certificates, &own.key)?, authority: Some(own.authority) })
        }
    }
}

/// The names under which clients may come: `localhost`, the loopback addresses, what is listened on, and what
/// is advertised.
pub(crate) fn hosts(listen: IpAddr, advertised_base_url: &str) -> BTreeSet<String> {
    let mut hosts: BTreeSet<String> =
        ["localhost", "*.localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    hosts.insert(listen.to_string());
    let advertised = advertised_base_url.parse::<http::Uri>().ok();
    if let Some(host) = advertised.as_ref().and_then(http::Uri::host) {
        hosts.insert(host.trim_matches(['[', ']']).to_owned());
    }
    let named: Vec<String> = hosts
        .iter()
        .filter(|host| !host.starts_with('*') && host.parse::<IpAddr>().is_err())
        .cloned()
        .collect();
    hosts.extend(named.iter().flat_map(|host| HOST_PREFIXES.map(|prefix| format!("{prefix}{host}"))));
    hosts
}

fn read(certificates: &Path, key: &Path) -> anyhow::Result<ServerConfig> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect)
        .with_context(|| format!("cannot read certificates from {}", certificates.display()))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read a private key from {}", key.display()))?;
    // By name: which provider is the process's default depends on what else is linked.
    ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("certificate and key do not fit together")
}

/// `tls/` in the data directory.
struct OwnFiles {
    directory: PathBuf,
    authority: PathBuf,
    certificates: PathBuf,
    key: PathBuf,
}

impl OwnFiles {
    fn of(data_dir: &Path) -> Self {
        let directory = data_dir.join("tls");
        let file = |name| directory.join(name);
        Self {
            authority: file("ca.pem"),
            certificates: file("server.pem"),
            key: file("server.key"),
            directory,
        }
    }

    /// Makes an authority that signs one certificate and is then forgotten: nobody can sign another with it.
    fn make(&self, hosts: &BTreeSet<String>) -> anyhow::Result<()> {
        let authority_key = KeyPair::generate()?;
        let authority_params = authority_params();
        let authority = authority_params.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority_params, authority_key);
        let key = KeyPair::generate()?;
        let certificate = server_params(hosts)?.signed_by(&key, &issuer)?;
        fs::create_dir_all(&self.directory)?;
        write(&self.authority, &authority.pem(), 0o644)?;
        write(&self.certificates, &certificate.pem(), 0o644)?;
        // Last: as long as it is missing, all is made again.
        write(&self.key, &key.serialize_pem(), 0o600)
    }
}

fn authority_params() -> CertificateParams {
    let mut params = lasting();
    params.distinguished_name.push(DnType::CommonName, "Groundwatch, made by this server for itself");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn server_params(hosts: &BTreeSet<String>) -> anyhow::Result<CertificateParams> {
    let names: Vec<String> = hosts.iter().cloned().collect();
    let mut params = CertificateParams::new(names)?;
    let lasting = lasting();
    (params.not_before, params.not_after) = (lasting.not_before, lasting.not_after);
    params.distinguished_name.push(DnType::CommonName, "Groundwatch");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// Without a name, and valid for as long as anyone will run this: nothing renews it.
fn lasting() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params
}

fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let beside = path.with_extension("new");
    let write = || {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(mode).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_auto_or_two_files() {
        let setting = |text: &str| text.parse::<TlsSetting>().ok();
        assert_eq!(setting("auto"), Some(TlsSetting::Auto));
        let files = TlsSetting::Files { certificates: "a.pem".into(), key: "b.key".into() };
        assert_eq!(setting("a.pem,b.key"), Some(files));
        assert_eq!(setting("a.pem"), None);
        assert_eq!(setting("a.pem,"), None);
    }

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_private() {
        let data_dir = tempfile::tempdir().expect("a temporary directory");
        let hosts = hosts([127, 0, 0, 1].into(), "http://logs.example:4566");
        assert!(hosts.contains("stream-logs.example"), "{hosts:?}");
        let tls = load(&TlsSetting::Auto, data_dir.path(), &hosts).expect("makes one");
        let authority = fs::read(tls.authority.expect("its own")).expect("there");
        let again = load(&TlsSetting::Auto, data_dir.path(), &hosts).expect("reads it");
        assert_eq!(authority, fs::read(again.authority.expect("its own")).expect("there"));
        let key = fs::metadata(data_dir.path().join("tls/server.key")).expect("there");
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
    }
}
