//! One run: the loads that were asked for, one after the other, and their result on standard output.

use std::io::{Write as _, stdout};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::args::{BenchArgs, Output, Workload};
use crate::client::Endpoint;
use crate::load::{Extent, Plan};
use crate::log_corpus;
use crate::metric_day;
use crate::process::Process;
use crate::report::Report;
use crate::workload::{
    self, Session, alarm_minutes, alarm_month, log_groups, put_log_events, put_metric_data, reads, sqs,
};

/// Runs the workload and prints what it came to: as text load by load, as JSON in one document at the end.
///
/// # Errors
///
/// As [`measure`], and if something that was acknowledged is not what is stored.
pub async fn run(args: BenchArgs) -> anyhow::Result<()> {
    let output = args.output;
    if args.workload == Workload::MetricDay {
        let day = metric_day::run(&args).await?;
        let text = match output {
            Output::Text => day.table(),
            Output::Json => format!("{:#}\n", serde_json::to_value(&day)?),
        };
        return stdout().write_all(text.as_bytes()).context("cannot write to standard output");
    }
    if args.workload == Workload::LogCorpus {
        let corpus = log_corpus::run(&args).await?;
        let text = match output {
            Output::Text => corpus.table(),
            Output::Json => format!("{:#}\n", serde_json::to_value(&corpus)?),
        };
        return stdout().write_all(text.as_bytes()).context("cannot write to standard output");
    }
    let mut written = Ok(());
    let reports = measure(args, |report| {
        if output == Output::Text && written.is_ok() {
            written = writeln!(stdout(), "{report}");
        }
    })
    .await?;
    if output == Output::Json {
        let document = serde_json::json!({ "loads": reports });
        written = writeln!(stdout(), "{document:#}");
    }
    written.context("cannot write to standard output")?;
    if reports.iter().any(Report::has_mismatches) {
        bail!("what was acknowledged is not what is stored: see the mismatches in the result");
    }
    Ok(())
}

/// Runs the workload. `finished` gets each load's result when it is there; all of them are returned at the
/// end.
///
/// # Errors
///
/// If the endpoint cannot be reached or spoken to, or if it acknowledges nothing.
pub async fn measure(args: BenchArgs, finished: impl FnMut(&Report)) -> anyhow::Result<Vec<Report>> {
    let endpoint = Endpoint::parse(&args.endpoint, args.access_key.clone(), args.region.clone())?;
    endpoint.check_reachable().await?;
    let server = match args.server_pid {
        Some(pid) => Some(Process { pid }),
        None => endpoint.is_local().then(|| Process::listening_on(endpoint.port)).flatten(),
    };
    let session = Session { args, endpoint, server, started: workload::now() };
    let mut run = Run { reports: Vec::new(), finished };
    run.loads(&session).await?;
    Ok(run.reports)
}

/// The results until now.
struct Run<F> {
    reports: Vec<Report>,
    finished: F,
}

/// What is written before reads that are measured alone: every series a few times, and some 200 MB of lines.
const SEEDING: Plan = Plan { warmup: Duration::ZERO, extent: Extent::Requests(200) };

impl<F: FnMut(&Report)> Run<F> {
    async fn loads(&mut self, session: &Session) -> anyhow::Result<()> {
        let plan = session.args.plan();
        match session.args.workload {
            Workload::PutMetricData => {
                let (report, _) = put_metric_data::run(session, plan).await?;
                self.add(report);
            }
            Workload::PutLogEvents => {
                let (report, _) = put_log_events::run(session, plan).await?;
                self.add(report);
            }
            Workload::Reads => {
                let (_, metrics) = put_metric_data::run(session, SEEDING).await?;
                let (_, logs) = put_log_events::run(session, SEEDING).await?;
                self.read(session, plan, &metrics, &logs).await?;
            }
            Workload::Sqs => self.add(sqs::run(session, plan).await?),
            Workload::AlarmMonth => self.add(alarm_month::run(session).await?),
            Workload::LogGroups => {
                for kind in log_groups::KINDS {
                    self.add(log_groups::run(session, plan, kind).await?);
                }
            }
            Workload::Alarms => self.add(alarm_minutes::run(session).await?),
            Workload::LogCorpus => bail!("the corpus of log events is no load on an endpoint"),
            Workload::MetricDay => bail!("a day of metrics is no load on an endpoint"),
            Workload::All => {
                let (report, metrics) = put_metric_data::run(session, plan).await?;
                self.add(report);
                let (report, logs) = put_log_events::run(session, plan).await?;
                self.add(report);
                self.read(session, plan, &metrics, &logs).await?;
            }
        }
        Ok(())
    }

    async fn read(
        &mut self,
        session: &Session,
        plan: Plan,
        metrics: &put_metric_data::Written,
        logs: &put_log_events::Written,
    ) -> anyhow::Result<()> {
        for kind in reads::KINDS {
            self.add(reads::run(session, plan, kind, metrics, logs).await?);
        }
        Ok(())
    }

    fn add(&mut self, report: Report) {
        (self.finished)(&report);
        self.reports.push(report);
    }
}
