//! Log events as a company's log groups receive them: about 305 bytes each, in five formats.
//!
//! A [`Generator`] is an endless iterator of [`Event`]s in the order of time. A group belongs to a service
//! and has the format of that service; its streams are the service's hosts. With few groups, a group mixes
//! several formats, as where a cluster's containers share one group.

mod access_log;
mod java;
mod json_application;
mod key_value;
mod syslog;

use std::sync::Arc;

use groundwatch_core::Timestamp;

use super::{Random, vocabulary};

/// One log event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The log group's name, such as `/shop/checkout`.
    pub group: Arc<str>,
    /// The log stream's name: a host.
    pub stream: Arc<str>,
    /// When it happened. Never earlier than the event before it.
    pub timestamp: Timestamp,
    /// The text, of one line or of several; never empty.
    pub message: String,
}

/// How large the fleet is that a [`Generator`] imitates.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Log groups, at least 1.
    pub groups: usize,
    /// Log streams in each group, at least 1.
    pub streams_per_group: usize,
    /// The moment of the first event.
    pub start: Timestamp,
    /// Events a second in all groups together, on average; more than 0.
    pub events_per_sec: f64,
}

impl Default for Fleet {
    /// 20 groups of 10 streams, 20,000 events a second from 2026-01-01T00:00:00Z on.
    fn default() -> Self {
        Self {
            groups: 20,
            streams_per_group: 10,
            start: Timestamp::from_secs(1_767_225_600),
            events_per_sec: 20_000.0,
        }
    }
}

/// An endless, seeded iterator of events.
#[derive(Clone, Debug)]
pub struct Generator {
    random: Random,
    groups: Vec<Group>,
    /// Running sums of the groups' shares of all events.
    shares: Vec<f64>,
    mean_gap_ms: f64,
    elapsed_ms: f64,
    start: Timestamp,
    /// Requests on their way through the fleet: the lines that one of them leaves share its trace id.
    traces: [u128; TRACES_AT_ONCE],
}

const TRACES_AT_ONCE: usize = 256;
/// How probable it is that a line is the last one of its trace, so that a trace leaves four lines on average.
const TRACE_ENDS: f64 = 0.25;

#[derive(Clone, Debug)]
struct Group {
    name: Arc<str>,
    service: &'static str,
    streams: Vec<Arc<str>>,
    formats: Vec<Format>,
}

/// What a line's text may depend on besides chance.
struct Scene<'a> {
    timestamp: Timestamp,
    service: &'a str,
    host: &'a str,
    trace: u128,
}

/// A format, and who writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    JsonApplication,
    AccessLog,
    KeyValue,
    Java,
    Syslog,
}

/// Formats of the first groups, repeated for further ones: the share of each format in all groups.
const FORMATS: [Format; 20] = {
    use Format::{AccessLog as A, Java as V, JsonApplication as J, KeyValue as K, Syslog as S};
    [J, A, K, S, J, V, A, K, J, A, S, V, A, J, K, J, S, A, V, A]
};

impl Generator {
    /// The default [`Fleet`]'s events.
    pub fn new(seed: u64) -> Self {
        Self::of(&Fleet::default(), seed)
    }

    /// The events of this fleet. Zero groups or streams count as one.
    pub fn of(fleet: &Fleet, seed: u64) -> Self {
        let groups: Vec<Group> =
            (0..fleet.groups.max(1)).map(|index| Group::new(fleet, seed, index)).collect();
        let mut sum = 0.0;
        // Volumes differ: the busiest of 20 groups writes about four times as much as the quietest.
        let shares = (0..groups.len()).map(|rank| {
            sum += 1.0 / ((rank + 1) as f64).sqrt();
            sum
        });
        let mut random = Random::fork(seed, u64::MAX);
        Self {
            shares: shares.collect(),
            traces: std::array::from_fn(|_| random.id()),
            random,
            groups,
            mean_gap_ms: 1000.0 / fleet.events_per_sec,
            elapsed_ms: 0.0,
            start: fleet.start,
        }
    }

    /// The names of all groups, each with the names of its streams.
    pub fn groups(&self) -> impl Iterator<Item = (&Arc<str>, &[Arc<str>])> {
        self.groups.iter().map(|group| (&group.name, group.streams.as_slice()))
    }

    /// The next event of the fleet, if it were one of this group, an index into [`Self::groups`].
    ///
    /// # Panics
    ///
    /// If there is no such group.
    pub fn event_in(&mut self, group: usize) -> Event {
        let random = &mut self.random;
        self.elapsed_ms += random.unit() * 2.0 * self.mean_gap_ms;
        let timestamp = Timestamp::from_millis(self.start.as_millis() + self.elapsed_ms as i64);
        let group = &self.groups[group];
        let stream = random.pick(&group.streams).clone();
        let trace = trace_of_next_line(random, &mut self.traces);
        let scene = Scene { timestamp, service: group.service, host: &stream, trace };
        let mut message = String::with_capacity(512);
        match random.pick(&group.formats) {
            Format::JsonApplication => json_application::write(random, &scene, &mut message),
            Format::AccessLog => access_log::write(random, &scene, &mut message),
            Format::KeyValue => key_value::write(random, &scene, &mut message),
            Format::Java => java::write(random, &scene, &mut message),
            Format::Syslog => syslog::write(random, &scene, &mut message),
        }
        Event { group: group.name.clone(), stream, timestamp, message }
    }

    fn busy_group(&mut self) -> usize {
        let total = self.shares.last().copied().unwrap_or_default();
        let point = self.random.unit() * total;
        self.shares.partition_point(|&sum| sum <= point).min(self.groups.len() - 1)
    }
}

fn trace_of_next_line(random: &mut Random, traces: &mut [u128]) -> u128 {
    let slot = random.below(traces.len() as u64) as usize;
    let trace = traces[slot];
    if random.chance(TRACE_ENDS) {
        traces[slot] = random.id();
    }
    trace
}

impl Iterator for Generator {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let group = self.busy_group();
        Some(self.event_in(group))
    }
}

impl Group {
    fn new(fleet: &Fleet, seed: u64, index: usize) -> Self {
        let mut random = Random::fork(seed, index as u64);
        let service = vocabulary::SERVICES[index % vocabulary::SERVICES.len()];
        let name = match index / vocabulary::SERVICES.len() {
            0 => format!("/shop/{service}"),
            copy => format!("/shop/{service}-{copy}"),
        };
        let streams = (0..fleet.streams_per_group.max(1)).map(|host| {
            let (a, b) = (random.below(16), random.below(256));
            format!("ip-10-{a}-{b}-{host}").into()
        });
        let formats = FORMATS.iter().enumerate().filter(|(slot, _)| {
            let groups = fleet.groups.clamp(1, FORMATS.len());
            slot % groups == index % FORMATS.len() % groups
        });
        Self {
            name: name.into(),
            service,
            streams: streams.collect(),
            formats: formats.map(|(_, &format)| format).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn same_seed_same_events_other_seed_other_events() {
        let take = |seed| Generator::new(seed).take(500).collect::<Vec<_>>();
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
    }

    /// A checksum over the corpus of seed 1: whoever changes the corpus changes what old figures mean, and
    /// should know.
    #[test]
    fn corpus_of_seed_1_is_the_one_that_figures_were_taken_with() {
        let mut checksum = crc32fast::Hasher::new();
        for event in Generator::new(1).take(10_000) {
            checksum.update(event.group.as_bytes());
            checksum.update(event.stream.as_bytes());
            checksum.update(&event.timestamp.as_millis().to_le_bytes());
            checksum.update(event.message.as_bytes());
        }
        assert_eq!(checksum.finalize(), CORPUS_CHECKSUM);
    }
    const CORPUS_CHECKSUM: u32 = 890_372_285;

    #[test]
    fn events_have_305_bytes_on_average_and_a_long_tail() {
        let mut lengths: Vec<usize> =
            Generator::new(1).take(50_000).map(|event| event.message.len()).collect();
        lengths.sort_unstable();
        let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
        let percentile = |percent: usize| lengths[lengths.len() * percent / 100];
        let figures = format!(
            "mean {mean:.1} p1 {} p10 {} p50 {} p90 {} p99 {} max {}",
            percentile(1),
            percentile(10),
            percentile(50),
            percentile(90),
            percentile(99),
            lengths[lengths.len() - 1]
        );
        assert!((300.0..310.0).contains(&mean), "{figures}");
        assert!((120..200).contains(&percentile(10)), "{figures}");
        assert!((220..300).contains(&percentile(50)), "{figures}");
        assert!((1_000..4_000).contains(&percentile(99)), "{figures}");
    }

    #[test]
    fn time_never_goes_back_and_keeps_the_rate() {
        let events: Vec<Event> = Generator::new(1).take(20_001).collect();
        assert!(events.is_sorted_by_key(|event| event.timestamp));
        let span = events[20_000].timestamp.since(events[0].timestamp);
        assert!((0.98..1.02).contains(&span.as_secs_f64()), "{span:?}");
    }

    #[test]
    fn every_group_writes_and_one_group_alone_writes_every_format() {
        let groups: HashSet<Arc<str>> = Generator::new(1).take(5_000).map(|event| event.group).collect();
        assert_eq!(groups.len(), 20);

        let single = Fleet { groups: 1, ..Fleet::default() };
        let messages: Vec<String> = Generator::of(&single, 1).take(500).map(|event| event.message).collect();
        for (format, sign) in [
            ("JSON", r#"{"time":"#),
            ("access log", "HTTP/"),
            ("key=value", "level="),
            ("Java", "\n\tat "),
            ("syslog", "sshd["),
        ] {
            assert!(messages.iter().any(|message| message.contains(sign)), "no {format}");
        }
    }

    #[test]
    fn json_lines_are_json() {
        for event in Generator::new(1).take(5_000).filter(|event| event.message.starts_with('{')) {
            serde_json::from_str::<serde_json::Value>(&event.message).expect(&event.message);
        }
    }

    #[test]
    fn group_names_are_unique_and_legal_in_any_number() {
        let fleet = Fleet { groups: 1_000, streams_per_group: 3, ..Fleet::default() };
        let generator = Generator::of(&fleet, 9);
        let names: HashSet<&str> = generator.groups().map(|(name, _)| &**name).collect();
        assert_eq!(names.len(), 1_000);
        for (name, streams) in generator.groups() {
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.#".contains(c)), "{name}");
            assert_eq!(streams.iter().collect::<HashSet<_>>().len(), 3);
        }
    }
}
