//! What clients may send. Parsed once at the door; behind it every value is good.

use super::error::ApiError;

/// The most that one operation can move: €10,000.
pub const MAX_AMOUNT: i64 = 1_000_000;
/// The most that a wallet can hold: €100,000.
pub const MAX_BALANCE: i64 = 10_000_000;

/// Text that a person reads: trimmed, not empty, at most `max` characters, none of them a control character (PostgreSQL
/// can't store U+0000, and the others have no place in a name).
pub(super) fn text(field: &'static str, value: &str, max: usize) -> Result<String, ApiError> {
    let value = value.trim();
    if value.is_empty() || value.chars().count() > max || value.chars().any(char::is_control) {
        return Err(ApiError::invalid(field, &format!("must have 1 to {max} characters, no control characters")));
    }
    Ok(value.to_owned())
}

/// A festival's name in addresses.
pub(super) fn slug(field: &'static str, value: &str) -> Result<String, ApiError> {
    if is_slug(value) {
        return Ok(value.to_owned());
    }
    Err(ApiError::invalid(field, "must have 1 to 64 characters of a-z, 0-9 and '-'"))
}

/// Whether a festival can have this slug.
pub(super) fn is_slug(value: &str) -> bool {
    (1..=64).contains(&value.len()) && value.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// An address for mail, in lower case: only what rules out typing errors, as the one real test is to send a mail.
pub(super) fn email(field: &'static str, value: &str) -> Result<String, ApiError> {
    let value = text(field, value, 254)?.to_lowercase();
    match value.split_once('@') {
        Some((name, host)) if !name.is_empty() && host.contains('.') && !value.contains(char::is_whitespace) => {
            Ok(value)
        }
        _ => Err(ApiError::invalid(field, "must be an e-mail address")),
    }
}

/// A country's two letters (ISO 3166).
pub(super) fn country(field: &'static str, value: &str) -> Result<String, ApiError> {
    if value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(value.to_owned());
    }
    Err(ApiError::invalid(field, "must be a country's two upper-case letters"))
}

/// An amount of money, in cents.
pub(super) fn amount(field: &'static str, value: i64) -> Result<i64, ApiError> {
    if (1..=MAX_AMOUNT).contains(&value) {
        return Ok(value);
    }
    Err(ApiError::invalid(field, &format!("must be 1 to {MAX_AMOUNT} cents")))
}

#[cfg(test)]
mod tests {
    use super::{MAX_AMOUNT, amount, country, email, slug, text};

    #[test]
    fn good_values_pass() {
        assert_eq!(text("name", "  Beer & Co ", 10).expect("good"), "Beer & Co");
        assert_eq!(email("email", "Ada@Example.org").expect("good"), "ada@example.org");
        assert!(slug("slug", "rock-am-ring-2").is_ok());
        assert!(country("country", "DE").is_ok());
        assert!(amount("amount", 1).is_ok() && amount("amount", MAX_AMOUNT).is_ok());
    }

    #[test]
    fn bad_values_are_refused() {
        for bad in ["", "   ", "a\0b", "12345678901"] {
            assert!(text("name", bad, 10).is_err(), "{bad:?}");
        }
        for bad in ["", "ada", "@example.org", "ada@example", "a da@example.org"] {
            assert!(email("email", bad).is_err(), "{bad:?}");
        }
        for bad in ["", "Rock", "a/b", "é"] {
            assert!(slug("slug", bad).is_err(), "{bad:?}");
        }
        for bad in ["", "de", "DEU", "É"] {
            assert!(country("country", bad).is_err(), "{bad:?}");
        }
        for bad in [0, -1, MAX_AMOUNT + 1, i64::MIN] {
            assert!(amount("amount", bad).is_err(), "{bad}");
        }
    }
}
