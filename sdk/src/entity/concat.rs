//! Joins strings at compile time. The derive needs it because a column's casts are known to its type alone, not to
//! the macro that sees only tokens.

/// The length of all parts together.
#[must_use]
pub const fn len(parts: &[&str]) -> usize {
    let (mut total, mut i) = (0, 0);
    while i < parts.len() {
        total += parts[i].len();
        i += 1;
    }
    total
}

/// The parts, one after the other.
#[must_use]
pub const fn join<const N: usize>(parts: &[&str]) -> [u8; N] {
    let (mut out, mut at, mut i) = ([0; N], 0, 0);
    while i < parts.len() {
        let part = parts[i].as_bytes();
        let mut j = 0;
        while j < part.len() {
            out[at] = part[j];
            at += 1;
            j += 1;
        }
        i += 1;
    }
    out
}

/// `text` where any of the parts has something in it, else `otherwise`.
#[must_use]
pub const fn if_any(parts: &[&'static str], text: &'static str, otherwise: &'static str) -> &'static str {
    if len(parts) > 0 { text } else { otherwise }
}

/// The bytes as text.
#[must_use]
pub const fn text(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("parts of valid text joined are valid text"),
    }
}

/// Joins `&'static str` constants into one.
#[doc(hidden)]
#[macro_export]
macro_rules! __concat {
    ($($part:expr),+ $(,)?) => {{
        const PARTS: &[&::core::primitive::str] = &[$($part),+];
        const BYTES: [::core::primitive::u8; $crate::entity::concat::len(PARTS)] = $crate::entity::concat::join(PARTS);
        $crate::entity::concat::text(&BYTES)
    }};
}

#[cfg(test)]
mod tests {
    #[test]
    fn joins_parts_of_any_length() {
        const TEXT: &str = crate::__concat!("SELECT ", "", "größe", " FROM t");
        assert_eq!(TEXT, "SELECT größe FROM t");
    }
}
