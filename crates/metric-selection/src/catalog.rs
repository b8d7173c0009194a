//! What a store of series offers to a `SELECT`.

use std::ops::ControlFlow;

use crate::Metric;

/// The series of one account and region.
pub trait MetricCatalog {
    /// Calls `visit` with every series that satisfies `candidates`, each once, until that breaks.
    ///
    /// It may also call it with series that do not satisfy them, as those are checked again: a catalog uses
    /// what it has an index for. The order decides which series are left out where a query matches more than
    /// it may read.
    fn visit(&self, candidates: Candidates<'_>, visit: &mut dyn FnMut(u32, Metric<'_>) -> ControlFlow<()>);

    /// Whether series have the label at all. Where not, a query that names it is refused.
    fn supplies(&self, label: SystemLabel<'_>) -> bool {
        let _ = label;
        false
    }

    /// The value of a label that the catalog [supplies](Self::supplies); `None` if this series has none.
    /// Called from within [`visit`](Self::visit) too.
    fn system_label(&self, series: u32, label: SystemLabel<'_>) -> Option<String> {
        let _ = (series, label);
        None
    }

    /// What `CURRENT_ACCOUNT_ID()` stands for. Asked only if [`SystemLabel::AccountId`] is supplied.
    fn current_account(&self) -> Option<String> {
        None
    }
}

/// Which series a query can match: those that satisfy all that is given.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a> {
    /// Exactly this namespace.
    pub namespace: &'a str,
    /// Exactly this name.
    pub name: &'a str,
    /// Dimensions of exactly these names, in any order.
    pub exactly: Option<&'a [String]>,
    /// At least these dimensions, with these values.
    pub having: &'a [(&'a str, &'a str)],
}

/// A label of a series that is no dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemLabel<'a> {
    /// `AWS.AccountId`: the account that the series belongs to.
    AccountId,
    /// `tag.<key>`: a tag of the resource that the series is about.
    Tag(&'a str),
}
