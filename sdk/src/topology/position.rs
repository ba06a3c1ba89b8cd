//! How far a node's write-ahead log had come when something was written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a session has written up to: a place in the write-ahead log of one node (its LSN). Whoever reads with it sees what was
/// written: see [`Consistency::Session`](crate::config::Consistency::Session).
///
/// It is a short text, for a cookie or a header, and tells nothing about the data:
///
/// ```
/// use shardwise::Position;
///
/// let position: Position = "1:0/16B3748".parse()?;
/// assert_eq!(position.to_string(), "1:0/16B3748");
/// # Ok::<(), shardwise::topology::PositionError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// The group of the node: `pg_dist_node.groupid`.
    pub(crate) group: i32,
    pub(crate) lsn: u64,
}

/// Where a record begins that is the first on a page of the log: behind the page's header …
const PAGE_HEADER: u64 = 24;
/// … which is longer on the first page of a segment.
const SEGMENT_HEADER: u64 = 40;

impl Position {
    /// Of something that was written somewhere: only the primary is sure to have it.
    pub(crate) const SOMEWHERE: Self = Self { group: -1, lsn: u64::MAX };

    /// From what a server says of where its next record begins (`pg_current_wal_insert_lsn`) to where the last one ends: that
    /// differs where a page ends between them, and a standby that has replayed all stops there.
    pub(crate) fn last_end(next: u64, page: u64, segment: u64) -> u64 {
        match (next.checked_rem(page), next.checked_rem(segment)) {
            (_, Some(SEGMENT_HEADER)) => next - SEGMENT_HEADER,
            (Some(PAGE_HEADER), _) => next - PAGE_HEADER,
            _ => next,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As PostgreSQL writes it.
        write!(f, "{}:{:X}/{:X}", self.group, self.lsn >> 32, self.lsn & 0xFFFF_FFFF)
    }
}

/// A text that is no [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionError(());

impl fmt::Display for PositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no position: write what a `Position` prints, such as \"1:0/16B3748\"")
    }
}

impl std::error::Error for PositionError {}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let half = |text: &str| {
            let is_hex = (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten()
        };
        let parse = || {
            let (group, lsn) = text.split_once(':')?;
            let (high, low) = lsn.split_once('/')?;
            Some(Self { group: group.parse().ok()?, lsn: half(high)? << 32 | half(low)? })
        };
        parse().ok_or(PositionError(()))
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn positions_print_as_they_are_read() {
        for text in ["0:0/0", "12:1A/FFFFFFFF", "-1:FFFFFFFF/FFFFFFFF"] {
            assert_eq!(text.parse::<Position>().map(|position| position.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "1", "1:0", "0/0", "x:0/0", "1:0/", "1:/0", "1:0/123456789", "1:0/+1", "1:0/0/0", "1:0/0 "] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_page_that_is_just_full_ends_where_the_last_record_does() {
        let (page, segment, end) = (8_192, 16 * 1_024 * 1_024, 5 * 8_192);
        assert_eq!(Position::last_end(end + 24, page, segment), end);
        assert_eq!(Position::last_end(end + 40, page, segment), end + 40);
        assert_eq!(Position::last_end(end, page, segment), end);
        // As after a change of the segment.
        assert_eq!(Position::last_end(3 * segment + 40, page, segment), 3 * segment);
        assert_eq!(Position::last_end(end + 24, 0, 0), end + 24, "a server that does not tell");
    }
}
