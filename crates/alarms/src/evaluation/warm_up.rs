//! The time after its creation in which an alarm stays in INSUFFICIENT_DATA and does nothing, so that
//! whatever it watches can start. It happens once: what is configured later changes its length while it
//! lasts, and does not bring it back.
//!
//! source: CloudWatch user guide, "Alarm warm-up periods".

use std::time::Duration;

use groundwatch_api::cloudwatch::WarmUpConfiguration;
use groundwatch_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alarm::Alarm;

/// What DescribeAlarms shows as EvaluationState meanwhile. The guide has it, the service model's list does
/// not.
pub(crate) const IN_WARM_UP: &str = "IN_WARM_UP";

/// `WarmUpConfiguration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmUp {
    /// `WarmUpPeriodDurationInMinutes`.
    pub minutes: u32,
    /// `OnlyStartEvaluatingAfterWarmUpPeriodEnds`, if the user said so: otherwise it ends as soon as every
    /// datapoint that the alarm evaluates is there.
    pub to_the_end: Option<bool>,
}

impl WarmUp {
    pub(crate) fn read(configuration: &WarmUpConfiguration) -> Self {
        // The constraint table has refused what is not from 1 to 2880.
        let minutes = configuration.warm_up_period_duration_in_minutes.unwrap_or(1);
        Self {
            minutes: u32::try_from(minutes).unwrap_or(1),
            to_the_end: configuration.only_start_evaluating_after_warm_up_period_ends,
        }
    }

    /// As DescribeAlarms shows it.
    pub(crate) fn shape(&self) -> WarmUpConfiguration {
        WarmUpConfiguration {
            warm_up_period_duration_in_minutes: i32::try_from(self.minutes).ok(),
            only_start_evaluating_after_warm_up_period_ends: self.to_the_end,
        }
    }

    /// Whether datapoints cannot end it.
    pub fn lasts_to_the_end(&self) -> bool {
        self.to_the_end.unwrap_or(false)
    }
}

impl Alarm {
    /// When the warm-up that it is in at `now` ends at the latest; `None` if it is in none.
    pub fn warming_up_until(&self, now: Timestamp) -> Option<Timestamp> {
        let warm_up = self.definition.as_metric()?.warm_up?;
        let end = self.warm_up_began? + Duration::from_secs(60).saturating_mul(warm_up.minutes);
        Some(end).filter(|end| now < *end)
    }
}
