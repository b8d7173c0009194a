//! One-minute alarms by the real clock: each metric gets a sample every minute, and in each minute another
//! fiftieth of them breaches. What counts is the server's CPU time, and that every alarm is in the right
//! state in time.

use std::time::Duration;

use serde_json::{Value, json};

use super::alarm_fleet::AlarmFleet;
use super::{Session, now};
use crate::load::{self, Amount};
use crate::report::{Checked, Report};

const ALARMS: usize = 50_000;

/// One of so many alarms breaches in each minute.
const BREACHING_ONE_OF: usize = 50;

/// How late in its minute a sample is put, and how long after a minute its alarms must have changed.
const PUT_AT_SECS: u32 = 20;
const IN_TIME_SECS: f64 = 10.0;

/// Runs for as many whole minutes as there is time, at least two. An item is an evaluation that is due.
pub(crate) async fn run(session: &Session) -> anyhow::Result<Report> {
    const LOAD: &str = "alarms";
    let alarms = session.args.alarms.unwrap_or(ALARMS);
    let minutes = (session.args.duration.as_secs() / 60).max(2);
    let mut fleet = AlarmFleet::new(session, session.namespace(), alarms);
    let progress = session.progress(LOAD);
    progress.say("putting alarms");
    for index in 0..alarms {
        let mut alarm = fleet.alarm(index);
        alarm["Period"] = 60.into();
        alarm["EvaluationPeriods"] = 1.into();
        fleet.call("PutMetricAlarm", &alarm).await?;
    }
    let all: Vec<usize> = (0..alarms).collect();
    // The first minute brings all alarms out of INSUFFICIENT_DATA; it is not measured.
    let mut fine = fleet.samples(&all, |_| false);
    let first = next_minute_secs();
    sleep_until(first + i64::from(PUT_AT_SECS)).await;
    fleet.put(&mut fine, now()).await?;
    sleep_until(first + 60 + i64::from(PUT_AT_SECS) - 2).await;
    let (slowest, measured) = load::once(session.server, async {
        let requests = fleet.requests;
        let mut lateness = Lateness::default();
        for minute in 1..=minutes {
            progress.say(&format!("minute {minute} of {minutes}"));
            let breaches = |index: usize| index % BREACHING_ONE_OF == minute as usize % BREACHING_ONE_OF;
            let begin = first + 60 * minute as i64;
            let mut samples = fleet.samples(&all, breaches);
            sleep_until(begin + i64::from(PUT_AT_SECS)).await;
            fleet.put(&mut samples, now()).await?;
            // Read between two evaluations, when the last one is over.
            sleep_until(begin + 60 + i64::from(PUT_AT_SECS) - 2).await;
            lateness.look(&mut fleet, (begin + 60) as f64, breaches).await?;
        }
        let items = alarms as u64 * minutes;
        Ok((lateness, Amount { bytes: 0, items }, fleet.requests - requests))
    })
    .await?;
    progress.clear();
    let setting =
        format!("{alarms} one-minute alarms, one in {BREACHING_ONE_OF} breaching, {minutes} minutes");
    let pid = session.server.map(|server| server.pid);
    let mut report = Report::new(LOAD, setting, "evaluations", &measured, pid);
    report.checked = Some(slowest.checked());
    Ok(report)
}

/// How long after the end of their minute alarms changed.
#[derive(Default)]
struct Lateness {
    transitions: usize,
    longest_secs: f64,
    mismatches: Vec<String>,
}

impl Lateness {
    /// Looks at the alarms that are in ALARM for the minute that ended at `end_secs`.
    async fn look(
        &mut self,
        fleet: &mut AlarmFleet<'_>,
        end_secs: f64,
        breaches: impl Fn(usize) -> bool,
    ) -> anyhow::Result<()> {
        let expected = (0..fleet.len()).filter(|index| breaches(*index)).count();
        let query = json!({ "StateValue": "ALARM", "AlarmNamePrefix": "bench-", "MaxRecords": 100 });
        let mut found = 0;
        fleet
            .all("DescribeAlarms", query, "MetricAlarms", |alarm: &Value| {
                let updated = alarm["StateUpdatedTimestamp"].as_f64().unwrap_or_default();
                self.longest_secs = self.longest_secs.max(updated - end_secs);
                found += 1;
            })
            .await?;
        self.transitions += found;
        if found != expected {
            self.mismatches.push(format!("{found} alarms are in ALARM, {expected} should be"));
        }
        Ok(())
    }

    fn checked(mut self) -> Checked {
        if self.longest_secs > IN_TIME_SECS {
            self.mismatches.push(format!("an alarm changed {:.1} s after its minute", self.longest_secs));
        }
        let (transitions, longest) = (self.transitions, self.longest_secs);
        let what = format!("{transitions} alarms in ALARM, the last {longest:.1} s after its minute ended");
        Checked { what, mismatches: self.mismatches }
    }
}

fn next_minute_secs() -> i64 {
    now().ceil_to(60).as_secs()
}

async fn sleep_until(secs: i64) {
    let left = groundwatch_core::Timestamp::from_secs(secs).since(now());
    tokio::time::sleep(left.max(Duration::ZERO)).await;
}
