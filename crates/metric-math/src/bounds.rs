//! How much one expression may ask for.

/// The longest expression, in characters (AWS's model: 2048).
pub const EXPRESSION_CHARS_MAX: usize = 2048;

/// The deepest nesting of parentheses, brackets, calls and signs. Operators in a row do not nest.
pub const DEPTH_MAX: usize = 64;

/// The most series in an array (AWS: 500 metrics a request, 500 results of a SEARCH).
pub const ARRAY_SERIES_MAX: usize = 500;

/// The most points that a dense function (TIME_SERIES, FILL, HOUR …) gives one series: 16 MB, two years of
/// minutes.
pub const DENSE_POINTS_MAX: usize = 1 << 20;

/// The most points that all steps of one evaluation may look at together: under a second, and under 1 GB.
pub const POINTS_MAX: usize = 50_000_000;
