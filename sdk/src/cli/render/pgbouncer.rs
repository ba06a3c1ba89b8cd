//! `render pgbouncer`.

use std::path::PathBuf;

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::files::{Files, Out};
use super::groups::Groups;
use super::{refused, secret};
use crate::client::Cluster;
use crate::config::{Config, Endpoint, Mode, Secret};
use crate::render::access::Verifier;
use crate::render::pgbouncer::{Auth, PgBouncer, lookup};

/// What a pooler is to be like.
#[derive(clap::Args)]
pub(in crate::cli) struct Command {
    #[command(flatten)]
    groups: Groups,
    /// The node that it stands before, by the name of its group: primary, coordinator, worker_1 …
    #[arg(long, value_name = "NAME", conflicts_with = "server")]
    group: Option<String>,
    /// The server or the proxy that it stands before, in place of a node of the cluster
    #[arg(long, value_name = "HOST:PORT")]
    server: Option<Endpoint>,
    /// One of its databases; that of the configuration where none is named
    #[arg(long, value_name = "NAME")]
    database: Vec<String>,
    /// One of its users: the coordinator, from which the other nodes have their roles, is asked for the verifier as a superuser
    #[arg(long, value_name = "ROLE", required_unless_present = "auth_query", conflicts_with = "auth_query")]
    user: Vec<String>,
    /// The server to ask for verifiers, in place of the coordinator: a primary
    #[arg(long, value_name = "HOST:PORT", requires = "user")]
    ask: Option<Endpoint>,
    /// In place of users: the role as which it asks the server for verifiers
    #[arg(long, value_name = "ROLE")]
    auth_query: Option<String>,
    /// How many users share it, with --auth-query
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    users: u32,
    /// The password of the role that asks, which stands in userlist.txt in plain
    #[arg(long, value_name = "FILE", requires = "auth_query")]
    password_file: Option<PathBuf>,
    /// Where it listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:6432")]
    listen: Endpoint,
    /// How many connections of clients the server has for all poolers before it together
    #[arg(long, value_name = "NUMBER", conflicts_with = "server_connections")]
    budget: Option<u32>,
    /// How many poolers share that
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "budget")]
    poolers: u32,
    /// How many connections of the server each database and user has, in place of a budget
    #[arg(long, value_name = "NUMBER")]
    server_connections: Option<u32>,
    /// How many clients it takes
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    clients: u32,
    /// PgBouncer's version
    #[arg(long, value_name = "VERSION", default_value = "1.18", value_parser = version)]
    pgbouncer: (u32, u32),
    /// Give each client a server for as long as it stays, in place of for a transaction
    #[arg(long)]
    session_mode: bool,
    /// Where userlist.txt will be
    #[arg(long, value_name = "FILE", default_value = "/etc/pgbouncer/userlist.txt")]
    userlist: PathBuf,
    /// Listen on a Unix socket in this folder as well
    #[arg(long, value_name = "DIR")]
    socket: Option<PathBuf>,
    /// Speak TLS to the server alone, whose certificate is by this CA
    #[arg(long, value_name = "FILE")]
    server_ca: Option<PathBuf>,
    /// Take clients over TLS alone, with this certificate
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// The key of that certificate
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    #[command(flatten)]
    out: Out,
}

fn version(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    parts.ok_or_else(|| "write it as PgBouncer does: 1.18".to_owned())
}

impl Command {
    pub(super) async fn files(self, context: &Context) -> Result<(Files, Out), Failure> {
        let server = match &self.server {
            Some(server) => server.clone(),
            None => {
                let group = self.groups.one(context, self.group.as_deref()).await?;
                let first = group.servers.first().map(|server| server.endpoint.clone());
                first.ok_or_else(|| Failure::usage(format!("the group {} has no server", group.name)))?
            }
        };
        let databases = match self.database.as_slice() {
            [] => vec![context.config()?.database().to_owned()],
            named => named.to_owned(),
        };
        let (auth, lookup) = self.auth(context, &databases).await?;
        let pooler = PgBouncer::before(server, databases)
            .with_auth(auth)
            .listen(self.listen)
            .with_client_connections(self.clients)
            .for_version(self.pgbouncer.0, self.pgbouncer.1)
            .userlist_at(self.userlist);
        let pooler = match (self.budget, self.server_connections) {
            (Some(budget), _) => pooler.with_budget(budget, self.poolers),
            (None, Some(each)) => pooler.with_server_connections(each),
            (None, None) => pooler,
        };
        let pooler = if self.session_mode { pooler.session_mode() } else { pooler };
        let pooler = self.socket.into_iter().fold(pooler, PgBouncer::socket_in);
        let pooler = self.server_ca.into_iter().fold(pooler, PgBouncer::with_server_tls);
        let pooler = self
            .client_cert
            .zip(self.client_key)
            .into_iter()
            .fold(pooler, |pooler, (cert, key)| pooler.with_client_tls(cert, key));
        let rendered = pooler.files().map_err(refused)?;
        let files = Files::default().with("pgbouncer.ini", rendered.ini).with_secret("userlist.txt", rendered.userlist);
        Ok((lookup.into_iter().fold(files, |files, sql| files.with("lookup.sql", sql)), self.out))
    }

    async fn auth(&self, context: &Context, databases: &[String]) -> Result<(Auth, Option<String>), Failure> {
        if let Some(role) = &self.auth_query {
            let password = self.password_file.as_deref().map(secret).transpose()?;
            let sql = lookup(role).map_err(refused)?;
            return Ok((Auth::query(role, password.as_ref(), self.users), Some(sql)));
        }
        let elsewhere = match &self.ask {
            Some(server) => {
                let config = context.config()?.with_contact_points([server.clone()])?.with_mode(Mode::Single);
                // It has those of the pooler, and perhaps not that of the configuration; and standbys of others are none of its own.
                let config = databases.iter().take(1).fold(config.with_replicas([])?, Config::with_database);
                Some(Cluster::connect(config).await?)
            }
            None => None,
        };
        let cluster = match &elsewhere {
            Some(server) => server,
            None => context.cluster().await?,
        };
        let mut users = Vec::with_capacity(self.user.len());
        for role in &self.user {
            users.push((role.clone(), verifier(cluster, role).await?));
        }
        Ok((Auth::verifiers(users), None))
    }
}

/// What the server keeps in place of a role's password.
async fn verifier(cluster: &Cluster, role: &str) -> Result<Verifier, Failure> {
    let ask = crate::unscoped_sql!(
        "SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = :role AND rolcanlogin",
        role = role.to_owned()
    );
    let rows: Vec<(Option<String>,)> = cluster.coordinator().query_as(ask).await?;
    let kept = rows.into_iter().next().ok_or_else(|| Failure::usage(format!("no role {role:?} logs in")))?.0;
    let kept = Secret::new(kept.ok_or_else(|| Failure::usage(format!("the role {role:?} has no password")))?);
    Verifier::known(kept.expose()).map_err(|error| Failure::new(Exit::Failed, format!("the role {role:?}: {error}")))
}
