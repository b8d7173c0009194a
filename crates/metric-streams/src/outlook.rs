//! The look ahead: where a stream's next minute with data is.

use std::ops::Range;
use std::time::Duration;

use groundwatch_core::Timestamp;
use groundwatch_storage::Key;

use crate::MinuteSource;
use crate::stream::Stream;

/// How far ahead the first look for a minute with data goes; each further look goes twice as far.
const FIRST_LOOK: Duration = Duration::from_secs(60 * 60);

/// What a look ahead finds.
enum Found {
    /// The first minute that has data.
    At(Timestamp),
    /// There are data, but after what was looked through.
    Later,
    /// No metric of the stream has had data since.
    Never,
}

/// The first minute of a range in which a metric of the stream has data, or the end of the range.
///
/// A pause may be as long as the clock leaps. It is not walked minute by minute: each look goes twice as far
/// as the one before, so that there are few, and each reads no more than the data that lie there.
pub(crate) async fn next_filled(
    source: &dyn MinuteSource,
    key: &Key,
    stream: &Stream,
    Range { start: mut from, end }: Range<Timestamp>,
) -> Result<Timestamp, String> {
    let mut look = FIRST_LOOK;
    while from < end {
        let to = (from + look).min(end);
        match first_filled(source, key, stream, from, to).await? {
            Found::At(minute) => return Ok(minute),
            Found::Later => from = to,
            Found::Never => return Ok(end),
        }
        look = look.saturating_mul(2);
    }
    Ok(from)
}

/// Looks through the minutes from `from` until before `to`.
async fn first_filled(
    source: &dyn MinuteSource,
    key: &Key,
    stream: &Stream,
    from: Timestamp,
    to: Timestamp,
) -> Result<Found, String> {
    let (mut first, mut is_active, mut after) = (to, false, None::<String>);
    loop {
        let (metrics, next) = source.metrics(&key.scope, from, after.as_deref());
        for metric in metrics.iter().filter(|metric| stream.takes(&metric.namespace, &metric.name)) {
            is_active = true;
            // What another metric has later than the first minute so far is of no interest.
            let found = source.first_minute(&key.scope, metric, from, first).await;
            first = found.map_err(|error| error.to_string())?.unwrap_or(first);
        }
        after = match next {
            Some(next) if first > from => Some(next),
            _ if first < to => return Ok(Found::At(first)),
            _ => return Ok(if is_active { Found::Later } else { Found::Never }),
        };
    }
}
