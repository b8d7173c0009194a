//! How much of a day that a model has not seen lies in its band of two standard deviations, for metrics of
//! kinds that it was not tuned on: `cargo run --release -p groundwatch-anomaly --example coverage`. A band
//! that is just wide enough holds 95 %.

use groundwatch_anomaly::{Configuration, Model, Observation};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// 2026-01-05, a Monday.
const START: i64 = 1_767_571_200;
/// Metrics of each kind.
const METRICS: u64 = 40;

/// Random numbers by SplitMix64, the same in every run.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }

    /// A count whose mean is `rate`.
    fn poisson(&mut self, rate: f64) -> f64 {
        let (mut time, mut count) = (self.exponential(), 0.0);
        while time < rate {
            time += self.exponential();
            count += 1.0;
        }
        count
    }
}

/// Two humps a day, from -1 to 1.
fn humps(at: i64) -> f64 {
    let turn = (at % DAY) as f64 / DAY as f64 * std::f64::consts::TAU;
    0.7 * (turn - 1.0).sin() + 0.3 * (2.0 * turn).sin()
}

fn is_working(at: i64) -> bool {
    let (hour, day) = (at.rem_euclid(DAY) / HOUR, (at - START).div_euclid(DAY).rem_euclid(7));
    (7..19).contains(&hour) && day < 5
}

/// Makes the value at a moment; `state` is its own memory, which begins with 0.
type Kind = fn(at: i64, period: i64, state: &mut f64, random: &mut Random) -> f64;

const KINDS: [(&str, Kind); 8] = [
    ("normal noise around two humps", |at, _, _, random| 100.0 + 30.0 * humps(at) + 3.0 * random.normal()),
    ("noise that remembers an hour (AR 1)", |at, period, state, random| {
        let memory = (-(period as f64) / 3600.0).exp();
        *state = *state * memory + (1.0 - memory * memory).sqrt() * random.normal();
        100.0 + 30.0 * humps(at) + 3.0 * *state
    }),
    ("counts (Poisson)", |at, _, _, random| random.poisson(40.0 * (1.0 + 0.8 * humps(at)))),
    ("latencies (log-normal)", |at, _, _, random| (4.0 + 0.4 * humps(at) + 0.25 * random.normal()).exp()),
    ("a level that wanders", |at, period, state, random| {
        *state += (period as f64 / DAY as f64).sqrt() * 2.0 * random.normal();
        100.0 + 10.0 * humps(at) + *state + 2.0 * random.normal()
    }),
    ("working days", |at, _, _, random| {
        let busy = if is_working(at) { 200.0 } else { 40.0 };
        busy * (1.0 + 0.05 * random.normal())
    }),
    ("heavy tails (Laplace)", |at, _, _, random| {
        let sign = if random.uniform() < 0.5 { -1.0 } else { 1.0 };
        50.0 + 5.0 * humps(at) + sign * 2.0 * random.exponential()
    }),
    ("no cycle, now and then a spike", |_, _, _, random| {
        let spike = if random.uniform() < 0.01 { 50.0 } else { 0.0 };
        10.0 + random.normal() + spike
    }),
];

/// The part of the next day's points that are in the band, and how wide that is on average.
fn held_out(kind: Kind, period: i64, days: i64, seed: u64) -> (f64, f64) {
    let (mut random, mut state) = (Random(seed), 0.0);
    let points: Vec<Observation> = (0..(days + 1) * DAY / period)
        .map(|index| START + index * period)
        .map(|at_secs| Observation { at_secs, value: kind(at_secs, period, &mut state, &mut random) })
        .collect();
    let (past, future) = points.split_at((days * DAY / period) as usize);
    let model = Model::train(past, period as u32, &Configuration::default());
    let bands = future.iter().filter_map(|point| Some((point.value, model.band(point.at_secs, 2.0)?)));
    let (mut inside, mut width) = (0.0, 0.0);
    for (value, band) in bands {
        inside += f64::from(u8::from((band.lower..=band.upper).contains(&value)));
        width += band.upper - band.lower;
    }
    (inside / future.len() as f64, width / future.len() as f64)
}

fn main() {
    eprintln!(
        "{:<38} {:>6} {:>5} {:>8} {:>8} {:>8}",
        "kind", "period", "days", "covered", "worst 5%", "width"
    );
    for (name, kind) in KINDS {
        for period in [300, 3600] {
            for days in [4, 14] {
                let mut all: Vec<(f64, f64)> =
                    (1..=METRICS).map(|seed| held_out(kind, period, days, seed * 7919)).collect();
                all.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mean = |of: fn(&(f64, f64)) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
                let worst = all[all.len() / 20].0;
                eprintln!(
                    "{name:<38} {period:>6} {days:>5} {:>8.3} {worst:>8.3} {:>8.2}",
                    mean(|one| one.0),
                    mean(|one| one.1)
                );
            }
        }
    }
}
