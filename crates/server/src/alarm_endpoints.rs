//! What AWS lacks about alarms: `GET /_groundwatch/alarms/NAME/why` and `POST /_groundwatch/alarms/backtest`.

use std::sync::Arc;

use groundwatch_alarms::Alarms;
use groundwatch_alarms::{BacktestError, Subject};
use groundwatch_api::cloudwatch::{PutMetricAlarm, PutMetricAlarmInput};
use groundwatch_api::validate;
use groundwatch_core::{AccountId, Region, Scope, Timestamp};
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

/// What all of its paths begin with.
pub(crate) const PREFIX: &str = "/_groundwatch/alarms/";

/// The endpoints of alarms.
pub(crate) struct AlarmEndpoints(pub(crate) Arc<Alarms>);

/// A status and a JSON document.
type Answer = (StatusCode, Value);

/// The body of a backtest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BacktestRequest {
    /// The name of an alarm that exists.
    name: Option<String>,
    /// What PutMetricAlarm would be given.
    alarm: Option<PutMetricAlarmInput>,
    from: String,
    to: String,
    region: Option<String>,
    account: Option<String>,
}

impl AlarmEndpoints {
    /// Answers a request whose path begins with [`PREFIX`]; `path` is the rest of it.
    pub(crate) async fn answer(&self, path: &str, request: &Request<bytes::Bytes>) -> Answer {
        let answered = match (request.method(), path, path.strip_suffix("/why")) {
            (&Method::POST, "backtest", _) => self.backtest(request.body()).await,
            (&Method::GET, _, Some(name)) => self.why(name, request.uri().query().unwrap_or_default()).await,
            _ => Err((
                StatusCode::NOT_FOUND,
                format!("there are GET {PREFIX}NAME/why and POST {PREFIX}backtest"),
            )),
        };
        answered.unwrap_or_else(|(status, message)| (status, json!({ "message": message })))
    }

    async fn why(&self, name: &str, query: &str) -> Result<Answer, (StatusCode, String)> {
        let (mut region, mut account, mut at) = (None, None, None);
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "region" => region = Some(value.into_owned()),
                "account" => account = Some(value.into_owned()),
                "at" => at = Some(moment(&value)?),
                other => return Err(bad(format!("`{other}` is not one of region, account and at"))),
            }
        }
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        let scope = scope(region.as_deref(), account.as_deref())?;
        match self.0.why(&scope, &name, at).await {
            Ok(Some(why)) => Ok((StatusCode::OK, json!(why))),
            Ok(None) => {
                Err((StatusCode::NOT_FOUND, format!("there is no alarm `{name}` in {}", scope.region)))
            }
            Err(error) => Err(unreadable(&error)),
        }
    }

    async fn backtest(&self, body: &[u8]) -> Result<Answer, (StatusCode, String)> {
        let request: BacktestRequest =
            serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
        let subject = match (request.name, request.alarm) {
            (Some(name), None) => Subject::Alarm(name),
            (None, Some(mut input)) => {
                // Names matter to nobody here, but the table of constraints asks for one.
                input.alarm_name.get_or_insert_with(|| "backtest".to_owned());
                validate::check::<PutMetricAlarm>(&input)
                    .map_err(|fault| bad(fault.message.unwrap_or_default()))?;
                Subject::Definition(Box::new(input))
            }
            _ => return Err(bad("exactly one of name and alarm is needed".to_owned())),
        };
        let scope = scope(request.region.as_deref(), request.account.as_deref())?;
        let (from, to) = (moment(&request.from)?, moment(&request.to)?);
        match self.0.backtest(&scope, subject, from, to).await {
            Ok(backtest) => Ok((StatusCode::OK, json!(backtest))),
            Err(error @ BacktestError::NoAlarm { .. }) => Err((StatusCode::NOT_FOUND, error.to_string())),
            Err(BacktestError::Read(error)) => Err(unreadable(&error)),
            Err(error) => Err(bad(error.to_string())),
        }
    }
}

/// Which account and region is asked about: those of a client without configuration, unless told otherwise.
fn scope(region: Option<&str>, account: Option<&str>) -> Result<Scope, (StatusCode, String)> {
    let account = match account {
        Some(account) => account.parse().map_err(|error| bad(format!("account: {error}")))?,
        None => AccountId::DEFAULT,
    };
    Ok(Scope { account, region: region.map(Region::new).unwrap_or_default() })
}

fn moment(text: &str) -> Result<Timestamp, (StatusCode, String)> {
    Timestamp::parse_iso8601(text)
        .map_err(|_| bad(format!("`{text}` is not a time such as 2026-01-02T03:04:05Z")))
}

fn bad(message: String) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, message)
}

fn unreadable(error: &(dyn std::error::Error + 'static)) -> (StatusCode, String) {
    tracing::error!(error, "the datapoints of an alarm cannot be read");
    (StatusCode::INTERNAL_SERVER_ERROR, "the datapoints cannot be read; the server's log has more".to_owned())
}
