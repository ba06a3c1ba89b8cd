//! Whether the server hashes keys as this client does.
//!
//! It does on every platform that PostgreSQL is commonly built for. It would not on a big-endian one, for a key of a type
//! whose equal values can have unequal bytes (`character(n)`), or for a collation of that kind. Then the server is asked
//! for each tenant's hash.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio_postgres::Client;
use tokio_postgres::types::Type;
use tracing::warn;
use uuid::Uuid;

use super::rows::GroupRow;
use super::{column, query};
use crate::error::Result;
use crate::key::{KeyRef, KeyType};
use crate::schema::quote_ident;
use crate::topology::Hashing;
use crate::topology::hash::hash;

/// What was found out, by type and collation. Asked once per process: neither side changes its mind.
#[derive(Default)]
pub(in crate::cluster) struct HashChecks(Mutex<HashMap<(String, Option<String>), bool>>);

impl HashChecks {
    /// For each group, in order, who hashes its keys.
    pub(super) async fn check(&self, client: &Client, groups: &[GroupRow]) -> Result<Vec<Hashing>> {
        let mut all = Vec::with_capacity(groups.len());
        for group in groups {
            let of = (group.type_name.clone(), group.collation.clone());
            let known = self.known().get(&of).copied();
            let same = match (known, KeyType::of_postgres(&group.type_name)) {
                (Some(known), _) => known,
                (None, None) => false,
                (None, Some(key)) => {
                    let same = is_same(client, key, group).await?;
                    if !same {
                        warn!(
                            key = group.type_name,
                            collation = group.collation,
                            "the server hashes these keys in its own way: it is asked for each tenant's hash"
                        );
                    }
                    self.known().insert(of, same);
                    same
                }
            };
            all.push(if same { Hashing::Client } else { Hashing::Server(hash_of("$1", group)) });
        }
        Ok(all)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<(String, Option<String>), bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server's hash of a key that is given as text.
fn hash_of(text: &str, group: &GroupRow) -> String {
    let collate = group.collation.as_ref().map_or_else(String::new, |collation| format!(" COLLATE {collation}"));
    format!("pg_catalog.worker_hash(({text}::pg_catalog.{}){collate})", quote_ident(&group.type_name))
}

async fn is_same(client: &Client, key: KeyType, group: &GroupRow) -> Result<bool> {
    let (samples, expected): (Vec<String>, Vec<i32>) = samples(key).into_iter().unzip();
    Ok(hashes(client, group, &samples).await? == expected)
}

/// How many of these keys, given as text with our hash of each, the server hashes otherwise.
pub(in crate::cluster) async fn differing(client: &Client, key: KeyType, samples: Vec<(String, i32)>) -> Result<usize> {
    let group = GroupRow { colocation: 0, type_name: key.postgres_name().to_owned(), collation: None };
    let (keys, ours): (Vec<String>, Vec<i32>) = samples.into_iter().unzip();
    let theirs = hashes(client, &group, &keys).await?;
    Ok(theirs.iter().zip(&ours).filter(|(theirs, ours)| theirs != ours).count() + ours.len().abs_diff(theirs.len()))
}

/// The server's hashes of keys that are given as text.
async fn hashes(client: &Client, group: &GroupRow, keys: &[String]) -> Result<Vec<i32>> {
    let sql = format!("SELECT {} FROM unnest($1) WITH ORDINALITY AS u(v, n) ORDER BY n", hash_of("v", group));
    let rows = query(client, &sql, &[(&keys, Type::TEXT_ARRAY)]).await?;
    rows.iter().map(|row| column(row, 0)).collect()
}

/// Keys as text, with our hash of each.
fn samples(key: KeyType) -> Vec<(String, i32)> {
    match key {
        KeyType::Uuid => [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210]
            .map(Uuid::from_u128)
            .iter()
            .map(|id| (id.to_string(), hash(KeyRef::Uuid(id))))
            .collect(),
        KeyType::Int2 => [0, 1, -1, i16::MIN, i16::MAX].map(|key| (key.to_string(), hash(KeyRef::Int2(key)))).into(),
        KeyType::Int4 => [0, 1, -1, i32::MIN, i32::MAX].map(|key| (key.to_string(), hash(KeyRef::Int4(key)))).into(),
        KeyType::Int8 => [0, 1, -1, i64::MIN, i64::MAX, i64::from(i32::MAX) + 1]
            .map(|key| (key.to_string(), hash(KeyRef::Int8(key))))
            .into(),
        // Lengths around the 12 bytes of a block, spaces at the end, letters that some collations call equal.
        KeyType::Text => ["", "a", "A", "é", "e\u{301}", "ß", "a  ", "twelve bytes", "thirteen byte", &"x".repeat(100)]
            .map(|key| (key.to_owned(), hash(KeyRef::Text(key))))
            .into(),
    }
}
