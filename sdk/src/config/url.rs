//! `postgres://` URLs, as libpq has them (PostgreSQL's manual, 34.1.1.2).

use std::fmt::Display;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::Host;

use super::settings::{List, Settings, Span, TimeoutSettings, TlsMode, TlsSettings};
use super::values::{ChannelBinding, Endpoint, Secret, is_host};

/// Replaces `url` by the keys that it stands for. One layer can't say both.
pub(super) fn expand(mut settings: Settings) -> Result<Settings, String> {
    let Some(url) = settings.url.take() else { return Ok(settings) };
    let rivals = [
        ("contact_points", settings.contact_points.is_some()),
        ("database", settings.database.is_some()),
        ("user", settings.user.is_some()),
        ("password", settings.password.is_some()),
        ("password_file", settings.password_file.is_some()),
        ("passfile", settings.passfile.is_some()),
    ];
    let from_url = parse(url.expose()).map_err(|reason| format!("`url`: {reason}"))?;
    for (key, given) in rivals {
        // A URL without a password leaves it to another key.
        let secret = matches!(key, "password" | "password_file" | "passfile");
        let open = secret && from_url.password.is_none() && from_url.passfile.is_none();
        if given && !open {
            return Err(format!("`url` and `{key}` are both given: keep one of them"));
        }
    }
    Ok(settings.over(from_url))
}

/// What a URL says. A reason never quotes it: it may hold a password.
pub(super) fn parse(url: &str) -> Result<Settings, String> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    if !(base.starts_with("postgres://") || base.starts_with("postgresql://")) {
        return Err("it begins with postgres:// or postgresql://".to_owned());
    }
    // Else the rest of a password would be taken for a host, which is shown.
    if base.matches('@').count() > 1 {
        return Err("there is more than one `@`: within a name or a password it is written as %40".to_owned());
    }
    let login: tokio_postgres::Config = base.parse().map_err(|error| {
        // The driver's reason names a key, never a value.
        let error: tokio_postgres::Error = error;
        format!(
            "{}; `@`, `:`, `/` and `?` within a name or a password are written as %40, %3A, %2F and %3F",
            reason(&error)
        )
    })?;
    let mut settings = Settings {
        contact_points: Some(List(endpoints(&login)?)),
        database: login.get_dbname().map(str::to_owned),
        user: login.get_user().map(str::to_owned),
        ..Settings::default()
    };
    if let Some(password) = login.get_password() {
        let password = std::str::from_utf8(password).map_err(|_| "the password is not UTF-8")?;
        settings.password = Some(Secret::new(password));
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| "a parameter is written as name=value".to_owned())?;
        let value = percent_encoding::percent_decode_str(value)
            .decode_utf8()
            .map_err(|_| format!("the parameter `{key}` is not UTF-8"))?;
        parameter(&mut settings, key, &value).map_err(|reason| match query.contains('@') {
            // What stands here may be the rest of a password: it is not shown.
            true => "what follows `?` are no parameters: within a password it is written as %3F".to_owned(),
            false => reason,
        })?;
    }
    Ok(settings)
}

fn endpoints(login: &tokio_postgres::Config) -> Result<Vec<Endpoint>, String> {
    let ports = login.get_ports();
    let hosts = login.get_hosts().iter().enumerate().map(|(at, host)| {
        // One port holds for all hosts, as in libpq.
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(Endpoint::DEFAULT_PORT);
        let host = match host {
            Host::Tcp(host) => host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            #[cfg(unix)]
            Host::Unix(folder) => folder.to_str().ok_or("the socket's folder is not UTF-8")?.to_owned(),
        };
        match is_host(&host) || host.parse::<Ipv6Addr>().is_ok() {
            true => Ok(Endpoint { host, port }),
            false => Err("what stands in the place of a host is no name and no address".to_owned()),
        }
    });
    let endpoints = hosts.collect::<Result<Vec<_>, String>>()?;
    if endpoints.is_empty() { Err("it names no host".to_owned()) } else { Ok(endpoints) }
}

fn parameter(settings: &mut Settings, key: &str, value: &str) -> Result<(), String> {
    match key {
        "application_name" => settings.application_name = Some(value.to_owned()),
        "connect_timeout" => {
            let seconds = value.parse().map_err(|_| "`connect_timeout` is a number of seconds")?;
            let connect = Some(Span(Duration::from_secs(seconds)));
            settings.timeouts = Some(TimeoutSettings { connect, ..TimeoutSettings::default() });
        }
        "passfile" => settings.passfile = Some(PathBuf::from(value)),
        "channel_binding" => settings.channel_binding = Some(channel_binding(value)?),
        "sslmode" => tls(settings).mode = Some(tls_mode(value)?),
        "sslrootcert" if value == "system" => tls(settings).ca_file = None,
        "sslrootcert" => tls(settings).ca_file = Some(PathBuf::from(value)),
        "sslcert" => tls(settings).cert_file = Some(PathBuf::from(value)),
        "sslkey" => tls(settings).key_file = Some(PathBuf::from(value)),
        // Of several hosts the one that takes writes is taken in any case.
        "target_session_attrs" if ["read-write", "primary"].contains(&value) => {}
        "target_session_attrs" => {
            return Err(
                "`target_session_attrs` is read-write or primary, which is what is looked for in any case: reads from \
                        standbys are `reads.consistency`"
                    .to_owned(),
            );
        }
        _ => {
            return Err(format!(
                "the parameter `{key}` is not known: there are application_name, connect_timeout, passfile, channel_binding, \
                 sslmode, sslrootcert, sslcert, sslkey and target_session_attrs"
            ));
        }
    }
    Ok(())
}

/// As with the table `tls`: to say anything of TLS turns it on.
fn tls(settings: &mut Settings) -> &mut TlsSettings {
    settings.tls.get_or_insert_default()
}

fn channel_binding(value: &str) -> Result<ChannelBinding, String> {
    match value {
        "disable" => Ok(ChannelBinding::Disable),
        "prefer" => Ok(ChannelBinding::Prefer),
        "require" => Ok(ChannelBinding::Require),
        _ => Err("`channel_binding` is disable, prefer or require".to_owned()),
    }
}

fn tls_mode(value: &str) -> Result<TlsMode, String> {
    match value {
        "disable" => Ok(TlsMode::Off),
        "verify-ca" => Ok(TlsMode::VerifyCa),
        "verify-full" => Ok(TlsMode::VerifyFull),
        "allow" | "prefer" | "require" => Err(format!(
            "`sslmode={value}` does not verify who the server is: write verify-full, with sslrootcert where its CA is \
             your own, or disable"
        )),
        _ => Err("`sslmode` is disable, verify-ca or verify-full".to_owned()),
    }
}

fn reason(error: &dyn std::error::Error) -> impl Display {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::config::ChannelBinding;

    fn refused(url: &str) -> String {
        parse(url).err().unwrap_or_else(|| panic!("{url} is accepted"))
    }

    #[test]
    fn a_url_says_where_who_and_how() {
        let url = "postgresql://app:p%40ss@one:5433,two:5434/festivals?sslmode=verify-ca&sslrootcert=%2Fca.pem\
                   &application_name=box%20office&connect_timeout=3&channel_binding=require";
        let settings = parse(url).expect("valid");
        let points: Vec<_> = settings.contact_points.expect("hosts").0.iter().map(ToString::to_string).collect();
        assert_eq!(points, ["one:5433", "two:5434"]);
        assert_eq!(settings.user.as_deref(), Some("app"));
        assert_eq!(settings.password.expect("a password").expose(), "p@ss");
        assert_eq!(settings.database.as_deref(), Some("festivals"));
        assert_eq!(settings.application_name.as_deref(), Some("box office"));
        assert_eq!(settings.channel_binding, Some(ChannelBinding::Require));
        assert_eq!(parse("postgres://app@h/d?passfile=p%20w").expect("valid").passfile, Some("p w".into()));
        assert_eq!(settings.timeouts.and_then(|times| times.connect).expect("a time").0.as_secs(), 3);
        assert_eq!(settings.tls.and_then(|tls| tls.ca_file).expect("a file").to_str(), Some("/ca.pem"));
    }

    #[test]
    fn one_port_for_all_hosts_and_addresses_of_both_kinds() {
        let points = |url| parse(url).expect("valid").contact_points.expect("hosts").0;
        let shown: Vec<_> = points("postgres://u@a,b:6000/d").iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a:5432", "b:6000"]);
        assert_eq!(points("postgres://u@[::1]:6000/d")[0].to_string(), "[::1]:6000");
        assert_eq!(points("postgres://u@%2Frun%2Fpostgresql/d")[0].to_string(), "/run/postgresql:5432");
    }

    #[test]
    fn a_mistake_names_the_fix_and_hides_the_password() {
        assert!(refused("mysql://u:secret@h/d").contains("postgres://"));
        assert!(refused("postgres://u:secret@h/d?sslmode=require").contains("write verify-full"));
        assert!(refused("postgres://u:secret@h/d?sslmod=require").contains("`sslmod` is not known"));
        assert!(refused("postgres://u:secret@h/d?connect_timeout=soon").contains("a number of seconds"));
        assert!(refused("postgres://u:secret@h/d?channel_binding=always").contains("disable, prefer or require"));
        // A password whose own characters were not escaped, in all the places where the rest of it may end up.
        for url in [
            "postgres://u:se/cret@h:x/d",
            "postgres://u:secret@h:99999/d",
            "postgres://u:sec?cret@h/d",
            "postgres://u:se@cret@h/d",
            "postgres://u:se@cret:5/x@h/d",
            "postgres://u:1?cret=2@h/d",
            "postgres://u:1?2&cret=3@h/d",
            "postgres://u:1?sslmode=cret@h/d",
            "postgres://u:1?connect_timeout=cret@h/d",
            "postgres://u:se,cret@h:y/d",
        ] {
            assert!(!refused(url).contains("cret"), "{}", refused(url));
        }
    }
}
