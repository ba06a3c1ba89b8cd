//! Disks that are full: that of the tables, and that of the server's log.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use shardwise::local::Server;
use tokio::time::Instant;

use super::stage::{Stage, UnderLoad, on_own_servers};
use super::writers::Pace;
use crate::citus::stage::until;
use crate::support::direct::connect;

on_own_servers![PLAIN: the_disk_of_the_tables_is_full, the_disk_of_the_log_is_full];

/// A small file system in memory.
struct Disk {
    folder: tempfile::TempDir,
    size: usize,
}

impl Disk {
    /// One that the server's user owns; `None`, aloud, where this process may mount nothing.
    fn mount(megabytes: usize, server: &Server, test: &str) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("shardwise-disk-").tempdir().unwrap();
        let owner = fs::metadata(format!("/proc/{}", server.pid().unwrap())).unwrap();
        let options = format!("size={megabytes}m,mode=0700,uid={},gid={}", owner.uid(), owner.gid());
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { folder, size: megabytes * 1024 * 1024 }),
            refused => {
                eprintln!("SKIPPED {test}: no tmpfs can be mounted here: {refused:?}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Takes all that is left.
    fn fill(&self) {
        let mut filler = File::options().create(true).append(true).open(self.filler()).unwrap();
        for _ in 0..self.size / 4096 {
            match filler.write_all(&[0; 4096]) {
                Ok(()) => {}
                Err(error) => return assert_eq!(error.kind(), io::ErrorKind::StorageFull),
            }
        }
        panic!("the disk is larger than it was made");
    }

    fn empty(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the server may still have it open.
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} stays mounted", self.path().display());
        }
    }
}

/// Statements that need more room are refused, and the server goes on.
async fn the_disk_of_the_tables_is_full(stage: Stage) {
    let owner = stage.servers.owner();
    let Some(disk) = Disk::mount(24, owner, "the_disk_of_the_tables_is_full") else { return };
    let session = stage.session(owner).await;
    let make = format!("CREATE TABLESPACE tight LOCATION '{}'", disk.path().display());
    session.batch_execute("SET citus.enable_ddl_propagation = off").await.unwrap();
    session.batch_execute(&make).await.unwrap();
    // The tables, or the shards of them that are here, with their indexes.
    const MOVE: &str = "SELECT format('ALTER %s %I SET TABLESPACE tight', \
                        CASE relkind WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END, relname) FROM pg_class \
                        WHERE relkind IN ('r', 'i') AND relname ~ '^(wallets|lines)' \
                        AND ($1 = (relname ~ '_\\d{6,}$'))";
    let is_sharded = matches!(stage.servers, super::stage::Servers::Citus(_));
    session.batch_execute("SET citus.override_table_visibility = off").await.unwrap();
    session.batch_execute("SET citus.enable_manual_changes_to_shards = on").await.unwrap();
    let moves = session.query(MOVE, &[&is_sharded]).await.unwrap();
    assert!(moves.len() >= 4, "{} tables and indexes are found", moves.len());
    for row in moves {
        session.batch_execute(row.get(0)).await.unwrap();
    }
    let strike = async |load: &UnderLoad| {
        disk.fill();
        load.writers.until(|| load.writers.errors_like("53100") > 100).await;
        disk.empty();
        Instant::now()
    };
    stage.strike("disk of the tables full", Pace::default(), strike).await;
}

/// A server that can't write its log gives up, and does not start before there is room again.
async fn the_disk_of_the_log_is_full(stage: Stage) {
    let stage = stage.without_proxies();
    let owner = stage.servers.owner();
    let Some(disk) = Disk::mount(160, owner, "the_disk_of_the_log_is_full") else { return };
    let session = stage.session(owner).await;
    let row = session.query_one("SELECT current_setting('data_directory')", &[]).await.unwrap();
    let log = Path::new(row.get::<_, &str>(0)).join("pg_wal");
    drop(session);
    owner.kill().await.unwrap();
    let moved = disk.path().join("pg_wal");
    assert!(Command::new("cp").arg("-a").arg(&log).arg(&moved).status().unwrap().success());
    fs::remove_dir_all(&log).unwrap();
    symlink(&moved, &log).unwrap();
    until(async || owner.restart().await.is_ok()).await;

    let strike = async |load: &UnderLoad| {
        disk.fill();
        let before = load.writers.errors();
        // On to the next file of the log, until there is none.
        until(async || {
            let session = connect(owner, stage.straight.database()).await;
            let Ok(session) = session else { return true };
            let next = "SELECT pg_logical_emit_message(false, 'fill', repeat('x', 4000000)), pg_switch_wal()";
            session.batch_execute(next).await.is_err()
        })
        .await;
        load.writers.until(|| load.writers.errors() > before).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        disk.empty();
        until(async || owner.restart().await.is_ok()).await;
        Instant::now()
    };
    stage.strike("disk of the log full", Pace::default(), strike).await;
    // Its files are on the disk: it goes first.
    owner.kill().await.unwrap();
}
