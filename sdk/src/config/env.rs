//! The environment: a variable per key.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Deserialize as _;

use super::settings::Settings;
use super::{bad, url};
use crate::error::Result;

const PREFIX: &str = "SHARDWISE_";

const PGPASSFILE: &str = "PGPASSFILE";

/// Variables of the test kit, which are no settings.
const OTHERS: [&str; 2] = ["SHARDWISE_TEST_URL", "SHARDWISE_CITUS_IMAGE"];

/// What the environment says.
#[derive(Debug, Default)]
pub(super) struct Environment {
    pub(super) file: Option<PathBuf>,
    pub(super) profile: Option<String>,
    /// libpq's own variable: the file to look passwords up in where no setting says so.
    pub(super) passfile: Option<PathBuf>,
    pub(super) settings: Settings,
}

pub(super) fn read() -> Result<Environment> {
    parse(std::env::vars_os())
}

/// Whether any variable is a setting, or says where they are.
#[cfg(feature = "cli")]
pub(super) fn says_anything() -> bool {
    std::env::vars_os()
        .any(|(name, _)| name.to_str().is_some_and(|name| name.starts_with(PREFIX) && !OTHERS.contains(&name)))
}

fn parse(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Environment> {
    let mut found = Environment::default();
    for (name, value) in variables {
        if name == PGPASSFILE {
            found.passfile = Some(value.into()).filter(|path: &PathBuf| !path.as_os_str().is_empty());
            continue;
        }
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX) && !OTHERS.contains(name)) else {
            continue;
        };
        if name == "SHARDWISE_CONFIG" {
            found.file = Some(value.into());
            continue;
        }
        let value = value.into_string().map_err(|_| bad(format!("{name} is not UTF-8")))?;
        if name == "SHARDWISE_PROFILE" {
            // Left empty where a deployment's template has nothing to fill in.
            found.profile = Some(value).filter(|profile| !profile.is_empty());
            continue;
        }
        let setting = setting(name, value)?;
        found.settings = setting.and(found.settings);
    }
    found.settings = url::expand(found.settings).map_err(|reason| bad(format!("SHARDWISE_… variables: {reason}")))?;
    Ok(found)
}

/// Every value is a text: a password of digits stays what it is.
fn setting(name: &str, value: String) -> Result<Settings> {
    let path = name[PREFIX.len()..].to_ascii_lowercase();
    let nested = path.rsplit("__").fold(toml::Value::String(value), |inner, key| {
        toml::Value::Table(toml::Table::from_iter([(key.to_owned(), inner)]))
    });
    Settings::deserialize(nested).map_err(|error| bad(format!("the variable {name}: {}", error.message().trim_end())))
}

#[cfg(test)]
mod tests {
    use super::{Environment, parse};
    use crate::config::ChannelBinding;
    use crate::error::Result;

    fn environment(variables: &[(&str, &str)]) -> Result<Environment> {
        parse(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    fn refused(name: &str, value: &str) -> String {
        environment(&[(name, value)]).expect_err("a mistake").to_string()
    }

    #[test]
    fn a_variable_for_every_kind_of_key() {
        let found = environment(&[
            ("PATH", "/bin"),
            ("SHARDWISE_CONFIG", "/etc/app.toml"),
            ("SHARDWISE_PROFILE", "prod"),
            ("SHARDWISE_TEST_URL", "postgres://localhost/x"),
            ("SHARDWISE_PASSWORD", "007"),
            ("SHARDWISE_CONTACT_POINTS", "one, two:5433"),
            ("SHARDWISE_POOL__MAX_CONNECTIONS", "32"),
            ("SHARDWISE_TIMEOUTS__CALL", "90s"),
            ("SHARDWISE_TLS__MODE", "verify-ca"),
            ("SHARDWISE_CHANNEL_BINDING", "require"),
            ("PGPASSFILE", "/etc/passwords"),
            ("PGPASSWORD", "libpq's own"),
        ])
        .expect("valid");
        assert_eq!(found.file.expect("a file").to_str(), Some("/etc/app.toml"));
        assert_eq!(found.profile.as_deref(), Some("prod"));
        assert_eq!(found.passfile.expect("a file").to_str(), Some("/etc/passwords"));
        let settings = found.settings;
        assert_eq!(settings.channel_binding, Some(ChannelBinding::Require));
        assert_eq!(settings.password.expect("a password").expose(), "007");
        let points: Vec<_> = settings.contact_points.expect("points").0.iter().map(ToString::to_string).collect();
        assert_eq!(points, ["one:5432", "two:5433"]);
        assert_eq!(settings.pool.and_then(|pool| pool.max_connections).expect("a number").0, 32);
        assert_eq!(settings.timeouts.and_then(|timeouts| timeouts.call).expect("a time").0.as_secs(), 90);
    }

    #[test]
    fn a_mistake_names_the_variable_and_what_there_is() {
        let unknown = refused("SHARDWISE_POOL__MAX_CONECTIONS", "1");
        assert!(unknown.contains("SHARDWISE_POOL__MAX_CONECTIONS"), "{unknown}");
        assert!(unknown.contains("unknown field `max_conections`, expected one of `max_connections`"), "{unknown}");
        let number = refused("SHARDWISE_POOL__MAX_CONNECTIONS", "many");
        assert!(number.contains("invalid value: string \"many\", expected a whole number"), "{number}");
        let unit = refused("SHARDWISE_TIMEOUTS__CALL", "5");
        assert!(unit.contains("such as \"500ms\", \"5s\""), "{unit}");
    }
}
