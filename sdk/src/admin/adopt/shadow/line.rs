//! Rows as COPY writes them as text: each value by its type's output function, as logical replication writes it too. Pure.

use crate::error::{Error, ErrorKind, Result};

/// The values of a row; `None` for NULL.
pub(super) fn values(line: &[u8]) -> Result<Vec<Option<String>>> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let read = |field: &[u8]| match field {
        b"\\N" => Some(None),
        field => String::from_utf8(unescaped(field)?).ok().map(Some),
    };
    let values: Option<Vec<_>> = line.split(|byte| *byte == b'\t').map(read).collect();
    values.ok_or_else(|| Error::new(ErrorKind::Codec, "a row is not as COPY writes it, or no UTF-8"))
}

/// The values at these places, none of which is NULL.
pub(super) fn key(line: &[u8], places: &[usize]) -> Result<Vec<String>> {
    let mut values = values(line)?;
    let key: Option<Vec<String>> = places.iter().map(|at| values.get_mut(*at)?.take()).collect();
    key.ok_or_else(|| Error::new(ErrorKind::Codec, "a row's key is NULL"))
}

fn unescaped(field: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next()? {
                b'b' => 0x08,
                b'f' => 0x0c,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 0x0b,
                other => *other,
            },
            byte => *byte,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_were() {
        let text = |text: &str| Some(text.to_owned());
        let line = "7\t\\N\t\ta\\tb\\\\N\\n\\r\\b\\f\\v\tü\n";
        assert_eq!(
            values(line.as_bytes()).expect("a row"),
            [text("7"), None, text(""), text("a\tb\\N\n\r\u{8}\u{c}\u{b}"), text("ü")]
        );
        assert_eq!(key(line.as_bytes(), &[4, 0]).expect("a key"), ["ü", "7"]);
        assert!(key(line.as_bytes(), &[1]).is_err() && key(line.as_bytes(), &[5]).is_err());
        assert!(values(b"\xff").is_err() && values(b"a\\").is_err());
    }
}
