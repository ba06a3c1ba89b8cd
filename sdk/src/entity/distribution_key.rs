//! Which Rust types can be a distribution key.

use uuid::Uuid;

use super::ColumnType;
use crate::key::KeyRef;

/// A Rust type that can be a distribution key: `Uuid`, `i16`, `i32`, `i64`, `String`, and newtypes of them.
///
/// For a newtype derive [`SqlNewtype`](crate::SqlNewtype):
///
/// ```
/// use shardwise::{DistributionKey, SqlNewtype};
/// use uuid::Uuid;
///
/// #[derive(Debug, Clone, SqlNewtype)]
/// struct FestivalId(Uuid);
///
/// fn is_a_key<K: DistributionKey>() {}
/// is_a_key::<FestivalId>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a distribution key",
    label = "not a distribution key",
    note = "use Uuid, i16, i32, i64, String, or a newtype of one of them with #[derive(Debug, Clone, SqlNewtype)]"
)]
pub trait DistributionKey: ColumnType + Clone {
    /// The key as the router hashes it.
    fn key_ref(&self) -> KeyRef<'_>;
}

impl DistributionKey for Uuid {
    fn key_ref(&self) -> KeyRef<'_> {
        KeyRef::Uuid(self)
    }
}

impl DistributionKey for i16 {
    fn key_ref(&self) -> KeyRef<'_> {
        KeyRef::Int2(*self)
    }
}

impl DistributionKey for i32 {
    fn key_ref(&self) -> KeyRef<'_> {
        KeyRef::Int4(*self)
    }
}

impl DistributionKey for i64 {
    fn key_ref(&self) -> KeyRef<'_> {
        KeyRef::Int8(*self)
    }
}

impl DistributionKey for String {
    fn key_ref(&self) -> KeyRef<'_> {
        KeyRef::Text(self)
    }
}

/// A transparent wrapper of a column type. Implemented by `#[derive(SqlNewtype)]`.
pub trait Newtype: ColumnType {
    /// The wrapped type.
    type Inner: ColumnType;
    /// The wrapped value.
    fn inner(&self) -> &Self::Inner;
}

#[diagnostic::do_not_recommend]
impl<N> DistributionKey for N
where
    N: Newtype + Clone,
    N::Inner: DistributionKey,
{
    fn key_ref(&self) -> KeyRef<'_> {
        self.inner().key_ref()
    }
}
