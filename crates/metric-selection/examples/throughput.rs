//! What the token index and a grouped query cost: `cargo run --release -p groundwatch-metric-selection
//! --example throughput [series] [series of a host]`. Prints the time of inserting and of each search, and
//! the memory that the index holds.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use groundwatch_metric_selection::insights::{self, Bucket, Plan};
use groundwatch_metric_selection::search::{Query, TokenIndex};
use groundwatch_metric_selection::{Candidates, Metric, MetricCatalog};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const NAMES: [&str; 10] = [
    "CPUUtilization",
    "MemoryUsed",
    "DiskReadOps",
    "DiskWriteOps",
    "NetworkPacketsIn",
    "NetworkPacketsOut",
    "NetworkErrors2",
    "Load1",
    "RequestLatency",
    "CustomCount1",
];

const SEARCHES: [&str; 9] = [
    "{Fleet/Host,InstanceId,Zone} MetricName=\"CPUUtilization\"",
    "cpu",
    "i",
    "MetricName=ReadOps Zone=\"zone-3\"",
    "InstanceId=i-0000000000000000",
    "a1",
    "network (packets OR errors) NOT zone-1",
    "NOT Namespace=AWS",
    "zone-1",
];

/// `count` series: hosts in eight zones, each with so many of the ten metrics.
struct Fleet {
    count: u32,
    of_a_host: u32,
}

impl Fleet {
    fn with<T>(&self, series: u32, use_it: impl FnOnce(Metric<'_>) -> T) -> T {
        let host = series / self.of_a_host;
        // Spreads the numbers, so that ids look like those of AWS.
        let id = format!("i-{:016x}", u64::from(host).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let zone = format!("zone-{}", host % 8);
        let dimensions = [("InstanceId", id.as_str()), ("Zone", zone.as_str())];
        let name = NAMES[series as usize % NAMES.len()];
        use_it(Metric { namespace: "Fleet/Host", name, dimensions: &dimensions })
    }
}

impl MetricCatalog for Fleet {
    fn visit(&self, _: Candidates<'_>, visit: &mut dyn FnMut(u32, Metric<'_>) -> ControlFlow<()>) {
        for series in 0..self.count {
            if self.with(series, |metric| visit(series, metric)).is_break() {
                return;
            }
        }
    }
}

fn main() {
    let argument = |at: usize| std::env::args().nth(at).and_then(|number| number.parse::<u32>().ok());
    let fleet = Fleet { count: argument(1).unwrap_or(10_000), of_a_host: argument(2).unwrap_or(10).max(1) };
    let before = MEMORY.current_usage();
    let started = Instant::now();
    let mut index = TokenIndex::new();
    (0..fleet.count).for_each(|series| fleet.with(series, |metric| index.insert(series, metric)));
    println!(
        "{} series inserted in {:?}, {} bytes of memory",
        fleet.count,
        started.elapsed(),
        MEMORY.current_usage() - before
    );
    for search in SEARCHES {
        let query = Query::parse(search).expect("a search");
        let found = index.search(&query).len();
        println!("{:>12?} {found:>8} series  {search}", best_of(20, || index.search(&query).len()));
    }
    let query = insights::Query::parse(
        "SELECT AVG(CPUUtilization) FROM \"Fleet/Host\" GROUP BY InstanceId ORDER BY AVG() DESC LIMIT 10",
    );
    let plan = Plan::new(&query.expect("a query"), &fleet).expect("a plan");
    println!("{:>12?}  select, with all of the catalog's formatting", best_of(5, || plan.select(&fleet)));
    let selected = plan.select(&fleet);
    let day = |series: u32| (0..288).map(move |at| (at * 300, Bucket::of(f64::from(series))));
    println!(
        "{:>12?}  aggregate {} groups of 288 buckets",
        best_of(5, || plan.aggregate(&selected, day)),
        selected.groups.len()
    );
}

/// The shortest time of `times` runs.
fn best_of<T>(times: usize, run: impl Fn() -> T) -> std::time::Duration {
    let time = |_| {
        let started = Instant::now();
        black_box(run());
        started.elapsed()
    };
    (0..times).map(time).min().unwrap_or_default()
}
