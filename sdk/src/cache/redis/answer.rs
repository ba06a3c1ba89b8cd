//! What Redis answers, read.

use bytes::Bytes;
use redis::Value;

/// A text, or any bytes.
pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

/// The same without a copy.
pub(super) fn into_bytes(value: Value) -> Option<Bytes> {
    match value {
        Value::BulkString(bytes) => Some(bytes.into()),
        Value::SimpleString(text) => Some(text.into_bytes().into()),
        _ => None,
    }
}

pub(super) fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::VerbatimString { text, .. } => Some(text),
        value => std::str::from_utf8(bytes(value)?).ok(),
    }
}

/// A number of eight bytes, the highest first.
pub(super) fn number(value: &Value) -> Option<u64> {
    Some(u64::from_be_bytes(bytes(value)?.try_into().ok()?))
}

pub(super) fn list(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(list) => Some(list),
        _ => None,
    }
}
