//! Evidence in, advice out: by tables of cases.

use std::collections::BTreeMap;
use std::time::Duration;

use super::evidence::{
    Cache, Client, Entity, Evidence, ForeignKey, Homes, Index, IndexKey, IndexUsage, Node, Server, Sessions, Standby,
    Statement, Statements, Table, TableUsage, TenantUse, Usage,
};
use super::{Advice, AdviceOptions, Amount, FindingKind, Level, Rung, RungState, Severity, State, Topic, judge};
use crate::config::Mode;
use crate::topology::{Region, Role};

const DAY: f64 = 86_400.0;
const MILLION: u64 = 1_000_000;

fn server() -> Server {
    Server {
        is_standby: false,
        sees_all: true,
        settings: BTreeMap::from([("max_connections".to_owned(), "100".to_owned())]),
        shared_buffers: 16 << 30,
        buffers_are_default: false,
        extensions: BTreeMap::new(),
        offers_citus: true,
        since: Some(60.0 * DAY),
        since_is_known: true,
        active_millis: None,
        transactions: 1_000,
        database_bytes: 1 << 30,
        blocks_hit: 0,
        blocks_read: 0,
        sessions: Sessions { clients: 10, ..Sessions::default() },
        standbys: Vec::new(),
        logical_slots: Vec::new(),
        publications: Vec::new(),
    }
}

fn node(name: &str, role: Role) -> Node {
    Node {
        name: name.to_owned(),
        role,
        region: None,
        takes_shards: true,
        pooler: false,
        server: Ok(server()),
        usage: Ok(Usage { sizes_are_exact: true, ..Usage::default() }),
        statements: Some(Ok(Statements::default())),
        tenants: None,
        measured: BTreeMap::new(),
        watched: None,
        troubles: Vec::new(),
    }
}

fn index(name: &str, columns: &[&str]) -> Index {
    let key = |text: &&str| IndexKey { text: (*text).to_owned(), order: "1 0 0".to_owned() };
    Index {
        name: name.to_owned(),
        method: "btree".to_owned(),
        keys: columns.iter().map(key).collect(),
        included: Vec::new(),
        predicate: None,
        is_unique: false,
        is_kept: false,
        is_valid: true,
    }
}

fn table() -> Table {
    Table {
        schema: "public".to_owned(),
        name: "entries".to_owned(),
        is_usual: true,
        kind: "r".to_owned(),
        partitions: 0,
        rollups: 0,
        times: vec!["created_at".to_owned()],
        foreign_keys: Vec::new(),
        indexes: Vec::new(),
        entity: Some(Entity {
            name: "Entry",
            distribution_column: Some("festival_id"),
            partition_column: None,
            is_cached: false,
            fields: BTreeMap::from([("wallet_id", "wallet_id")]),
        }),
    }
}

fn usage(rows: u64) -> TableUsage {
    let (schema, name) = ("public".to_owned(), "entries".to_owned());
    TableUsage { schema, name, rows, live: rows, parts: 1, bytes: rows * 100, scans: 1, ..TableUsage::default() }
}

/// One server with this table.
fn single(table: Table, used: TableUsage) -> Evidence {
    let mut node = node("db:5432", Role::Single);
    let indexes = table.indexes.iter().map(|index| IndexUsage {
        schema: "public".to_owned(),
        table: "entries".to_owned(),
        name: index.name.clone(),
        scans: 0,
        bytes: 1 << 30,
        last_scan: None,
        is_valid: true,
    });
    node.usage =
        Ok(Usage { tables: vec![used], indexes: indexes.collect(), shards: Vec::new(), sizes_are_exact: true });
    let client = Client { hit_ratio_bound: 90.0, connections_bound: 70.0, ..Client::default() };
    Evidence { mode: Mode::Single, nodes: vec![node], tables: Ok(vec![table]), homes: None, client }
}

fn advice(evidence: &Evidence) -> Advice {
    judge(evidence, &AdviceOptions::default())
}

fn subjects(advice: &Advice, kind: FindingKind) -> Vec<&str> {
    advice.found(kind).map(|finding| finding.subject.as_str()).collect()
}

#[test]
fn an_index_serves_a_key_that_it_begins_with() {
    let key = ForeignKey {
        name: "key".to_owned(),
        columns: vec!["festival_id".to_owned(), "wallet_id".to_owned()],
        target: "public.wallets".to_owned(),
    };
    let partial =
        |predicate: &str| Index { predicate: Some(predicate.to_owned()), ..index("i", &["festival_id", "wallet_id"]) };
    for (why, index, serves) in [
        ("its columns", index("i", &["festival_id", "wallet_id"]), true),
        ("and another one", index("i", &["festival_id", "wallet_id", "amount"]), true),
        ("the other way round", index("i", &["wallet_id", "festival_id"]), true),
        ("all rows of a shard have few tenants", index("i", &["wallet_id"]), true),
        ("which is the tenant's alone", index("i", &["festival_id"]), false),
        ("another one comes first", index("i", &["amount", "festival_id", "wallet_id"]), false),
        ("another one comes between", index("i", &["festival_id", "amount", "wallet_id"]), false),
        ("other rows", partial("(amount > 5)"), false),
        ("all rows that point", partial("(wallet_id IS NOT NULL)"), true),
        ("not to be used", Index { is_valid: false, ..index("i", &["festival_id", "wallet_id"]) }, false),
        ("no order", Index { method: "brin".to_owned(), ..index("i", &["festival_id", "wallet_id"]) }, false),
    ] {
        let table = Table { foreign_keys: vec![key.clone()], indexes: vec![index], ..table() };
        let found = advice(&single(table, usage(MILLION)));
        let missing = subjects(&found, FindingKind::MissingIndex);
        assert_eq!(missing.is_empty(), serves, "{why}: {missing:?}");
    }
}

#[test]
fn a_distribution_column_that_wants_quotes_is_known() {
    let quoted = |columns: &[&str]| columns.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let key =
        ForeignKey { name: "key".to_owned(), columns: quoted(&["\"Festival\"", "wallet_id"]), target: "w".to_owned() };
    let mut table = Table { foreign_keys: vec![key], indexes: vec![index("i", &["wallet_id"])], ..table() };
    table.entity.as_mut().expect("there is one").distribution_column = Some("Festival");
    assert!(subjects(&advice(&single(table, usage(MILLION))), FindingKind::MissingIndex).is_empty());
}

#[test]
fn a_key_of_few_rows_is_a_note() {
    let key = ForeignKey { name: "key".to_owned(), columns: vec!["wallet_id".to_owned()], target: "w".to_owned() };
    for (rows, severity) in [(9_999, Severity::Note), (10_000, Severity::Warning)] {
        let table = Table { foreign_keys: vec![key.clone()], ..table() };
        let found = advice(&single(table, usage(rows)));
        let missing: Vec<_> = found.found(FindingKind::MissingIndex).collect();
        assert_eq!(missing.iter().map(|it| it.severity).collect::<Vec<_>>(), [severity]);
        assert!(
            missing[0].actions[0].starts_with("CREATE INDEX CONCURRENTLY ON \"public\".\"entries\" (wallet_id);"),
            "{}",
            missing[0]
        );
        assert!(missing[0].actions[0].contains("`Entry::wallet_id`"), "{}", missing[0]);
    }
}

#[test]
fn of_two_indexes_the_one_goes_that_the_other_does_the_work_of() {
    let unique = |index: Index| Index { is_unique: true, ..index };
    let with = |index: Index, included: &[&str]| Index {
        included: included.iter().map(|it| (*it).to_owned()).collect(),
        ..index
    };
    let down = |mut index: Index| {
        index.keys[0].order = "1 0 3".to_owned();
        index
    };
    let hash = |index: Index| Index { method: "hash".to_owned(), ..index };
    let cases: [(&[Index], &[&str]); 8] = [
        (&[index("a", &["x"]), index("b", &["x"])], &["b on entries"]),
        (&[index("a", &["x"]), index("b", &["x", "y"])], &["a on entries"]),
        (&[index("a", &["y"]), index("b", &["x", "y"])], &[]),
        (&[index("a", &["x"]), down(index("b", &["x"]))], &[]),
        // A constraint is for more than speed.
        (&[index("a", &["x"]), unique(index("b", &["x"]))], &["a on entries"]),
        (&[unique(index("a", &["x"])), unique(index("b", &["x"]))], &[]),
        (&[with(index("a", &["x"]), &["z"]), index("b", &["x", "y"])], &[]),
        (&[hash(index("a", &["x"])), index("b", &["x"])], &[]),
    ];
    for (indexes, gone) in cases {
        let table = Table { indexes: indexes.to_vec(), ..table() };
        assert_eq!(subjects(&advice(&single(table, usage(MILLION))), FindingKind::DuplicateIndex), gone, "{indexes:?}");
    }
}

#[test]
fn an_index_is_unused_only_where_that_can_be_told() {
    let evidence = |change: &dyn Fn(&mut Evidence)| {
        let mut evidence = single(Table { indexes: vec![index("a", &["x"])], ..table() }, usage(MILLION));
        change(&mut evidence);
        evidence
    };
    let on_server = |change: fn(&mut Server)| {
        move |evidence: &mut Evidence| change(evidence.nodes[0].server.as_mut().expect("it told"))
    };
    let on_usage = |change: fn(&mut Usage)| {
        move |evidence: &mut Evidence| change(evidence.nodes[0].usage.as_mut().expect("it told"))
    };
    let cases: [(&str, Evidence, Option<Severity>); 8] = [
        ("for 60 days", evidence(&|_| ()), Some(Severity::Warning)),
        ("for 29 days", evidence(&on_server(|server| server.since = Some(29.0 * DAY))), None),
        ("nobody knows since when", evidence(&on_server(|server| server.since = None)), None),
        ("once", evidence(&on_usage(|usage| usage.indexes[0].scans = 1)), None),
        (
            "once, long ago",
            evidence(&on_usage(|usage| (usage.indexes[0].scans, usage.indexes[0].last_scan) = (1, Some(31.0 * DAY)))),
            Some(Severity::Warning),
        ),
        ("nobody uses the table", evidence(&on_usage(|usage| usage.tables[0].scans = 0)), None),
        ("small", evidence(&on_usage(|usage| usage.indexes[0].bytes = 8_192)), None),
        (
            "a standby did not tell",
            evidence(&|evidence| {
                let problem = || Err("it is away".to_owned());
                let silent = Node {
                    server: Err("it is away".to_owned()),
                    usage: problem(),
                    ..node("standby:5432", Role::Replica)
                };
                evidence.nodes.push(silent);
            }),
            Some(Severity::Note),
        ),
    ];
    for (why, evidence, severity) in cases {
        let found = advice(&evidence);
        assert_eq!(found.found(FindingKind::UnusedIndex).map(|it| it.severity).next(), severity, "{why}");
    }
}

#[test]
fn a_standby_has_the_same_rows_and_other_scans() {
    let mut evidence = single(Table { indexes: vec![index("a", &["x"])], ..table() }, usage(MILLION));
    let mut standby = evidence.nodes[0].clone();
    (standby.name, standby.role) = ("standby:5432".to_owned(), Role::Replica);
    standby.usage.as_mut().expect("it told").indexes[0].scans = 7;
    evidence.nodes.push(standby);
    let found = advice(&evidence);
    assert!(subjects(&found, FindingKind::UnusedIndex).is_empty(), "the standby uses it");
    let rows = found.signals.iter().find(|signal| signal.figure.name.starts_with("rows")).expect("it is told");
    assert_eq!(rows.figure.amount, Amount::Count(MILLION));
}

#[test]
fn growth_tells_when() {
    let evidence =
        |rows: u64, inserted: u64, deleted: u64| single(table(), TableUsage { inserted, deleted, ..usage(rows) });
    // In 60 days.
    for (rows, inserted, deleted, days) in [
        (40 * MILLION, 6 * MILLION, 0, Some(600)),
        (40 * MILLION, 12 * MILLION, 6 * MILLION, Some(600)),
        (40 * MILLION, 4 * MILLION, 0, None),
        (40 * MILLION, 6 * MILLION, 6 * MILLION, None),
        (40 * MILLION, 0, 6 * MILLION, None),
        (99 * MILLION, MILLION, 0, Some(60)),
    ] {
        let found = advice(&evidence(rows, inserted, deleted));
        let when = found.found(FindingKind::GrowingTable).next().map(|finding| finding.evidence[2].amount);
        let expected = days.map(|days: u64| Duration::from_secs(days * 86_400));
        match (when, expected) {
            (Some(Amount::Seconds(when)), Some(expected)) => {
                assert!(when.abs_diff(expected) < Duration::from_secs(60), "{rows}: {when:?}");
            }
            (when, expected) => assert_eq!((when, expected), (None, None), "{rows}"),
        }
        assert_eq!(found.path[4].state == RungState::Due, days.is_some());
    }
    let big = advice(&evidence(100 * MILLION, MILLION, 0));
    assert_eq!((subjects(&big, FindingKind::BigTable), big.level), (vec!["entries"], Level::Large));
    assert!(subjects(&big, FindingKind::GrowingTable).is_empty());
    let partitioned = Table { kind: "p".to_owned(), partitions: 12, ..table() };
    let big = advice(&single(partitioned, usage(100 * MILLION)));
    assert!(subjects(&big, FindingKind::BigTable).is_empty());
    assert_eq!(big.item(Topic::Partitions).map(|item| item.state), Some(State::There));
}

#[test]
fn the_level_is_the_highest_that_a_signal_gives() {
    let at = |change: fn(&mut Server, &mut Node)| {
        let mut evidence = single(table(), usage(10));
        let mut node = evidence.nodes[0].clone();
        let mut server = node.server.clone().expect("it told");
        change(&mut server, &mut node);
        node.server = Ok(server);
        evidence.nodes[0] = node;
        advice(&evidence)
    };
    let cases: [(&str, Advice, Level); 7] = [
        ("nothing", at(|_, _| ()), Level::Small),
        ("sessions", at(|server, _| server.sessions.clients = 100), Level::Medium),
        ("more sessions", at(|server, _| server.sessions.clients = 1_000), Level::Large),
        // 3,000 a second: those of 10,000 users.
        ("transactions", at(|server, _| server.transactions = 3_000 * 60 * 86_400), Level::Large),
        ("young counters", at(|server, _| (server.transactions, server.since) = (10_000, Some(3.0))), Level::Small),
        ("watched", at(|_, node| node.watched = Some((60_000, Duration::from_secs(2)))), Level::Enterprise),
        ("data", at(|_, node| node.usage.as_mut().expect("it told").tables[0].bytes = 2 << 40), Level::Large),
    ];
    for (why, advice, level) in cases {
        assert_eq!(advice.level, level, "{why}: {:?}", advice.signals);
    }
    // Whoever knows better is believed.
    let mut evidence = single(table(), usage(10));
    evidence.nodes[0].watched = Some((60_000, Duration::from_secs(2)));
    let given = judge(&evidence, &AdviceOptions::for_users(10));
    assert_eq!((given.level, given.signals.len()), (Level::Small, 1));
}

#[test]
fn the_next_step_is_the_first_that_is_due() {
    let options = AdviceOptions::for_users(200_000);
    let mut evidence = single(table(), usage(100 * MILLION));
    evidence.tables.as_mut().expect("they are told")[0].foreign_keys =
        vec![ForeignKey { name: "key".to_owned(), columns: vec!["wallet_id".to_owned()], target: "w".to_owned() }];
    evidence.nodes[0].server.as_mut().expect("it told").buffers_are_default = true;
    evidence.nodes[0].server.as_mut().expect("it told").database_bytes = 1 << 40;
    let next = |evidence: &Evidence| judge(evidence, &options).next;
    assert_eq!(next(&evidence), Some(Rung::QueriesAndIndexes));
    evidence.tables.as_mut().expect("they are told")[0].indexes = vec![index("a", &["wallet_id"])];
    assert_eq!(next(&evidence), Some(Rung::Caching));
    evidence.client.cache = Cache::Redis;
    assert_eq!(next(&evidence), Some(Rung::Caching), "no entity has `cache`");
    evidence.tables.as_mut().expect("they are told")[0].entity.as_mut().expect("there is one").is_cached = true;
    assert_eq!(next(&evidence), Some(Rung::BiggerMachine));
    evidence.nodes[0].server.as_mut().expect("it told").buffers_are_default = false;
    assert_eq!(next(&evidence), Some(Rung::Replicas));
    let standby = Standby { name: None, state: "streaming".to_owned() };
    evidence.nodes[0].server.as_mut().expect("it told").standbys = vec![standby.clone(), standby];
    assert_eq!(next(&evidence), Some(Rung::Partitions));
    evidence.tables.as_mut().expect("they are told")[0].kind = "p".to_owned();
    evidence.tables.as_mut().expect("they are told")[0].partitions = 3;
    assert_eq!(next(&evidence), Some(Rung::Sharding));
    // A small service has nothing to do then.
    assert_eq!(advice(&single(table(), usage(10))).next, None);
}

/// Of Citus, with these bytes of one group on each worker.
fn citus(shards: &[(&str, &[u64])]) -> Evidence {
    let worker = |(name, bytes): &(&str, &[u64])| {
        let shards = bytes.iter().enumerate().map(|(at, bytes)| (1, format!("{name} {at}"), *bytes)).collect();
        Node { usage: Ok(Usage { shards, sizes_are_exact: true, ..Usage::default() }), ..node(name, Role::Worker) }
    };
    let nodes = shards.iter().map(worker).collect();
    Evidence { mode: Mode::Citus, nodes, ..single(table(), usage(10)) }
}

#[test]
fn skew_is_against_the_average() {
    const GB: u64 = 1 << 30;
    for (shards, skewed) in [
        (vec![("a", &[GB, GB][..]), ("b", &[GB, GB])], vec![]),
        (vec![("a", &[GB, 9 * GB]), ("b", &[GB, GB])], vec!["co-location group 1, hash a 1"]),
        // The third has none: it is one of three all the same.
        (vec![("a", &[3 * GB; 3]), ("b", &[GB]), ("c", &[])], vec!["a"]),
        (vec![("a", &[1, 9]), ("b", &[1, 1])], vec![]),
    ] {
        let found = judge(&citus(&shards), &AdviceOptions::for_users(100_000));
        assert_eq!(subjects(&found, FindingKind::SkewedShards), skewed);
        let state = found.item(Topic::Sharding).map(|item| item.state);
        assert_eq!(state, Some(if skewed.is_empty() { State::There } else { State::Missing }));
    }
}

#[test]
fn a_tenant_is_hot_against_the_others() {
    for (queries, hot) in [
        (&[10, 10, 10, 10, 10, 10, 10, 10, 10, 10][..], vec![]),
        (&[100, 10, 10, 10, 10, 10, 10, 10, 10, 10], vec!["0"]),
        // Of two, one has half of it at least.
        (&[60, 40], vec![]),
        (&[100], vec![]),
        (&[5, 1, 1, 1], vec![]),
    ] {
        let mut evidence = citus(&[("a", &[1]), ("b", &[1])]);
        let tenants = queries.iter().enumerate();
        let tenants = tenants.map(|(at, queries)| TenantUse {
            colocation: 1,
            tenant: at.to_string(),
            queries: *queries,
            cpu: 0.1,
        });
        evidence.nodes[0].tenants = Some(Ok(tenants.collect()));
        assert_eq!(subjects(&advice(&evidence), FindingKind::HotTenant), hot, "{queries:?}");
    }
}

#[test]
fn tenants_belong_home() {
    let regions = |homes: &[&str]| homes.iter().map(|home| ((*home).to_owned(), 1)).collect();
    let with = |homes: Homes| {
        let mut evidence = citus(&[("a", &[1]), ("b", &[1])]);
        (evidence.nodes[0].region, evidence.nodes[1].region) = (Some(Region::EU), Some(Region::EU));
        evidence.homes = Some(Ok(homes));
        judge(&evidence, &AdviceOptions::for_users(100_000))
    };
    let state = |advice: &Advice| advice.item(Topic::Regions).map(|item| item.state);
    assert_eq!(
        state(&with(Homes { tenants: 1, regions: regions(&["eu"]), ..Homes::default() })),
        Some(State::NotNeededYet)
    );
    let bare = with(Homes { tenants: 2, regions: regions(&["eu", "us"]), ..Homes::default() });
    assert_eq!(state(&bare), Some(State::Missing), "no node stands there");
    let misplaced = vec![("t".to_owned(), Region::EU, vec!["us".to_owned()])];
    let away = with(Homes { tenants: 2, regions: regions(&["eu"]), misplaced });
    assert_eq!(subjects(&away, FindingKind::MisplacedTenants), ["1 of 2 tenants"]);
    assert_eq!((state(&away), away.path[5].state), (Some(State::Missing), RungState::Due));
}

#[test]
fn what_can_t_be_seen_is_told() {
    let mut evidence = single(table(), usage(10));
    let silent = Node {
        server: Err("refused".to_owned()),
        usage: Err("refused".to_owned()),
        ..node("other:5432", Role::Replica)
    };
    evidence.nodes.push(Node { statements: None, ..silent });
    let server = evidence.nodes[0].server.as_mut().expect("it told");
    (server.sees_all, server.sessions.hidden) = (false, 9);
    evidence.nodes[0].statements = None;
    let advice = judge(&evidence, &AdviceOptions::for_users(5_000));
    for part in ["other:5432: nothing of it: refused", "db:5432: what 9 sessions", "slow statements of db:5432"] {
        assert!(advice.unseen.iter().any(|what| what.contains(part)), "{part}: {:?}", advice.unseen);
    }
    assert_eq!(advice.nodes[1].problem.as_deref(), Some("refused"));
    assert_eq!(advice.item(Topic::Queries).map(|item| item.state), Some(State::Unknown));
    assert_eq!(advice.next, Some(Rung::QueriesAndIndexes), "what is slow is to be known first");
    let text = advice.to_string();
    assert!(text.contains("other:5432 (replica): could not be asked: refused"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
}

#[test]
fn a_slow_statement_is_that_of_all_nodes() {
    let mut evidence = citus(&[("a", &[1]), ("b", &[1])]);
    let statement = |shard: u32, calls, millis| Statement {
        text: Some(format!("SELECT count(*) FROM wallets_{shard} WHERE name = 'someone'")),
        calls,
        millis,
        rows: calls,
    };
    let of = |statement: Statement| {
        Some(Ok(Statements { calls: 10, millis: 4_000.0, since: Some(DAY), top: vec![statement] }))
    };
    evidence.nodes[0].statements = of(statement(102_008, 3, 900.0));
    evidence.nodes[1].statements = of(statement(102_009, 1, 300.0));
    let advice = judge(&evidence, &AdviceOptions::for_users(5_000));
    assert_eq!(subjects(&advice, FindingKind::SlowStatement), ["SELECT count(*) FROM wallets WHERE name = ?"]);
    let finding = advice.found(FindingKind::SlowStatement).next().expect("there is one");
    let amounts: Vec<_> = finding.evidence.iter().map(|figure| figure.amount).collect();
    assert_eq!(amounts[..2], [Amount::Seconds(Duration::from_millis(300)), Amount::Count(4)]);
    assert_eq!(
        advice.item(Topic::MaterializedViews).map(|item| item.state),
        Some(State::Missing),
        "it computes something"
    );
    // 5,000 users × 0.3 a second × 0.4 s each.
    let busy = advice.item(Topic::Pooler).and_then(|item| item.evidence.last()).map(|figure| figure.amount);
    assert_eq!(busy, Some(Amount::Mean(600.0)));
}

#[test]
fn a_rollup_is_a_view_that_is_kept() {
    let state = |table: Table| {
        let advice = judge(&single(table, usage(10)), &AdviceOptions::for_users(5_000));
        advice.item(Topic::MaterializedViews).map(|item| (item.state, item.why.clone()))
    };
    assert_eq!(state(table()).map(|(state, _)| state), Some(State::NotNeededYet));
    let rolled = Table { rollups: 2, ..table() };
    assert_eq!(state(rolled), Some((State::There, "2 rollups of entries".to_owned())));
    let view = Table { kind: "m".to_owned(), ..table() };
    assert_eq!(state(view), Some((State::There, "entries".to_owned())));
}

#[test]
fn options_that_contradict_themselves_are_refused() {
    let default = AdviceOptions::default;
    assert_eq!(default().check(), Ok(()));
    for wrong in [
        AdviceOptions { bloat: 0.0, ..default() },
        AdviceOptions { hot: 101.0, ..default() },
        AdviceOptions { skew: 1.0, ..default() },
        AdviceOptions { skew: f64::NAN, ..default() },
        AdviceOptions { statements_per_user: 0.0, ..default() },
        AdviceOptions { patience: Duration::ZERO, ..default() },
        AdviceOptions { big_rows: 0, ..default() },
    ] {
        assert!(wrong.check().is_err(), "{wrong:?}");
    }
}
