//! Series that tests write in one line each: `Namespace Name Dim=value Dim=value`, `_` for a blank.

#![allow(dead_code, reason = "each test program uses a part of this")]

use std::ops::ControlFlow;

use groundwatch_metric_selection::search::TokenIndex;
use groundwatch_metric_selection::{Candidates, Metric, MetricCatalog, SystemLabel};

/// A series of a test.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dimensions: Vec<(String, String)>,
}

impl Series {
    pub(crate) fn parse(line: &str) -> Self {
        let mut words = line.split_whitespace().map(|word| word.replace('_', " "));
        let mut next = || words.next().expect("a namespace and a name");
        let (namespace, name) = (next(), next());
        let dimension = |word: String| {
            let (name, value) = word.split_once('=').expect("name=value");
            (name.to_owned(), value.to_owned())
        };
        Self { namespace, name, dimensions: words.map(dimension).collect() }
    }

    /// Lends the series.
    pub(crate) fn with<T>(&self, use_it: impl FnOnce(Metric<'_>) -> T) -> T {
        let dimensions: Vec<(&str, &str)> =
            self.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        use_it(Metric { namespace: &self.namespace, name: &self.name, dimensions: &dimensions })
    }
}

/// Series by number, from 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) series: Vec<Series>,
    /// The account of every series, if the catalog knows that.
    pub(crate) account: Option<String>,
    /// The tag `env` of each series, if the catalog knows that.
    pub(crate) env: Option<Vec<Option<String>>>,
}

impl Catalog {
    pub(crate) fn parse(lines: &str) -> Self {
        let series = lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(Series::parse);
        Self { series: series.collect(), ..Self::default() }
    }

    pub(crate) fn index(&self) -> TokenIndex {
        let mut index = TokenIndex::new();
        for (number, series) in (0..).zip(&self.series) {
            series.with(|metric| index.insert(number, metric));
        }
        index
    }
}

impl MetricCatalog for Catalog {
    /// Has no index: visits all.
    fn visit(&self, _: Candidates<'_>, visit: &mut dyn FnMut(u32, Metric<'_>) -> ControlFlow<()>) {
        for (number, series) in (0..).zip(&self.series) {
            if series.with(|metric| visit(number, metric)).is_break() {
                return;
            }
        }
    }

    fn supplies(&self, label: SystemLabel<'_>) -> bool {
        match label {
            SystemLabel::AccountId => self.account.is_some(),
            SystemLabel::Tag(key) => key == "env" && self.env.is_some(),
        }
    }

    fn system_label(&self, series: u32, label: SystemLabel<'_>) -> Option<String> {
        match label {
            SystemLabel::AccountId => self.account.clone(),
            SystemLabel::Tag(_) => self.env.as_ref()?.get(series as usize)?.clone(),
        }
    }

    fn current_account(&self) -> Option<String> {
        self.account.clone()
    }
}
