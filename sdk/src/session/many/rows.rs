//! Reading and inserting rows of many tenants: a statement per tenant, all at once.

use std::collections::HashMap;
use std::fmt;

use futures_util::{StreamExt as _, stream};

use super::Tenants;
use crate::entity::{Distributed, DistributionKey, Writable};
use crate::error::{Error, Result};
use crate::key::KeyRef;
use crate::session::tenant;

/// So many tenants' statements are under way at once, at most. What the connections can't take waits in line.
const AT_ONCE: usize = 256;

/// What became of the work on each tenant's rows.
#[must_use = "some tenants' part may have failed"]
pub struct ByTenant<K, T> {
    /// Where it was done.
    pub done: Vec<(K, T)>,
    /// Where it failed; what the error does not say to be unknown had no effect there.
    pub failed: Vec<(K, Error)>,
}

impl<K, T> ByTenant<K, T> {
    /// What was done, if it was done everywhere.
    ///
    /// # Errors
    /// The first that failed, and of how many; what was done elsewhere stays done.
    pub fn all(self) -> Result<Vec<(K, T)>> {
        let (done, failures) = (self.done.len(), self.failed.len());
        match self.failed.into_iter().next() {
            None => Ok(self.done),
            Some((_, error)) => {
                Err(error.during(format!("{failures} of {} tenants failed, the first of them", done + failures)))
            }
        }
    }
}

// The tenants' keys are values: they are not shown.
impl<K, T> fmt::Debug for ByTenant<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors: Vec<_> = self.failed.iter().map(|(_, error)| error).collect();
        f.debug_struct("ByTenant").field("done", &self.done.len()).field("failed", &errors).finish()
    }
}

impl<K: DistributionKey> Tenants<K> {
    /// Reads the rows with these keys, each of its tenant, in no particular order; those that do not exist are left out. One
    /// statement per tenant, all at once, each to its own node.
    ///
    /// ```
    /// # use shardwise::{Cluster, Entity, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(cluster: Cluster, bracelets: Vec<(Uuid, Uuid)>) -> shardwise::Result<()> {
    /// let wallets = cluster.tenants().get_many::<Wallet>(&bracelets).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Where one tenant's rows can't be read.
    pub async fn get_many<E>(&self, keys: &[(K, E::Key)]) -> Result<Vec<E>>
    where
        E: Distributed<DistributionKey = K>,
        E::Key: Clone,
    {
        let of_tenants = by_tenant(keys.iter().map(|(tenant, key)| (tenant, key.clone())));
        let read = of_tenants.into_iter().map(|(key, keys)| async move {
            let tenant = tenant(self.core.clone(), key.clone()).await?;
            tenant.get_many::<E>(&keys).await
        });
        let mut read = stream::iter(read).buffer_unordered(AT_ONCE);
        let mut all = Vec::with_capacity(keys.len());
        while let Some(rows) = read.next().await {
            all.append(&mut rows?);
        }
        Ok(all)
    }

    /// Inserts many rows of many tenants, all at once, each tenant's to its own node. Of each tenant all rows go in or none;
    /// where one tenant's fail, those of the others go in.
    ///
    /// ```
    /// # use shardwise::{Cluster, Entity, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(cluster: Cluster, wallets: Vec<Wallet>) -> shardwise::Result<()> {
    /// let inserted = cluster.tenants().insert_many(&wallets).await;
    /// for (festival_id, error) in &inserted.failed {
    ///     // … and again, for these alone.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn insert_many<E>(&self, rows: &[E]) -> ByTenant<K, u64>
    where
        E: Distributed<DistributionKey = K> + Writable,
    {
        let of_tenants = by_tenant(rows.iter().map(|row| (row.distribution_key(), row)));
        let inserted = of_tenants.into_iter().map(|(key, rows)| async move {
            let inserted = async {
                let tenant = tenant(self.core.clone(), key.clone()).await?;
                tenant.insert_all(&rows).await
            };
            (key.clone(), inserted.await)
        });
        let mut inserted = stream::iter(inserted).buffer_unordered(AT_ONCE);
        let mut outcome = ByTenant { done: Vec::new(), failed: Vec::new() };
        while let Some((key, result)) = inserted.next().await {
            match result {
                Ok(count) => outcome.done.push((key, count)),
                Err(error) => outcome.failed.push((key, error)),
            }
        }
        outcome
    }
}

/// What belongs to each tenant, in the order in which the tenants first come.
fn by_tenant<'a, K: DistributionKey, T>(all: impl Iterator<Item = (&'a K, T)>) -> Vec<(&'a K, Vec<T>)> {
    let mut places: HashMap<KeyRef<'a>, usize> = HashMap::new();
    let mut grouped: Vec<(&K, Vec<T>)> = Vec::new();
    for (key, one) in all {
        let place = *places.entry(key.key_ref()).or_insert_with(|| {
            grouped.push((key, Vec::new()));
            grouped.len() - 1
        });
        grouped[place].1.push(one);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::by_tenant;

    #[test]
    fn rows_are_grouped_by_their_tenant_in_the_order_they_come() {
        let rows = [(7_i64, 'a'), (3, 'b'), (7, 'c'), (3, 'd'), (1, 'e')];
        let grouped = by_tenant(rows.iter().map(|(key, row)| (key, *row)));
        assert_eq!(grouped, [(&7, vec!['a', 'c']), (&3, vec!['b', 'd']), (&1, vec!['e'])]);
    }
}
