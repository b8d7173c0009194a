//! Writing objects into a bucket: an S3-compatible endpoint, or a folder that stands for one.

use groundwatch_outbound::{AwsCall, Outbound, OutboundMessage, Outcome, Route, write_durably};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is percent-encoded in a signed path: all but letters, digits and `-._~/`.
const SIGNED_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The longest key, in bytes: S3's bound.
pub(crate) const KEY_BYTES_MAX: usize = 1024;

/// The operator's buckets. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Buckets(pub(crate) Outbound);

impl Buckets {
    /// Writes an object, whole or not at all, over what was there. `key` is one that [`is_key`] lets through.
    pub(crate) async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Outcome {
        let arn = bucket_arn(bucket);
        let Some(target) = self.0.target(&arn) else {
            return Outcome::Refused { reason: format!("no target is configured for {arn}") };
        };
        match &target.route {
            Route::Folder(folder) => {
                let path = folder.join(bucket).join(key);
                match write_durably(&path, &body).await {
                    Ok(()) => Outcome::Accepted { answer: bytes::Bytes::new() },
                    Err(error) => Outcome::Unavailable {
                        reason: format!("cannot write {}: {error}", path.display()),
                        is_throttled: false,
                    },
                }
            }
            Route::Aws(_) => {
                let path = format!("/{}/{}", encoded(bucket), encoded(key));
                let call = AwsCall::rest("s3", http::Method::PUT, path, Vec::new(), body);
                self.0.deliver(&OutboundMessage::json(arn, key, "").with_aws(call)).await
            }
            other => {
                Outcome::Refused { reason: format!("a bucket cannot be a target of kind {}", other.kind()) }
            }
        }
    }

    /// Whether there is a target for the bucket.
    pub(crate) fn knows(&self, bucket: &str) -> bool {
        self.0.target(&bucket_arn(bucket)).is_some()
    }
}

fn bucket_arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}

/// Whether a text is a bucket's name, by S3's characters: it is also the name of a folder.
pub(crate) fn is_bucket(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    (3..=63).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.')
}

/// Whether a text can be a key, or begin one. What a file system would read as a way elsewhere is not taken.
pub(crate) fn is_key(key: &str) -> bool {
    let is_plain = |part: &str| !["", ".", ".."].contains(&part);
    key.len() <= KEY_BYTES_MAX && !key.contains(['\0', '\\']) && key.split('/').all(is_plain)
}

/// Percent-encoded as signatures want it.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SIGNED_PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_nowhere_else() {
        for (key, expected) in [
            ("exportedlogs/1/s/000000.gz", true),
            ("ü b", true),
            ("", false),
            ("/a", false),
            ("a//b", false),
            ("a/../b", false),
            ("a\\b", false),
        ] {
            assert_eq!(is_key(key), expected, "{key}");
        }
        assert!(!is_key(&"k".repeat(KEY_BYTES_MAX + 1)));
        assert_eq!(["my-bucket.1", "..", "Up", "ab"].map(is_bucket), [true, false, false, false]);
    }

    #[test]
    fn keys_are_encoded_as_they_are_signed() {
        assert_eq!(encoded("a b/ü~1.gz"), "a%20b/%C3%BC~1.gz");
    }
}
