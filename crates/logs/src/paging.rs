//! Tokens of the two operations that page through events. Listings of groups and streams page by name, with
//! [`groundwatch_core::page_token`].

use groundwatch_core::page_token;

use crate::error::LogsError;
use crate::event_key::EventKey;
use crate::incarnation::GroupId;
use crate::store::Direction;

/// How many bytes of events, as AWS counts them, a page holds at most; one event always fits.
pub(crate) const PAGE_BYTES_MAX: usize = 1_048_576;
/// How many events a page holds at most, and without a `limit`.
pub(crate) const PAGE_EVENTS_MAX: usize = 10_000;

/// Where reading goes on, and which way. The boundary lies between two events, so the page after it and the
/// page before it meet without a gap, whatever is written meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Continuation {
    /// Which way.
    pub(crate) direction: Direction,
    /// Where.
    pub(crate) boundary: EventKey,
}

impl Continuation {
    /// As `GetLogEvents` shows it: `f/…/s` or `b/…/s`, in AWS's own form.
    pub(crate) fn to_stream_token(self) -> String {
        format!("{}/{}/s", self.letter(), self.boundary.to_digits())
    }

    /// Reads what [`Self::to_stream_token`] wrote.
    pub(crate) fn from_stream_token(token: &str) -> Result<Self, LogsError> {
        let inner = token.strip_suffix("/s").ok_or(LogsError::InvalidToken)?;
        Self::parse(inner).ok_or(LogsError::InvalidToken)
    }

    /// As `FilterLogEvents` shows it, for one group only.
    pub(crate) fn to_group_token(self, group: GroupId) -> String {
        page_token::encode(GROUP_LISTING, &format!("{group}/{}/{}", self.letter(), self.boundary.to_digits()))
    }

    /// Reads what [`Self::to_group_token`] wrote for the same group and direction.
    pub(crate) fn from_group_token(
        token: &str,
        group: GroupId,
        direction: Direction,
    ) -> Result<Self, LogsError> {
        let cursor = page_token::decode(GROUP_LISTING, token);
        let continuation = cursor.as_deref().and_then(|cursor| {
            let (of_group, rest) = cursor.split_once('/')?;
            (GroupId::parse(of_group) == Some(group)).then(|| Self::parse(rest))?
        });
        continuation.filter(|found| found.direction == direction).ok_or(LogsError::InvalidToken)
    }

    fn parse(text: &str) -> Option<Self> {
        let (letter, digits) = text.split_once('/')?;
        let direction = match letter {
            "f" => Direction::Forward,
            "b" => Direction::Backward,
            _ => return None,
        };
        Some(Self { direction, boundary: EventKey::from_digits(digits)? })
    }

    fn letter(self) -> char {
        match self.direction {
            Direction::Forward => 'f',
            Direction::Backward => 'b',
        }
    }
}

const GROUP_LISTING: &str = "FilterLogEvents";

#[cfg(test)]
mod tests {
    use groundwatch_core::Timestamp;

    use super::*;

    const BOUNDARY: EventKey =
        EventKey { timestamp: Timestamp::from_millis(1_767_323_045_678), sequence: 12, index: 3 };

    #[test]
    fn stream_tokens_have_the_form_of_aws() {
        let forward = Continuation { direction: Direction::Forward, boundary: BOUNDARY };
        let token = forward.to_stream_token();
        assert_eq!(token, "f/00000001767323045678000000000000000000120000000000000003/s");
        assert_eq!(Continuation::from_stream_token(&token).ok(), Some(forward));
        let backward = Continuation { direction: Direction::Backward, ..forward };
        assert_eq!(Continuation::from_stream_token(&backward.to_stream_token()).ok(), Some(backward));
        let digits = BOUNDARY.to_digits();
        for damaged in ["x", "/s", "f/1/s", &token[1..], &format!("n/{digits}/s"), &format!("f/{digits}")] {
            assert!(Continuation::from_stream_token(damaged).is_err(), "{damaged}");
        }
    }

    #[test]
    fn group_tokens_are_for_one_group_and_direction() {
        let (group, other) = (GroupId::from_u128(1), GroupId::from_u128(2));
        let forward = Continuation { direction: Direction::Forward, boundary: BOUNDARY };
        let token = forward.to_group_token(group);
        let read =
            |token: &str, group, direction| Continuation::from_group_token(token, group, direction).ok();
        assert_eq!(read(&token, group, Direction::Forward), Some(forward));
        assert_eq!(read(&token, other, Direction::Forward), None);
        assert_eq!(read(&token, group, Direction::Backward), None);
        assert_eq!(read("invalid-token", group, Direction::Forward), None);
    }
}
