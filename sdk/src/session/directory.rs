//! Reference entities by key or unique column, kept in memory.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use tokio_postgres::types::Type;

use super::ReferenceSession;
use super::executor::Executor as _;
use crate::entity::{Column, ColumnType, EntityKey as _, Operand, Params, Reference, bytes_of};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Table;

/// Reference entities by key or by a unique column: a festival by its slug. Made by
/// [`Cluster::directory`](crate::Cluster::directory).
///
/// Rows are read from the nearest node and kept for a time (`directory` in the configuration). What this process writes
/// through [`Cluster::reference`](crate::Cluster::reference) is seen at once; what another one changes, when the time is
/// over; what another one creates, after `directory.negative_ttl` at the latest.
///
/// ```
/// # use shardwise::{Cluster, Entity, Tenant, Uuid};
/// # #[derive(Entity)]
/// # #[entity(table = "festivals", reference)]
/// # struct Festival { #[entity(key)] id: Uuid, #[entity(unique)] slug: String }
/// # async fn f(cluster: Cluster, slug: String) -> shardwise::Result<Option<Tenant>> {
/// let Some(festival) = cluster.directory::<Festival>().find_by(Festival::SLUG, slug).await? else { return Ok(None) };
/// let fest = cluster.tenant(festival.id).await?;
/// # Ok(Some(fest))
/// # }
/// ```
pub struct Directory<E> {
    session: ReferenceSession,
    entity: PhantomData<fn() -> E>,
}

impl<E: Reference> Directory<E> {
    pub(crate) fn new(session: ReferenceSession) -> Self {
        Self { session, entity: PhantomData }
    }

    /// The entity with this key.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn find(&self, key: E::Key) -> Result<Option<Arc<E>>> {
        let (table, mut params) = (E::table(), Params::new());
        key.bind(&mut params);
        let value =
            bytes_of(&wires(table, table.key), &params).map_err(|error| error.of("find", Some(table.entity)))?;
        let look_up = self.session.find::<E>(key.clone());
        self.get(Cow::Owned(table.key.join(",")), &value, look_up).await
    }

    /// The entity with this value in a column that is unique by itself.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a column that is neither the key nor `unique`; and when the database can't be asked.
    pub async fn find_by<T: ColumnType>(
        &self,
        column: Column<E, T>,
        value: impl Operand<T> + Clone,
    ) -> Result<Option<Arc<E>>> {
        let (table, name) = (E::table(), column.name());
        if table.primary_key != [name] && !table.uniques.iter().any(|unique| unique.columns == [name]) {
            let message =
                format!("`{name}` is not unique: only a row that is the only one of its kind can be looked up");
            return Err(Error::new(ErrorKind::Usage, message).of("find_by", Some(table.entity)));
        }
        let shown = value.clone().into_value();
        let mut params = Params::new();
        params.push(&*shown);
        let bytes =
            bytes_of(&wires(table, &[name]), &params).map_err(|error| error.of("find_by", Some(table.entity)))?;
        let look_up = self.session.select::<E>().filter(column.eq(value)).first();
        self.get(Cow::Borrowed(name), &bytes, look_up).await
    }

    async fn get(
        &self,
        column: Cow<'static, str>,
        value: &[u8],
        look_up: impl Future<Output = Result<Option<E>>>,
    ) -> Result<Option<Arc<E>>> {
        let (table, directory) = (E::table(), &self.session.executor.core().directory);
        let slot = directory.slot(table.schema.map(Cow::Borrowed), Cow::Borrowed(table.name), column, value);
        directory.get(slot, look_up).await
    }
}

impl<E> Clone for Directory<E> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), entity: PhantomData }
    }
}

impl<E: Reference> fmt::Debug for Directory<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Directory").field(&E::table().entity).finish()
    }
}

fn wires(table: &Table, columns: &[&str]) -> Vec<Type> {
    columns.iter().filter_map(|name| table.column(name)).map(|column| column.wire.clone()).collect()
}
