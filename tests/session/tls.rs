//! TLS to a real server.

use std::time::Duration;

use shardwise::config::{Tls, Verify};
use shardwise::local::{self, Server};
use shardwise::{Cluster, Config, ErrorKind, unscoped_sql};
use tokio::sync::OnceCell;

use crate::support::activity::idle;
use crate::support::secrets::PASSWORD;
use crate::support::server as plain_server;

/// Takes nothing but TLS, with a certificate for the address 127.0.0.1 and no name.
async fn server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER.get_or_init(|| async { local::single().tls().password(PASSWORD).start().await.unwrap() }).await
}

fn to(host: &str, server: &Server, tls: Option<Tls>) -> Config {
    Config::from_url(&server.url().replace("127.0.0.1", host)).unwrap().with_tls(tls).unwrap()
}

fn verify(verify: Verify, server: &Server) -> Tls {
    Tls { verify, ca_file: server.ca_file().map(Into::into), ..Tls::default() }
}

async fn refused(config: Config) -> (ErrorKind, String) {
    let error = Cluster::connect(config).await.unwrap_err();
    (error.kind(), format!("{error:?}"))
}

#[tokio::test]
async fn the_connection_is_encrypted() {
    let server = server().await;
    let cluster =
        Cluster::connect(Config::from_url(&server.url()).unwrap().with_application_name("tls-cancel")).await.unwrap();
    let ssl = unscoped_sql!("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert_eq!(cluster.coordinator().query_one_as::<(bool,)>(ssl).await.unwrap(), (true,));
    // So is the request that cancels.
    let slow = cluster.coordinator();
    let slow = slow.execute(unscoped_sql!("SELECT pg_sleep(600)"));
    assert!(tokio::time::timeout(Duration::from_millis(50), slow).await.is_err());
    idle(&cluster, "tls-cancel").await;
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_unless_told_otherwise() {
    let server = server().await;
    let (kind, told) = refused(to("localhost", server, Some(verify(Verify::Full, server)))).await;
    assert_eq!(kind, ErrorKind::Connect);
    assert!(told.contains("not valid for name") && told.contains("name the host as its certificate does"), "{told}");
    Cluster::connect(to("localhost", server, Some(verify(Verify::Ca, server)))).await.unwrap();
}

#[tokio::test]
async fn an_unknown_ca_is_refused_by_both() {
    let (server, stranger) = (server().await, local::single().tls().start().await.unwrap());
    for mode in [Verify::Full, Verify::Ca] {
        let (kind, told) = refused(to("127.0.0.1", server, Some(verify(mode, &stranger)))).await;
        assert_eq!(kind, ErrorKind::Connect);
        assert!(told.contains("UnknownIssuer: set `tls.ca_file`"), "{told}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_told_so_and_gets_no_password() {
    let with_tls = Tls { ca_file: server().await.ca_file().map(Into::into), ..Tls::default() };
    let (kind, told) = refused(plain_server().await.config().with_tls(Some(with_tls)).unwrap()).await;
    assert_eq!(kind, ErrorKind::Connect);
    assert!(told.contains("server does not support TLS"), "{told}");
    // And the reverse: without TLS the server refuses the log-in.
    let (kind, told) = refused(to("127.0.0.1", server().await, None)).await;
    assert_eq!(kind, ErrorKind::Connect);
    assert!(told.contains("no encryption"), "{told}");
}

#[tokio::test]
async fn files_that_are_wrong_are_named() {
    let server = server().await;
    let missing = Tls { ca_file: Some("/nowhere/ca.pem".into()), ..Tls::default() };
    let (kind, told) = refused(to("127.0.0.1", server, Some(missing))).await;
    assert_eq!(kind, ErrorKind::Config);
    assert!(told.contains("tls.ca_file") && told.contains("/nowhere/ca.pem"), "{told}");
}
