//! Seeded data that looks like what real fleets send: log events and metric series.
//!
//! The same seed gives the same data on every machine and in every version, so that figures taken months
//! apart can be compared: chance comes from [`Random`] alone, and no function of the platform's mathematics
//! library takes part. The data are honest: what is random in production (trace ids, amounts, latencies,
//! addresses) is random here, and what repeats (field names, templates, stack frames, hosts) repeats. A
//! compressor or an index meets both.

/// Appends formatted text to a `String`, which cannot fail.
macro_rules! put {
    ($out:expr, $($format:tt)*) => {
        std::fmt::Write::write_fmt($out, format_args!($($format)*)).expect("a String takes everything")
    };
}

pub mod logs;
pub mod metrics;
mod random;
mod vocabulary;

pub use random::Random;
