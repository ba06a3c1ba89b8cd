//! SCRAM that is bound to the TLS connection.

use shardwise::config::ChannelBinding::{self, Disable, Prefer, Require};
use shardwise::config::{Endpoint, Tls};
use shardwise::{Cluster, Config, Error, ErrorKind};

use super::between::man_in_the_middle;
use super::server::{Authority, door};
use crate::support::server as plain_server;

async fn connect(role: &str, binding: ChannelBinding) -> Result<Cluster, Error> {
    Cluster::connect(door().await.config(role).with_channel_binding(binding).unwrap()).await
}

#[tokio::test]
async fn scram_over_tls_can_be_bound_and_need_not_be() {
    for binding in [Require, Prefer, Disable] {
        connect("by_scram", binding).await.unwrap();
    }
}

/// Whoever asks for the password in another way might be somebody between us and the server.
#[tokio::test]
async fn where_it_is_required_every_other_way_in_is_refused() {
    for role in ["by_md5", "by_plain_password", "by_nothing"] {
        connect(role, Prefer).await.unwrap();
        let error = connect(role, Require).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
        let told = error.to_string();
        assert!(told.contains("without channel binding") && told.contains("scram-sha-256 over TLS"), "{role}: {told}");
    }
}

/// What it is for: the certificate alone does not tell that there is somebody else.
#[tokio::test]
async fn somebody_in_between_is_noticed_though_his_certificate_is_trusted() {
    let (door, authority) = (door().await, Authority::new());
    let between = Endpoint { host: "127.0.0.1".to_owned(), port: man_in_the_middle(door, &authority).await };
    let tls = Tls { ca_file: Some(authority.ca_file()), ..Tls::default() };
    let config = door.config("by_scram").with_tls(Some(tls)).unwrap().with_contact_points([between]).unwrap();
    let connect = async |binding| Cluster::connect(config.clone().with_channel_binding(binding).unwrap()).await;
    connect(Disable).await.expect("he reads everything, and nobody notices");
    for binding in [Prefer, Require] {
        let error = connect(binding).await.unwrap_err();
        assert!(error.to_string().contains("SCRAM channel binding check failed"), "{error:?}");
    }
}

#[tokio::test]
async fn it_needs_tls_also_by_url_and_the_server_too() {
    let refused = Config::from_url("postgres://app@db/d?channel_binding=require").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
    assert!(refused.to_string().contains("needs TLS"), "{refused}");
    let url = format!("{}&channel_binding=require", door().await.server.url());
    Cluster::connect(Config::from_url(&url).unwrap()).await.unwrap();
    // A server without TLS is not even asked.
    let tls = door().await.server.config().tls().cloned();
    let config = plain_server().await.config().with_tls(tls).unwrap().with_channel_binding(Require).unwrap();
    let told = Cluster::connect(config).await.unwrap_err().to_string();
    assert!(told.contains("does not support TLS"), "{told}");
}
