//! Many rows of one festival at once.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::TryStreamExt as _;
use shardwise::{Cluster, Uuid};
use sqlx::postgres::{PgPool, PgPoolOptions};
use tempfile::TempDir;
use tokio::process::Command;
use tokio_postgres::Client;

use crate::args::Args;
use crate::contest::{Contender, contest};
use crate::model::{Key, WALLET_COLUMNS, Wallet, schema};
use crate::numbers::{count, median};
use crate::report::{Report, number, say};
use crate::servers::{Owners, session};
use crate::verdict::Verdict;
use crate::{rows, servers};

const PSQL: &str = "copy_vs_psql_owner";
const PSQL_TRANSACTION: &str = "copy_vs_psql_transaction_owner";
const PSQL_TEXT: &str = "copy_vs_psql_text_owner";
const INSERT: &str = "copy_vs_multirow_insert_coordinator";
/// The names of the results.
pub const RESULTS: [&str; 4] = [PSQL, PSQL_TRANSACTION, PSQL_TEXT, INSERT];

/// So many that their rate is steady.
const ROWS: usize = 200_000;
/// Fewer, which are as steady and take as long.
const INSERTED: usize = 20_000;
/// The rows of one INSERT: fewer are no faster, and from some thousands on Citus takes longer for each.
const AT_ONCE: usize = 1_000;

/// Measures.
///
/// # Errors
/// What anybody met.
pub async fn run(args: &Args, report: &mut Report) -> Result<()> {
    let citus = servers::citus(|citus| citus).await?;
    let cluster = servers::prepare(&citus.config(), &schema()).await?;
    let owners = Owners::of(&cluster, &citus.config())?;
    let loads = Loads::new(cluster, &owners).await?;

    let all = [
        Contender::new("shardwise", "shardwise copy_in", || loads.timed(ROWS, loads.ours())),
        Contender::new(PSQL, "psql \\copy, binary, owner", || loads.timed(ROWS, loads.psql(true, false))),
        Contender::new(PSQL_TRANSACTION, "the same in a transaction", || loads.timed(ROWS, loads.psql(true, true))),
        Contender::new(PSQL_TEXT, "psql \\copy, text, owner", || loads.timed(ROWS, loads.psql(false, false))),
        Contender::new(INSERT, "sqlx, INSERTs of many rows", || loads.timed(INSERTED, loads.inserts())),
    ];
    let is_wanted = |slug| slug == "shardwise" || args.wanted.has(slug);
    let contenders: Vec<_> = all.into_iter().filter(|contender| is_wanted(contender.slug)).collect();
    let outcomes = contest(args.plan.rounds, &contenders).await?;
    for outcome in &outcomes {
        say(&format!("{:<34} {:>10} rows/s", outcome.title, number(median(&outcome.rounds))));
    }
    for peer in &outcomes[1..] {
        report.add(Verdict::beside(peer.slug, "rows/s", &outcomes[0].rounds, &peer.rounds));
    }
    Ok(())
}

/// The rows, in all the forms that they are loaded from.
struct Loads {
    cluster: Cluster,
    wallets: Arc<[Wallet]>,
    url: String,
    binary: PathBuf,
    text: PathBuf,
    sqlx: PgPool,
    // For what is not measured.
    coordinator: Client,
    _folder: TempDir,
}

impl Loads {
    async fn new(cluster: Cluster, owners: &Owners) -> Result<Self> {
        let festival_id = Uuid::new_v4();
        let owner = owners.owner(&festival_id)?;
        let keys: Vec<Key> = (0..ROWS).map(|_| Key { festival_id, id: Uuid::new_v4(), owner }).collect();
        let url = owners.urls[owner].clone();
        let at_owner = session(&url).await?;
        rows::copy_wallets(&at_owner, &keys).await?;
        let folder = TempDir::new()?;
        let (binary, text) = (folder.path().join("binary"), folder.path().join("text"));
        copy_out(&at_owner, "binary", &binary).await?;
        copy_out(&at_owner, "text", &text).await?;
        let sqlx =
            PgPoolOptions::new().max_connections(1).test_before_acquire(false).connect(&owners.coordinator).await?;
        let wallets = keys.iter().map(Key::wallet).collect();
        let coordinator = session(&owners.coordinator).await?;
        Ok(Self { cluster, wallets, url, binary, text, sqlx, coordinator, _folder: folder })
    }

    /// Loads the first so many rows into an empty table, and returns how many per second.
    async fn timed(&self, rows: usize, load: impl Future<Output = Result<Duration>>) -> Result<f64> {
        self.coordinator.batch_execute("TRUNCATE wallets").await?;
        let took = load.await?.as_secs_f64();
        const SUM: &str = "SELECT count(*), coalesce(sum(balance), 0)::bigint FROM wallets";
        let stored = self.coordinator.query_one(SUM, &[]).await?;
        let (stored, sum): (i64, i64) = (stored.try_get(0)?, stored.try_get(1)?);
        let wanted: i64 = self.wallets[..rows].iter().map(|wallet| wallet.balance).sum();
        ensure!(usize::try_from(stored)? == rows && sum == wanted, "{stored} rows are stored, or other ones");
        Ok(count(rows) / took)
    }

    async fn ours(&self) -> Result<Duration> {
        let begun = Instant::now();
        let fest = self.cluster.tenant(self.wallets[0].festival_id).await?;
        let mut copy = fest.copy_in::<Wallet>().await?;
        for wallet in self.wallets.iter() {
            copy.send(wallet).await?;
        }
        let stored = copy.finish().await?;
        let took = begun.elapsed();
        ensure!(usize::try_from(stored)? == self.wallets.len(), "not all rows are stored");
        Ok(took)
    }

    /// By its own clock: that it starts, logs in, and has Citus read its metadata, is nothing that we do in each round. In a
    /// transaction, as ours, Citus has one process read the rows and store them; else it hands them to a second one.
    async fn psql(&self, is_binary: bool, in_transaction: bool) -> Result<Duration> {
        let (file, format) = if is_binary { (&self.binary, "binary") } else { (&self.text, "text") };
        let command = format!("\\copy wallets ({WALLET_COLUMNS}) FROM '{}' (FORMAT {format})", file.display());
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname", &self.url]);
        psql.args(["--command", "SELECT FROM wallets LIMIT 0", "--command", "\\timing on"]);
        let commands: &[&str] = if in_transaction { &["BEGIN", &command, "COMMIT"] } else { &[&command] };
        psql.args(commands.iter().flat_map(|command| ["--command", command]));
        let output = psql.output().await?;
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout)?;
        let time = |line: &str| line.strip_prefix("Time: ")?.split(' ').next()?.parse::<f64>().ok();
        let times: Vec<f64> = told.lines().filter_map(time).collect();
        ensure!(times.len() == commands.len(), "psql tells no time: {told}");
        Ok(Duration::from_secs_f64(times.iter().sum::<f64>() / 1e3))
    }

    /// All or none, as the others.
    async fn inserts(&self) -> Result<Duration> {
        let begun = Instant::now();
        let mut tx = self.sqlx.begin().await?;
        for rows in self.wallets[..INSERTED].chunks(AT_ONCE) {
            let insert = format!("INSERT INTO wallets ({WALLET_COLUMNS}) ");
            let mut insert = sqlx::QueryBuilder::<sqlx::Postgres>::new(insert);
            insert.push_values(rows, |mut row, wallet| {
                let Wallet { festival_id, id, holder, balance } = wallet;
                row.push_bind(festival_id).push_bind(id).push_bind(holder).push_bind(balance);
            });
            insert.build().execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(begun.elapsed())
    }
}

async fn copy_out(from: &Client, format: &str, file: &Path) -> Result<()> {
    let mut sql = format!("COPY (SELECT {WALLET_COLUMNS} FROM wallets) TO STDOUT");
    let _ = write!(sql, " (FORMAT {format})");
    let chunks: Vec<_> = from.copy_out(&sql).await?.try_collect().await?;
    std::fs::write(file, chunks.concat())?;
    Ok(())
}
