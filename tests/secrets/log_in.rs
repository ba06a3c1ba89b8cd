//! Passwords, in all that can go wrong before there is a session.

use std::time::Duration;

use shardwise::config::{ChannelBinding, Timeouts, Tls};
use shardwise::local;
use shardwise::{Cluster, Config, Error};

use super::{assert_nothing_secret, assert_nothing_secret_in, shown};
use crate::child;
use crate::support::collector::Collector;
use crate::support::proxy::Proxy;
use crate::support::secrets::PASSWORD;
use crate::support::{logs, timeouts};

async fn refused(what: &str, config: Config) -> Error {
    assert_nothing_secret(&format!("{config:?} {config:#?}"));
    let error = Cluster::connect(config).await.err().unwrap_or_else(|| panic!("{what}: it is let in"));
    assert_nothing_secret(&shown(&error));
    error
}

#[tokio::test]
async fn of_a_log_in_that_fails() {
    logs::keep();
    let server = local::single().tls().password(PASSWORD).start().await.unwrap();
    let plain = local::single().password(PASSWORD).start().await.unwrap();
    let (collector, guard) = Collector::listen();
    assert_nothing_secret(&format!("{server:?} {:?}", server.config()));
    let (secured, open) = (server.config(), plain.config());

    let wrong = format!("{PASSWORD}-");
    for config in [&secured, &open] {
        let error = refused("another password", config.clone().with_password(Some(&wrong))).await;
        assert_eq!(error.code().unwrap().code(), "28P01");
        let error = refused("another user", config.clone().with_user("nobody")).await;
        assert_eq!(error.code().unwrap().code(), "28P01");
        let error = refused("another database", config.clone().with_database("nowhere")).await;
        assert_eq!(error.code().unwrap().code(), "3D000");
    }
    refused("no TLS", secured.clone().with_tls(None).unwrap()).await;
    refused("TLS where there is none", open.clone().with_tls(secured.tls().cloned()).unwrap()).await;
    let stranger = local::single().tls().start().await.unwrap();
    let tls = Tls { ca_file: stranger.ca_file().map(Into::into), ..Tls::default() };
    refused("another CA", secured.clone().with_tls(Some(tls)).unwrap()).await;
    let trusting = stranger.config().with_password(Some(PASSWORD));
    refused("no channel binding", trusting.with_channel_binding(ChannelBinding::Require).unwrap()).await;

    let proxy = Proxy::to(plain.config().contact_points()[0].port).await;
    let through = open.clone().with_contact_points([format!("127.0.0.1:{}", proxy.port).parse().unwrap()]).unwrap();
    Cluster::connect(through.clone()).await.unwrap();
    proxy.close();
    refused("a connection that is closed at once", through.clone()).await;
    proxy.open();
    proxy.fall_silent();
    let short = Timeouts { connect: Duration::from_millis(100), ..timeouts() };
    let error = refused("silence", through.with_timeouts(short).unwrap()).await;
    assert!(error.timeout().is_some());
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    refused("nobody there", open.with_contact_points([nobody.to_string().parse().unwrap()]).unwrap()).await;
    drop(guard);
    assert_nothing_secret_in(&collector);
}

/// What stands in a URL or a file in the wrong place, or unescaped.
#[test]
fn of_a_configuration_that_is_wrong() {
    for url in [
        format!("mysql://app:{PASSWORD}@db/d"),
        format!("postgres://app:{PASSWORD}@db:port/d"),
        format!("postgres://app:{PASSWORD}@/d"),
        format!("postgres://app:{PASSWORD}@db/"),
        format!("postgres://app:{PASSWORD}@db/d?sslmode=require"),
        format!("postgres://app:{PASSWORD}@db/d?channel_binding=require"),
        format!("postgres://app:a@{PASSWORD}@db/d"),
        format!("postgres://app:a?{PASSWORD}=b@db/d"),
        format!("postgres://app:a?sslmode={PASSWORD}@db/d"),
        format!("postgres://app:{PASSWORD}%00@db/d"),
    ] {
        assert_nothing_secret(&shown(&Config::from_url(&url).expect_err(&url)));
        let text = format!("[default]\nurl = \"{url}\"");
        assert_nothing_secret(&shown(&Config::from_toml(&text).expect_err(&url)));
        // In the place of a node.
        let text = format!("[default]\ncontact_points = [\"{url}\"]\ndatabase = \"d\"\nuser = \"u\"");
        assert_nothing_secret(&shown(&Config::from_toml(&text).expect_err(&url)));
        let text =
            format!("[default]\ncontact_points = [\"db\"]\ndatabase = \"d\"\nuser = \"u\"\nnodes.db.host = \"{url}\"");
        assert_nothing_secret(&shown(&Config::from_toml(&text).expect_err(&url)));
    }
    let least = "[default]\ncontact_points = [\"db\"]\ndatabase = \"d\"\nuser = \"u\"\n";
    for mistake in [
        format!("pasword = \"{PASSWORD}\""),
        format!("password = \"{PASSWORD}\"\npassword = \"{PASSWORD}\""),
        format!("password = \"{PASSWORD}\"\npassword_file = \"f\""),
        format!("password = [\"{PASSWORD}\"]"),
        format!("password = {{ is = \"{PASSWORD}\" }}"),
        format!("password = {PASSWORD}"),
        format!("password = '{PASSWORD}"),
        format!("password = \"{PASSWORD}\\q\""),
        format!("password {PASSWORD}"),
        format!("password = \"{PASSWORD}\"\nmode = \"none\""),
    ] {
        let error = Config::from_toml(&format!("{least}{mistake}")).expect_err(&mistake);
        assert_nothing_secret(&shown(&error));
    }
}

#[test]
fn child() {
    if child::told().is_some() {
        let error = Config::load().unwrap_err();
        println!("answer: {}", shown(&error).replace('\n', " "));
    }
}

#[test]
fn of_an_environment_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in [
        ("SHARDWISE_PASWORD", PASSWORD.to_owned()),
        ("SHARDWISE_PASSWORD__FILE", PASSWORD.to_owned()),
        ("SHARDWISE_URL", format!("postgres://app:{PASSWORD}@db:port/d")),
        ("SHARDWISE_CONTACT_POINTS", format!("db, postgres://app:{PASSWORD}@db/d")),
        ("SHARDWISE_ANALYTICS__ENDPOINT", format!("postgres://app:{PASSWORD}@db/d")),
        ("SHARDWISE_PASSWORD", PASSWORD.to_owned()), // alone: all the rest is missing
    ] {
        let mut child = child::start("secrets::log_in::child", "load", folder.path(), &[(name, &value)]);
        assert_nothing_secret(&child::answer(&mut child));
        child.wait().unwrap();
    }
}
