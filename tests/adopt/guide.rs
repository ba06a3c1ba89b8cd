//! docs/adopt.md is gone through as it stands there.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::run::platform;
use super::writer::Writer;
use crate::cli::program::Program;
use crate::support::place::{Place, in_both_modes};
use crate::support::stage::session;

/// A line of the guide: what is run, and what it says of it.
struct Line {
    command: String,
    remark: String,
}

fn lines() -> Vec<Line> {
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/adopt.md")).unwrap();
    let lines = guide.lines().filter_map(|line| line.strip_prefix("$ "));
    let lines = lines.map(|line| {
        let (command, remark) = line.split_once('#').unwrap_or((line, ""));
        Line { command: command.trim().to_owned(), remark: remark.trim().to_owned() }
    });
    lines.collect()
}

/// What a program of the platform's says.
const SOURCE: &str = r#"
def wallet(cursor, id):
    cursor.execute("SELECT balance FROM wallets WHERE id = %s", (id,))
"#;

async fn the_guide_is_gone_through_while_the_platform_is_written(place: Place) {
    let (config, _) = platform(place, 2, 200).await;
    let program = Program::alone().on(&config);
    std::fs::create_dir(program.folder.path().join("programs")).unwrap();
    std::fs::write(program.folder.path().join("programs/wallet.py"), SOURCE).unwrap();
    let writer = Writer::selling(&config, 4).await;
    let lines = lines();
    assert!(lines.len() >= 15, "{}", lines.len());
    for Line { command, remark } in lines {
        let is_here = !remark.contains("on Citus") || place.is_citus();
        if let Some(sql) = command.strip_prefix("psql -c ") {
            if is_here {
                session(&config).await.batch_execute(sql.trim_matches('"')).await.unwrap();
            }
            continue;
        }
        let words: Vec<&str> = command.strip_prefix("shardwise ").unwrap().split(' ').collect();
        if words.contains(&"application") {
            // The programs were deployed, and the older ones have ended.
            writer.knows_keys.store(true, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let ran = tokio::task::block_in_place(|| program.run(&words));
        let code = if remark.starts_with("ends with 3") && is_here { 3 } else { 0 };
        assert_eq!(ran.code, code, "{command}: {ran:?}");
        match words[1] {
            "check" => assert!(ran.stdout.contains("festival_id"), "{ran:?}"),
            "plan" => assert!(ran.stdout.contains("exchange-keys:festivals"), "{ran:?}"),
            _ => {}
        }
    }
    let felt = writer.stop().await;
    println!("ADOPT guide: {:?} sales, longest {:.0?}", felt.done, felt.longest.lock().await);
    assert_eq!(*felt.errors.lock().await, Vec::<String>::new());
    let generated = std::fs::read_to_string(program.folder.path().join("entities.rs")).unwrap();
    assert!(generated.contains("distributed_by = festival_id"), "{generated}");
}

in_both_modes![@on_two_threads: the_guide_is_gone_through_while_the_platform_is_written];
