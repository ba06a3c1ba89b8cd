//! Places in a server's log, and what a snapshot sees. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// A place in the log of the old server: `16/B374D848`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(pub(super) u64);

impl Lsn {
    /// How many bytes lie between an earlier place and this one.
    #[must_use]
    pub fn bytes_after(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for Lsn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once('/').and_then(|(high, low)| {
            Some((u64::from_str_radix(high, 16).ok()?, u64::from(u32::from_str_radix(low, 16).ok()?)))
        });
        let (high, low) = parts.ok_or_else(|| unreadable("a place in its log"))?;
        Ok(Self(high << 32 | low))
    }
}

impl Serialize for Lsn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What `txid_current_snapshot()` tells: which transactions had ended by then, as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) min: u64,
    pub(super) max: u64,
    running: Vec<u64>,
}

impl Snapshot {
    /// Whether what this transaction has written is there. The log numbers transactions by the lower half of their number.
    pub(super) fn sees(&self, xid: u32) -> bool {
        let full = self.widened(xid);
        full < self.min || (full < self.max && self.running.binary_search(&full).is_err())
    }

    /// The one of this lower half that is nearest to the snapshot.
    fn widened(&self, xid: u32) -> u64 {
        const EPOCH: u64 = 1 << 32;
        let near = self.max & !(EPOCH - 1) | u64::from(xid);
        if near > self.max + EPOCH / 2 && near >= EPOCH {
            near - EPOCH
        } else if near + EPOCH / 2 < self.max {
            near + EPOCH
        } else {
            near
        }
    }
}

/// `10:20:10,14,15`
impl FromStr for Snapshot {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let read = || {
            let mut parts = text.split(':');
            let (min, max) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let running = parts.next()?.split(',').filter(|xid| !xid.is_empty());
            let mut running: Vec<u64> = running.map(|xid| xid.parse().ok()).collect::<Option<_>>()?;
            running.sort_unstable();
            Some(Self { min, max, running })
        };
        read().ok_or_else(|| unreadable("a snapshot"))
    }
}

fn unreadable(what: &str) -> Error {
    Error::new(ErrorKind::Codec, format!("the server tells {what} in other words than expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_written() {
        for text in ["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"] {
            assert_eq!(text.parse::<Lsn>().expect(text).to_string(), text);
        }
        assert!("1/0".parse::<Lsn>().expect("higher") > "0/FFFFFFFF".parse::<Lsn>().expect("lower"));
        for wrong in ["", "1", "1/", "1/100000000", "g/0"] {
            assert!(wrong.parse::<Lsn>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_snapshot_sees_what_had_ended() {
        let snapshot: Snapshot = "10:20:10,14".parse().expect("a snapshot");
        let seen: Vec<u32> = (8..22).filter(|xid| snapshot.sees(*xid)).collect();
        assert_eq!(seen, [8, 9, 11, 12, 13, 15, 16, 17, 18, 19]);
        assert!("7:7:".parse::<Snapshot>().expect("nothing runs").sees(6));
        assert!("7:8".parse::<Snapshot>().is_err() && "a:8:".parse::<Snapshot>().is_err());
    }

    #[test]
    fn numbers_that_began_anew_are_told_apart() {
        // 3 transactions into the second round.
        let round = 1u64 << 32;
        let text = format!("{}:{}:{}", round - 2, round + 3, round - 2);
        let snapshot: Snapshot = text.parse().expect("a snapshot");
        assert!(!snapshot.sees(u32::MAX - 1), "it runs still");
        assert!(snapshot.sees(u32::MAX) && snapshot.sees(u32::MAX - 2) && snapshot.sees(2));
        assert!(!snapshot.sees(3) && !snapshot.sees(1_000_000), "they come later");
        // Just before it.
        let snapshot: Snapshot = format!("{0}:{0}:", round - 5).parse().expect("a snapshot");
        assert!(snapshot.sees(u32::MAX - 5) && !snapshot.sees(7));
    }
}
