//! Certificates of servers that have run out, and certificates by which clients log in.

use std::time::Duration;

use shardwise::config::Tls;
use shardwise::local;
use shardwise::{Cluster, Config, ErrorKind, unscoped_sql};

use super::server::{Authority, door, permit};

async fn user_of(config: Config) -> String {
    let cluster = Cluster::connect(config).await.unwrap();
    cluster.coordinator().query_one_as::<(String,)>(unscoped_sql!("SELECT session_user::text")).await.unwrap().0
}

async fn refused(config: Config) -> String {
    let error = Cluster::connect(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    format!("{error:?}")
}

#[tokio::test]
async fn a_certificate_takes_the_place_of_a_password() {
    let door = door().await;
    let config = door.config_with("by_certificate", door.clients.certificate("by_certificate")).with_password(None);
    assert_eq!(user_of(config).await, "by_certificate");
}

#[tokio::test]
async fn a_role_that_needs_both_gets_in_with_both_alone() {
    let door = door().await;
    let with_both = door.config_with("by_both", door.clients.certificate("by_both"));
    assert_eq!(user_of(with_both.clone()).await, "by_both");
    let told = refused(with_both.with_password(Some("another"))).await;
    assert!(told.contains("SQLSTATE 28P01"), "{told}");
    let told = refused(door.config("by_both")).await;
    assert!(told.contains("connection requires a valid client certificate"), "{told}");
}

#[tokio::test]
async fn the_wrong_certificate_is_refused() {
    let door = door().await;
    // Of somebody else.
    let told = refused(door.config_with("by_certificate", door.clients.certificate("by_both"))).await;
    assert!(told.contains("certificate authentication failed for user \"by_certificate\""), "{told}");
    // By somebody else.
    let told = refused(door.config_with("by_certificate", Authority::new().certificate("by_certificate"))).await;
    assert!(told.contains("TLS failed: received fatal alert: UnknownCA"), "{told}");
    // Run out.
    let old = door.clients.old_certificate("by_certificate");
    let told = refused(door.config_with("by_certificate", old)).await;
    assert!(told.contains("TLS failed: received fatal alert: CertificateExpired"), "{told}");
}

#[tokio::test]
async fn a_key_is_refused_that_others_could_have_read_or_that_fits_another_certificate() {
    let door = door().await;
    let (certificate, key) = door.clients.certificate("by_certificate");
    let (_, other_key) = door.clients.certificate("by_certificate");
    let error =
        Cluster::connect(door.config_with("by_certificate", (certificate.clone(), other_key))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    assert!(error.to_string().contains("the certificate and the key don't fit"), "{error}");
    permit(&key, 0o644);
    let error = Cluster::connect(door.config_with("by_certificate", (certificate, key.clone()))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    let told = error.to_string();
    assert!(told.contains(&key.display().to_string()) && told.contains("chmod 0600"), "{told}");
}

/// The server goes on with a certificate that has run out: nobody talks to it any more, whatever else is verified.
#[tokio::test]
async fn a_servers_certificate_that_has_run_out_is_refused() {
    let server = local::single().tls().start().await.unwrap();
    let folder = server.ca_file().unwrap().parent().unwrap();
    let authority = Authority::new();
    let (certificate, key) = authority.sign_old("server");
    // Over the files that are there, which belong to the server's user.
    std::fs::write(folder.join("server.crt"), certificate).unwrap();
    std::fs::write(folder.join("server.key"), key).unwrap();
    let cluster = server.connect().await.unwrap();
    cluster.coordinator().execute(unscoped_sql!("SELECT pg_reload_conf()")).await.unwrap();

    for mode in [shardwise::config::Verify::Full, shardwise::config::Verify::Ca] {
        let tls = Tls { verify: mode, ca_file: Some(authority.ca_file()), ..Tls::default() };
        let config = server.config().with_tls(Some(tls)).unwrap();
        let told = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                let told = refused(config.clone()).await;
                // Until then it has the old one, by a CA that we don't know.
                if !told.contains("UnknownIssuer") {
                    return told;
                }
            }
        });
        let told = told.await.expect("the server reads its certificate anew");
        assert!(told.contains("certificate expired") && told.contains("renew"), "{told}");
    }
}
