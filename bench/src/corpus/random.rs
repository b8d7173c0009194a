//! Chance from a seed. Part of the corpus, so not a library's: its sequence must never change under a corpus.

/// A stream of random numbers that its seed determines (the SplitMix64 sequence).
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream that is independent of the others that `seed` is the parent of.
    pub const fn fork(seed: u64, child: u64) -> Self {
        let mut parent = Self::new(seed ^ child.wrapping_mul(0xD134_2543_DE82_EF95));
        let state = parent.bits();
        Self::new(state)
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, without, `end`, which must not be 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        debug_assert!(end > 0, "there is no number below zero");
        ((self.bits() as u128 * end as u128) >> 64) as u64
    }

    /// A number from `first` to `last`, both included.
    pub const fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    /// A number from 0 up to, without, 1.
    pub const fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this probability.
    pub const fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `choices`, which must not be empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    /// A number below `end` of which small ones are far more frequent, as with users, clients and products.
    pub const fn skewed(&mut self, end: u64) -> u64 {
        let unit = self.unit();
        (end as f64 * unit * unit * unit) as u64
    }

    /// A normally distributed number around 0 with deviation 1, within ±6.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// A log-normally distributed number, as durations and sizes are; `sigma` of 1 spreads it over two
    /// decades.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * exp(self.normal() * sigma)
    }

    /// How many of independent events happen of which `mean` do so on average.
    pub fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).max(0.0).round();
        }
        let (limit, mut product) = (exp(-mean), self.unit());
        let mut events = 0.0;
        while product > limit {
            product *= self.unit();
            events += 1.0;
        }
        events
    }

    /// The whole sum of sizes of about `size` each, of independent events of which `mean` happen on average.
    pub fn sum_of(&mut self, mean: f64, size: f64) -> f64 {
        if mean > 30.0 {
            return (mean * size + (2.0 * mean).sqrt() * size * self.normal()).max(0.0).round();
        }
        let events = self.poisson(mean) as u64;
        (0..events).map(|_| (2.0 * size * self.unit()).round()).sum()
    }

    /// -1, 0 or 1; mostly 0.
    pub fn jitter(&mut self) -> f64 {
        match self.below(20) {
            0 => -1.0,
            1 => 1.0,
            _ => 0.0,
        }
    }

    /// Appends `digits` random hexadecimal digits.
    pub fn push_hex(&mut self, digits: usize, out: &mut String) {
        let mut left = digits;
        while left > 0 {
            let width = left.min(16);
            let bits = self.bits() >> (64 - 4 * width);
            put!(out, "{bits:0width$x}");
            left -= width;
        }
    }

    /// 128 random bits: an identifier that never comes again.
    pub const fn id(&mut self) -> u128 {
        ((self.bits() as u128) << 64) | self.bits() as u128
    }

    /// A random UUID of version 4.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.bits(), self.bits());
        let (a, b, c) = (high >> 32, (high >> 16) & 0xFFFF, high & 0x0FFF);
        let (d, e) = (((low >> 48) & 0x3FFF) | 0x8000, low & 0xFFFF_FFFF_FFFF);
        format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}")
    }
}

/// The exponential function to about four digits, in operations that IEEE 754 defines to the last bit.
pub(super) fn exp(x: f64) -> f64 {
    let mut power = 1.0 + x / 1024.0;
    for _ in 0..10 {
        power *= power;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the published reference sequence for seed 0.
    #[test]
    fn sequence_is_splitmix64() {
        let mut random = Random::new(0);
        assert_eq!(random.bits(), 0xE220_A839_7B1D_CDAF);
        assert_eq!(random.bits(), 0x6E78_9E6A_A1B9_65F4);
    }

    #[test]
    fn forks_differ_from_each_other_and_their_parent() {
        let firsts = [Random::new(7), Random::fork(7, 0), Random::fork(7, 1)].map(|mut random| random.bits());
        assert!(firsts[0] != firsts[1] && firsts[1] != firsts[2] && firsts[0] != firsts[2]);
    }

    #[test]
    fn uuids_have_version_and_variant_of_random_ones() {
        let mut random = Random::new(1);
        for _ in 0..100 {
            let uuid = random.uuid();
            assert_eq!(uuid.len(), 36);
            assert_eq!(&uuid[14..15], "4");
            assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        }
    }

    #[test]
    fn hex_has_exactly_the_digits_asked_for() {
        let mut random = Random::new(3);
        for digits in [0, 1, 15, 16, 17, 32, 40] {
            let mut out = String::new();
            random.push_hex(digits, &mut out);
            assert_eq!(out.len(), digits);
        }
    }

    #[test]
    fn half_of_a_log_normal_lies_below_its_median() {
        let mut random = Random::new(5);
        let below = (0..10_000).filter(|_| random.log_normal(40.0, 0.8) < 40.0).count();
        assert!((4_800..5_200).contains(&below), "{below}");
    }
}
