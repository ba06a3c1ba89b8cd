//! The TOML file: a table per profile.

use std::collections::BTreeMap;
use std::path::Path;

use super::settings::Settings;
use super::{bad, url};
use crate::error::{Error, Result};

/// The profile that holds for all.
const DEFAULT: &str = "default";

/// The settings of a profile, and where they are from.
pub(super) fn read(path: &Path, profile: Option<&str>) -> Result<(Settings, String)> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| bad(format!("{file} can't be read: name the file in SHARDWISE_CONFIG")).caused_by(error))?;
    let settings = parse(&text, &file, profile)?;
    let settings = settings.rooted_at(path.parent().unwrap_or(Path::new("")));
    let place = match profile {
        Some(profile) => format!("{file} with profile `{profile}`"),
        None => file,
    };
    Ok((settings, place))
}

/// All profiles are read, so that a mistake shows before the day on which its profile is used.
pub(super) fn parse(text: &str, file: &str, profile: Option<&str>) -> Result<Settings> {
    let document = toml::Deserializer::parse(text).map_err(|error| mistake(text, file, "", &error))?;
    let profiles: BTreeMap<String, Settings> = serde_path_to_error::deserialize(document).map_err(|error| {
        let path = error.path().to_string();
        outside_profiles(text, file, &path).unwrap_or_else(|| mistake(text, file, &path, error.inner()))
    })?;
    let mut expanded = BTreeMap::new();
    for (name, settings) in profiles {
        let settings = url::expand(settings).map_err(|reason| bad(format!("{file}: profile `{name}`: {reason}")))?;
        expanded.insert(name, settings);
    }
    let below = expanded.remove(DEFAULT).unwrap_or_default();
    match profile {
        None | Some(DEFAULT) => Ok(below),
        Some(name) => match expanded.remove(name) {
            Some(above) => Ok(above.over(below)),
            None => {
                let known: Vec<&str> = expanded.keys().map(String::as_str).collect();
                Err(bad(format!("{file} has no profile `{name}`: it has `{DEFAULT}` {}", listed(&known))))
            }
        },
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "alone".to_owned() } else { format!("and `{}`", names.join("`, `")) }
}

/// A key that stands outside every profile is the first thing that people write.
fn outside_profiles(text: &str, file: &str, path: &str) -> Option<Error> {
    let key = path.split('.').next()?;
    let document: toml::Table = text.parse().ok()?;
    match document.get(key)? {
        toml::Value::Table(_) => None,
        _ => Some(bad(format!("{file}: `{key}` stands outside every profile: put it under `[{DEFAULT}]`"))),
    }
}

/// The place and the key, but never the line itself: it may hold a password.
fn mistake(text: &str, file: &str, path: &str, error: &toml::de::Error) -> Error {
    let line = error.span().map_or_else(String::new, |span| {
        let line = text.bytes().take(span.start).filter(|&byte| byte == b'\n').count() + 1;
        format!(", line {line}")
    });
    let key = if path.is_empty() || path == "." { String::new() } else { format!(": `{path}`") };
    bad(format!("{file}{line}{key}: {}", error.message().trim_end()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    const FILE: &str = r#"
        [default]
        contact_points = ["db"]
        database = "festivals"
        user = "app"
        password = "from the default profile"
        timeouts = { call = "20s", connect = "1s" }

        [prod]
        password_file = "secret"
        timeouts.call = "90s"

        [prod.nodes."10.0.1.5:5432"]
        host = "worker-1"
    "#;

    fn refused(text: &str, profile: Option<&str>) -> String {
        parse(text, "app.toml", profile).expect_err("a mistake").to_string()
    }

    #[test]
    fn a_profile_is_laid_over_the_default_key_by_key() {
        let settings = parse(FILE, "app.toml", Some("prod")).expect("valid");
        assert_eq!(settings.database.as_deref(), Some("festivals"));
        assert!(settings.password.is_none(), "a password file replaces a password");
        let timeouts = settings.timeouts.expect("timeouts");
        assert_eq!(timeouts.call.map(|time| time.0.as_secs()), Some(90));
        assert_eq!(timeouts.connect.map(|time| time.0.as_secs()), Some(1));
        assert_eq!(settings.nodes.expect("nodes").len(), 1);
    }

    #[test]
    fn a_mistake_in_any_profile_is_told_with_its_line_and_key() {
        let typo = refused(&FILE.replace("timeouts.call", "timeouts.cal"), None);
        assert_eq!(
            typo,
            "app.toml, line 11: `prod.timeouts.cal`: unknown field `cal`, expected one of `connect`, `checkout`, \
             `statement`, `call`"
        );
        let value = refused(&FILE.replace("\"1s\"", "1"), None);
        assert_eq!(
            value,
            "app.toml, line 7: `default.timeouts.connect`: invalid type: integer `1`, expected a time with its unit, \
             such as \"500ms\", \"5s\" or \"10m\""
        );
        let mode = refused("[default]\nmode = \"cytus\"", None);
        assert!(
            mode.contains("line 2: `default.mode`: unknown variant `cytus`, expected one of `auto`, `single`"),
            "{mode}"
        );
        let node = refused(&FILE.replace("\"db\"", "\"db:x\""), None);
        assert!(node.contains("line 3: `default.contact_points"), "{node}");
        assert!(node.contains("\"db:x\" is no node: write"), "{node}");
    }

    #[test]
    fn what_people_get_wrong_first_is_told_plainly() {
        let outside = refused("mode = \"single\"\n[default]\n", None);
        assert_eq!(outside, "app.toml: `mode` stands outside every profile: put it under `[default]`");
        let unknown = refused(FILE, Some("production"));
        assert_eq!(unknown, "app.toml has no profile `production`: it has `default` and `prod`");
        let broken = refused("[default]\nuser = app", None);
        assert!(broken.starts_with("app.toml, line 2"), "{broken}");
    }

    #[test]
    fn a_password_of_the_wrong_type_is_not_shown() {
        for wrong in ["12345", "[\"12345\"]", "12345.5", "{ a = 12345 }"] {
            let error = refused(&format!("[default]\npassword = {wrong}"), None);
            assert!(error.contains("`default.password`: a secret is a text") && !error.contains("12345"), "{error}");
        }
        let broken = refused("[default]\npassword = \"12345", None);
        assert!(!broken.contains("12345"), "{broken}");
    }
}
