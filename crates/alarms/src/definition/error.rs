//! Why a definition is refused.

use crate::composite::rule::RuleError;
use crate::definition::math_query::MathQueryError;
use crate::effects::action_target::ActionTargetError;

/// Why a definition is refused. AWS's words for it are in `fault`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// AWS knows it, Groundwatch does not do it yet.
    #[error("`{what}` is not supported yet")]
    Unsupported {
        /// The member, or the construct.
        what: &'static str,
    },
    /// A member that a metric alarm cannot do without.
    #[error("`{parameter}` is missing")]
    Missing {
        /// The member.
        parameter: &'static str,
    },
    /// Neither or both of two members of which there must be one.
    #[error("exactly one of `{}` and `{}` is needed", parameters[0], parameters[1])]
    NotExactlyOne {
        /// The members.
        parameters: [&'static str; 2],
    },
    /// A statistic that cannot be computed.
    #[error("`{value}` is not a supported value of `{parameter}`")]
    Value {
        /// The member.
        parameter: &'static str,
        /// What it says.
        value: String,
    },
    /// A member that knows a few options, and got another.
    #[error("`{value}` is not an option of `{parameter}`")]
    Option {
        /// The member.
        parameter: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        options: &'static [&'static str],
    },
    /// A period that is neither 10, 20, 30 nor a multiple of 60 seconds.
    #[error("a period of {period_secs} s is not possible")]
    Period {
        /// What was asked for.
        period_secs: i64,
    },
    /// Period times EvaluationPeriods is too much.
    #[error("the alarm would look back over more than {limit_secs} s")]
    LookBack {
        /// The limit for this period.
        limit_secs: u64,
    },
    /// A period that has no boundaries on the clock.
    #[error("a period of {period_secs} s cannot follow a clock")]
    WallClockPeriod {
        /// What was asked for.
        period_secs: u32,
    },
    /// A Metrics Insights query that would look back too far.
    #[error("the query would look back over more than {limit_secs} s")]
    QueryReach {
        /// The limit.
        limit_secs: u64,
    },
    /// DatapointsToAlarm exceeds EvaluationPeriods.
    #[error("more datapoints are needed than are evaluated")]
    TooManyNeeded,
    /// The threshold is NaN or infinite.
    #[error("the threshold is not a number")]
    Threshold,
    /// An action that is not one.
    #[error(transparent)]
    Action(#[from] ActionTargetError),
    /// An action of a kind that alarms of a kind cannot have.
    #[error("{alarms} alarms have no {kind} actions")]
    ActionKind {
        /// The kind of alarms.
        alarms: &'static str,
        /// The kind of actions.
        kind: &'static str,
    },
    /// An action on an instance, for a metric of no instance.
    #[error("the metric has no dimension InstanceId")]
    NoInstance,
    /// A comparison with a band, without the band.
    #[error("the comparison needs ThresholdMetricId")]
    BandMissing,
    /// Both a number and a band to compare with.
    #[error("Threshold and ThresholdMetricId exclude each other")]
    TwoThresholds,
    /// A member beside `Metrics` that `Metrics` says itself.
    #[error("`{parameter}` excludes Metrics")]
    BesideMetrics {
        /// The member.
        parameter: &'static str,
    },
    /// Members that exclude each other.
    #[error("`{parameter}` excludes `{other}`")]
    Excluded {
        /// The member that stands alone.
        parameter: &'static str,
        /// What it came with.
        other: &'static str,
    },
    /// `Metrics` that say nothing that can be watched.
    #[error(transparent)]
    Math(#[from] MathQueryError),
    /// A rule that cannot be read.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// Blanks before or after a rule.
    #[error("blanks around the rule")]
    RuleBlanks,
    /// A rule or suppressor that names an alarm of another account or region.
    #[error("`{arn}` belongs to another account or region")]
    Foreign {
        /// The alarm's ARN.
        arn: String,
    },
    /// A suppressor without both periods, or periods without a suppressor.
    #[error("ActionsSuppressor and its two periods come together")]
    SuppressorPeriods,
    /// A suppressor's period that is negative.
    #[error("`{parameter}` is negative")]
    Negative {
        /// The member.
        parameter: &'static str,
    },
}
