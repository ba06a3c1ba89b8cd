//! What may stand in a text that a program reads.

use crate::config::Endpoint;
use crate::error::{Error, ErrorKind, Result};

pub(super) fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// The name of a role or a database. In PostgreSQL a name has up to 63 bytes; a line's end would begin a line of its own.
pub(super) fn name<'a>(what: &str, name: &'a str) -> Result<&'a str> {
    const MOST: usize = 63;
    if name.is_empty() || name.len() > MOST || name.contains(char::is_control) {
        return Err(bad(format!(
            "{name:?} is no name of a {what}: it has 1 to {MOST} bytes and no control characters"
        )));
    }
    Ok(name)
}

/// The path of a file. Programs cut off what surrounds a value.
pub(super) fn path<'a>(what: &str, path: &'a str) -> Result<&'a str> {
    if path.is_empty() || path.trim() != path || path.contains(char::is_control) {
        return Err(bad(format!("{path:?} is no path of {what}: it has no space around it and no control characters")));
    }
    Ok(path)
}

/// A host that no program can read as anything else.
pub(super) fn host(host: &str) -> Result<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '/');
    if host.is_empty() || !host.chars().all(is_plain) {
        return Err(bad(format!(
            "{host:?} is no host: write a name of letters, digits, '.', '-' and '_', an address, or the folder of a socket"
        )));
    }
    Ok(host)
}

/// A connection string of libpq's: `host=… port=…`, each value quoted.
pub(super) fn conninfo(pairs: &[(&str, &str)]) -> String {
    let quoted = |(key, value): &(&str, &str)| format!("{key}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'"));
    pairs.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// The address of an endpoint as libpq is told it.
pub(super) fn address(endpoint: &Endpoint) -> Result<(&str, String)> {
    Ok((host(&endpoint.host)?, endpoint.port.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{conninfo, host, name, path};

    #[test]
    fn what_would_be_another_line_is_refused() {
        let long = "x".repeat(64);
        for bad in ["", "a\nb", "a\0", long.as_str()] {
            assert!(name("role", bad).is_err(), "{bad:?}");
        }
        for bad in ["", " /etc/x", "/etc/x\n"] {
            assert!(path("the users", bad).is_err(), "{bad:?}");
        }
        for bad in ["", "a b", "a\"b", "$HOME", "a#b", "a'b", "a\\b", "a;b"] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
        for good in ["db-1.example.org", "10.0.0.1", "::1", "/run/postgresql"] {
            assert!(host(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn values_of_connection_strings_are_quoted() {
        assert_eq!(conninfo(&[("user", "it's"), ("host", "a\\b")]), r"user='it\'s' host='a\\b'");
    }
}
