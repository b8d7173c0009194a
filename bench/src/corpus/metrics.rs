//! Metrics as a fleet of hosts publishes them: percentages, byte rates, latencies and counts.
//!
//! A [`Fleet`] is a fixed list of [`Series`]; 40 of them make a host, which belongs to a service. [`Fleet::sample`] gives
//! the next value of a series: each walks around its own level, so that neighbours in time are alike and noise is real.

use super::{Random, vocabulary};

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
    level: f64,
}

/// Seeded series and the state of their random walks.
#[derive(Clone, Debug)]
pub struct Fleet {
    series: Vec<Series>,
    random: Random,
}

/// How the values of a metric behave.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// 0 to 100 with a full fraction, around its level.
    Percent,
    /// Whole bytes a second, around a level in the range that is given as median.
    ByteRate(f64),
    /// Milliseconds to the microsecond, log-normal around this median.
    Latency(f64),
    /// Small whole numbers of about this size.
    Count(f64),
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

/// What each host publishes: 40 series.
const TEMPLATES: &[Template] = &[
    Template { metric_name: "CPUUtilization", unit: "Percent", kind: Kind::Percent, further: WHOLE_HOST },
    Template { metric_name: "CPUUserTime", unit: "Percent", kind: Kind::Percent, further: CPUS },
    Template { metric_name: "MemoryUtilization", unit: "Percent", kind: Kind::Percent, further: WHOLE_HOST },
    Template { metric_name: "MemoryUsed", unit: "Bytes", kind: Kind::ByteRate(6e9), further: WHOLE_HOST },
    Template { metric_name: "SwapUtilization", unit: "Percent", kind: Kind::Percent, further: WHOLE_HOST },
    Template { metric_name: "DiskSpaceUtilization", unit: "Percent", kind: Kind::Percent, further: DEVICES },
    Template {
        metric_name: "DiskReadBytes",
        unit: "Bytes/Second",
        kind: Kind::ByteRate(4e5),
        further: DEVICES,
    },
    Template {
        metric_name: "DiskWriteBytes",
        unit: "Bytes/Second",
        kind: Kind::ByteRate(2e6),
        further: DEVICES,
    },
    Template { metric_name: "DiskQueueDepth", unit: "Count", kind: Kind::Count(3.0), further: DEVICES },
    Template {
        metric_name: "NetworkIn",
        unit: "Bytes/Second",
        kind: Kind::ByteRate(3e6),
        further: INTERFACES,
    },
    Template {
        metric_name: "NetworkOut",
        unit: "Bytes/Second",
        kind: Kind::ByteRate(5e6),
        further: INTERFACES,
    },
    Template {
        metric_name: "NetworkPacketsDropped",
        unit: "Count",
        kind: Kind::Count(0.2),
        further: INTERFACES,
    },
    Template {
        metric_name: "ProcessesRunning",
        unit: "Count",
        kind: Kind::Count(140.0),
        further: WHOLE_HOST,
    },
    Template { metric_name: "OpenConnections", unit: "Count", kind: Kind::Count(420.0), further: WHOLE_HOST },
    Template { metric_name: "Latency", unit: "Milliseconds", kind: Kind::Latency(24.0), further: ROUTES },
    Template {
        metric_name: "DatabaseLatency",
        unit: "Milliseconds",
        kind: Kind::Latency(3.5),
        further: ROUTES,
    },
    Template { metric_name: "RequestCount", unit: "Count", kind: Kind::Count(90.0), further: ROUTES },
    Template { metric_name: "ErrorCount", unit: "Count", kind: Kind::Count(0.4), further: ROUTES },
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
        let (series, random) = (&mut self.series[index], &mut self.random);
        match series.kind {
            Kind::Percent => {
                series.level = (series.level + random.normal() * 0.7).clamp(0.5, 99.5);
                (series.level + random.normal() * 1.5).clamp(0.0, 100.0)
            }
            Kind::ByteRate(_) => (series.level * random.log_normal(1.0, 0.25)).round(),
            Kind::Latency(_) => (random.log_normal(series.level, 0.5) * 1000.0).round() / 1000.0,
            Kind::Count(_) => (series.level + random.normal() * series.level.sqrt()).max(0.0).round(),
        }
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
                level: match template.kind {
                    Kind::Percent => 5.0 + random.unit() * 80.0,
                    Kind::ByteRate(median) | Kind::Latency(median) | Kind::Count(median) => {
                        random.log_normal(median, 0.6)
                    }
                },
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
