//! Signatures: how a subscriber can tell that a message came from this server.
//!
//! The key is made when something is to be signed for the first time, which takes a moment, and is kept
//! forever with its certificate. It lies in the catalog as it is: who can read the data directory can sign.

use std::collections::VecDeque;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundwatch_core::Scope;
use groundwatch_storage::{Batch, Catalog, Document, Documents, Expect, Key, StorageError};
use parking_lot::Mutex;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use rsa::sha2::{Digest as _, Sha256};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use tokio::sync::OnceCell;

/// AWS's length of keys.
const KEY_BITS: usize = 2048;

/// How many signatures are remembered, so that a message to many subscribers is signed once.
const REMEMBERED_MAX: usize = 256;

/// Where the certificate is served, before its name.
pub(crate) const CERTIFICATE_PATH: &str = "/_groundwatch/sns/";

/// Which hash is signed: the topic's attribute `SignatureVersion`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SignatureVersion {
    /// SHA1, AWS's default.
    #[default]
    One,
    /// SHA256.
    Two,
}

impl SignatureVersion {
    /// The version of that name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "1" => Some(Self::One),
            "2" => Some(Self::Two),
            _ => None,
        }
    }

    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
        }
    }
}

/// What a message carries as proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) version: SignatureVersion,
    /// In base64.
    pub(crate) value: String,
    /// The name of the certificate's file.
    pub(crate) certificate_name: String,
}

/// Why nothing can be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningError {
    #[error("cannot make or use the key: {0}")]
    Key(String),
    #[error("cannot keep the key")]
    Storage(#[from] StorageError),
}

/// The one key of this server, with its certificate.
#[derive(Clone, Serialize, Deserialize)]
struct SigningKey {
    /// PKCS #8 in base64.
    private_key: String,
    certificate_pem: String,
}

impl Document for SigningKey {
    const KIND: &'static str = "sns-signing-key";
}

/// Signs messages.
pub(crate) struct Signer {
    catalog: Catalog,
    keys: Documents<SigningKey>,
    ready: OnceCell<Arc<ReadyKey>>,
    /// Version, hash of the text, and signature; the latest first.
    remembered: Mutex<VecDeque<(SignatureVersion, [u8; 32], String)>>,
}

struct ReadyKey {
    private_key: RsaPrivateKey,
    certificate_pem: String,
    certificate_name: String,
}

impl Signer {
    pub(crate) fn open(catalog: &Catalog) -> Result<Self, StorageError> {
        Ok(Self {
            catalog: catalog.clone(),
            keys: Documents::open(catalog)?,
            ready: OnceCell::new(),
            remembered: Mutex::default(),
        })
    }

    /// Signs `text`.
    pub(crate) async fn sign(
        &self,
        text: &str,
        version: SignatureVersion,
    ) -> Result<Signature, SigningError> {
        let ready = self.ready().await?;
        let certificate_name = ready.certificate_name.clone();
        let hash: [u8; 32] = Sha256::digest(text).into();
        let known = self.remembered.lock().iter().find_map(|(known_version, known_hash, value)| {
            (*known_version == version && *known_hash == hash).then(|| value.clone())
        });
        let value = match known {
            Some(value) => value,
            None => {
                let value = ready.sign(text, version)?;
                let mut remembered = self.remembered.lock();
                remembered.truncate(REMEMBERED_MAX - 1);
                remembered.push_front((version, hash, value.clone()));
                value
            }
        };
        Ok(Signature { version, value, certificate_name })
    }

    /// The certificate in the file called `name`, in PEM. `None` if that is not its name.
    pub(crate) async fn certificate(&self, name: &str) -> Result<Option<String>, SigningError> {
        let ready = self.ready().await?;
        Ok((ready.certificate_name == name).then(|| ready.certificate_pem.clone()))
    }

    async fn ready(&self) -> Result<Arc<ReadyKey>, SigningError> {
        self.ready.get_or_try_init(|| self.find_or_make()).await.cloned()
    }

    async fn find_or_make(&self) -> Result<Arc<ReadyKey>, SigningError> {
        let key = Key::new(&Scope::default(), "");
        let kept = match self.keys.get(&key) {
            Some(kept) => SigningKey::clone(&kept),
            None => {
                let made = tokio::task::spawn_blocking(SigningKey::make);
                let made = made.await.map_err(|error| SigningError::Key(error.to_string()))??;
                let mut batch = Batch::new();
                self.keys.put(&mut batch, key, made.clone(), Expect::Absent);
                self.catalog.commit(batch).await?;
                made
            }
        };
        Ok(Arc::new(kept.ready()?))
    }
}

impl SigningKey {
    fn make() -> Result<Self, SigningError> {
        let failed = |error: &dyn std::fmt::Display| SigningError::Key(error.to_string());
        let private_key =
            RsaPrivateKey::new(&mut rsa::rand_core::OsRng, KEY_BITS).map_err(|error| failed(&error))?;
        let der = private_key.to_pkcs8_der().map_err(|error| failed(&error))?;
        let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
            &der.as_bytes().to_vec().into(),
            &rcgen::PKCS_RSA_SHA256,
        )
        .map_err(|error| failed(&error))?;
        let mut names = rcgen::DistinguishedName::new();
        names.push(rcgen::DnType::CommonName, "Groundwatch SNS");
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = names;
        let certificate = params.self_signed(&pair).map_err(|error| failed(&error))?;
        Ok(Self { private_key: STANDARD.encode(der.as_bytes()), certificate_pem: certificate.pem() })
    }

    fn ready(self) -> Result<ReadyKey, SigningError> {
        let failed = |error: &dyn std::fmt::Display| SigningError::Key(error.to_string());
        let der = STANDARD.decode(&self.private_key).map_err(|error| failed(&error))?;
        let private_key = RsaPrivateKey::from_pkcs8_der(&der).map_err(|error| failed(&error))?;
        let fingerprint = Sha256::digest(&self.certificate_pem);
        let certificate_name = format!("SimpleNotificationService-{}.pem", hex::encode(&fingerprint[..16]));
        Ok(ReadyKey { private_key, certificate_pem: self.certificate_pem, certificate_name })
    }
}

impl ReadyKey {
    fn sign(&self, text: &str, version: SignatureVersion) -> Result<String, SigningError> {
        let signed = match version {
            SignatureVersion::One => self.private_key.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(text)),
            SignatureVersion::Two => {
                self.private_key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(text))
            }
        };
        signed.map(|bytes| STANDARD.encode(bytes)).map_err(|error| SigningError::Key(error.to_string()))
    }
}
