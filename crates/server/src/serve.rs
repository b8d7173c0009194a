//! `groundwatch serve`: opens the data directory, brings the services up, serves until it is told to stop,
//! and leaves nothing unfinished.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use groundwatch_core::{Clock as _, ManualClock, SharedClock, SystemClock};
use groundwatch_storage::{Recovery, Storage, StorageOptions};
use groundwatch_wire::{DevelopmentAuthenticator, Listener, Router};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::activities::{ManualDriver, drive};
use crate::alarm_endpoints::AlarmEndpoints;
use crate::cli::ClockKind;
use crate::config::Config;
use crate::logging::start_logging;
use crate::otlp::OtlpEndpoint;
use crate::paths::OwnPaths;
use crate::signals::stop_signal;
use crate::syslog::receive_syslog;
use crate::tls::{self, Tls};
use crate::vitals::Vitals;
use crate::wiring::open_services;

/// How long requests that have begun may take to end once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until Ctrl-C or SIGTERM.
pub(crate) fn serve(config: &Config) -> anyhow::Result<()> {
    start_logging(config)?;
    let (storage, recovery) = Storage::open(StorageOptions::new(&config.data_dir))
        .with_context(|| format!("cannot open the data directory {}", config.data_dir.display()))?;
    crate::runtime()?.block_on(serve_on(config, storage, recovery))
}

async fn serve_on(config: &Config, storage: Storage, recovery: Recovery) -> anyhow::Result<()> {
    // Before anything else, so that a stop during the start is orderly too.
    let stop_signal = stop_signal()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;

    let (clock, manual_clock) = clock_of(config.clock);
    let advertised_base_url = config.advertise_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let tls = load_tls(config, address, &advertised_base_url)?;
    let (services, activities) =
        open_services(config, &storage, recovery, clock.clone(), advertised_base_url).await?;
    let vitals = Arc::new(Vitals::new());
    let activities: Vec<_> = activities.into_iter().map(|activity| vitals.watch(activity)).collect();

    let (stopper, stop) = watch::channel(false);
    let manual = manual_clock.map(|clock| Arc::new(ManualDriver::new(clock, activities.clone())));
    let background: Vec<_> = match &manual {
        Some(driver) => vec![tokio::spawn(driver.clone().settle(stop))],
        None => {
            let drive = |activity| tokio::spawn(drive(activity, clock.clone(), stop.clone()));
            activities.into_iter().map(drive).collect()
        }
    };

    let (metrics, notify, logs) = (services.metrics.clone(), services.notify.clone(), services.logs.clone());
    let sqs = services.sqs.clone();
    let alarms = AlarmEndpoints(services.alarms.clone());
    let router = Router::new(clock.clone(), Arc::new(DevelopmentAuthenticator)).observed_by(vitals.clone());
    let router = services.route(router);
    let authority = tls.as_ref().and_then(|tls| tls.authority.clone());
    let syslog = receive_syslog(config, logs.clone(), clock.clone()).await?;
    let otlp = OtlpEndpoint::new(logs, clock.clone());
    let paths = Arc::new(OwnPaths { clock, manual, alarms, notify, otlp, metrics, vitals });
    let mut server = Listener::new(listener, router, paths);
    let encrypted = tls.is_some();
    if let Some(tls) = tls {
        server = server.with_tls(tls.config);
    }
    announce(address, &config.data_dir, encrypted, authority.as_deref())?;
    let stopping = async move {
        stop_signal.await;
        sqs.end_long_polls();
    };
    let cut = server.serve(stopping, GRACE).await;
    if cut > 0 {
        tracing::warn!(connections = cut, "closed connections whose requests took too long to end");
    }
    syslog.stop(GRACE).await;
    // Each activity ends what it is doing; what is left undone is durable and goes on at the next start.
    stopper.send_replace(true);
    for task in background {
        if let Err(error) = task.await {
            tracing::error!(%error, "a background task ended badly");
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// The certificate for TLS, if there is to be any.
fn load_tls(config: &Config, address: SocketAddr, advertised_base_url: &str) -> anyhow::Result<Option<Tls>> {
    let Some(setting) = &config.tls else { return Ok(None) };
    let hosts = tls::hosts(address.ip(), advertised_base_url);
    tls::load(setting, &config.data_dir, &hosts).map(Some)
}

fn clock_of(kind: ClockKind) -> (SharedClock, Option<Arc<ManualClock>>) {
    match kind {
        ClockKind::Real => (Arc::new(SystemClock), None),
        ClockKind::Manual => {
            let clock = Arc::new(ManualClock::new(SystemClock.now().floor_to(1)));
            (clock.clone(), Some(clock))
        }
    }
}

/// The one line on standard output, for people and for scripts that wait for it.
fn announce(
    address: SocketAddr,
    data_dir: &Path,
    encrypted: bool,
    authority: Option<&Path>,
) -> std::io::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "groundwatch {version} listening on http://{address} ")?;
    if encrypted {
        write!(stdout, "and https://{address} ")?;
    }
    if let Some(authority) = authority {
        write!(stdout, "(trust {}) ", authority.display())?;
    }
    writeln!(stdout, "with data in {}", data_dir.display())?;
    stdout.flush()
}
