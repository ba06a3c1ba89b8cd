//! Reads that go to both sides and are compared, in the service itself.

mod canon;
mod settle;

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Serialize, Serializer};
use tokio::sync::Semaphore;
use tokio_postgres::types::{FromSql, Type};

use crate::admin::Admin;
use crate::error::Result;
use settle::Settling;

/// How many reads wait for their comparison, and how many are compared at once.
const WAITING: usize = 256;
const AT_ONCE: usize = 4;
/// How many examples are kept of each read, and how many keys of each.
const EXAMPLES: usize = 10;
const KEYS: usize = 5;

/// Has reads answered by the old side, and in the background asks the new side as well, and compares. Cheap to clone.
///
/// The service gets the old side's answer, as soon as that is there; whatever happens on the new side is counted, and never fails or delays
/// the service. Where too many wait for their comparison, one is not compared, and counted.
///
/// Rows have no order, floats are compared bit by bit, and everything else as serde writes it. An answer that differs may be just late:
/// both sides are asked again when the new one has what the old one had. So a difference is one that stays while nothing changes.
///
/// ```no_run
/// # use shardwise::{Cluster, Uuid, sql, Entity};
/// # use shardwise::admin::adopt::shadow::Mirror;
/// # #[derive(Entity, Clone, serde::Serialize)]
/// # #[entity(table = "wallets", distributed_by = festival_id)]
/// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
/// # async fn f(old: Cluster, new: Cluster, festival_id: Uuid) -> shardwise::Result<()> {
/// let mirror = Mirror::new(old, new).sample(0.1);
/// let rich = mirror
///     .rows("rich wallets", |wallet: &Wallet| wallet.id.to_string(), move |cluster: Cluster| async move {
///         cluster.tenant(festival_id).await?.select::<Wallet>().filter(Wallet::BALANCE.gt(10_000)).all().await
///     })
///     .await?;
/// println!("{:?}", mirror.report());
/// # Ok(())
/// # }
/// ```
pub struct Mirror<C> {
    sides: Arc<Sides<C>>,
    /// Of the reads, from 0 to 1.
    share: f64,
}

struct Sides<C> {
    old: C,
    new: C,
    settling: Settling,
    waiting: Arc<Semaphore>,
    at_once: Semaphore,
    report: Mutex<MirrorReport>,
}

/// What was compared so far.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct MirrorReport {
    /// Each read by its name.
    pub reads: BTreeMap<&'static str, MirroredRead>,
}

impl MirrorReport {
    /// Whether no read has differed or failed on the new side alone.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.reads.values().all(|read| read.different == 0 && read.failed == 0)
    }
}

/// What became of the reads of one name.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct MirroredRead {
    /// The same at once.
    pub equal: u64,
    /// The same when the new side had what the old one had.
    pub late: u64,
    /// Not the same, while nothing changed.
    pub different: u64,
    /// What they read changed all the time, or the new side did not follow: nobody knows.
    pub unsettled: u64,
    /// The new side failed, and the old one did not.
    pub failed: u64,
    /// Not compared, since too many waited already.
    pub dropped: u64,
    /// Some of those that differed or failed.
    pub examples: Vec<MirrorExample>,
}

/// A read that differed or failed: never a value of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MirrorExample {
    /// How many rows the old side alone has.
    pub missing: usize,
    /// How many rows the new side alone has.
    pub extra: usize,
    /// The keys of some of them, where the read tells keys.
    pub keys: Vec<String>,
    /// The kind of the new side's error.
    pub error: Option<String>,
}

/// Asks one side.
type Ask<C> = Box<dyn Fn(C) -> Asked + Send + Sync>;
pub(super) type Asked = Pin<Box<dyn Future<Output = Result<Option<Answer>>> + Send>>;

/// An answer as it is compared: rows in an order of their own, with keys where there are any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer(Vec<(Vec<u8>, Option<String>)>);

/// A value of a raw row, as the server has sent it: for statements whose rows no struct has.
///
/// ```
/// # use shardwise::{Row, admin::adopt::shadow::RawValue};
/// fn raw(row: &Row) -> shardwise::Result<Vec<Option<RawValue>>> {
///     (0..row.columns().len()).map(|at| row.get(at)).collect()
/// }
/// ```
///
/// Arrays of enums and composite values have numbers of types in them, which differ between databases: cast these to text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawValue(Vec<u8>);

impl<'a> FromSql<'a> for RawValue {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Serialize for RawValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

// A value never reaches a log.
impl fmt::Debug for RawValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawValue")
    }
}

impl<C> Clone for Mirror<C> {
    fn clone(&self) -> Self {
        Self { sides: self.sides.clone(), share: self.share }
    }
}

impl<C: Clone + Send + Sync + 'static> Mirror<C>
where
    for<'a> Admin: From<&'a C>,
{
    /// Of two clusters; all reads are compared.
    #[must_use]
    pub fn new(old: C, new: C) -> Self {
        let settling = Settling::between(&Admin::from(&old), &Admin::from(&new));
        let (waiting, at_once) = (Arc::new(Semaphore::new(WAITING)), Semaphore::new(AT_ONCE));
        let sides = Sides { old, new, settling, waiting, at_once, report: Mutex::default() };
        Self { sides: Arc::new(sides), share: 1.0 }
    }

    /// Has this share of the reads compared, from 0 to 1.
    #[must_use]
    pub fn sample(self, share: f64) -> Self {
        Self { share, ..self }
    }

    /// Reads, and compares. The read has a name, under which it is told of.
    ///
    /// # Errors
    /// That of the old side.
    pub async fn read<T, F, R>(&self, name: &'static str, read: F) -> Result<T>
    where
        T: Serialize + Send + 'static,
        F: Fn(C) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        let form = |answer: &T| Some(Answer(canon::rows(answer)?.into_iter().map(|row| (row, None)).collect()));
        self.both(name, read, form).await
    }

    /// The same of rows, each of which has a key, by which it is told of where it differs.
    ///
    /// # Errors
    /// That of the old side.
    pub async fn rows<T, K, F, R>(&self, name: &'static str, key: K, read: F) -> Result<Vec<T>>
    where
        T: Serialize + Send + 'static,
        K: Fn(&T) -> String + Send + Sync + 'static,
        F: Fn(C) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<T>>> + Send + 'static,
    {
        let form = move |answer: &Vec<T>| {
            let rows = answer.iter().map(|row| Some((canon::row(row)?, Some(key(row)))));
            let mut rows: Vec<_> = rows.collect::<Option<_>>()?;
            rows.sort_unstable();
            Some(Answer(rows))
        };
        self.both(name, read, form).await
    }

    async fn both<T, F, R>(
        &self,
        name: &'static str,
        read: F,
        form: impl Fn(&T) -> Option<Answer> + Send + Sync + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(C) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        let answer = read(self.sides.old.clone()).await?;
        if self.share < 1.0 && crate::random::fraction() >= self.share {
            return Ok(answer);
        }
        let Ok(place) = self.sides.waiting.clone().try_acquire_owned() else {
            self.sides.count(name, |read| read.dropped += 1);
            return Ok(answer);
        };
        let old = form(&answer);
        let (sides, form) = (self.sides.clone(), Arc::new(form));
        let ask: Ask<C> = Box::new(move |side| {
            let (answer, form) = (read(side), form.clone());
            Box::pin(async move { Ok(form(&answer.await?)) })
        });
        tokio::spawn(async move {
            if let Ok(_turn) = sides.at_once.acquire().await {
                sides.compare(name, old, &ask).await;
            }
            drop(place);
        });
        Ok(answer)
    }

    /// What was compared so far.
    #[must_use]
    pub fn report(&self) -> MirrorReport {
        self.sides.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until all that was read is compared.
    pub async fn done(&self) {
        // As many places as there are: nobody has one.
        drop(self.sides.waiting.acquire_many(u32::try_from(WAITING).unwrap_or(u32::MAX)).await);
    }
}

impl<C: Clone> Sides<C> {
    async fn compare(&self, name: &'static str, old: Option<Answer>, ask: &Ask<C>) {
        let new = match ask(self.new.clone()).await {
            Ok(new) => new,
            Err(error) => return self.failed(name, &error),
        };
        match (&old, &new) {
            (Some(old), Some(new)) if old == new => return self.count(name, |read| read.equal += 1),
            (Some(_), Some(_)) => {}
            _ => return self.count(name, |read| read.unsettled += 1),
        }
        match self.settling.again(|| ask(self.old.clone()), || ask(self.new.clone())).await {
            Ok(Some((old, new))) if old == new => self.count(name, |read| read.late += 1),
            Ok(Some((old, new))) => {
                let example = example(&old, &new);
                self.count(name, |read| {
                    read.different += 1;
                    read.keep(example);
                });
            }
            Ok(None) => self.count(name, |read| read.unsettled += 1),
            Err(error) => self.failed(name, &error),
        }
    }

    fn failed(&self, name: &'static str, error: &crate::error::Error) {
        let kind = error.kind().as_str();
        let what = error.code().map_or_else(|| kind.to_owned(), |code| format!("{kind} {}", code.code()));
        self.count(name, |read| {
            read.failed += 1;
            read.keep(MirrorExample { error: Some(what), ..MirrorExample::default() });
        });
    }

    fn count(&self, name: &'static str, count: impl FnOnce(&mut MirroredRead)) {
        count(self.report.lock().unwrap_or_else(PoisonError::into_inner).reads.entry(name).or_default());
    }
}

impl MirroredRead {
    fn keep(&mut self, example: MirrorExample) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(example);
        }
    }
}

impl<C> fmt::Debug for Mirror<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror").field("share", &self.share).finish_non_exhaustive()
    }
}

/// How two answers differ, whose rows are sorted.
fn example(old: &Answer, new: &Answer) -> MirrorExample {
    let (mut example, mut keys) = (MirrorExample::default(), std::collections::BTreeSet::new());
    let (mut left, mut right) = (old.0.iter().peekable(), new.0.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => left.cmp(right),
        };
        let row = match order {
            std::cmp::Ordering::Less => {
                example.missing += 1;
                left.next()
            }
            std::cmp::Ordering::Greater => {
                example.extra += 1;
                right.next()
            }
            std::cmp::Ordering::Equal => {
                left.next();
                right.next();
                None
            }
        };
        keys.extend(row.and_then(|(_, key)| key.clone()));
    }
    example.keys = keys.into_iter().take(KEYS).collect();
    example
}

#[cfg(test)]
mod tests {
    use super::{Answer, MirrorExample, example};

    #[test]
    fn rows_that_differ_are_counted_and_named() {
        let answer = |rows: &[(&str, &str)]| {
            let row = |(bytes, key): &(&str, &str)| (bytes.as_bytes().to_vec(), Some((*key).to_owned()));
            Answer(rows.iter().map(row).collect())
        };
        let old = answer(&[("a", "1"), ("b", "2"), ("b", "2"), ("c", "3")]);
        let new = answer(&[("a", "1"), ("b", "2"), ("d", "3"), ("e", "4")]);
        let keys = ["2", "3", "4"].map(str::to_owned).to_vec();
        assert_eq!(example(&old, &new), MirrorExample { missing: 2, extra: 2, keys, error: None });
        assert_eq!(example(&old, &old), MirrorExample::default());
    }
}
