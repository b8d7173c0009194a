//! `golden/statistics.txt`: what samples amount to.

use groundwatch_metrics::statistics::PeriodSamples;
use groundwatch_metrics::{Observation, Samples, Second, SetSample, Statistic, StatisticSet};

const TABLE: &str = include_str!("../golden/statistics.txt");

#[test]
fn every_line_of_the_statistics_table_holds() {
    let mut samples = Samples::default();
    let mut checked = 0;
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            samples = Samples::default();
        } else if let Some(values) = line.strip_prefix("values: ") {
            samples.plain.extend(values.split(' ').map(observation));
        } else if let Some(set) = line.strip_prefix("set: ") {
            samples.sets.push(set_sample(set, false));
        } else if let Some(described) = line.strip_prefix("described: ") {
            let (set, values) = described.split_once(':').expect("set and values");
            samples.sets.push(set_sample(set, true));
            samples.shapes.extend(values.split(' ').map(observation));
        } else {
            check(&samples, line);
            checked += 1;
        }
    }
    assert!(checked > 200, "the table has shrunk to {checked} lines");
}

fn check(samples: &Samples, line: &str) {
    let (statistic, expected) =
        line.split_once(" = ").unwrap_or_else(|| panic!("not a line of the table: {line}"));
    let statistic: Statistic = statistic.parse().unwrap_or_else(|_| panic!("not a statistic: {line}"));
    let mut sorted = samples.clone();
    sorted.sort();
    let period = PeriodSamples { plain: &sorted.plain, shapes: &sorted.shapes, sets: &sorted.sets };
    match (period.evaluate(&statistic), expected) {
        (None, "-") => {}
        (Some(found), expected) if expected != "-" => {
            let expected = number(expected);
            let close = (found - expected).abs() <= 1e-12 * expected.abs().max(1e-3);
            assert!(close, "{line}: found {found} in {samples:?}");
        }
        (found, _) => panic!("{line}: found {found:?} in {samples:?}"),
    }
}

fn observation(text: &str) -> Observation {
    let (value, weight) = text.split_once('*').unwrap_or((text, "1"));
    Observation { second: Second(60), value: number(value), weight: number(weight) }
}

fn set_sample(text: &str, described: bool) -> SetSample {
    let numbers: Vec<f64> = text.split(' ').map(number).collect();
    let &[sample_count, sum, minimum, maximum] = numbers.as_slice() else { panic!("not a set: {text}") };
    SetSample { second: Second(60), set: StatisticSet { sample_count, sum, minimum, maximum }, described }
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}
