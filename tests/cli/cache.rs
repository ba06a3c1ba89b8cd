//! `cache …`: on two tiers, from a process that is none of the service's.

use shardwise::config::CacheStore;
use shardwise::local;

use super::program::Program;
use crate::cache::stage::{self, Purse, Stamp, change_unseen, shared_redis, two_tiers};
use crate::support::place::{Place, in_both_modes};
use crate::support::secrets;

in_both_modes![@on_two_threads: what_was_written_past_the_sdk_is_read_anew];

fn with_redis(program: Program, store: &str, endpoint: &impl ToString) -> Program {
    let program = program.with("SHARDWISE_CACHE__STORE", store).with("SHARDWISE_CACHE__REDIS", endpoint.to_string());
    program.with("SHARDWISE_CACHE__RESPONSE_LIMIT", "2s")
}

async fn what_was_written_past_the_sdk_is_read_anew(place: Place) {
    let (config, cluster, fest) = two_tiers(place).await;
    let program = with_redis(Program::with_cache().on(&config), "two_tier", shared_redis().await.endpoint());
    let (purse, other) = (Purse::new(*fest.key()), Purse::new(*fest.key()));
    fest.insert_many(&[purse.clone(), other.clone()]).await.unwrap();
    let stamp = Stamp { festival_id: *fest.key(), stand: "a stand".to_owned(), number: 7, purse_id: purse.id };
    fest.insert(&stamp).await.unwrap();
    let (tenant, row, other_row) = (fest.key().to_string(), purse.id.to_string(), other.id.to_string());

    let version = async |id| fest.get::<Purse>(id).await.unwrap().version;
    // What others are told reaches them at some time.
    let becomes = async |id, wanted| {
        while version(id).await != wanted {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let kept = async || assert_eq!((version(purse.id).await, version(other.id).await), (1, 1));
    kept().await;
    change_unseen(&cluster, &purse, 2).await;
    change_unseen(&cluster, &other, 2).await;
    kept().await;

    let invalidate = ["cache", "invalidate", "purses", "--tenant", &tenant];
    program.json(&[&invalidate[..], &["--row", &row]].concat(), 0);
    becomes(purse.id, 2).await;
    assert_eq!(version(other.id).await, 1, "another row stays");
    program.json(&invalidate, 0);
    becomes(other.id, 2).await;
    assert_eq!(version(purse.id).await, 2);
    change_unseen(&cluster, &purse, 3).await;
    assert_eq!(version(purse.id).await, 2, "it is kept again");
    assert!(program.message(&["cache", "clear"], 4).contains("--yes"));
    assert!(program.json(&["cache", "clear", "--yes"], 0)["keys"].as_u64().unwrap() > 0);
    becomes(purse.id, 3).await;
    // A key of two columns.
    let stamped = ["cache", "invalidate", "stamps", "--tenant", &tenant, "--row", "a stand", "7"];
    assert_eq!(program.json(&stamped, 0)["is_one_row"], true);
    program.json(&["cache", "invalidate", "venues"], 0);

    let status = program.json(&["cache", "status"], 0);
    assert_eq!((&status["store"], &status["redis"]["is_up"]), (&"two_tier".into(), &true.into()), "{status}");
    let ways = status["entities"].as_array().unwrap();
    assert!(
        ways.iter().any(|one| one["table"] == "badges" && one["way"] == "write_through" && one["ttl_ms"] == 60_000)
    );
    let ran = program.on_a_terminal(&["cache", "status"], "");
    assert!(ran.code == 0 && ran.stdout.contains("answers in") && ran.stdout.contains("cache_aside"), "{ran:?}");

    for (arguments, fix) in [
        (vec!["cache", "invalidate", "purses"], "name its festival_id"),
        (vec!["cache", "invalidate", "venues", "--tenant", &tenant], "leave the tenant out"),
        (vec!["cache", "invalidate", "pursez", "--tenant", &tenant], "did you mean \"purses\"?"),
        (vec!["cache", "invalidate", "purses", "--tenant", "lowlands"], "no key of a tenant"),
        (vec!["cache", "invalidate", "purses", "--tenant", &tenant, "--row", "x"], "is no uuid"),
        (vec!["cache", "invalidate", "purses", "--tenant", &tenant, "--row", &row, &other_row], "is id"),
    ] {
        let message = program.message(&arguments, 2);
        assert!(message.contains(fix), "{arguments:?}: {message}");
    }
    let alone = Program::with_cache().on(&config);
    assert!(alone.message(&["cache", "clear", "--yes"], 1).contains("\"off\""));
    let memory = Program::with_cache().on(&config).with("SHARDWISE_CACHE__STORE", "memory");
    assert!(memory.message(&[&invalidate[..], &["--row", &row]].concat(), 1).contains("nobody else can reach"));
}

/// A cluster of Redis has its keys on several nodes; and a Redis that is gone is told of.
#[test]
fn all_nodes_are_cleared_and_a_lost_redis_is_told() {
    crate::support::place::on_two_threads(async {
        let config = stage::prepared(Place::Single).await;
        let redis = local::redis_cluster().await.unwrap();
        let cache = stage::cache(CacheStore::Redis, redis.config());
        let cluster = stage::process(&config, &cache).await;
        let mut purses = Vec::new();
        for _ in 0..24 {
            let fest = cluster.tenant(secrets::id()).await.unwrap();
            let purse = Purse::new(*fest.key());
            fest.insert(&purse).await.unwrap();
            assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, 1);
            change_unseen(&cluster, &purse, 2).await;
            assert_eq!(fest.get::<Purse>(purse.id).await.unwrap().version, 1, "it is kept");
            purses.push((fest, purse.id));
        }
        let endpoints: Vec<_> = redis.config().endpoints.iter().map(ToString::to_string).collect();
        let program = with_redis(Program::with_cache().on(&config), "redis", &endpoints.join(","));
        let program = program.with("SHARDWISE_CACHE__REDIS_MODE", "cluster");
        let cleared = program.json(&["cache", "clear", "--yes"], 0);
        assert!(cleared["keys"].as_u64().unwrap() >= 24, "{cleared}");
        for (fest, id) in &purses {
            assert_eq!(fest.get::<Purse>(*id).await.unwrap().version, 2);
        }
        let lost = with_redis(Program::with_cache().on(&config), "redis", &"127.0.0.1:1");
        assert_eq!(lost.json(&["cache", "status"], 0)["redis"]["is_up"], false);
        assert_eq!(lost.refusal(&["cache", "clear", "--yes"], 5)["kind"], "connect");
    });
}
