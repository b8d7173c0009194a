//! The binary `groundwatch`: reads the command line and hands over to the command.

mod activities;
mod adapters;
mod alarm_endpoints;
mod backtest;
mod cli;
mod clock_request;
mod config;
mod logging;
mod otlp;
mod paths;
mod routes;
mod serve;
mod signals;
mod syslog;
mod tls;
mod vitals;
mod wiring;

use clap::Parser;

// Request bodies are many short-lived allocations from many threads, which mimalloc serves with less CPU and
// less resident memory than the system's allocator. Without huge pages: each thread that begins to read would
// have the kernel clear two megabytes for it first, which was three quarters of a search after a start.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    match run(cli::Cli::parse()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            // `{:#}` prints the chain of causes on one line.
            eprintln!("groundwatch: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(cli: cli::Cli) -> anyhow::Result<()> {
    match cli.command {
        cli::Command::Serve(flags) => serve::serve(&config::Config::load(flags)?),
        cli::Command::Backtest(args) => runtime()?.block_on(backtest::run(args)),
        cli::Command::Bench(args) => runtime()?.block_on(groundwatch_bench::run(args)),
    }
}

/// The runtime of a command: one worker a core.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
