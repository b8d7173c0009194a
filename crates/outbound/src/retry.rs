//! When a failed attempt is repeated, and when it is given up. Pure.

use std::time::Duration;

use groundwatch_core::stable_hash;

/// Waits that double from `first` to `longest`, spread so that senders that failed together do not come back
/// together, until what is sent is older than `give_up_after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure, before it is spread. More than zero.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
    /// How old what is sent may become.
    pub give_up_after: Duration,
}

impl Backoff {
    /// How long to wait after `failures` attempts (at least 1) for something of that `age`; `None` when it is
    /// to be given up. Lies between half of the undisturbed wait and all of it; equal arguments give equal
    /// waits. `sender` is whatever tells senders apart, such as an id, so that those who fail together do not
    /// come back together.
    pub fn wait(&self, failures: u32, age: Duration, sender: &str) -> Option<Duration> {
        let doublings = failures.saturating_sub(1).min(31);
        let full = self.first.saturating_mul(1 << doublings).min(self.longest);
        // 53 bits make every share of [0, 1) that a double tells apart.
        let share =
            (mix(stable_hash(sender.bytes()) ^ u64::from(failures)) >> 11) as f64 / (1_u64 << 53) as f64;
        let wait = full.mul_f64(0.5 + share / 2.0);
        (age.saturating_add(wait) <= self.give_up_after).then_some(wait)
    }
}

/// SplitMix64's last step: neighbouring numbers become unrelated ones.
fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(60),
        give_up_after: Duration::from_secs(3600),
    };

    #[test]
    fn what_is_too_old_is_given_up() {
        let check = |age_secs: u64, expected: bool| {
            assert_eq!(
                BACKOFF.wait(99, Duration::from_secs(age_secs), "sender").is_some(),
                expected,
                "{age_secs}"
            );
        };
        check(0, true);
        check(3540, true);
        check(3571, false);
        check(u64::MAX, false);
    }

    #[test]
    fn senders_spread() {
        let waits: std::collections::BTreeSet<_> =
            (0..100).map(|sender: u8| BACKOFF.wait(9, Duration::ZERO, &sender.to_string())).collect();
        assert!(waits.len() > 90);
    }

    proptest! {
        #[test]
        fn waits_double_up_to_the_longest(failures in 1_u32.., sender: String) {
            let wait = BACKOFF.wait(failures, Duration::ZERO, &sender).expect("young").as_secs_f64();
            let full = 2_f64.powf(f64::from(failures) - 1.0).min(60.0);
            prop_assert!((full / 2.0..=full).contains(&wait), "{wait} of {full}");
        }
    }
}
