//! A month of alarms in a simulated world: the clock is moved two hours at a time, samples come twenty
//! minutes apart, and now and then a group of metrics breaches for ten minutes. What counts is how long that
//! takes, and that two runs (each on a server of its own) leave the same histories: their checksum is
//! printed.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use groundwatch_core::Timestamp;
use serde_json::{Value, json};

use super::Session;
use super::alarm_fleet::{AlarmFleet, Samples};
use crate::load::{self, Amount};
use crate::report::{Checked, Report};

const ALARMS: usize = 5_000;

/// When the month begins: 2026-01-01, so that two runs have the same times.
const BEGIN: Timestamp = Timestamp::from_secs(1_767_225_600);

/// How far the clock is moved at a time: as far as samples may be ahead of it.
const STEP_HOURS: u64 = 2;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// How many alarms have an incident together, how often, and for how many minutes.
const GROUP: usize = 50;
const HOURS_BETWEEN_INCIDENTS: u64 = 180;
const INCIDENT_MINUTES: u32 = 10;

/// A topic that the alarms publish to.
const TOPIC: &str = "bench-alarms";
const TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:bench-alarms";

/// Runs the month. An item is one minute of one alarm.
pub(crate) async fn run(session: &Session) -> anyhow::Result<Report> {
    const LOAD: &str = "alarm-month";
    let (alarms, days) = (session.args.alarms.unwrap_or(ALARMS), session.args.days);
    let mut fleet = AlarmFleet::new(session, "GroundwatchBench/AlarmMonth".to_owned(), alarms);
    let progress = session.progress(LOAD);
    progress.say("putting alarms");
    let begin = json!({ "set": BEGIN.to_iso8601() });
    fleet.door("/_groundwatch/clock", &begin).await.context("the server needs `--clock manual`")?;
    fleet.create_topic(TOPIC).await?;
    for index in 0..alarms {
        let alarm = definition(&fleet, index);
        fleet.call("PutMetricAlarm", &alarm).await?;
    }
    let hours = 24 * days as u64;
    let (values, measured) = load::once(session.server, async {
        let (requests, values) = (fleet.requests, fleet.values);
        let all: Vec<usize> = (0..alarms).collect();
        let mut fine = fleet.samples(&all, |_| false);
        let mut incidents: Vec<Samples> =
            all.chunks(GROUP).map(|group| fleet.samples(group, |_| true)).collect();
        for hour in (0..hours).step_by(STEP_HOURS as usize) {
            progress.say(&format!("hour {hour} of {hours}"));
            for hour in hour..hour + STEP_HOURS {
                feed(&mut fleet, &mut fine, &mut incidents, hour).await?;
            }
            let step = json!({ "advance": format!("PT{STEP_HOURS}H") });
            fleet.door("/_groundwatch/clock", &step).await?;
        }
        let items = alarms as u64 * hours * 60;
        Ok((fleet.values - values, Amount { bytes: 0, items }, fleet.requests - requests))
    })
    .await?;
    progress.say("reading histories");
    let checked = read_back(&mut fleet).await?;
    progress.clear();
    let setting = format!("{alarms} alarms over {days} days, {values} metric values");
    let pid = session.server.map(|server| server.pid);
    Ok(Report { checked: Some(checked), ..Report::new(LOAD, setting, "alarm-minutes", &measured, pid) })
}

/// Alarms of all kinds: seven of ten on minutes, two on five minutes, and of each thirty one of high
/// resolution, one on a percentile, one on math.
fn definition(fleet: &AlarmFleet<'_>, index: usize) -> Value {
    let mut input = fleet.alarm(index);
    // Only ranges that are longer than the pause between samples can do with the default treatment of missing
    // data.
    let (period, periods, needed, treatment) = match index % 10 {
        0 | 1 => (300, 3, 2, "missing"),
        2..=4 => (60, 1, 1, "notBreaching"),
        5..=7 => (60, 3, 2, "ignore"),
        _ => (60, 5, 5, "notBreaching"),
    };
    input["TreatMissingData"] = treatment.into();
    input["Period"] = period.into();
    input["EvaluationPeriods"] = periods.into();
    input["DatapointsToAlarm"] = needed.into();
    input["AlarmActions"] = json!([TOPIC_ARN]);
    match index % 30 {
        2 => input["Period"] = 10.into(),
        3 => {
            input["ExtendedStatistic"] = "p99".into();
            input.as_object_mut().expect("an object").remove("Statistic");
        }
        4 => as_math(fleet, index, &mut input),
        _ => {}
    }
    input
}

/// Twice the metric instead of the metric.
fn as_math(fleet: &AlarmFleet<'_>, index: usize, input: &mut Value) {
    let members = input.as_object_mut().expect("an object");
    for member in ["Namespace", "MetricName", "Statistic", "Period"] {
        members.remove(member);
    }
    let metric = json!({
        "Namespace": fleet.namespace(),
        "MetricName": fleet.series(index).metric_name,
        "Dimensions": members.remove("Dimensions"),
    });
    members.insert(
        "Metrics".to_owned(),
        json!([
            { "Id": "e", "Expression": "m * 2" },
            { "Id": "m", "MetricStat": { "Metric": metric, "Period": 60, "Stat": "Average" }, "ReturnData": false },
        ]),
    );
}

/// Puts the samples of an hour, ahead of it.
async fn feed(
    fleet: &mut AlarmFleet<'_>,
    fine: &mut Samples,
    incidents: &mut [Samples],
    hour: u64,
) -> anyhow::Result<()> {
    let begin = BEGIN + HOUR * u32::try_from(hour).context("a year at most")?;
    for third in 0..3 {
        fleet.put(fine, begin + MINUTE * 20 * third).await?;
    }
    for (group, samples) in incidents.iter_mut().enumerate() {
        // Spread so that each group has its own hours and minutes.
        let turn = hour + 37 * group as u64;
        if turn.is_multiple_of(HOURS_BETWEEN_INCIDENTS) {
            let first = 21 + (group % 28) as u32;
            for minute in first..first + INCIDENT_MINUTES {
                fleet.put(samples, begin + MINUTE * minute).await?;
            }
        }
    }
    Ok(())
}

/// Reads all histories, and sums them up.
async fn read_back(fleet: &mut AlarmFleet<'_>) -> anyhow::Result<Checked> {
    let (mut items, mut transitions) = (0, 0);
    // Alarm by alarm: the first evaluation of one may come before or after the creation of another.
    let mut histories: BTreeMap<String, crc32fast::Hasher> = BTreeMap::new();
    let query = json!({ "ScanBy": "TimestampAscending", "MaxRecords": 100 });
    fleet
        .all("DescribeAlarmHistory", query, "AlarmHistoryItems", |item| {
            items += 1;
            transitions += u32::from(item["HistoryItemType"] == "StateUpdate");
            let name = item["AlarmName"].as_str().unwrap_or_default().to_owned();
            histories.entry(name).or_default().update(item.to_string().as_bytes());
        })
        .await?;
    let alarms = fleet.len();
    let mut checksum = crc32fast::Hasher::new();
    for (name, history) in histories {
        checksum.update(name.as_bytes());
        checksum.update(&history.finalize().to_be_bytes());
    }
    let checksum = checksum.finalize();
    let what = format!(
        "{items} history items of {alarms} alarms, {transitions} of them transitions, checksum {checksum:08x}"
    );
    // Every alarm has seen its first sample at least.
    let mismatches = match transitions < u32::try_from(alarms).unwrap_or(u32::MAX) {
        true => vec![format!("{alarms} alarms have only {transitions} transitions")],
        false => Vec::new(),
    };
    Ok(Checked { what, mismatches })
}
