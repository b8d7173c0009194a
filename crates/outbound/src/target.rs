//! The operator's targets: where what is for an ARN goes.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use aws_credential_types::Credentials;
use serde::Deserialize;
use url::Url;

use crate::{ArnPattern, AwsEndpoint};

/// How long a target may take, unless it says otherwise.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(15);

/// No target may ask for more patience, in seconds.
const TIMEOUT_SECS_MAX: u64 = 300;

/// Where everything for the ARNs that fit a pattern goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whose ARN fits is sent here.
    pub pattern: ArnPattern,
    /// The way it goes.
    pub route: Route,
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// A way out of this server.
#[derive(Clone)]
pub enum Route {
    /// Each message is POSTed to this URL.
    Webhook(Url),
    /// Each message is the call that AWS would make, signed.
    Aws(AwsEndpoint),
    /// Each message is a `_bulk` of documents, below this URL.
    OpenSearch(Url),
    /// Each message is handed to a process: the program and its arguments.
    Command(Vec<String>),
    /// Each message becomes a file.
    Folder(PathBuf),
}

impl Route {
    /// The key by which the configuration names this way.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Aws(_) => "aws",
            Self::OpenSearch(_) => "opensearch",
            Self::Command(_) => "command",
            Self::Folder(_) => "folder",
        }
    }
}

/// Its kind alone: URLs and arguments may hold secrets.
impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// One `[[target]]` of the configuration file, before it is checked.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TargetConfig {
    /// The pattern of ARNs.
    pub arn: String,
    /// [`Route::Webhook`].
    pub webhook: Option<String>,
    /// [`Route::Aws`].
    pub aws: Option<AwsConfig>,
    /// [`Route::OpenSearch`].
    pub opensearch: Option<String>,
    /// [`Route::Command`].
    pub command: Option<Vec<String>>,
    /// [`Route::Folder`].
    pub folder: Option<PathBuf>,
    /// How long one attempt may take, from 1 to 300; 15 unless given.
    pub timeout_secs: Option<u64>,
}

/// An AWS-compatible endpoint in the configuration. Keys that are left out come from the environment
/// (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`).
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AwsConfig {
    /// Its URL.
    pub endpoint: String,
    /// What signatures name as the region; otherwise the one in the ARN.
    pub region: Option<String>,
    /// Who calls.
    pub access_key_id: Option<String>,
    /// The key's secret.
    pub secret_access_key: Option<String>,
}

/// The pattern alone: the rest may hold secrets.
impl fmt::Debug for TargetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetConfig").field("arn", &self.arn).finish_non_exhaustive()
    }
}

/// What is wrong with a target.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The pattern can fit no ARN.
    #[error("target `{arn}`: a pattern of ARNs begins with `arn:` or `*`")]
    Pattern {
        /// The pattern.
        arn: String,
    },
    /// No way, or several.
    #[error("target `{arn}` needs exactly one of webhook, aws, opensearch, command and folder")]
    NotOneWay {
        /// The pattern.
        arn: String,
    },
    /// Not an absolute URL of HTTP. The URL itself may hold a password.
    #[error("target `{arn}`: {key} is not an absolute http or https URL")]
    Url {
        /// The pattern.
        arn: String,
        /// Which member.
        key: &'static str,
    },
    /// The command names no program.
    #[error("target `{arn}`: command is a list of a program and its arguments")]
    Command {
        /// The pattern.
        arn: String,
    },
    /// A key is neither in the configuration nor in the environment.
    #[error("target `{arn}`: there is no {key}, nor {variable} in the environment")]
    Credentials {
        /// The pattern.
        arn: String,
        /// Which member.
        key: &'static str,
        /// Which variable.
        variable: &'static str,
    },
    /// The timeout is out of range.
    #[error("target `{arn}`: timeout-secs must be from 1 to {TIMEOUT_SECS_MAX}")]
    Timeout {
        /// The pattern.
        arn: String,
    },
}

impl TargetConfig {
    /// Checks it. `environment` tells the value of a variable.
    pub fn check(self, environment: impl Fn(&str) -> Option<String>) -> Result<Target, TargetError> {
        let Self { arn, webhook, aws, opensearch, command, folder, timeout_secs } = self;
        if !(arn.starts_with("arn:") || arn.starts_with('*')) {
            return Err(TargetError::Pattern { arn });
        }
        let ways = [
            webhook.map(|url| Ok(Route::Webhook(http_url(&arn, "webhook", &url)?))),
            aws.map(|aws| aws.check(&arn, environment).map(Route::Aws)),
            opensearch.map(|url| Ok(Route::OpenSearch(http_url(&arn, "opensearch", &url)?))),
            command.map(|command| match command.first() {
                Some(program) if !program.is_empty() => Ok(Route::Command(command)),
                _ => Err(TargetError::Command { arn: arn.clone() }),
            }),
            folder.map(|folder| Ok(Route::Folder(folder))),
        ];
        let mut ways = ways.into_iter().flatten();
        let (Some(route), None) = (ways.next(), ways.next()) else {
            return Err(TargetError::NotOneWay { arn });
        };
        let timeout = match timeout_secs {
            None => TIMEOUT_DEFAULT,
            Some(secs @ 1..=TIMEOUT_SECS_MAX) => Duration::from_secs(secs),
            Some(_) => return Err(TargetError::Timeout { arn }),
        };
        Ok(Target { route: route?, pattern: ArnPattern::new(arn), timeout })
    }
}

impl AwsConfig {
    fn check(
        self,
        arn: &str,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<AwsEndpoint, TargetError> {
        let url = http_url(arn, "endpoint", &self.endpoint)?;
        let key = |given: Option<String>, key, variable| {
            given.or_else(|| environment(variable)).ok_or(TargetError::Credentials {
                arn: arn.to_owned(),
                key,
                variable,
            })
        };
        // A token belongs to the keys that it came with.
        let token = match self.access_key_id {
            Some(_) => None,
            None => environment("AWS_SESSION_TOKEN"),
        };
        let id = key(self.access_key_id, "access-key-id", "AWS_ACCESS_KEY_ID")?;
        let secret = key(self.secret_access_key, "secret-access-key", "AWS_SECRET_ACCESS_KEY")?;
        let credentials = Credentials::new(id, secret, token, None, "groundwatch");
        Ok(AwsEndpoint { url, credentials, region: self.region })
    }
}

fn http_url(arn: &str, key: &'static str, text: &str) -> Result<Url, TargetError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| TargetError::Url { arn: arn.to_owned(), key })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Target, String> {
        let config: TargetConfig = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let environment = |name: &str| (name == "AWS_ACCESS_KEY_ID").then(|| "AKIA".to_owned());
        config.check(environment).map_err(|error| error.to_string())
    }

    #[test]
    fn each_way_has_its_key() {
        let check = |way: &str, expected: &str| {
            let target = read(&format!("arn = 'arn:aws:lambda:*'\n{way}")).expect(way);
            assert_eq!(target.route.kind(), expected);
            assert_eq!(target.timeout, Duration::from_secs(15));
        };
        check("webhook = 'http://127.0.0.1:9/a'", "webhook");
        check("aws = { endpoint = 'https://aws.test', secret-access-key = 's' }", "aws");
        check("opensearch = 'https://search.test/'", "opensearch");
        check("command = ['logger', '-t', 'alarm']", "command");
        check("folder = '/var/lib/alarms'", "folder");
    }

    #[test]
    fn what_is_wrong_is_said_at_the_start() {
        let check = |text: &str, expected: &str| {
            let error = read(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("arn = 'lambda'\nfolder = 'x'", "begins with `arn:`");
        check("arn = '*'", "exactly one of");
        check("arn = '*'\nfolder = 'x'\nwebhook = 'http://a/'", "exactly one of");
        check("arn = '*'\nwebhook = '/hook'", "webhook is not an absolute");
        check("arn = '*'\nwebhook = 'ftp://a/'", "webhook is not an absolute");
        check("arn = '*'\ncommand = []", "a program");
        check(
            "arn = '*'\naws = { endpoint = 'http://a' }",
            "no secret-access-key, nor AWS_SECRET_ACCESS_KEY",
        );
        check("arn = '*'\nfolder = 'x'\ntimeout-secs = 0", "from 1 to 300");
        check("arn = '*'\nfoldr = 'x'", "unknown field `foldr`");
    }
}
