//! Configuration from a real file and a real environment. The rules themselves are tested where they are written.

use std::path::Path;

use shardwise::Config;

use crate::child;
use crate::login::permit;
use crate::support::collector::Collector;

const FILE: &str = r#"
    [default]
    contact_points = ["db-1"]
    database = "festivals"
    user = "app"
    password_file = "secret"

    [prod]
    pool.max_connections = 40
    tls.ca_file = "certs/ca.pem"
"#;

/// What `Config::load` says in a process with this environment, in a folder with the file above.
fn load(environment: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shardwise.toml"), FILE).unwrap();
    std::fs::write(folder.path().join("other.toml"), FILE.replace("db-1", "db-2")).unwrap();
    std::fs::write(folder.path().join("secret"), "tell nobody\n").unwrap();
    load_in(folder.path(), environment)
}

fn load_in(folder: &Path, environment: &[(&str, &str)]) -> String {
    let mut child = child::start("config::child", "load", folder, environment);
    let answer = child::answer(&mut child);
    child.wait().unwrap();
    answer
}

/// With what it logs.
#[test]
fn child() {
    if child::told().is_some() {
        let (collector, _guard) = Collector::listen();
        let config = Config::load();
        let logged = &collector.collected().events;
        match config {
            Ok(config) => println!("answer: {config:?} {logged:?}"),
            Err(error) => println!("answer: {error} {logged:?}"),
        }
    }
}

#[test]
fn the_file_of_the_working_directory_and_its_profile() {
    let plain = load(&[]);
    assert!(plain.contains("db-1") && plain.contains("max_connections: 16") && plain.contains("tls: None"), "{plain}");
    assert!(plain.contains("password: Some(***)") && !plain.contains("tell nobody"), "{plain}");
    let prod = load(&[("SHARDWISE_PROFILE", "prod")]);
    assert!(prod.contains("max_connections: 40") && prod.contains("certs/ca.pem"), "{prod}");
}

#[test]
fn the_environment_wins() {
    let config = load(&[
        ("SHARDWISE_CONFIG", "other.toml"),
        ("SHARDWISE_PROFILE", "prod"),
        ("SHARDWISE_POOL__MAX_CONNECTIONS", "50"),
        ("SHARDWISE_PASSWORD", "another"),
    ]);
    assert!(config.contains("db-2") && config.contains("max_connections: 50"), "{config}");
}

#[test]
fn mistakes_name_the_place_the_key_and_the_fix() {
    for (environment, told) in [
        (("SHARDWISE_PROFILE", "staging"), "shardwise.toml has no profile `staging`: it has `default` and `prod`"),
        (("SHARDWISE_CONFIG", "missing.toml"), "missing.toml can't be read: name the file in SHARDWISE_CONFIG"),
        (("SHARDWISE_POOL__SIZE", "5"), "the variable SHARDWISE_POOL__SIZE: unknown field `size`, expected one of"),
        (
            ("SHARDWISE_POOL__MIN_IDLE", "17"),
            "shardwise.toml and SHARDWISE_… variables: `pool.min_idle` (17) is larger",
        ),
        (("SHARDWISE_PASSWORD_FILE", "nowhere"), "`password_file`: nowhere can't be read"),
    ] {
        let error = load(&[environment]);
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn libpqs_password_file_is_asked_where_nothing_else_gives_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, content: &str, mode| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        permit(&path, mode);
        path.display().to_string()
    };
    written("shardwise.toml", &FILE.replace("password_file = \"secret\"", ""), 0o644);
    let (home, other) = (written(".pgpass", "", 0o600), written("other", "", 0o600));
    let lax = written("lax", "", 0o640);
    let home_folder = folder.path().to_str().unwrap();

    let asked =
        |more: &[(&str, &str)]| load_in(folder.path(), &[&[("HOME", home_folder), ("PGPASSFILE", "")], more].concat());
    let usual = asked(&[]);
    assert!(usual.contains(&format!("passfile: Some({home:?})")) && usual.contains("password: None"), "{usual}");
    let named = asked(&[("PGPASSFILE", &other)]);
    assert!(named.contains(&format!("passfile: Some({other:?})")), "{named}");
    // As libpq: whoever names a file means no other one.
    for nowhere in ["/nowhere", &lax] {
        let ignored = asked(&[("PGPASSFILE", nowhere)]);
        assert!(ignored.contains("passfile: None"), "{ignored}");
        let warned = ignored.contains("the password file is ignored") && ignored.contains("has group or world access");
        assert_eq!(warned, nowhere == lax, "{ignored}");
    }
    for given in [("SHARDWISE_PASSWORD", "p"), ("SHARDWISE_PASSWORD_FILE", other.as_str())] {
        written("other", "p", 0o600);
        let config = asked(&[given]);
        assert!(config.contains("passfile: None") && config.contains("password: Some(***)"), "{config}");
    }
    // A setting's file has to be fit for use.
    let refused = asked(&[("SHARDWISE_PASSFILE", &lax)]);
    assert!(refused.contains("`passfile`: ") && refused.contains("chmod 0600"), "{refused}");
}

#[test]
fn a_file_with_a_password_that_others_can_read_is_warned_of_and_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shardwise.toml"), FILE).unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "tell nobody\n").unwrap();
    for (mode, warned) in [(0o600, false), (0o644, true)] {
        permit(&secret, mode);
        let config = load_in(folder.path(), &[]);
        assert!(config.contains("password: Some(***)") && !config.contains("tell nobody"), "{config}");
        assert_eq!(config.contains("has group or world access: make it yours alone"), warned, "{config}");
    }
}

#[test]
fn two_passwords_in_one_layer_are_a_mistake_and_a_layer_above_replaces_both() {
    let both = load(&[("SHARDWISE_PASSWORD", "p"), ("SHARDWISE_PASSWORD_FILE", "secret")]);
    assert!(both.contains("`password` and `password_file` are both given: keep one of them"), "{both}");
    let url = load(&[("SHARDWISE_URL", "postgres://app:p@db-3/festivals"), ("SHARDWISE_PASSWORD", "q")]);
    assert!(url.contains("`url` and `password` are both given"), "{url}");
    let above = load(&[("SHARDWISE_PASSWORD", "p")]);
    assert!(above.contains("password: Some(***)"), "{above}");
}
