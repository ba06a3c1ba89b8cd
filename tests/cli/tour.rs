//! The tour in docs/commands.md: each command runs on a cluster, and its answer has to be the one that the document shows.
//! `UPDATE_SNAPSHOTS=1` writes the document.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use regex::Regex;
use shardwise::local;
use shardwise::{Cluster, Config, Region, Uuid};

use super::derived::long_ago;
use super::program::Program;
use crate::support::citus::can_run;
use crate::support::leftovers::fresh;
use crate::support::place::on_two_threads;
use crate::support::stage::session;

/// Behind this line of the document everything is written by this test.
const MARK: &str = "<!-- What follows is written by tests/cli/tour.rs: UPDATE_SNAPSHOTS=1 -->\n";

/// A command of the tour.
struct Stop {
    /// What a reader is told before it; a heading where it begins with `#`.
    says: &'static str,
    /// As a person types it; `FESTIVAL` is a festival's id.
    typed: &'static str,
    /// What it has to end with.
    code: i32,
    /// At most so many lines of its answer are shown.
    lines: usize,
    /// Whether its numbers are measured, and differ each time.
    is_measured: bool,
    /// It goes on, and is interrupted after so many lines.
    goes_on: Option<usize>,
}

const fn stop(says: &'static str, typed: &'static str, code: i32) -> Stop {
    Stop { says, typed, code, lines: 60, is_measured: false, goes_on: None }
}

const fn long(says: &'static str, typed: &'static str, lines: usize) -> Stop {
    Stop { lines, ..stop(says, typed, 0) }
}

/// One that goes on until it is interrupted.
const fn keeper(says: &'static str, typed: &'static str, lines: usize) -> Stop {
    Stop { goes_on: Some(lines), ..stop(says, typed, 130) }
}

const TOUR: &[Stop] = &[
    Stop {
        lines: 12,
        ..stop("### The schema\n\nWhat would be done, as SQL; here on an empty database:", "schema plan", 3)
    },
    Stop { lines: 14, ..stop("Doing it:", "schema apply", 0) },
    stop("What differs, in both directions:", "schema diff", 0),
    Stop {
        is_measured: true,
        ..stop("### How it is\n\nNumbers are left out. `--html FILE` writes a page, `--watch` goes on:", "status", 0)
    },
    long("Why it does not work, where it does not; the worst comes first:", "doctor", 12),
    stop("### Partitions", "partitions list", 0),
    stop("", "partitions create transactions --ahead 5 --dry-run", 3),
    stop("", "partitions create transactions --ahead 5", 0),
    stop("", "partitions fill-gaps", 0),
    stop("Nobody has said yes, and this is no terminal:", "partitions detach transactions transactions_2030_03", 4),
    stop("", "partitions detach transactions transactions_2030_03 --yes", 0),
    stop("", "partitions attach transactions transactions_2030_03 --from 2030-03-01 --to 2030-04-01", 0),
    stop("", "partitions drop --older-than 365days --dry-run", 0),
    stop("", "partitions default create", 0),
    stop("", "partitions default drain", 0),
    stop("", "partitions default drop", 0),
    stop(
        "`convert` makes a partitioned table of one that is not; this one is:",
        "partitions convert transactions --dry-run",
        1,
    ),
    keeper("All of that by itself, until it is interrupted:", "partitions keep --ahead 6", 1),
    stop("### Rollups", "rollups verify", 0),
    stop("", "rollups repair festival_daily_stats --tenant FESTIVAL", 0),
    stop("### Denormalised columns", "denormalized verify", 0),
    stop("", "denormalized repair", 0),
    stop("### Materialized views", "views refresh stand_sales", 0),
    stop("", "views list", 0),
    keeper("Whatever is older than it may be, until it is interrupted:", "views keep", 1),
    stop("### Where data are", "placement nodes", 0),
    stop("", "placement mint us", 0),
    stop("The festival of this tour says that it is at home in `eu`, and its key lies in `us`:", "placement audit", 3),
    stop("", "placement relocate FESTIVAL eu --dry-run", 3),
    stop("", "placement rebalance --dry-run", 0),
    Stop {
        lines: 200,
        ..stop(
            "### What it needs next\n\nThe figures below each item are left out:",
            "advise --users 5000 --watch-for 0",
            3,
        )
    },
    stop(
        "### A grown database\n\nAnother one, whose tables have keys of one column. Whose their rows are; `--write FILE` asks a person what can't be known:",
        "adopt inspect festivals.id",
        0,
    ),
    stop("What its programs say:", "adopt check festivals.id --source programs", 3),
    stop("The way from there, before anything is done; with `--sql` each statement:", "adopt plan festivals.id", 3),
    Stop { lines: 8, ..stop("While the programs work:", "adopt begin festivals.id", 0) },
    stop("", "adopt run", 3),
    stop("", "adopt run --past application --yes", 0),
    Stop { lines: 8, ..stop("", "adopt status", 0) },
    stop("### Where a key goes, and why", "route FESTIVAL", 0),
    stop("### The cache", "cache status", 0),
    stop("There is none here:", "cache invalidate wallets --tenant FESTIVAL", 1),
    stop("", "cache clear --yes", 1),
    long(
        "### A server's configuration",
        "tune --ram 64GB --cpus 16 --disk nvme --connections 1000 --workload oltp",
        14,
    ),
    long("### The programs around the database", "render haproxy --from 10.0.1.9", 24),
    long("", "render haproxy --from 10.0.1.9 --part pg_hba.conf", 5),
    long("", "render pgbouncer --group coordinator --auth-query pgbouncer --budget 200 --poolers 2", 24),
    long("", "render replication --servers main=db-1.example.org,db-2.example.org", 5),
    long("", "render access app --from 10.0.0.0/16 --database festivals --tls", 5),
    long("", "render prometheus-rules", 10),
    long("", "render grafana", 8),
    Stop {
        is_measured: true,
        ..stop(
            "### How fast it is from here\n\nNumbers are left out, since they differ each time.",
            "bench --clients 4 --tenants 16 --rows 10 --time 200ms --yes",
            0,
        )
    },
    stop(
        "### Nodes come and go\n\nAll that a node has is moved to the others of its region, while it is used:",
        "placement drain 10.0.0.104:5432 --dry-run",
        3,
    ),
    stop("", "placement drain 10.0.0.104:5432 --yes", 0),
    stop("", "placement set-region 10.0.0.104:5432 eu --yes", 0),
    stop("", "placement remove-node 10.0.0.104:5432 --yes", 0),
    stop("", "placement add-node 10.0.0.104:5432 us --yes", 0),
    stop("", "placement nodes", 0),
    stop("### Mistakes\n\nEach names what to do:", "partitions list transactoins", 2),
    stop("", "plcement nodes", 2),
    stop("", "placement set-region db-9.example.org:5432 eu", 2),
    long("### Of itself", "--help", 70),
    long("`completions bash > /etc/bash_completion.d/shardwise` has a shell complete them:", "completions bash", 4),
    long("`man --folder DIR` writes the pages of all commands:", "man", 8),
];

/// A database with keys of one column, and a program that uses it.
const GROWN: &str = "
    CREATE TABLE festivals (id uuid PRIMARY KEY, name text NOT NULL);
    CREATE TABLE countries (code text PRIMARY KEY);
    CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL UNIQUE, country text REFERENCES countries);
    CREATE TABLE stands (id uuid PRIMARY KEY, festival_id uuid NOT NULL REFERENCES festivals, name text NOT NULL);
    CREATE TABLE orders (id uuid PRIMARY KEY, stand_id uuid NOT NULL REFERENCES stands, user_id uuid NOT NULL REFERENCES users, total int);
    CREATE FUNCTION sell(uuid, uuid, int) RETURNS void LANGUAGE sql AS
        'INSERT INTO orders (id, stand_id, user_id, total) VALUES (gen_random_uuid(), $1, $2, $3)';
    INSERT INTO festivals SELECT gen_random_uuid(), 'f' FROM generate_series(1, 3);
    INSERT INTO users SELECT gen_random_uuid(), n || '@example.org' FROM generate_series(1, 20) n;
    INSERT INTO stands SELECT gen_random_uuid(), id, 's' FROM festivals, generate_series(1, 5);
    INSERT INTO orders SELECT gen_random_uuid(), s.id, u.id, 7 FROM stands s, users u;
    ANALYZE;
";
const PROGRAM: &str = r#"
STANDS = "SELECT name FROM stands WHERE festival_id = %s"
ORDER = "SELECT total FROM orders WHERE id = %s"
BEST = "SELECT stand_id, sum(total) FROM orders GROUP BY stand_id ORDER BY 2 DESC LIMIT 10"
"#;

#[test]
fn the_document_shows_what_the_commands_say() {
    on_two_threads(async {
        if !can_run("cli::tour::the_document_shows_what_the_commands_say").await {
            return;
        }
        let local = local::citus(3).regions([Region::EU, Region::US, Region::US]).setting("citus.shard_count", "9");
        let local = local.start().await.unwrap();
        let config = fresh(&local).await;
        let grown = fresh(&local).await;
        session(&grown).await.batch_execute(GROWN).await.unwrap();
        let toured = tour(&config, &grown).await;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
        let document = std::fs::read_to_string(&path).unwrap();
        let (prose, shown) = document.split_once(MARK).unwrap_or((&document, ""));
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, format!("{}\n\n{MARK}{toured}", prose.trim_end())).unwrap();
            return;
        }
        for (shown, said) in shown.lines().zip(toured.lines()) {
            assert_eq!(shown, said, "docs/commands.md shows something else: UPDATE_SNAPSHOTS=1 writes it anew");
        }
        assert_eq!(
            shown.lines().count(),
            toured.lines().count(),
            "docs/commands.md shows more or less: UPDATE_SNAPSHOTS=1"
        );
    });
}

async fn tour(config: &Config, grown: &Config) -> String {
    let plain = Program::with_entities().on(config);
    // How fast this machine is, and whether its buffers are warm, is nothing to tell a reader.
    let calm = Program::with_entities()
        .on(config)
        .with("SHARDWISE_HEALTH__LATENCY_P95__WARNING", "1h")
        .with("SHARDWISE_HEALTH__LATENCY_P95__CRITICAL", "2h")
        .with("SHARDWISE_HEALTH__CACHE_HIT_RATIO__WARNING", "2")
        .with("SHARDWISE_HEALTH__CACHE_HIT_RATIO__CRITICAL", "1");
    let (mut text, mut festival) = (
        "\n## A tour\n\nOf a cluster with a coordinator and a worker in `eu`, and two workers in `us`.\n".to_owned(),
        None,
    );
    let mut names = Names::default();
    let grown = Program::alone().on(grown);
    std::fs::create_dir(grown.folder.path().join("programs")).unwrap();
    std::fs::write(grown.folder.path().join("programs/stands.py"), PROGRAM).unwrap();
    for Stop { says, typed, code, lines, is_measured, goes_on } in TOUR {
        if festival.is_none() && typed.contains("placement") {
            festival = Some(a_festival(config).await);
        }
        let id = festival.unwrap_or_default().to_string();
        names.learn(config).await;
        if typed.starts_with("views keep") {
            let by_hand = session(config).await;
            by_hand.batch_execute(&long_ago(&by_hand, "stand_sales").await).await.unwrap();
        }
        let typed_here = names.to_here(&to_now(&typed.replace("FESTIVAL", &id)));
        let arguments: Vec<&str> = ["--output", "table"].into_iter().chain(typed_here.split(' ')).collect();
        let program = match *is_measured {
            true => &calm,
            false if typed.starts_with("adopt") => &grown,
            false => &plain,
        };
        let ran = match goes_on {
            Some(lines) => program.interrupted_after(&arguments, *lines),
            None => program.run(&arguments),
        };
        assert_eq!(ran.code, *code, "{typed}: {ran:?}");
        names.learn(config).await;
        let is_a_file = ["render", "tune", "--help", "completions", "man"].iter().any(|word| typed.starts_with(word));
        let kind = match (is_a_file, *is_measured) {
            (true, _) => Kind::File,
            (false, true) => Kind::Measured,
            (false, false) => Kind::Told,
        };
        let said = ran.stdout + &ran.stderr;
        let said = if typed.starts_with("advise") { without_figures(&said) } else { said };
        let answer = settled(&said, &names.0, &id, kind);
        let shown: Vec<&str> = answer.lines().collect();
        if !says.is_empty() {
            write!(text, "\n{says}\n").unwrap();
        }
        let typed = typed.replace("FESTIVAL", FESTIVAL);
        write!(text, "\n```console\n$ shardwise {typed}\n").unwrap();
        shown.iter().take(*lines).for_each(|line| writeln!(text, "{line}").unwrap());
        if shown.len() > *lines {
            text.push_str("…\n");
        }
        match goes_on {
            Some(_) => text.push_str("^C\n"),
            None if *code != 0 => writeln!(text, "$ echo $?\n{code}").unwrap(),
            None => {}
        }
        text.push_str("```\n");
    }
    text
}

/// Advice without the lines of figures that stand below each item and finding: they were just measured.
fn without_figures(advice: &str) -> String {
    let is_figure = |line: &&str| line.strip_prefix("      ").is_some_and(|rest| !rest.starts_with([' ', '→']));
    advice.lines().filter(|line| !is_figure(line)).map(|line| format!("{line}\n")).collect()
}

/// The id of the festival in the document.
const FESTIVAL: &str = "0197b0a8-7d2e-7c3a-9f41-5d1e8a6b2c30";

/// A festival that is at home elsewhere than its key lies.
async fn a_festival(config: &Config) -> Uuid {
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let last = cluster.topology().nodes().iter().last().map(ToString::to_string);
    // On one of the two nodes, always the same; and in a shard whose bounds both have many digits: zero, and what stands before it,
    // would make a column narrower.
    let id = loop {
        let id = cluster.mint_id(Region::US).unwrap();
        let shard = cluster.explain_route(id).await.unwrap().shards.swap_remove(0);
        if shard.min != Some(0) && shard.max != Some(-1) && shard.owner == last {
            break id;
        }
    };
    let festival = festival::model::Festival {
        id,
        slug: "lowlands".to_owned(),
        name: "Lowlands".to_owned(),
        city: "Biddinghuizen".to_owned(),
        country: "NL".to_owned(),
        region: Region::EU,
        created_at: festival::model::now(),
    };
    cluster.reference().insert(&festival).await.unwrap();
    id
}

/// What the servers' addresses, in the order in which they came, and the database are called in the document.
#[derive(Default)]
struct Names(Vec<(String, String)>);

impl Names {
    async fn learn(&mut self, config: &Config) {
        if self.0.is_empty() {
            self.0.push((config.database().to_owned(), "festivals".to_owned()));
        }
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        for node in cluster.topology().nodes().iter() {
            if self.0.iter().all(|(known, _)| *known != node.to_string()) {
                // Two names of each, and that of the database.
                let number = 101 + self.0.len() / 2;
                self.0.push((node.to_string(), format!("10.0.0.{number}:5432")));
                let in_a_file = format!("host={} port={}", node.host, node.port);
                self.0.push((in_a_file, format!("host=10.0.0.{number} port=5432")));
            }
        }
    }

    /// What is typed in the document, as it has to be typed here.
    fn to_here(&self, typed: &str) -> String {
        self.0.iter().fold(typed.to_owned(), |typed, (address, name)| match name.starts_with("10.") {
            true => typed.replace(name, address),
            false => typed,
        })
    }
}

/// What an answer is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A text that differs in nothing but the servers' addresses.
    File,
    Told,
    Measured,
}

/// The answer without what differs each time.
fn settled(answer: &str, names: &[(String, String)], festival: &str, kind: Kind) -> String {
    static REST: LazyLock<[(Regex, &str); 7]> = LazyLock::new(|| {
        [
            (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "0197b0a9-11c4-7f6e-8a02-c4e1937d5b86"),
            (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", "2030-01-01T12:00:00Z"),
            (r"\b[0-9.]+ ?(µs|ms|s)\b", "7 ms"),
            (r"7 ms( 7 ms)+", "7 ms"),
            (r"\b[1-9][0-9.]* (B|kB|MB)\b", "64 kB"),
            (r", [0-9]+ bytes", ", 65536 bytes"),
            (r"-?\b[0-9]{7,10}\b", "-536870912"),
        ]
        .map(|(pattern, name)| (Regex::new(pattern).unwrap(), name))
    });
    let mut text =
        names.iter().fold(answer.replace(festival, "FESTIVAL"), |text, (address, name)| text.replace(address, name));
    text = from_now(&text);
    if kind == Kind::File {
        return text;
    }
    for (pattern, name) in &REST[..] {
        text = pattern.replace_all(&text, *name).into_owned();
    }
    text = shards_by_number(&text);
    if kind == Kind::Measured {
        static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"  [0-9]+( ms| kB)?\b|7 ms").unwrap());
        text = text.lines().map(|line| NUMBER.replace_all(line, "  …").into_owned() + "\n").collect();
    }
    aligned(&text.replace("FESTIVAL", FESTIVAL))
}

/// The shards of an answer: 102040 and those after it, in the order in which they come.
fn shards_by_number(text: &str) -> String {
    static SHARD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b10[0-9]{4}\b").unwrap());
    let mut seen: Vec<String> = Vec::new();
    let name = |found: &regex::Captures<'_>| {
        let shard = found[0].to_owned();
        let at = seen.iter().position(|known| *known == shard).unwrap_or_else(|| {
            seen.push(shard);
            seen.len() - 1
        });
        (102_040 + at).to_string()
    };
    SHARD.replace_all(text, name).into_owned()
}

/// Tables whose cells have another width now. Columns are two blanks apart.
fn aligned(text: &str) -> String {
    let (lines, mut out, mut at): (Vec<&str>, _, _) = (text.lines().collect(), String::new(), 0);
    let is_rule = |line: &&str| !line.is_empty() && line.chars().all(|c| c == '─');
    while at < lines.len() {
        if !lines.get(at + 1).is_some_and(is_rule) {
            writeln!(out, "{}", lines[at]).unwrap();
            at += 1;
            continue;
        }
        let cells = |line: &str| -> Vec<String> {
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
        };
        let head = cells(lines[at]);
        let rows = lines[at + 2..].iter().map(|line| cells(line)).take_while(|row| row.len() == head.len());
        let rows: Vec<Vec<String>> = std::iter::once(head.clone()).chain(rows).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        for (number, row) in rows.iter().enumerate() {
            let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            writeln!(out, "{}", line.join("  ").trim_end()).unwrap();
            if number == 0 {
                writeln!(out, "{}", "─".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1))).unwrap();
            }
        }
        at += rows.len() + 1;
    }
    out
}

/// The months around now, and those of the document, which begins in January 2030.
fn months() -> Vec<(Date, Date)> {
    let first = |date: Date| date.first_of_month();
    let now = first(Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date());
    let shown = jiff::civil::date(2030, 1, 1);
    (-3..15).map(|months: i64| (now + months.months(), shown + months.months())).collect()
}

/// Months of the document as those around now.
fn to_now(text: &str) -> String {
    replaced(text, months().into_iter().map(|(now, shown)| (shown, now)))
}

/// The reverse.
fn from_now(text: &str) -> String {
    replaced(text, months())
}

/// All at once: what one was replaced by is not taken for another one.
fn replaced(text: &str, months: impl IntoIterator<Item = (Date, Date)>) -> String {
    let (mut text, mut marks) = (text.to_owned(), Vec::new());
    for (number, (from, to)) in months.into_iter().enumerate() {
        for format in ["%Y_%m", "%Y-%m-%d"] {
            let mark = format!("\u{1}{number}{format}\u{1}");
            text = text.replace(&from.strftime(format).to_string(), &mark);
            marks.push((mark, to.strftime(format).to_string()));
        }
    }
    marks.into_iter().fold(text, |text, (mark, month)| text.replace(&mark, &month))
}
