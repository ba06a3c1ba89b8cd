//! Opens connections to one node: socket, TLS, log-in.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OnceCell;
use tokio_postgres::config::{ChannelBinding as Binding, SslMode};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::{Instrument as _, debug, info};

use super::connection::{Connection, Heard};
use super::hosts::{Host, Hosts};
use super::pace::Paces;
use super::refusal::refused;
use super::socket::{self, Socket, end_of, twin};
use super::statements::Inferred;
use crate::config::{ChannelBinding, Config, Endpoint, Pooler, Watch};
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::metrics::Meters;
use crate::topology::{Node, Role};

/// Everything that it takes to open a connection to one node.
#[derive(Clone)]
pub(super) struct Connector(Arc<Inner>);

struct Inner {
    node: Arc<Node>,
    hosts: Hosts,
    tls: Option<MakeRustlsConnect>,
    timeout: Duration,
    statement_cache: usize,
    watch: Watch,
    paces: Paces,
    meters: Arc<Meters>,
    pooler: Pooler,
    // What was found out, where the configuration does not say.
    found: OnceCell<Pooler>,
    inferred: Arc<Inferred>,
    // Connections opened so far: gives each its number, which tells whether it is watched.
    opened: AtomicUsize,
    // Those with a lower number are not used again.
    trusted_from: AtomicUsize,
    // How often a schema was found changed under prepared statements.
    schema: AtomicUsize,
}

/// What is asked of the server for the whole session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limits {
    /// Nothing.
    None,
    /// To end a statement that takes, or waits for a lock, longer than this.
    Of { statement: Duration, lock: Duration },
}

/// Where connections are sampled, one of so many is watched.
const SAMPLE: usize = 16;

/// What a watched server is told to report: each command that it sends to another node, as a notice.
const REPORT_FORWARDS: &str = "-c citus.log_remote_commands=on -c client_min_messages=notice";

/// Where a node runs a prepared statement on a shard of its own by a plan that fits all values, Citus 13.2 keeps some 30 kB of
/// each execution until the session ends: gigabytes in a minute. A plan for the values at hand takes no longer, for Citus looks
/// for the shard anew in any case.
const NEW_PLAN_EACH_TIME: (&str, Cow<'static, str>) = ("plan_cache_mode", Cow::Borrowed("force_custom_plan"));

/// How such a notice begins, in Citus' `LogRemoteCommand`. What it runs itself is reported in other words.
const FORWARDED: &str = "issuing ";

/// How the warning begins by which Citus' `FinishRemoteTransactionCommit` tells that another node did not commit, or did not say so.
const NOT_COMMITTED: &str = "failed to commit transaction on ";

impl Connector {
    pub(super) fn new(config: &Config, node: Arc<Node>) -> Result<Self> {
        let hosts = Hosts::of(config, &node, |endpoint| login(config, endpoint))?;
        let tls = config.tls.as_ref().map(super::tls::connector).transpose()?;
        let (timeout, statement_cache) = (config.timeouts.connect, config.pool.statement_cache);
        // The coordinator passes nearly everything on: that tells nothing.
        let watch = if node.role == Role::Worker { config.topology.watch } else { Watch::Off };
        let [opened, trusted_from, schema] = [(); 3].map(|()| AtomicUsize::new(0));
        let paces = Paces::new(config.pool.shared_limit);
        let meters = Arc::new(Meters::new(&config.database, Some(&node), node.region.as_ref().map(|it| it as _)));
        let pooler = config.pooler_of(&Endpoint { host: node.host.clone(), port: node.port });
        let (found, inferred) = (OnceCell::new(), Arc::new(Inferred::new(statement_cache)));
        Ok(Self(Arc::new(Inner {
            node,
            hosts,
            tls,
            timeout,
            statement_cache,
            watch,
            paces,
            meters,
            pooler,
            found,
            inferred,
            opened,
            trusted_from,
            schema,
        })))
    }

    pub(super) fn node(&self) -> &Arc<Node> {
        &self.0.node
    }

    /// How long statements take there.
    pub(super) fn paces(&self) -> &Paces {
        &self.0.paces
    }

    /// What is counted and timed of it.
    pub(super) fn meters(&self) -> &Arc<Meters> {
        &self.0.meters
    }

    /// Whether the node can tell that it passed a statement on.
    pub(super) fn can_be_watched(&self) -> bool {
        self.0.watch != Watch::Off
    }

    /// Opens a connection and starts the task that drives it.
    pub(super) async fn connect(&self) -> Result<Connection> {
        self.connect_as(Limits::None).await
    }

    /// The same, with these limits.
    pub(super) async fn connect_as(&self, limits: Limits) -> Result<Connection> {
        let hosts = &self.0.hosts;
        let time = hosts.part_of(self.0.timeout);
        let mut failures = Vec::new();
        for host in hosts.in_turn() {
            let open = async {
                let connection = self.open_as(host, limits).await?;
                hosts.settle(host, connection.client()).await?;
                Ok(connection)
            };
            match tokio::time::timeout(time, open).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => failures.push((host, error)),
                Err(_) => failures.push((host, Error::timed_out(Limit::Connect, time))),
            }
        }
        Err(Hosts::not_found(failures).on(&self.0.node))
    }

    async fn open_as(&self, host: &Host, limits: Limits) -> Result<Connection> {
        let number = self.0.opened.fetch_add(1, Ordering::AcqRel);
        let pooler = match self.0.pooler {
            Pooler::Auto => *self.0.found.get_or_try_init(|| self.find_out(host)).await?,
            given => given,
        };
        // Behind a pooler, who passes a statement on is not told: the notice may come to another client.
        let is_watched = pooler == Pooler::None && self.is_watched(number, limits);
        let settings = settings(self.0.node.is_citus, limits);
        let options = match (pooler, is_watched) {
            (Pooler::None | Pooler::Auto, true) => Some(format!("{REPORT_FORWARDS} {}", options(&settings))),
            (Pooler::None | Pooler::Auto, false) => Some(options(&settings)),
            // A pooler may not take them.
            (Pooler::Session | Pooler::Transaction, _) => None,
        };
        let options = options.filter(|options| !options.is_empty());
        let connection = self.open(host, number, options.as_deref(), is_watched, pooler).await?.0;
        match pooler {
            Pooler::Session => {
                for (name, value) in settings {
                    let set = format!("SET {name} = {value}");
                    connection.client().batch_execute(&set).await.map_err(Error::postgres)?;
                }
            }
            Pooler::Transaction => super::pooler::know_types(connection.client()).await?,
            Pooler::None | Pooler::Auto => {}
        }
        Ok(connection)
    }

    /// What stands between us and the node.
    async fn find_out(&self, host: &Host) -> Result<Pooler> {
        let number = self.0.opened.load(Ordering::Acquire);
        let (one, port) = self.open(host, number, None, false, Pooler::None).await?;
        if super::pooler::is_direct(one.client(), port).await? {
            return Ok(Pooler::None);
        }
        let (other, _) = self.open(host, number, None, false, Pooler::None).await?;
        let found = super::pooler::find_out(one.client(), other.client()).await?;
        let (host, port) = (&self.0.node.host, self.0.node.port);
        info!(server.address = host, server.port = port, pooler = ?found, "something stands before the node");
        Ok(found)
    }

    /// Also returned: the port that we come from.
    async fn open(
        &self,
        host: &Host,
        number: usize,
        options: Option<&str>,
        is_watched: bool,
        pooler: Pooler,
    ) -> Result<(Connection, Option<u16>)> {
        let mut login = host.login.clone();
        if let Some(options) = options {
            login.options(options);
        }
        let heard = Arc::new(Heard::new(is_watched));
        let (socket, port) = match socket::open(&host.endpoint).await? {
            Socket::Tcp(stream) => {
                let port = stream.local_addr().ok().map(|address| address.port());
                (Socket::Tcp(stream), port)
            }
            unix => (unix, None),
        };
        let client = match socket {
            Socket::Tcp(stream) => match self.0.tls.clone() {
                Some(mut tls) => {
                    self.log_in(&login, number, &heard, stream, tls_to::<TcpStream>(host, &mut tls)?).await?
                }
                None => self.log_in(&login, number, &heard, stream, NoTls).await?,
            },
            // As in libpq: a Unix socket needs no TLS.
            Socket::Unix(stream) => {
                self.log_in(login.ssl_mode(SslMode::Disable), number, &heard, stream, NoTls).await?
            }
        };
        let inferred = (pooler == Pooler::Transaction).then(|| self.0.inferred.clone());
        let connection = Connection::new(client, host.at, number, self.0.statement_cache, heard, inferred);
        connection.begins_under(self.0.schema.load(Ordering::Acquire));
        Ok((connection, port))
    }

    /// Whether each transaction may be on another server.
    pub(super) fn is_pooled(&self) -> bool {
        self.pooler() == Pooler::Transaction
    }

    /// What stands before the node; `Auto` where that is to be found out, and nobody was there yet.
    pub(super) fn pooler(&self) -> Pooler {
        match self.0.pooler {
            Pooler::Auto => self.0.found.get().copied().unwrap_or(Pooler::Auto),
            given => given,
        }
    }

    /// Says that this connection was ended from the other side. Then the others that were opened before now have been too,
    /// or are about to be: none of them is used again, so that a second try does not meet the next one that is dying.
    pub(super) fn distrust(&self, connection: &Connection) {
        self.distrust_as_of(connection.number());
    }

    fn distrust_as_of(&self, number: usize) {
        if number >= self.0.trusted_from.load(Ordering::Acquire) {
            self.0.trusted_from.fetch_max(self.0.opened.load(Ordering::Acquire), Ordering::AcqRel);
        }
    }

    /// Whether nothing speaks against using this connection.
    pub(super) fn trusts(&self, connection: &Connection) -> bool {
        connection.number() >= self.0.trusted_from.load(Ordering::Acquire)
    }

    /// Says that the schema changed under this connection's prepared statements, or the server dropped them. Those of the
    /// others that were opened before are no better: a second try must not meet the next stale one.
    /// `under` is the schema that the statement was sent under.
    pub(super) fn outdate_statements(&self, connection: &Connection, under: usize) {
        // Where another one said so already, it counts once.
        let order = Ordering::AcqRel;
        let _counted = self.0.schema.compare_exchange(under, under + 1, order, Ordering::Acquire);
        self.update_statements(connection);
    }

    /// Has the connection forget what is outdated.
    pub(super) fn update_statements(&self, connection: &Connection) {
        connection.is_under(self.0.schema.load(Ordering::Acquire));
    }

    fn is_watched(&self, number: usize, limits: Limits) -> bool {
        match self.0.watch {
            Watch::All => true,
            // Of many statements on a shared connection it could not be told which one was passed on.
            Watch::Sample => limits == Limits::None && number.is_multiple_of(SAMPLE),
            Watch::Off => false,
        }
    }

    async fn log_in<S, T>(
        &self,
        login: &tokio_postgres::Config,
        number: usize,
        heard: &Arc<Heard>,
        stream: S,
        tls: T,
    ) -> Result<Client>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: TlsConnect<S>,
        T::Stream: Send + 'static,
    {
        let (client, mut driver) = login.connect_raw(stream, tls).await.map_err(refused)?;
        // Weak: a connection that lies idle must not keep what is left of a pool.
        let (connector, node, heard) = (Arc::downgrade(&self.0), self.0.node.clone(), heard.clone());
        tokio::spawn(
            async move {
                let Err(error) = drive(&mut driver, &heard).await else { return };
                let error = Error::broken(error);
                debug!(server.address = node.host, server.port = node.port, %error, "a connection broke");
                // A server that stops says so on those that lie idle as well.
                if error.is_shutdown()
                    && let Some(connector) = connector.upgrade()
                {
                    Self(connector).distrust_as_of(number);
                }
                // Before the driver goes, and with it the hope of those who wait.
                let _first = heard.end.set(error);
            }
            .in_current_span(),
        );
        Ok(client)
    }

    /// Cancels what runs on a connection, and returns when the server has passed the cancel on: then it can't hit a
    /// later statement of the same connection.
    ///
    /// PostgreSQL's postmaster signals the backend before it closes the socket of the cancel request, and a backend that
    /// waits for its next command ignores the signal (`ProcessInterrupts`, `DoingCommandRead`). So whoever waits for the
    /// end of that socket and then for one more answer on the connection is past it.
    pub(super) async fn cancel(&self, connection: &Connection) -> Result<()> {
        let cancel = async {
            let token = connection.client().cancel_token();
            let host = self.0.hosts.get(connection.host());
            match socket::open(&host.endpoint).await? {
                Socket::Tcp(stream) => {
                    let (stream, mut watch) = twin(stream).map_err(cancel_failed)?;
                    match self.0.tls.clone() {
                        Some(mut tls) => token.cancel_query_raw(stream, tls_to::<TcpStream>(host, &mut tls)?).await,
                        None => token.cancel_query_raw(stream, NoTls).await,
                    }
                    .map_err(cancel_failed)?;
                    end_of(&mut watch).await;
                }
                Socket::Unix(stream) => {
                    let stream = stream.into_std().map_err(cancel_failed)?;
                    let watch = stream.try_clone().map_err(cancel_failed)?;
                    let stream = UnixStream::from_std(stream).map_err(cancel_failed)?;
                    token.cancel_query_raw(stream, NoTls).await.map_err(cancel_failed)?;
                    end_of(&mut UnixStream::from_std(watch).map_err(cancel_failed)?).await;
                }
            }
            Ok(())
        };
        match tokio::time::timeout(self.0.timeout, cancel).await {
            Ok(result) => result,
            Err(_) => Err(Error::timed_out(Limit::Connect, self.0.timeout)),
        }
    }
}

/// The log-in to a server at this address.
fn login(config: &Config, Endpoint { host, port }: &Endpoint) -> Result<tokio_postgres::Config> {
    let mut login = tokio_postgres::Config::new();
    login.user(&config.user).dbname(&config.database).application_name(&config.application_name);
    // Only for channel binding and error texts: the socket is ours.
    login.host(host).port(*port);
    if let Some(password) = config.password_for(host, *port)? {
        login.password(password.expose());
    }
    login.channel_binding(match config.channel_binding {
        ChannelBinding::Disable => Binding::Disable,
        ChannelBinding::Prefer => Binding::Prefer,
        ChannelBinding::Require => Binding::Require,
    });
    login.ssl_mode(if config.tls.is_some() { SslMode::Require } else { SslMode::Disable });
    Ok(login)
}

fn tls_to<S>(host: &Host, tls: &mut MakeRustlsConnect) -> Result<<MakeRustlsConnect as MakeTlsConnect<S>>::TlsConnect>
where
    MakeRustlsConnect: MakeTlsConnect<S>,
    <MakeRustlsConnect as MakeTlsConnect<S>>::Error: std::error::Error + Send + Sync + 'static,
{
    tls.make_tls_connect(&host.endpoint.host)
        .map_err(|error| Error::new(ErrorKind::Config, "the host is no name that TLS can verify").caused_by(error))
}

/// The settings of a session.
fn settings(is_citus: bool, limits: Limits) -> Vec<(&'static str, Cow<'static, str>)> {
    let mut settings = Vec::new();
    if is_citus {
        settings.push(NEW_PLAN_EACH_TIME);
    }
    if let Limits::Of { statement, lock } = limits {
        let limits = [("statement_timeout", statement), ("lock_timeout", lock)];
        settings.extend(limits.map(|(name, limit)| (name, Cow::Owned(limit.as_millis().to_string()))));
    }
    settings
}

/// The same as the server is told at log-in, and keeps through every RESET.
fn options(settings: &[(&str, Cow<'_, str>)]) -> String {
    settings.iter().map(|(name, value)| format!("-c {name}={value}")).collect::<Vec<_>>().join(" ")
}

/// Drives a connection to its end, and notes what the server says: before the answer to the statement that it is about, since
/// messages come in order.
async fn drive<S, T>(driver: &mut tokio_postgres::Connection<S, T>, heard: &Heard) -> Result<(), tokio_postgres::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = std::future::poll_fn(|cx| driver.poll_message(cx)).await {
        // Notices are not logged: those of a watched connection hold statements, and so values.
        let AsyncMessage::Notice(notice) = message? else { continue };
        if notice.message().starts_with(NOT_COMMITTED) {
            heard.is_in_doubt.store(true, Ordering::Release);
        } else if let Some(forwards) = heard.forwards.as_ref().filter(|_| notice.message().starts_with(FORWARDED)) {
            forwards.fetch_add(1, Ordering::Release);
        }
    }
    Ok(())
}

fn cancel_failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Connect, "the cancel request did not reach the server").caused_by(error)
}
