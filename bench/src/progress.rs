//! One line on standard error that tells how far the load is, if somebody watches.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::load::Counters;

/// How often the line is written anew.
const TICK: Duration = Duration::from_millis(250);
const BAR_WIDTH: usize = 24;

/// The progress line of one load. Silent where standard error is not a terminal.
pub(crate) struct Progress {
    name: String,
    visible: bool,
}

impl Progress {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), visible: stderr().is_terminal() }
    }

    /// Waits until `longest` has passed or `ended` has come, and shows the counters meanwhile.
    pub(crate) async fn follow(
        &self,
        counters: &Counters,
        longest: Duration,
        ended: impl Future<Output = ()>,
    ) {
        let started = Instant::now();
        tokio::pin!(ended);
        loop {
            let left = longest.saturating_sub(started.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = &mut ended => return,
                () = tokio::time::sleep(left.min(TICK)) => self.show(counters, started.elapsed(), longest),
            }
        }
    }

    /// Says what is being done apart from the load itself.
    pub(crate) fn say(&self, what: &str) {
        if self.visible {
            write(&format!("{:<18} {what}", self.name));
        }
    }

    /// Removes the line, so that what is printed next starts on a clean one.
    pub(crate) fn clear(&self) {
        if self.visible {
            write("");
        }
    }

    fn show(&self, counters: &Counters, elapsed: Duration, longest: Duration) {
        if !self.visible {
            return;
        }
        let (requests, failures) = (counters.requests.load(Relaxed), counters.failures.load(Relaxed));
        let state = match requests {
            0 => "warming up".to_owned(),
            _ => {
                let megabytes_per_sec = counters.bytes.load(Relaxed) as f64 / elapsed.as_secs_f64() / 1e6;
                format!("{requests} requests, {megabytes_per_sec:.1} MB/s, {failures} failures")
            }
        };
        write(&format!("{:<18} {} {state}", self.name, bar(elapsed, longest)));
    }
}

/// How much of the time has passed, if it is known how long it takes.
fn bar(elapsed: Duration, longest: Duration) -> String {
    if longest == Duration::MAX {
        return String::new();
    }
    let share = (elapsed.as_secs_f64() / longest.as_secs_f64()).clamp(0.0, 1.0);
    let full = (share * BAR_WIDTH as f64) as usize;
    format!("[{}{}]", "#".repeat(full), "-".repeat(BAR_WIDTH - full))
}

/// Writes over the line. A terminal that went away is no reason to stop.
fn write(text: &str) {
    write!(stderr(), "\r\x1b[K{text}").and_then(|()| stderr().flush()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_fills_with_time() {
        let filled =
            |percent| bar(Duration::from_secs(percent), Duration::from_secs(100)).matches('#').count();
        assert_eq!([0, 50, 100, 200].map(filled), [0, 12, 24, 24]);
    }
}
