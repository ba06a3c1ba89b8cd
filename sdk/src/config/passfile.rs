//! Password files, `.pgpass`, as libpq reads them (PostgreSQL's manual, 34.16).

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::permissions::is_open_to_others;
use super::values::Secret;

/// Whom a password is for.
#[derive(Clone, Copy)]
pub(super) struct Login<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// The file that libpq would ask: the one that `PGPASSFILE` names, else the one in the home folder. One that is missing, or
/// that others can read, is ignored as libpq ignores it; the latter with a warning.
pub(super) fn usual(named: Option<PathBuf>) -> Option<PathBuf> {
    let path = named.or_else(in_home_folder)?;
    if !path.exists() {
        return None;
    }
    match open(&path) {
        Ok(_) => Some(path),
        Err(reason) => {
            warn!("the password file is ignored: {reason}");
            None
        }
    }
}

/// Whether the file can be used. The reason names the file and the fix.
pub(super) fn check(path: &Path) -> Result<(), String> {
    open(path).map(drop)
}

/// The password for this log-in, if the file has one.
pub(super) fn look_up(path: &Path, login: Login<'_>) -> Result<Option<Secret>, String> {
    let mut content = Vec::new();
    open(path)?.read_to_end(&mut content).map_err(|error| unreadable(path, &error))?;
    // A line in another encoding is none of ours, and must not hide those that are.
    Ok(find(&String::from_utf8_lossy(&content), login))
}

fn open(path: &Path) -> Result<File, String> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
    let path = path.display();
    if !metadata.is_file() {
        return Err(format!("{path} is not a plain file"));
    }
    if is_open_to_others(&metadata) {
        return Err(format!("{path} has group or world access: make it yours alone, by chmod 0600"));
    }
    Ok(file)
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("{} can't be read: {error}", path.display())
}

#[cfg(not(windows))]
fn in_home_folder() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(".pgpass"))
}

#[cfg(windows)]
fn in_home_folder() -> Option<PathBuf> {
    std::env::var_os("APPDATA").map(|data| PathBuf::from(data).join("postgresql").join("pgpass.conf"))
}

/// The password of the first line that fits.
fn find(content: &str, login: Login<'_>) -> Option<Secret> {
    let port = login.port.to_string();
    let fields = [host(login.host), &port, login.database, login.user];
    let lines = content.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let lines = lines.filter(|line| !line.starts_with('#'));
    let rest = lines.filter_map(|line| fields.iter().try_fold(line, |rest, field| after(rest, field))).next()?;
    // A line without a password ends the search as well, and gives none.
    Some(unescaped(rest)).filter(|password| !password.is_empty()).map(Secret::new)
}

/// The folders in which servers put their sockets, upstream and on Debian, stand in the file as `localhost`.
fn host(host: &str) -> &str {
    if matches!(host, "/tmp" | "/var/run/postgresql" | "/run/postgresql") { "localhost" } else { host }
}

/// What follows the first field, where that is this text or a star.
fn after<'a>(line: &'a str, field: &str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix("*:") {
        return Some(rest);
    }
    let (mut rest, mut wanted) = (line.chars(), field.chars());
    loop {
        // A colon that the text has in this place need not be escaped: an IPv6 address may stand as it is.
        match rest.next()? {
            ':' if wanted.as_str().is_empty() => return Some(rest.as_str()),
            '\\' if rest.next()? == wanted.next()? => {}
            c if c != '\\' && c == wanted.next()? => {}
            _ => return None,
        }
    }
}

/// The last field, up to a colon that is not escaped.
fn unescaped(field: &str) -> String {
    let (mut text, mut rest) = (String::new(), field.chars());
    while let Some(c) = rest.next() {
        match c {
            ':' => break,
            // A backslash at the very end stands for itself.
            '\\' => text.push(rest.next().unwrap_or('\\')),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Login, find};

    const LOGIN: Login<'_> = Login { host: "db-1", port: 5432, database: "festivals", user: "app" };

    fn password(content: &str, login: Login<'_>) -> Option<String> {
        find(content, login).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn the_first_line_that_fits_wins() {
        let content = "db-2:5432:festivals:app:two\ndb-1:5433:festivals:app:port\ndb-1:5432:other:app:database\n\
                       db-1:5432:festivals:root:user\ndb-1:5432:festivals:app:first\n*:*:*:*:last\n";
        assert_eq!(password(content, LOGIN).as_deref(), Some("first"));
        assert_eq!(password(content, Login { host: "db-2", ..LOGIN }).as_deref(), Some("two"));
        assert_eq!(password(content, Login { port: 5433, ..LOGIN }).as_deref(), Some("port"));
        assert_eq!(password(content, Login { database: "other", ..LOGIN }).as_deref(), Some("database"));
        assert_eq!(password(content, Login { user: "root", ..LOGIN }).as_deref(), Some("user"));
        assert_eq!(password(content, Login { host: "db-3", ..LOGIN }).as_deref(), Some("last"));
    }

    #[test]
    fn a_star_is_a_whole_field() {
        assert_eq!(password("*:*:*:*:all", LOGIN).as_deref(), Some("all"));
        assert_eq!(password("db-*:5432:festivals:app:part", LOGIN), None);
        assert_eq!(password("\\*:5432:festivals:app:star", Login { host: "*", ..LOGIN }).as_deref(), Some("star"));
        assert_eq!(password("\\*:5432:festivals:app:star", LOGIN), None);
    }

    #[test]
    fn colons_and_backslashes_are_escaped() {
        let login = Login { host: "::1", user: "do\\main", ..LOGIN };
        let line = "\\:\\:1:5432:festivals:do\\\\main:p\\:w\\\\d\\x: the rest of the line\n";
        assert_eq!(password(line, login).as_deref(), Some("p:w\\dx"));
        let address = Login { host: "::1", ..LOGIN };
        assert_eq!(password("::1:5432:festivals:app:bare", address).as_deref(), Some("bare"));
        assert_eq!(password("::1:5432:festivals:app:no", Login { host: ":", ..LOGIN }), None);
        assert_eq!(password("*:*:*:*:end\\", LOGIN).as_deref(), Some("end\\"));
    }

    #[test]
    fn comments_and_what_is_no_line_are_passed_over() {
        let content = "# db-1:5432:festivals:app:comment\n\ndb-1\ndb-1:5432:festivals:app\n*:*:*\n*:*:*:*:found\r\n";
        assert_eq!(password(content, LOGIN).as_deref(), Some("found"));
        assert_eq!(password("", LOGIN), None);
        // As in libpq a blank is part of what it stands beside.
        assert_eq!(password(" *:*:*:*:no\n", LOGIN), None);
        assert_eq!(password("*:*:*:*: p w ", LOGIN).as_deref(), Some(" p w "));
    }

    #[test]
    fn an_empty_password_is_none_and_ends_the_search() {
        assert_eq!(password("db-1:5432:festivals:app:\n*:*:*:*:no\n", LOGIN), None);
    }

    #[test]
    fn a_part_of_a_field_does_not_fit() {
        for line in
            ["db-:5432:festivals:app:p", "db-11:5432:festivals:app:p", "db-1:543:festivals:app:p", ":5432:*:*:p"]
        {
            assert_eq!(password(line, LOGIN), None, "{line}");
        }
    }

    #[test]
    fn the_usual_folder_of_sockets_is_localhost() {
        let login = Login { host: "/var/run/postgresql", ..LOGIN };
        assert_eq!(password("localhost:5432:*:*:local", login).as_deref(), Some("local"));
        let elsewhere = Login { host: "/srv/sockets", ..LOGIN };
        assert_eq!(password("localhost:5432:*:*:no\n/srv/sockets:*:*:*:own", elsewhere).as_deref(), Some("own"));
    }
}
