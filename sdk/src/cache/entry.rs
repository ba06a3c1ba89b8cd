//! An entry, and how it is written down for Redis.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::topology::Position;

/// What a place holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The row, as the codec writes it; `None` where there is none.
    pub(crate) row: Option<Bytes>,
    /// How far the node's log had come before the row was read; `None` where that is not known.
    pub(crate) read_at: Option<LogPlace>,
    /// When it was read from the database, by the clock of whoever did.
    pub(super) loaded: u64,
    /// How many milliseconds later it is over.
    pub(super) ttl: u32,
}

/// A place in a node's log. Each promotion of a standby begins a new timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogPlace {
    pub(crate) group: i32,
    pub(crate) timeline: u32,
    pub(crate) lsn: u64,
}

impl LogPlace {
    /// Whether a row that was read after this place has all that was written up to there.
    ///
    /// Not where both are the same: a COMMIT stands in the log for a moment before it is seen, and what was read in that moment
    /// lacks it.
    fn is_behind(self, position: Position) -> bool {
        self.group == position.group && self.lsn > position.lsn
    }
}

impl Entry {
    /// Whether a session that has written up to there may be given this.
    pub(super) fn suffices(&self, after: Option<Position>) -> bool {
        after.is_none_or(|position| self.read_at.is_some_and(|place| place.is_behind(position)))
    }

    /// How much of its time is left, by this process's clock; never more than it had.
    pub(super) fn left(&self) -> Duration {
        let ttl = u64::from(self.ttl);
        let age = now().saturating_sub(self.loaded);
        Duration::from_millis(ttl.saturating_sub(age))
    }

    /// How many bytes it takes, more or less.
    pub(super) fn size(&self) -> usize {
        HEADER + self.row.as_ref().map_or(0, Bytes::len)
    }

    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "there is no Redis"))]
    /// For Redis: as written by the holder of this lease, in this generation of its family, on this run of the server.
    pub(super) fn write(&self, generation: u64, token: u64, run: u64) -> Bytes {
        let mut out = BytesMut::with_capacity(self.size());
        out.put_u8(VALUE);
        out.put_u64(generation);
        out.put_u64(token);
        out.put_u64(run);
        out.put_u64(self.loaded);
        out.put_u32(self.ttl);
        let place = self.read_at.unwrap_or(NOWHERE);
        out.put_i32(place.group);
        out.put_u32(place.timeline);
        out.put_u64(place.lsn);
        out.put_u8(u8::from(self.row.is_some()));
        out.put_slice(self.row.as_deref().unwrap_or_default());
        out.freeze()
    }
}

/// An entry as Redis has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) generation: u64,
    pub(super) token: u64,
    pub(super) run: u64,
    pub(super) entry: Entry,
}

impl Stored {
    /// `None` where it is no value, or one of another version.
    pub(super) fn read(bytes: &Bytes) -> Option<Self> {
        let (header, row) = bytes.split_at_checked(HEADER)?;
        let mut header = Reader(header);
        if header.take::<1>() != [VALUE] {
            return None;
        }
        let [generation, token, run, loaded] = [(); 4].map(|()| u64::from_be_bytes(header.take()));
        let ttl = u32::from_be_bytes(header.take());
        let group = i32::from_be_bytes(header.take());
        let timeline = u32::from_be_bytes(header.take());
        let place = LogPlace { group, timeline, lsn: u64::from_be_bytes(header.take()) };
        let row = match header.take::<1>() {
            [0] if row.is_empty() => None,
            [1] => Some(bytes.slice(HEADER..)),
            _ => return None,
        };
        let read_at = Some(place).filter(|place| *place != NOWHERE);
        Some(Self { generation, token, run, entry: Entry { row, read_at, loaded, ttl } })
    }
}

/// What a value begins with; leases and marks begin with other letters, and so does what other versions write.
pub(super) const VALUE: u8 = b'V';

const HEADER: usize = 1 + 4 * 8 + 4 + 4 + 4 + 8 + 1;

/// Written where the place is not known.
const NOWHERE: LogPlace = LogPlace { group: i32::MIN, timeline: 0, lsn: 0 };

/// Takes numbers off the front; of what has ended, zeros.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((head, rest)) = self.0.split_first_chunk::<N>() else { return [0; N] };
        self.0 = rest;
        *head
    }
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The same number in milliseconds.
pub(super) fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Entry, LogPlace, Stored, now};
    use crate::topology::Position;

    fn entry(row: Option<&'static [u8]>, read_at: Option<LogPlace>) -> Entry {
        Entry { row: row.map(Bytes::from_static), read_at, loaded: now(), ttl: 5_000 }
    }

    #[test]
    fn an_entry_comes_back_as_it_was_written_and_what_is_none_is_not_taken_for_one() {
        let place = LogPlace { group: 3, timeline: 2, lsn: u64::MAX };
        for entry in [entry(Some(b"row"), Some(place)), entry(Some(b""), None), entry(None, Some(place))] {
            let written = entry.write(7, 8, 9);
            assert_eq!(Stored::read(&written), Some(Stored { generation: 7, token: 8, run: 9, entry: entry.clone() }));
            for length in 0..written.len().min(super::HEADER) {
                assert_eq!(Stored::read(&written.slice(..length)), None, "cut off at {length}");
            }
        }
        assert_eq!(Stored::read(&Bytes::from_static(b"L1234567812345678")), None);
    }

    #[test]
    fn a_session_is_given_nothing_older_than_what_it_wrote() {
        let place = |group, lsn| Some(LogPlace { group, timeline: 1, lsn });
        let wrote = Some(Position { group: 1, lsn: 100 });
        for (read_at, expected) in [
            (place(1, 101), true),
            (place(1, 100), false),
            (place(1, 99), false),
            (place(2, 500), false),
            (None, false),
        ] {
            assert_eq!(entry(None, read_at).suffices(wrote), expected, "{read_at:?}");
            assert!(entry(None, read_at).suffices(None));
        }
        assert!(!entry(None, place(1, 500)).suffices(Some(Position::SOMEWHERE)));
    }

    #[test]
    fn time_counts_from_when_the_row_was_read() {
        let old = Entry { loaded: now() - 4_000, ..entry(None, None) };
        assert!(old.left().as_millis() <= 1_000);
        assert_eq!(Entry { loaded: now() - 6_000, ..entry(None, None) }.left().as_millis(), 0);
        // A clock that is behind makes nothing live longer than it should.
        assert_eq!(Entry { loaded: now() + 60_000, ..entry(None, None) }.left().as_millis(), 5_000);
    }
}
