//! Chores of the workspace that need a program: `cargo xtask <command>`.

mod api;
mod tidy;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask api [--check] [--models DIR]
    writes crates/api/src/generated from the service models of PyPI's `botocore`, in the release that
    crates/api/operations.txt names; DIR is the `data` directory of a botocore that is installed already
    --check  writes nothing, and fails if a file differs from what would be written

cargo xtask tidy
    checks that dependencies between the workspace's crates point down only, and that ARCHITECTURE.md names each crate";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((command, rest)) if command == "api" => api::run(rest),
        Some((command, [])) if command == "tidy" => tidy::run(),
        _ => bail!("usage:\n{USAGE}"),
    }
}
