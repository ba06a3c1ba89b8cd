//! Where passwords come from, on servers that ask for them. How the files are read is tested where it is written.

use std::path::{Path, PathBuf};

use shardwise::config::Endpoint;
use shardwise::local::{self, Server};
use shardwise::{Cluster, Config, ErrorKind};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::server::permit;
use crate::support::secrets::PASSWORD;

/// Two servers with two passwords: each with all that SQL, URLs and password files give a meaning.
async fn servers() -> &'static [Server; 2] {
    static SERVERS: OnceCell<[Server; 2]> = OnceCell::const_new();
    SERVERS
        .get_or_init(|| async {
            let start = async |more: &str| local::single().password(format!("{PASSWORD}{more}")).start().await.unwrap();
            [start("'\"\\:@/?%&=# ;-- ü").await, start("2").await]
        })
        .await
}

fn port(server: &Server) -> u16 {
    server.config().contact_points()[0].port
}

/// The line of a password file for this server.
fn line(server: &Server, password: &str) -> String {
    let escaped = password.replace('\\', "\\\\").replace(':', "\\:");
    format!("127.0.0.1:{}:postgres:postgres:{escaped}\n", port(server))
}

fn written(folder: &TempDir, name: &str, content: &str, mode: u32) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    permit(&path, mode);
    path
}

fn first() -> String {
    format!("{PASSWORD}'\"\\:@/?%&=# ;-- ü")
}

fn without(server: &Server) -> Config {
    server.config().with_password(None)
}

#[tokio::test]
async fn a_password_file_has_one_for_each_node() {
    let [one, two] = servers().await;
    let folder = tempfile::tempdir().unwrap();
    let content = format!("# two servers\n{}{}", line(one, &first()), line(two, &format!("{PASSWORD}2")));
    let file = written(&folder, "passwords", &content, 0o600);
    let config = without(one).with_passfile(&file).unwrap();
    Cluster::connect(config.clone()).await.unwrap();
    // The same configuration, and another node: it is the node's address that counts.
    let there = Endpoint { host: "127.0.0.1".to_owned(), port: port(two) };
    Cluster::connect(config.with_contact_points([there]).unwrap()).await.unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres?passfile={}", port(two), file.display());
    Cluster::connect(Config::from_url(&url).unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_node_that_is_not_in_the_file_is_told_with_the_fix() {
    let [one, two] = servers().await;
    let folder = tempfile::tempdir().unwrap();
    let file = written(&folder, "passwords", &line(two, "2"), 0o600);
    let error = Cluster::connect(without(one).with_passfile(&file).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    let told = error.to_string();
    assert!(told.contains("asks for a password, and there is none") && told.contains("password file"), "{told}");
    assert!(told.contains(&format!("127.0.0.1:{}", port(one))), "{told}");
}

#[tokio::test]
async fn a_password_file_that_others_can_read_is_refused_where_a_setting_names_it() {
    let [one, _] = servers().await;
    let folder = tempfile::tempdir().unwrap();
    let file = written(&folder, "passwords", &line(one, &first()), 0o640);
    let error = without(one).with_passfile(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("group or world access") && error.to_string().contains("0600"), "{error}");
    // Also where it has become so since.
    permit(&file, 0o600);
    let config = without(one).with_passfile(&file).unwrap();
    permit(&file, 0o604);
    let error = Cluster::connect(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
}

#[tokio::test]
async fn a_file_with_nothing_but_the_password() {
    let [one, _] = servers().await;
    let folder = tempfile::tempdir().unwrap();
    let config = |path: &Path| {
        let text = format!(
            "[default]\ncontact_points = [\"127.0.0.1:{}\"]\ndatabase = \"postgres\"\nuser = \"postgres\"\n\
             password_file = \"{}\"",
            port(one),
            path.display()
        );
        Config::from_toml(&text)
    };
    for end in ["", "\n", "\r\n"] {
        let file = written(&folder, "password", &format!("{}{end}", first()), 0o600);
        Cluster::connect(config(&file).unwrap()).await.unwrap();
    }
    let empty = config(&written(&folder, "empty", "\n", 0o600)).unwrap_err();
    assert!(empty.to_string().contains("is empty: write the password into it"), "{empty}");
}

#[tokio::test]
async fn all_that_a_password_can_have_in_it_by_every_way() {
    let [one, _] = servers().await;
    let password = first();
    Cluster::connect(without(one).with_password(Some(&password))).await.unwrap();
    // Percent-encoded.
    Cluster::connect(Config::from_url(&one.url()).unwrap()).await.unwrap();
    let escaped = password.replace('\\', "\\\\").replace('"', "\\\"");
    let text = format!(
        "[default]\ncontact_points = [\"127.0.0.1:{}\"]\ndatabase = \"postgres\"\nuser = \"postgres\"\npassword = \"{escaped}\"",
        port(one)
    );
    Cluster::connect(Config::from_toml(&text).unwrap()).await.unwrap();
    let wrong =
        Cluster::connect(without(one).with_password(Some(&password[..password.len() - 1 - 'ü'.len_utf8()]))).await;
    assert_eq!(wrong.unwrap_err().code().unwrap().code(), "28P01");
}
