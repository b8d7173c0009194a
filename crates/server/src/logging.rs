//! The server's own log: to standard error, as text or as JSON.

use std::io::IsTerminal as _;

use anyhow::Context as _;

use crate::cli::LogFormat;
use crate::config::Config;

/// Errors: the filter cannot be read.
pub(crate) fn start_logging(config: &Config) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log)
        .with_context(|| format!("`{}` is not a log filter", config.log))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
