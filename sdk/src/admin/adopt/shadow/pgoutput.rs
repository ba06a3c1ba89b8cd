//! What PostgreSQL's own plugin for logical replication writes, in the first version of its protocol. Pure.

use super::lsn::Lsn;
use crate::error::{Error, ErrorKind, Result};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// A transaction, which was committed by a record at this place.
    Begin {
        commit: Lsn,
        xid: u32,
    },
    /// It is over, and its record ends here.
    Commit {
        end: Lsn,
    },
    /// A table, before the first change of it.
    Relation {
        id: u32,
        schema: String,
        name: String,
        columns: Vec<String>,
    },
    Insert {
        relation: u32,
        new: Tuple,
    },
    /// The old row is there where its identity changed, or all of it where that is the identity.
    Update {
        relation: u32,
        old: Option<Tuple>,
        new: Tuple,
    },
    /// Of the old row its identity at least; the rest may be missing.
    Delete {
        relation: u32,
        old: Tuple,
    },
    Truncate {
        relations: Vec<u32>,
    },
    /// Types, origins, and messages of others.
    Other,
}

/// A row's values, in the order of the relation's columns.
pub(super) type Tuple = Vec<Value>;

/// A value as the type's output function writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    /// It is stored apart from its row and was not changed: it is not in the log.
    Unchanged,
    Text(String),
}

/// Reads one message.
pub(super) fn decode(bytes: &[u8]) -> Result<Message> {
    let mut reader = Reader(bytes);
    reader.message().ok_or_else(|| {
        Error::new(ErrorKind::Codec, "a message of logical replication is not as the protocol has it, or no UTF-8")
    })
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn message(&mut self) -> Option<Message> {
        Some(match self.byte()? {
            b'B' => {
                let commit = Lsn(self.u64()?);
                let _at = self.u64()?;
                Message::Begin { commit, xid: self.u32()? }
            }
            b'C' => {
                let (_flags, _commit) = (self.byte()?, self.u64()?);
                let (end, _at) = (Lsn(self.u64()?), self.u64()?);
                Message::Commit { end }
            }
            b'R' => self.relation()?,
            b'I' => {
                let relation = self.u32()?;
                Message::Insert { relation, new: self.marked(b'N')? }
            }
            b'U' => self.update()?,
            b'D' => {
                let (relation, _kind) = (self.u32()?, self.byte().filter(|kind| matches!(kind, b'K' | b'O'))?);
                Message::Delete { relation, old: self.tuple()? }
            }
            b'T' => {
                let (count, _options) = (self.u32()?, self.byte()?);
                Message::Truncate { relations: (0..count).map(|_| self.u32()).collect::<Option<_>>()? }
            }
            b'O' | b'Y' | b'M' => return Some(Message::Other),
            _ => return None,
        })
        .filter(|_| self.0.is_empty())
    }

    fn relation(&mut self) -> Option<Message> {
        let id = self.u32()?;
        let (schema, name) = (self.text()?, self.text()?);
        let (_identity, count) = (self.byte()?, self.u16()?);
        let mut column = || {
            let _flags = self.byte()?;
            let name = self.text()?;
            let (_type, _modifier) = (self.u32()?, self.u32()?);
            Some(name)
        };
        let columns = (0..count).map(|_| column()).collect::<Option<_>>()?;
        // What is always there stands without its name.
        let schema = if schema.is_empty() { "pg_catalog".to_owned() } else { schema };
        Some(Message::Relation { id, schema, name, columns })
    }

    fn update(&mut self) -> Option<Message> {
        let relation = self.u32()?;
        Some(match self.byte()? {
            b'N' => Message::Update { relation, old: None, new: self.tuple()? },
            b'K' | b'O' => {
                let old = Some(self.tuple()?);
                Message::Update { relation, old, new: self.marked(b'N')? }
            }
            _ => return None,
        })
    }

    fn marked(&mut self, mark: u8) -> Option<Tuple> {
        self.byte().filter(|byte| *byte == mark)?;
        self.tuple()
    }

    fn tuple(&mut self) -> Option<Tuple> {
        (0..self.u16()?).map(|_| self.value()).collect()
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.byte()? {
            b'n' => Value::Null,
            b'u' => Value::Unchanged,
            b't' => {
                let length = usize::try_from(self.u32()?).ok()?;
                Value::Text(str::from_utf8(self.take(length)?).ok()?.to_owned())
            }
            _ => return None,
        })
    }

    /// Up to a zero byte.
    fn text(&mut self) -> Option<String> {
        let length = self.0.iter().position(|byte| *byte == 0)?;
        let text = str::from_utf8(self.take(length)?).ok()?.to_owned();
        self.byte()?;
        Some(text)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
        std::iter::once(kind).chain(parts.concat()).collect()
    }

    const NULL_UNCHANGED_EMPTY_TEXT: &[u8] = b"\0\x04nut\0\0\0\0t\0\0\0\x02\xc3\xbc";

    fn values() -> Tuple {
        vec![Value::Null, Value::Unchanged, Value::Text(String::new()), Value::Text("ü".to_owned())]
    }

    #[test]
    fn each_message_is_read() {
        let (relation, number) = (7u32.to_be_bytes(), 0x0102_0304_0506_0708u64.to_be_bytes());
        let begin = message(b'B', &[&number, &[0; 8], &9u32.to_be_bytes()]);
        assert_eq!(decode(&begin).expect("B"), Message::Begin { commit: Lsn(0x0102_0304_0506_0708), xid: 9 });
        let commit = message(b'C', &[&[0; 9], &number, &[0; 8]]);
        assert_eq!(decode(&commit).expect("C"), Message::Commit { end: Lsn(0x0102_0304_0506_0708) });
        let columns = b"\0\x02\x01id\0\0\0\0\x17\xff\xff\xff\xff\0note\0\0\0\0\x19\xff\xff\xff\xff";
        let table = message(b'R', &[&relation, b"public\0wallets\0d", columns]);
        let (schema, name) = ("public".to_owned(), "wallets".to_owned());
        let columns = vec!["id".to_owned(), "note".to_owned()];
        assert_eq!(decode(&table).expect("R"), Message::Relation { id: 7, schema, name, columns });
        let insert = message(b'I', &[&relation, b"N", NULL_UNCHANGED_EMPTY_TEXT]);
        assert_eq!(decode(&insert).expect("I"), Message::Insert { relation: 7, new: values() });
        let update = message(b'U', &[&relation, b"N", NULL_UNCHANGED_EMPTY_TEXT]);
        assert_eq!(decode(&update).expect("U"), Message::Update { relation: 7, old: None, new: values() });
        for kind in [b"K", b"O"] {
            let update = message(b'U', &[&relation, kind, b"\0\x01n", b"N", NULL_UNCHANGED_EMPTY_TEXT]);
            let old = Some(vec![Value::Null]);
            assert_eq!(decode(&update).expect("U"), Message::Update { relation: 7, old, new: values() });
            let delete = message(b'D', &[&relation, kind, b"\0\x01n"]);
            assert_eq!(decode(&delete).expect("D"), Message::Delete { relation: 7, old: vec![Value::Null] });
        }
        let truncate = message(b'T', &[&2u32.to_be_bytes(), &[1], &relation, &8u32.to_be_bytes()]);
        assert_eq!(decode(&truncate).expect("T"), Message::Truncate { relations: vec![7, 8] });
        for other in [b"O", b"Y", b"M"] {
            assert_eq!(decode(other).expect("other"), Message::Other);
        }
    }

    /// Whatever is cut off, added or not as it should be is told, and nothing of it is quoted.
    #[test]
    fn what_is_not_as_it_should_be_is_an_error() {
        let whole = message(b'I', &[&[0, 0, 0, 7], b"N", NULL_UNCHANGED_EMPTY_TEXT]);
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_err(), "{length}");
        }
        assert!(decode(&[whole.as_slice(), b"x"].concat()).is_err());
        assert!(decode(b"I\0\0\0\x07O\0\0").is_err() && decode(b"Z").is_err());
        let error = decode(b"I\0\0\0\x07N\0\x01t\0\0\0\x02\xff\xfe").expect_err("no UTF-8");
        assert!(error.to_string().contains("no UTF-8"), "{error}");
    }
}
