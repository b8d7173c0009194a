//! `groundwatch backtest`: asks a running server what an alarm would have done, and prints it.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use groundwatch_outbound::{Fence, HttpClient as _, HttpRequest, WebClient};
use serde::Deserialize;
use serde_json::{Value, json};

/// How long a server may read and evaluate.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The longest answer: a thousand transitions with their reasons, and many actions each.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// The flags of `backtest`.
#[derive(Debug, Args)]
pub(crate) struct BacktestArgs {
    /// A file with the JSON that `aws cloudwatch put-metric-alarm --cli-input-json` takes, or the name of an
    /// alarm.
    #[arg(long, value_name = "FILE.json|NAME")]
    alarm: String,

    /// The first moment to evaluate, such as 2026-01-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: String,

    /// The last moment to evaluate.
    #[arg(long, value_name = "TIME")]
    to: String,

    /// The server to ask.
    #[arg(long, env = "AWS_ENDPOINT_URL", default_value = "http://127.0.0.1:4566", value_name = "URL")]
    endpoint: String,

    /// The region of the metrics.
    #[arg(long, env = "AWS_DEFAULT_REGION", default_value = "us-east-1")]
    region: String,

    /// The account of the metrics.
    #[arg(long, default_value = "000000000000")]
    account: String,

    /// Print the server's JSON instead of lines.
    #[arg(long)]
    json: bool,
}

/// The part of the answer that is printed as lines.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    from: String,
    to: String,
    evaluations: u64,
    alarm_seconds: u64,
    transition_count: usize,
    transitions: Vec<Transition>,
}

#[derive(Deserialize)]
struct Transition {
    at: String,
    from: String,
    to: String,
    reason: String,
    actions: Vec<String>,
}

/// Asks and prints.
pub(crate) async fn run(args: BacktestArgs) -> anyhow::Result<()> {
    let mut request =
        json!({ "from": args.from, "to": args.to, "region": args.region, "account": args.account });
    match definition(&args.alarm)? {
        Some(definition) => request["alarm"] = definition,
        None => request["name"] = args.alarm.into(),
    }
    let url = format!("{}/_groundwatch/alarms/backtest", args.endpoint.trim_end_matches('/'));
    let headers = vec![("content-type", "application/json".to_owned())];
    let client = WebClient::new(Fence::Open)?.with_answer_bytes_max(ANSWER_BYTES_MAX);
    let answer = client
        .send(HttpRequest::post(&url, headers, request.to_string(), TIMEOUT))
        .await
        .with_context(|| format!("cannot ask {url}"))?;
    let document: Value =
        serde_json::from_slice(&answer.body).with_context(|| format!("{url} did not answer with JSON"))?;
    if answer.status != 200 {
        bail!("{}", document["message"].as_str().unwrap_or("the server refuses"));
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{document:#}")?;
    } else {
        print(&mut out, &serde_json::from_value(document)?)?;
    }
    Ok(())
}

/// The definition in the file of that name; `None` if it is the name of an alarm.
fn definition(alarm: &str) -> anyhow::Result<Option<Value>> {
    let path = PathBuf::from(alarm);
    if path.extension().is_none_or(|extension| extension != "json") {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {alarm}"))?;
    Ok(Some(serde_json::from_str(&text).with_context(|| format!("{alarm} is not JSON"))?))
}

fn print(out: &mut impl std::io::Write, answer: &Answer) -> std::io::Result<()> {
    for transition in &answer.transitions {
        writeln!(out, "{}  {} -> {}", transition.at, transition.from, transition.to)?;
        writeln!(out, "    {}", transition.reason)?;
        for action in &transition.actions {
            writeln!(out, "    would run {action}")?;
        }
    }
    let unlisted = answer.transition_count - answer.transitions.len().min(answer.transition_count);
    if unlisted > 0 {
        writeln!(out, "… and {unlisted} more changes of state")?;
    }
    writeln!(
        out,
        "{} evaluations from {} to {}: {} changes of state, {} s in ALARM",
        answer.evaluations, answer.from, answer.to, answer.transition_count, answer.alarm_seconds
    )
}
