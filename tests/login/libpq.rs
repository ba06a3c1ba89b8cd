//! Password files, held against libpq itself: whom `psql` gets in with one, and whom we do.

use std::path::Path;
use std::process::{Command, Stdio};

use shardwise::local;
use shardwise::{Cluster, unscoped_sql};

use super::server::permit;
use crate::support::secrets::PASSWORD;

/// A role whose name has all that the format gives a meaning.
const ROLE: &str = "we:ird\\ *#role";

/// Lines for that role; `{h}` is the server's `host:port`, `{p}` the password.
const FILES: [&str; 26] = [
    "{h}:postgres:we\\:ird\\\\ *#role:{p}",
    "{h}:postgres:we:ird\\\\ *#role:{p}",
    "{h}:postgres:we\\:ird\\ *#role:{p}",
    "{h}:postgres:\\w\\e\\:\\i\\r\\d\\\\\\ \\*\\#\\r\\o\\l\\e:{p}",
    "*:*:*:*:{p}",
    "*:*:*:*:{p}\r",
    "*:*:*:*:{p}\n\n",
    "*:*:*:*:{p}:and more",
    "*:*:*:*:\\{p}",
    "*:*:*:*:{p}\\",
    "*:*:*:*: {p}",
    "*:*:*:*:{p} ",
    " *:*:*:*:{p}",
    "#*:*:*:*:{p}",
    "# a comment\n\n*:*:*:*:{p}",
    "*:*:*:*:\n*:*:*:*:{p}",
    "*:*:*:*:wrong\n*:*:*:*:{p}",
    "*:*:*:other:wrong\n*:*:*:*:{p}",
    "*:*:*\n*:*:*:*:{p}",
    "*:*:*:*\n*:*:*:*:{p}",
    "\\*:*:*:*:wrong\n*:*:*:*:{p}",
    "**:*:*:*:wrong\n*:*:*:*:{p}",
    "127.0.0.*:*:*:*:wrong\n*:*:*:*:{p}",
    "localhost:*:*:*:wrong\n*:*:*:*:{p}",
    "*:*:postgre:*:wrong\n*:*:postgres2:*:wrong\n*:*:postgres:*:{p}",
    "*:1:*:*:wrong\n*:0*:*:*:wrong\n*:*:*:*:{p}",
];

#[tokio::test]
async fn a_password_file_means_what_it_means_to_libpq() {
    let server = local::single().password(PASSWORD).start().await.unwrap();
    let cluster = server.connect().await.unwrap();
    cluster.coordinator().execute(unscoped_sql!("CREATE ROLE \"we:ird\\ *#role\" LOGIN")).await.unwrap();
    let verifier = unscoped_sql!(
        "UPDATE pg_authid SET rolpassword = (SELECT rolpassword FROM pg_authid WHERE oid = 10) WHERE rolname LIKE 'we%'"
    );
    cluster.coordinator().execute(verifier).await.unwrap();
    let port = server.config().contact_points()[0].port;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passwords");
    let config = server.config().with_user(ROLE);

    let mut let_in = 0;
    for (text, mode) in FILES.iter().map(|text| (*text, 0o600)).chain([(FILES[4], 0o640), (FILES[4], 0o400)]) {
        let text = text.replace("{h}", &format!("127.0.0.1:{port}")).replace("{p}", PASSWORD);
        std::fs::write(&file, &text).unwrap();
        permit(&file, mode);
        let ours = match config.clone().with_passfile(&file) {
            Ok(config) => Cluster::connect(config).await.is_ok(),
            Err(_) => false,
        };
        assert_eq!(ours, psql_gets_in(port, &file), "{:?} with {mode:o}", text.replace(PASSWORD, "{p}"));
        let_in += u32::from(ours);
        // For the next one to be written.
        std::fs::remove_file(&file).unwrap();
    }
    assert!((10..25).contains(&let_in), "{let_in} of {}", FILES.len());
}

fn psql_gets_in(port: u16, passfile: &Path) -> bool {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--no-password", "--host=127.0.0.1", "--dbname=postgres", "--command=SELECT 1"]);
    psql.args([format!("--port={port}"), format!("--username={ROLE}")]).env("PGPASSFILE", passfile);
    psql.env_remove("PGPASSWORD").env("PGSSLMODE", "disable").stdout(Stdio::null()).stderr(Stdio::null());
    psql.status().expect("psql is installed").success()
}
