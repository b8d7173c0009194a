//! Feeds mutated requests to everything that reads bytes from outside, counting panics and memory:
//! `cargo run -p groundwatch-wire --release --example mutate -- --inputs 1000000 [--seed 1]`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::time::Instant;

use support::mutation;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: u64| {
        let given =
            arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
        given.map_or(Ok(default), |text| text.parse())
    };
    let (Ok(inputs), Ok(seed)) = (number("--inputs", 1_000_000), number("--seed", 1)) else {
        eprintln!("usage: mutate [--inputs NUMBER] [--seed NUMBER]");
        return ExitCode::FAILURE;
    };
    let start = Instant::now();
    let summary = mutation::run(inputs, seed);
    report(&format!("{summary} · {:.1} s", start.elapsed().as_secs_f64()));
    for (seed, reader) in summary.panics.iter().take(20) {
        report(&format!("panic: {reader}, --inputs 1 --seed {seed}"));
    }
    for (seed, reader, bytes) in summary.greedy.iter().take(20) {
        report(&format!("{bytes} bytes: {reader}, --inputs 1 --seed {seed}"));
    }
    if summary.panics.is_empty() && summary.greedy.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn report(line: &str) {
    println!("{line}");
}
