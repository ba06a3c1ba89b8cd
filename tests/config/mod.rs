//! Configuration from a real file and a real environment. The rules themselves are tested where they are written.

use shardwise::Config;

use crate::child;

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
    let mut child = child::start("config::child", "load", folder.path(), environment);
    let answer = child::answer(&mut child);
    child.wait().unwrap();
    answer
}

#[test]
fn child() {
    if child::told().is_some() {
        match Config::load() {
            Ok(config) => println!("answer: {config:?}"),
            Err(error) => println!("answer: {error}"),
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
