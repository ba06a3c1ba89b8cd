//! Settings that would be other settings, or SQL, if they were not kept apart.

use shardwise::config::Endpoint;
use shardwise::{Cluster, Config, Entity, ErrorKind, Schema, unscoped_sql};

use super::{HOSTILE, Victim};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    an_application_name_is_a_name,
    a_role_and_a_database_with_hostile_names,
    what_lies_first_in_the_search_path_is_not_taken_for_the_servers_own,
];

/// What would turn the tenants' protection off, if it came through.
const SMUGGLED: &str = "app' -c session_replication_role=replica options='-c session_replication_role=replica'";

async fn session(config: Config) -> (String, String) {
    let cluster = Cluster::connect(config).await.unwrap();
    let settings =
        unscoped_sql!("SELECT current_setting('application_name'), current_setting('session_replication_role')");
    cluster.coordinator().query_one_as(settings).await.unwrap()
}

async fn an_application_name_is_a_name(place: Place) {
    let config = place.empty().await;
    for text in HOSTILE.iter().chain(&[SMUGGLED, "long ".repeat(100).as_str()]) {
        let (name, role) = session(config.clone().with_application_name(*text)).await;
        assert_eq!(role, "origin", "{text:?}");
        // The server's own rule: at most 63 bytes, and nothing that would be another line of a log.
        assert!(name.len() <= 63 && name.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{text:?}: {name:?}");
        if text.len() < 63 && text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            assert_eq!(name, *text);
        }
    }
}

/// By a URL and by a file as well, where other rules for quoting hold.
#[tokio::test]
async fn settings_in_a_url_and_in_a_file_stay_what_they_are() {
    let server = crate::support::server().await;
    let escaped = SMUGGLED.replace(' ', "%20").replace('=', "%3D").replace('\'', "%27");
    let url = format!("{}?application_name={escaped}", server.url());
    assert_eq!(session(Config::from_url(&url).unwrap()).await.1, "origin");
    let Endpoint { host, port } = server.config().contact_points()[0].clone();
    let file = format!(
        "[default]\ncontact_points = [\"{host}:{port}\"]\ndatabase = \"postgres\"\nuser = \"postgres\"\n\
         application_name = \"{SMUGGLED}\""
    );
    assert_eq!(session(Config::from_toml(&file).unwrap()).await.1, "origin");
    // What libpq would take, and what could change a session behind the SDK's back.
    for parameter in
        ["options=-c%20session_replication_role%3Dreplica", "hostaddr=10.0.0.1", "service=x", "sslmode=allow"]
    {
        let error = Config::from_url(&format!("{}?{parameter}", server.url())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{parameter}: {error}");
    }
}

#[test]
fn a_host_is_a_host() {
    for host in ["", " ", "a b", "a,b", "u@h", "h/x", "h\0", "h\nx", "h\tx", "postgres://h"] {
        assert!(host.parse::<Endpoint>().is_err(), "{host:?}");
    }
    for host in ["o'brien.example.org", "host\"x", "h=x", "h;x"] {
        // Odd, and nothing but a name that no one knows.
        assert_eq!(host.parse::<Endpoint>().unwrap().host, host);
    }
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "own", distributed_by = owner)]
struct Own {
    owner: String,
    #[entity(key)]
    id: i64,
}

async fn a_role_and_a_database_with_hostile_names(place: Place) {
    const ROLE: &str = "o'brien\"; DROP TABLE victims; -- = \\";
    let config = place.empty().await;
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let other = Victim::placed(&cluster, Schema::new()).await;
    let create = unscoped_sql!(
        "DO $do$ BEGIN IF to_regrole('\"o''brien\"\"; DROP TABLE victims; -- = \\\"') IS NULL THEN \
         CREATE ROLE \"o'brien\"\"; DROP TABLE victims; -- = \\\" LOGIN SUPERUSER; END IF; END $do$"
    );
    cluster.coordinator().execute(create).await.unwrap();
    let as_role = Cluster::connect(config.with_user(ROLE)).await.unwrap();
    // The owner of what it makes, also on Citus' nodes.
    as_role.admin().apply(&Schema::new().with::<Victim>().with::<Own>()).await.unwrap();
    let again = as_role.admin().plan(&Schema::new().with::<Victim>().with::<Own>()).await.unwrap();
    assert!(again.is_empty(), "{again}");
    let tenant = as_role.tenant("me".to_owned()).await.unwrap();
    tenant.insert(&Own { owner: "me".to_owned(), id: 1 }).await.unwrap();
    let user =
        as_role.coordinator().query_one_as::<(String,)>(unscoped_sql!("SELECT session_user::text")).await.unwrap().0;
    assert_eq!(user, ROLE);
    Victim::is_untouched(&other).await;
}

#[tokio::test]
async fn a_database_with_a_hostile_name() {
    const DATABASE: &str = "it's; \"a\" %20 = \\ ü?x@y/z";
    let server = shardwise::local::single().setting("work_mem", "4MB").start().await.unwrap();
    let cluster = server.connect().await.unwrap();
    cluster.coordinator().execute(unscoped_sql!("CREATE DATABASE \"it's; \"\"a\"\" %20 = \\ ü?x@y/z\"")).await.unwrap();
    let inside = Cluster::connect(server.config().with_database(DATABASE)).await.unwrap();
    let name = unscoped_sql!("SELECT current_database()::text");
    assert_eq!(inside.coordinator().query_one_as::<(String,)>(name).await.unwrap().0, DATABASE);
    inside.admin().apply(&Schema::new().with::<Own>()).await.unwrap();
    let escaped = "it%27s%3B%20%22a%22%20%2520%20%3D%20%5C%20%C3%BC%3Fx%40y%2Fz";
    let port = server.config().contact_points()[0].port;
    let by_url = Config::from_url(&format!("postgres://postgres@127.0.0.1:{port}/{escaped}")).unwrap();
    assert_eq!(by_url.database(), DATABASE);
    Cluster::connect(by_url).await.unwrap();
}

/// Whoever may make objects in a schema that a role searches first must not stand between the SDK and the catalogs.
async fn what_lies_first_in_the_search_path_is_not_taken_for_the_servers_own(place: Place) {
    let config = place.prepared().await;
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let coordinator = cluster.coordinator();
    for statement in [
        unscoped_sql!("CREATE SCHEMA evil"),
        unscoped_sql!("CREATE FUNCTION evil.pg_is_in_recovery() RETURNS bool LANGUAGE sql AS 'SELECT true'"),
        unscoped_sql!(
            "CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT ''evil''::text'"
        ),
        unscoped_sql!("CREATE VIEW evil.pg_extension AS SELECT 'citus'::name AS extname, '1.0'::text AS extversion"),
        // A better match than the server's own, also where that comes first.
        unscoped_sql!(
            "CREATE FUNCTION evil.quote_ident(name) RETURNS text LANGUAGE sql AS 'SELECT 1 / 0; SELECT ''x''::text'"
        ),
        unscoped_sql!(
            "CREATE FUNCTION evil.format(text, name) RETURNS text LANGUAGE sql AS 'SELECT 1 / 0; SELECT ''x''::text'"
        ),
        // Whoever asks these for anything fails.
        unscoped_sql!("CREATE VIEW evil.pg_class AS SELECT 1 AS nothing"),
        unscoped_sql!("CREATE VIEW evil.pg_namespace AS SELECT 1 AS nothing"),
        unscoped_sql!("CREATE VIEW evil.pg_attribute AS SELECT 1 AS nothing"),
        unscoped_sql!("CREATE VIEW evil.pg_type AS SELECT 1 AS nothing"),
        unscoped_sql!("CREATE VIEW evil.pg_constraint AS SELECT 1 AS nothing"),
        unscoped_sql!(
            "DO $do$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, evil, pg_catalog', \
             pg_catalog.current_database()); END $do$"
        ),
    ] {
        coordinator.execute(statement).await.unwrap();
    }
    // Citus leaves the schema of PostgreSQL's own functions out of what it sends to nodes, whatever the statement says.
    if !place.is_citus() {
        let aggregate = unscoped_sql!(
            "CREATE FUNCTION evil.json_agg(json) RETURNS json LANGUAGE sql AS 'SELECT 1 / 0; SELECT ''1''::json'"
        );
        coordinator.execute(aggregate).await.unwrap();
    }
    let mode = cluster.mode();
    let misled = Cluster::connect(config).await.unwrap();
    let answer =
        misled.coordinator().query_one_as::<(String,)>(unscoped_sql!("SELECT current_setting('x')")).await.unwrap().0;
    assert_eq!(answer, "evil", "the search path is as it was meant");
    assert_eq!(misled.mode(), mode);
    let plan = misled.admin().plan(&crate::support::schema()).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    let tenant = misled.tenant("me".to_owned()).await.unwrap();
    let label = crate::support::model::Label { tenant: "me".to_owned(), name: "l".to_owned() };
    tenant.insert(&label).await.unwrap();
    assert_eq!(tenant.select::<crate::support::model::Label>().all().await.unwrap(), [label]);
}
