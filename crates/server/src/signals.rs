//! How the operator ends the server.

use tokio::signal::unix::{SignalKind, signal};

/// The exit code that shells know for an end by Ctrl-C.
const STOPPED_BY_SIGNAL: i32 = 130;

/// Resolves at the first Ctrl-C or SIGTERM. The second ends the process at once, as a crash would: nothing
/// that was acknowledged is lost by it.
pub(crate) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut next = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(async move {
        next().await;
        tracing::info!("stopping: ending what has begun; a second signal ends at once");
        // Once a signal has been listened to, the system's default is gone for as long as the process lives.
        tokio::spawn(async move {
            next().await;
            std::process::exit(STOPPED_BY_SIGNAL);
        });
    })
}
