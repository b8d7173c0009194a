//! Metrics as a fleet of hosts publishes them, once a minute: what small agents derive from the counters of a
//! kernel, of a proxy and of a service.
//!
//! A [`Fleet`] is a fixed list of [`Series`]; 40 of them make a host, which belongs to a service.
//! [`Fleet::sample`] gives the next value of a series.
//!
//! Values are modelled on how they come about, not on how they look: each series has a load of its own that
//! wanders around its level, what happens in a minute is drawn at that load as whole events (requests,
//! blocks, packets, ticks), and the agent's arithmetic is done in doubles on these whole numbers. So nothing
//! is rounded to decimals:
//! - Processor time is counted in ticks of 10 ms. A share is `100 × busy ÷ all`, where all is 6,000 a
//!   processor, a tick more or less when the agent wakes early or late. (Agents that subtract seconds kept as
//!   doubles, as Telegraf's and CloudWatch's do, add some ten bits of rounding noise to each such value,
//!   which is not modelled: 5 of 40 series.)
//! - Memory and disks are counted in pages and blocks of 4 KiB of a fixed total, and shares are `100 × used ÷
//!   total`, or for disks `used ÷ total × 100`, as agents do.
//! - Rates are bytes of a minute divided by 60. Bytes of a disk come in blocks, those of a network to the
//!   byte.
//! - A proxy tells the time to answer in whole milliseconds, a service the mean time of its queries in whole
//!   microseconds.

use super::random::{Random, exp};
use super::vocabulary;

/// Bytes of a page of memory and of a block of a disk.
const PAGE_BYTES: f64 = 4096.0;
/// Ticks of a processor in a minute, at 100 Hz.
const TICKS: f64 = 6000.0;

/// A metric with its dimensions: what CloudWatch tells series apart by, besides the namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// `MetricName`.
    pub metric_name: &'static str,
    /// `Unit`, in AWS's spelling.
    pub unit: &'static str,
    /// `Dimensions`: names and values.
    pub dimensions: Vec<(&'static str, String)>,
    kind: Kind,
    state: State,
}

/// Seeded series and the state of their random walks.
#[derive(Clone, Debug)]
pub struct Fleet {
    series: Vec<Series>,
    random: Random,
}

/// How the values of a metric come about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Busy ticks of so many processors, as a share of all.
    Ticks { processors: u32 },
    /// Pages of memory in use, as a share of all.
    MemoryShare,
    /// Bytes of memory in use.
    MemoryBytes,
    /// Pages of swap in use, as a share of all: hardly ever another.
    SwapShare,
    /// Blocks of a disk in use, as a share of all: logs grow and are rotated.
    DiskShare,
    /// Bytes a second, of operations on a disk: so many a minute, of so many blocks.
    Blocks { operations: f64, blocks: f64 },
    /// Bytes a second, of messages on a network: so many a minute, of so many bytes.
    Bytes { messages: f64, bytes: f64 },
    /// Events in a minute, or what is waiting at its end: about so many.
    Events(f64),
    /// How many there are of something that comes and goes slowly.
    Population(f64),
    /// Whole milliseconds around this median: a high percentile of the minute's requests.
    Milliseconds(f64),
    /// Milliseconds to the microsecond: the mean over a minute's queries.
    Microseconds(f64),
}

/// What a series remembers from minute to minute.
#[derive(Clone, Copy, Debug, PartialEq)]
struct State {
    /// Around which its values lie: of 1 where the kind has a size, else as a share of all.
    level: f64,
    /// How far the load is from the usual, as a logarithm.
    load: f64,
    /// What is in use.
    used: f64,
    /// All that there is.
    total: f64,
}

/// A metric of each host: name, unit, kind, and the further dimension with the values that it takes.
struct Template {
    metric_name: &'static str,
    unit: &'static str,
    kind: Kind,
    further: &'static [(&'static str, &'static str)],
}

const CPUS: &[(&str, &str)] = &[("cpu", "cpu0"), ("cpu", "cpu1"), ("cpu", "cpu2"), ("cpu", "cpu3")];
const DEVICES: &[(&str, &str)] = &[("device", "nvme0n1"), ("device", "nvme1n1")];
const INTERFACES: &[(&str, &str)] = &[("interface", "ens5"), ("interface", "ens6")];
const ROUTES: &[(&str, &str)] = &[
    ("Operation", "GetCart"),
    ("Operation", "PlaceOrder"),
    ("Operation", "Search"),
    ("Operation", "GetProduct"),
];
const WHOLE_HOST: &[(&str, &str)] = &[];

const fn template(
    metric_name: &'static str,
    unit: &'static str,
    kind: Kind,
    further: &'static [(&'static str, &'static str)],
) -> Template {
    Template { metric_name, unit, kind, further }
}

/// What each host publishes: 40 series.
const TEMPLATES: &[Template] = &[
    template("CPUUtilization", "Percent", Kind::Ticks { processors: 4 }, WHOLE_HOST),
    template("CPUUserTime", "Percent", Kind::Ticks { processors: 1 }, CPUS),
    template("MemoryUtilization", "Percent", Kind::MemoryShare, WHOLE_HOST),
    template("MemoryUsed", "Bytes", Kind::MemoryBytes, WHOLE_HOST),
    template("SwapUtilization", "Percent", Kind::SwapShare, WHOLE_HOST),
    template("DiskSpaceUtilization", "Percent", Kind::DiskShare, DEVICES),
    template("DiskReadBytes", "Bytes/Second", Kind::Blocks { operations: 60.0, blocks: 8.0 }, DEVICES),
    template("DiskWriteBytes", "Bytes/Second", Kind::Blocks { operations: 450.0, blocks: 16.0 }, DEVICES),
    template("DiskQueueDepth", "Count", Kind::Events(1.0), DEVICES),
    template("NetworkIn", "Bytes/Second", Kind::Bytes { messages: 720.0, bytes: 4e3 }, INTERFACES),
    template("NetworkOut", "Bytes/Second", Kind::Bytes { messages: 720.0, bytes: 24e3 }, INTERFACES),
    template("NetworkPacketsDropped", "Count", Kind::Events(0.2), INTERFACES),
    template("ProcessesRunning", "Count", Kind::Population(140.0), WHOLE_HOST),
    template("OpenConnections", "Count", Kind::Population(420.0), WHOLE_HOST),
    template("Latency", "Milliseconds", Kind::Milliseconds(24.0), ROUTES),
    template("DatabaseLatency", "Milliseconds", Kind::Microseconds(3500.0), ROUTES),
    template("RequestCount", "Count", Kind::Events(90.0), ROUTES),
    template("ErrorCount", "Count", Kind::Events(0.4), ROUTES),
];

impl Fleet {
    /// So many series, host by host.
    pub fn new(seed: u64, series: usize) -> Self {
        let mut random = Random::fork(seed, 1);
        let mut fleet = Vec::with_capacity(series);
        for host in 0.. {
            if fleet.len() >= series {
                break;
            }
            push_host(&mut random, host, &mut fleet);
        }
        fleet.truncate(series);
        Self { series: fleet, random }
    }

    /// All series, in a fixed order.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// The next value of the series with this index.
    ///
    /// # Panics
    ///
    /// If there is no such series.
    pub fn sample(&mut self, index: usize) -> f64 {
        let Series { kind, state, .. } = &mut self.series[index];
        state.next(*kind, &mut self.random)
    }
}

impl State {
    fn new(kind: Kind, random: &mut Random) -> Self {
        let level = match kind {
            Kind::Ticks { .. } => 0.05 + 0.6 * random.unit(),
            Kind::MemoryShare | Kind::MemoryBytes | Kind::DiskShare => 0.2 + 0.6 * random.unit(),
            Kind::SwapShare => 0.1 * random.unit(),
            _ => random.log_normal(1.0, 0.5),
        };
        let total = match kind {
            // 16 GiB without what the kernel keeps, 2 GiB, and 100 GiB without what the file system keeps.
            Kind::MemoryShare | Kind::MemoryBytes => 4_000_000.0 + random.below(60_000) as f64,
            Kind::SwapShare => 524_287.0,
            Kind::DiskShare => 25_600_000.0 + random.below(200_000) as f64,
            _ => 0.0,
        };
        let usual = if let Kind::Population(usual) = kind { usual } else { total };
        Self { level, load: 0.0, used: (level * usual).round(), total }
    }

    /// The value of the next minute.
    fn next(&mut self, kind: Kind, random: &mut Random) -> f64 {
        // A load wanders by 2 % a minute, and by 14 % over hours.
        self.load = 0.99 * self.load + 0.02 * random.normal();
        let load = self.level * exp(self.load);
        match kind {
            Kind::Ticks { processors } => {
                let processors = f64::from(processors);
                // Requests of 5 ms each, and whatever the scheduler gives to others.
                let requests = (load * TICKS * processors * 2.0).min(1.9 * TICKS * processors);
                let all = TICKS * processors + random.jitter();
                let busy = (random.sum_of(requests, 0.5)).clamp(0.0, all);
                100.0 * busy / all
            }
            Kind::MemoryShare => 100.0 * self.pages(random) / self.total,
            Kind::MemoryBytes => self.pages(random) * PAGE_BYTES,
            Kind::SwapShare => {
                if random.chance(0.005) {
                    self.used = (self.used + (40.0 * random.normal()).round()).clamp(0.0, self.total);
                }
                100.0 * self.used / self.total
            }
            Kind::DiskShare => {
                self.used = (self.used + random.sum_of(30.0 * load, 8.0)).min(self.total);
                if random.chance(1.0 / 1440.0) {
                    self.used = (self.used - 250_000.0).max(0.0);
                }
                self.used / self.total * 100.0
            }
            Kind::Blocks { operations, blocks } => {
                random.sum_of(operations * load, blocks) * PAGE_BYTES / 60.0
            }
            Kind::Bytes { messages, bytes } => random.sum_of(messages * load, bytes) / 60.0,
            Kind::Events(usual) => random.poisson(usual * load),
            Kind::Population(usual) => {
                let missing = usual * self.level - self.used;
                let step = 0.1 * missing + (0.02 * usual).sqrt() * random.normal();
                self.used = (self.used + step.round()).max(0.0);
                self.used
            }
            Kind::Milliseconds(usual) => random.log_normal(usual * load, 0.1).round(),
            Kind::Microseconds(usual) => random.log_normal(usual * load, 0.03).round() / 1000.0,
        }
    }

    /// Pages in use: heaps grow and shrink by megabytes around their level.
    fn pages(&mut self, random: &mut Random) -> f64 {
        let missing = self.level * self.total - self.used;
        let step = 0.01 * missing + 800.0 * random.normal();
        self.used = (self.used + step.round()).clamp(0.0, self.total);
        self.used
    }
}

fn push_host(random: &mut Random, host: usize, fleet: &mut Vec<Series>) {
    let mut instance = String::from("i-0");
    random.push_hex(16, &mut instance);
    let service = vocabulary::SERVICES[host % vocabulary::SERVICES.len()];
    for template in TEMPLATES {
        let further = template.further.iter().map(Some).chain(template.further.is_empty().then_some(None));
        for dimension in further {
            let mut dimensions = vec![("InstanceId", instance.clone()), ("Service", service.to_owned())];
            dimensions.extend(dimension.map(|&(name, value)| (name, value.to_owned())));
            fleet.push(Series {
                metric_name: template.metric_name,
                unit: template.unit,
                dimensions,
                kind: template.kind,
                state: State::new(template.kind, random),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn same_seed_same_series_and_values() {
        let values = |seed| {
            let mut fleet = Fleet::new(seed, 100);
            (0..100).map(|index| fleet.sample(index)).collect::<Vec<f64>>()
        };
        assert_eq!(Fleet::new(1, 100).series(), Fleet::new(1, 100).series());
        assert_eq!(values(1), values(1));
        assert_ne!(values(1), values(2));
    }

    #[test]
    fn ten_thousand_series_are_ten_thousand_different_ones_on_250_hosts() {
        let fleet = Fleet::new(1, 10_000);
        let identity = |series: &Series| (series.metric_name, series.dimensions.clone());
        assert_eq!(fleet.series().iter().map(identity).collect::<HashSet<_>>().len(), 10_000);
        let hosts = fleet.series().iter().map(|series| series.dimensions[0].1.clone());
        assert_eq!(hosts.collect::<HashSet<_>>().len(), 250);
    }

    #[test]
    fn values_stay_in_their_metric_s_range() {
        let mut fleet = Fleet::new(1, 40);
        for index in 0..40 {
            let (unit, name) = (fleet.series()[index].unit, fleet.series()[index].metric_name);
            for _ in 0..1_000 {
                let value = fleet.sample(index);
                assert!(value.is_finite() && value >= 0.0, "{name} {value}");
                assert!(unit != "Percent" || value <= 100.0, "{name} {value}");
                assert!(unit != "Count" || value.fract() == 0.0, "{name} {value}");
            }
        }
    }
}
