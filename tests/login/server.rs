//! A server over TLS at which each role has a way of its own to log in, and throwaway certificates.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use shardwise::config::Tls;
use shardwise::local::{self, Server};
use shardwise::{Config, unscoped_sql};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::support::secrets::PASSWORD;

/// Which role logs in how, as `pg_hba.conf` says it.
const RULES: &str = "\
    hostssl all by_nothing 127.0.0.1/32 trust\n\
    hostssl all by_md5 127.0.0.1/32 md5\n\
    hostssl all by_plain_password 127.0.0.1/32 password\n\
    hostssl all by_certificate 127.0.0.1/32 cert\n\
    hostssl all by_both 127.0.0.1/32 scram-sha-256 clientcert=verify-full\n\
    hostssl all all 127.0.0.1/32 scram-sha-256\n";

pub struct Door {
    pub server: Server,
    /// Signs the certificates of clients.
    pub clients: Authority,
}

/// The run's.
pub async fn door() -> &'static Door {
    static DOOR: OnceCell<Door> = OnceCell::const_new();
    DOOR.get_or_init(Door::open).await
}

impl Door {
    async fn open() -> Self {
        let server = local::single().tls().password(PASSWORD).start().await.unwrap();
        let clients = Authority::new();
        // The server's own folder is the one that the server's user can read.
        let folder = server.ca_file().unwrap().parent().unwrap().to_owned();
        std::fs::write(folder.join("clients.crt"), clients.ca.pem()).unwrap();
        std::fs::write(folder.join("rules"), RULES).unwrap();
        let cluster = server.connect().await.unwrap();
        let coordinator = cluster.coordinator();
        for role in [
            unscoped_sql!("CREATE ROLE by_nothing LOGIN"),
            unscoped_sql!("CREATE ROLE by_scram LOGIN"),
            unscoped_sql!("CREATE ROLE by_md5 LOGIN"),
            unscoped_sql!("CREATE ROLE by_plain_password LOGIN"),
            unscoped_sql!("CREATE ROLE by_certificate LOGIN"),
            unscoped_sql!("CREATE ROLE by_both LOGIN"),
        ] {
            coordinator.execute(role).await.unwrap();
        }
        // So that the password itself is in no statement: all have the superuser's.
        coordinator
            .execute(unscoped_sql!(
                "UPDATE pg_authid SET rolpassword = (SELECT rolpassword FROM pg_authid WHERE oid = 10) \
                 WHERE rolname LIKE 'by\\_%'"
            ))
            .await
            .unwrap();
        coordinator
            .execute(unscoped_sql!(
                "UPDATE pg_authid SET rolpassword = 'md5' || md5(:password::text || rolname) WHERE rolname = 'by_md5'",
                password = PASSWORD
            ))
            .await
            .unwrap();
        // From the folder of the data, which lies beside.
        coordinator.execute(unscoped_sql!("ALTER SYSTEM SET ssl_ca_file = '../clients.crt'")).await.unwrap();
        server.restart().await.unwrap();
        Self { server, clients }
    }

    /// How this role connects, with its password.
    pub fn config(&self, role: &str) -> Config {
        self.server.config().with_user(role)
    }

    /// The same with this certificate.
    pub fn config_with(&self, role: &str, (cert_file, key_file): (PathBuf, PathBuf)) -> Config {
        let config = self.config(role);
        let tls = config.tls().unwrap().clone();
        config.with_tls(Some(Tls { cert_file: Some(cert_file), key_file: Some(key_file), ..tls })).unwrap()
    }
}

/// Signs certificates, and keeps them for as long as it lives.
pub struct Authority {
    ca: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, format!("throwaway CA {}", shardwise::Uuid::new_v4()));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { ca, folder: tempfile::tempdir().unwrap() }
    }

    pub fn ca_file(&self) -> PathBuf {
        self.write("ca.crt", &self.ca.pem(), 0o644)
    }

    /// The files of a certificate for this name, and of its key.
    pub fn certificate(&self, name: &str) -> (PathBuf, PathBuf) {
        self.keep(self.sign(name))
    }

    /// The same of one that has run out.
    pub fn old_certificate(&self, name: &str) -> (PathBuf, PathBuf) {
        self.keep(self.sign_old(name))
    }

    /// A certificate that has run out and its key, as PEM.
    pub fn sign_old(&self, name: &str) -> (String, String) {
        self.sign_with(name, |params| {
            (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        })
    }

    /// The same of one that ends in so many days.
    pub fn sign_for(&self, name: &str, days: i64) -> (String, String) {
        self.sign_with(name, |params| {
            let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
            let end = end.to_zoned(jiff::tz::TimeZone::UTC).date();
            let [month, day] = [end.month(), end.day()].map(|part| u8::try_from(part).unwrap());
            params.not_after = date_time_ymd(end.year().into(), month, day);
        })
    }

    fn keep(&self, (certificate, key): (String, String)) -> (PathBuf, PathBuf) {
        let stem = shardwise::Uuid::new_v4();
        (self.write(&format!("{stem}.crt"), &certificate, 0o644), self.write(&format!("{stem}.key"), &key, 0o600))
    }

    /// A certificate for this name and the address 127.0.0.1 and its key, as PEM.
    pub fn sign(&self, name: &str) -> (String, String) {
        self.sign_with(name, |_| {})
    }

    fn sign_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        change(&mut params);
        (params.signed_by(&key, &self.ca).unwrap().pem(), key.serialize_pem())
    }

    fn write(&self, name: &str, content: &str, mode: u32) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        permit(&path, mode);
        path
    }
}

pub fn permit(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
