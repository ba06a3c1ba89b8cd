//! The way to the servers: addresses, connections, log-ins, TLS, poolers; and what is read before.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use shardwise::config::{CacheConfig, CacheStore, Endpoint, Timeouts, Tls, Verify};
use shardwise::doctor::{Diagnosis, Subject};
use shardwise::health::Verdict;
use shardwise::local::{self, pgbouncer};
use shardwise::{Cluster, Config, unscoped_sql};

use super::{examine, fine, found, worst};
use crate::login::server::Authority;
use crate::support::direct::on;
use crate::support::place::Place;
use crate::support::programs::{Workshop, free_port};
use crate::support::secrets::PASSWORD;
use crate::support::server;

#[test]
fn a_configuration_that_can_t_be_read_is_the_one_finding() {
    let error = Config::from_toml("[default]\ncontact_points = [\"db\"]\ndatabase = \"x\"\nuser = \"app\"\npol = 1")
        .unwrap_err();
    let diagnosis = Diagnosis::of_configuration(&error);
    assert_eq!((diagnosis.verdict(), diagnosis.findings().len()), (Verdict::Critical, 1));
    let seen = found(&diagnosis, Subject::Configuration, Verdict::Critical, "unknown field `pol`");
    assert!(seen.fix.is_some());
}

#[tokio::test]
async fn files_that_others_can_read() {
    let config = Place::Single.empty().await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("password");
    std::fs::write(&secret, PASSWORD).unwrap();
    let address = &config.contact_points()[0];
    let file = folder.path().join("shardwise.toml");
    let text = format!(
        "[default]\ncontact_points = [\"{address}\"]\ndatabase = \"{}\"\nuser = \"{}\"\npassword_file = \"password\"",
        config.database(),
        config.user()
    );
    std::fs::write(&file, text).unwrap();
    for (mode, verdict) in [(0o644, Verdict::Warning), (0o600, Verdict::Ok)] {
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).unwrap();
        let diagnosis = examine(&Config::load_from(&file, None).unwrap()).await;
        assert_eq!(worst(&diagnosis, Subject::Configuration), verdict, "{diagnosis}");
        if verdict == Verdict::Warning {
            let fix = found(&diagnosis, Subject::Configuration, verdict, "group or world access").fix.clone().unwrap();
            assert!(fix.contains(&format!("chmod 0600 {}", secret.display())), "{fix}");
        }
        assert!(!diagnosis.to_string().contains(PASSWORD));
    }
    std::fs::remove_file(&secret).unwrap();
    std::fs::write(&secret, PASSWORD).unwrap();
    let config = Config::load_from(&file, None);
    std::fs::remove_file(&secret).unwrap();
    found(&examine(&config.unwrap()).await, Subject::Configuration, Verdict::Critical, "can't be looked at");
}

#[tokio::test]
async fn names_and_ports_that_lead_nowhere() {
    let good = Place::Single.empty().await;
    let server = good.contact_points()[0].clone();
    fine(&examine(&good).await, Subject::Connection);
    let port = free_port();
    let nobody = format!("127.0.0.1:{port}").parse().unwrap();
    let unknown = "no-such-host.invalid".parse().unwrap();
    let bad = good.clone().with_contact_points([server, nobody, unknown]).unwrap();
    let diagnosis = examine(&bad).await;
    found(&diagnosis, Subject::Connection, Verdict::Critical, "refused");
    let name = found(&diagnosis, Subject::Address, Verdict::Critical, "");
    assert_eq!(name.node.as_deref(), Some("no-such-host.invalid:5432"));
    // The one that is there is looked at all the same.
    fine(&diagnosis, Subject::LogIn);
    fine(&diagnosis, Subject::Versions);
    let localhost = good.contact_points()[0].port;
    let named = good.with_contact_points([format!("localhost:{localhost}").parse().unwrap()]).unwrap();
    let diagnosis = examine(&named).await;
    found(&diagnosis, Subject::Address, Verdict::Ok, "127.0.0.1");
}

#[tokio::test]
async fn one_that_takes_connections_and_says_nothing() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("127.0.0.1:{}", silent.local_addr().unwrap().port()).parse().unwrap();
    let short = Duration::from_millis(300);
    let timeouts = Timeouts { connect: short, checkout: short, statement: short, call: short };
    let config = Place::Single.empty().await.with_contact_points([at]).unwrap().with_timeouts(timeouts).unwrap();
    let diagnosis = tokio::time::timeout(Duration::from_secs(20), examine(&config)).await.expect("it was waited for");
    found(&diagnosis, Subject::LogIn, Verdict::Critical, "timeouts.connect");
    found(&diagnosis, Subject::Connection, Verdict::Critical, "no client could start");
}

#[tokio::test]
async fn a_log_in_that_is_refused() {
    let server = local::single().password(PASSWORD).start().await.unwrap();
    let good = server.config();
    fine(&examine(&good).await, Subject::LogIn);
    for (bad, seen) in [
        (good.clone().with_password(Some("another")), "28P01"),
        (good.clone().with_password(None), "password_file"),
        (good.clone().with_database("none_of_this_name"), "3D000"),
        (good.clone().with_user("nobody_of_this_name"), "28P01"),
    ] {
        let diagnosis = examine(&bad).await;
        found(&diagnosis, Subject::LogIn, Verdict::Critical, seen);
        assert!(!diagnosis.to_string().contains(PASSWORD));
    }
}

#[tokio::test]
async fn tls_that_is_off_verifies_no_name_or_has_a_certificate_that_ends() {
    let server = local::single().tls().start().await.unwrap();
    let good = server.config();
    let diagnosis = examine(&good).await;
    found(&diagnosis, Subject::Tls, Verdict::Ok, "the server's name is verified");
    found(&diagnosis, Subject::Tls, Verdict::Ok, "TLSv1.3 up to the server");
    found(&diagnosis, Subject::Certificate, Verdict::Ok, "it ends on");

    let loose = good.clone().with_tls(Some(Tls { verify: Verify::Ca, ..good.tls().unwrap().clone() })).unwrap();
    found(&examine(&loose).await, Subject::Tls, Verdict::Warning, "may stand in for the server");

    // One that is inside stays so.
    let inside = Cluster::connect(good.clone()).await.unwrap();
    // Certificates that end soon, over the files that are there, which belong to the server's user.
    let folder = server.ca_file().unwrap().parent().unwrap().to_owned();
    for (days, verdict) in [(3, Verdict::Critical), (20, Verdict::Warning), (200, Verdict::Ok)] {
        let authority = Authority::new();
        let (certificate, key) = authority.sign_for("server", days);
        std::fs::write(folder.join("server.crt"), certificate).unwrap();
        std::fs::write(folder.join("server.key"), key).unwrap();
        inside.coordinator().query(unscoped_sql!("SELECT pg_reload_conf()")).await.unwrap();
        let tls = Tls { ca_file: Some(authority.ca_file()), ..Tls::default() };
        let config = good.clone().with_tls(Some(tls)).unwrap();
        crate::citus::stage::until(async || worst(&examine(&config).await, Subject::LogIn) == Verdict::Ok).await;
        let diagnosis = examine(&config).await;
        assert_eq!(worst(&diagnosis, Subject::Certificate), verdict, "{diagnosis}");
        found(&diagnosis, Subject::Certificate, verdict, &format!("in {} days", days - 1));
    }
}

/// By an address of this machine that others reach as well.
#[tokio::test]
async fn a_connection_that_leaves_the_machine_in_the_clear() {
    let Some(address) = own_address() else {
        return eprintln!(
            "SKIPPED a_connection_that_leaves_the_machine_in_the_clear: this machine has the loopback alone"
        );
    };
    let server = local::single().setting("listen_addresses", "*").start().await.unwrap();
    let rules = "DO $$ BEGIN EXECUTE format('COPY (SELECT ''host all all all trust'') TO %L', current_setting('hba_file')); END $$";
    on(&server, rules).await;
    on(&server, "SELECT pg_reload_conf()").await;
    let here = server.config();
    found(&examine(&here).await, Subject::Tls, Verdict::Ok, "does not leave this machine");
    let away =
        here.clone().with_contact_points([format!("{address}:{}", here.contact_points()[0].port).parse().unwrap()]);
    let away = away.unwrap();
    crate::citus::stage::until(async || Cluster::connect(away.clone()).await.is_ok()).await;
    found(&examine(&away).await, Subject::Tls, Verdict::Warning, "who is in between reads and changes all rows");
}

fn own_address() -> Option<std::net::IpAddr> {
    // Nothing is sent: the system says from where it would be.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_loopback() && !address.is_unspecified())
}

#[tokio::test]
async fn poolers() {
    let config = Place::Single.empty().await;
    found(&examine(&config).await, Subject::Pooler, Verdict::Ok, "nothing that matters");
    let pooler = pgbouncer(server().await).start().await.unwrap();
    let diagnosis = examine(&pooler.before(config.clone()).unwrap()).await;
    found(&diagnosis, Subject::Pooler, Verdict::Warning, "a pooler in transaction mode: changes of the schema");
    let pooler = pgbouncer(server().await).session_mode().start().await.unwrap();
    let diagnosis = examine(&pooler.before(config.clone()).unwrap()).await;
    found(&diagnosis, Subject::Pooler, Verdict::Ok, "session mode, which does not tell its version");

    // One that tells its version, as it is: Debian 12 has 1.18.
    let workshop = Workshop::beside(server().await).await;
    let at: Endpoint = format!("127.0.0.1:{}", free_port()).parse().unwrap();
    let (users, user) = (workshop.path("users"), config.user());
    workshop.write("users", &format!("\"{user}\" \"\"\n"));
    let ini = format!(
        "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\npool_mode = \
         transaction\nauth_type = trust\nauth_file = {}\nstats_users = {user}\n",
        config.contact_points()[0].port,
        at.port,
        users.display()
    );
    let ini = workshop.write("pgbouncer.ini", &ini).display().to_string();
    let version = workshop.succeed(&["pgbouncer".to_owned(), "--version".to_owned()]);
    let _running = workshop.start("pgbouncer.log", &["pgbouncer".to_owned(), ini]);
    let config = config.with_contact_points([at]).unwrap();
    crate::citus::stage::until(async || Cluster::connect(config.clone()).await.is_ok()).await;
    let number = version.split_whitespace().nth(1).unwrap();
    let mut parts = number.split('.').map(|part| part.parse::<u32>().unwrap());
    let version = (parts.next().unwrap(), parts.next().unwrap());
    let told = format!("PgBouncer {}.{}", version.0, version.1);
    let diagnosis = examine(&config).await;
    match version < (1, 21) {
        true => found(&diagnosis, Subject::Pooler, Verdict::Warning, &format!("{told}, which mixes up the prepared")),
        false => found(&diagnosis, Subject::Pooler, Verdict::Warning, "changes of the schema"),
    };
}

#[tokio::test]
async fn redis() {
    let redis = local::redis().start().await.unwrap();
    let cache = CacheConfig { store: CacheStore::TwoTier, redis: Some(redis.config()), ..CacheConfig::default() };
    let config = Place::Single.empty().await.with_cache(cache).unwrap();
    fine(&examine(&config).await, Subject::Redis);
    redis.kill().await.unwrap();
    found(&examine(&config).await, Subject::Redis, Verdict::Warning, "asks the database");
    redis.restart().await.unwrap();
    fine(&examine(&config).await, Subject::Redis);
}
