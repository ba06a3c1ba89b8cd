//! What a select reads: one entity, or several that are joined.

use std::marker::PhantomData;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::entity::Entity;
use crate::schema::Table;

/// What a select returns per row. Implemented for `(E,)` and tuples of up to four entities.
pub trait Source: Send + Sync + 'static {
    /// The row's type: `E` for one entity, a tuple for several; an `Option` for one that was left-joined.
    type Out: Send;
    /// The entity that the select started with.
    type Root: Entity;
    #[doc(hidden)]
    fn tables() -> Vec<&'static Table>;
    #[doc(hidden)]
    fn read(row: &Row) -> Result<Self::Out, tokio_postgres::Error>;
}

/// An entity of a left join: its row may be missing.
#[derive(Debug)]
pub struct Left<E>(PhantomData<fn() -> E>);

/// One entity of a source.
pub trait Member: Send + Sync + 'static {
    #[doc(hidden)]
    type Entity: Entity;
    #[doc(hidden)]
    type Out: Send;
    #[doc(hidden)]
    fn read(row: &Row, at: usize) -> Result<Self::Out, tokio_postgres::Error>;
}

impl<E: Entity> Member for E {
    type Entity = E;
    type Out = E;

    fn read(row: &Row, at: usize) -> Result<E, tokio_postgres::Error> {
        E::read(row, at)
    }
}

impl<E: Entity> Member for Left<E> {
    type Entity = E;
    type Out = Option<E>;

    fn read(row: &Row, at: usize) -> Result<Option<E>, tokio_postgres::Error> {
        // A primary key is never NULL in a row that exists.
        let table = E::table();
        let key = table.columns.iter().position(|column| table.primary_key.contains(&column.name)).unwrap_or(0);
        match row.try_get::<_, IsNull>(at + key)? {
            IsNull(true) => Ok(None),
            IsNull(false) => E::read(row, at).map(Some),
        }
    }
}

/// Whether a column is NULL, whatever its type.
struct IsNull(bool);

impl FromSql<'_> for IsNull {
    fn from_sql(_: &Type, _: &[u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(false))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(true))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A source that one more entity can be joined to.
pub trait JoinWith<M>: Source {
    /// The source with it.
    type Joined: Source;
}

/// A source that has the entity `E`. The compiler finds `Position` by itself; it can't where an entity is there twice.
#[diagnostic::on_unimplemented(
    message = "`{E}` is not part of this select",
    label = "`{E}` is not selected here",
    note = "add `.join::<{E}>(…)` before it is used"
)]
pub trait Contains<E, Position> {}

/// The positions of [`Contains`].
#[derive(Debug)]
pub struct At<const N: usize>;

/// One value stands for itself, several are a tuple.
macro_rules! tuple {
    ($one:expr) => { $one };
    ($($many:expr),+) => { ($($many),+) };
}
macro_rules! sources {
    ($(($($t:ident),+) -> $out:ty;)+) => {$(
        impl<$($t: Member),+> Source for ($($t,)+) {
            type Out = $out;
            type Root = A::Entity;

            fn tables() -> Vec<&'static Table> {
                vec![$(<$t::Entity as Entity>::table()),+]
            }

            fn read(row: &Row) -> Result<Self::Out, tokio_postgres::Error> {
                let mut at = 0;
                // Each reads its own columns, one after the other.
                Ok(tuple!($({
                    let value = $t::read(row, at)?;
                    at += <$t::Entity as Entity>::table().columns.len();
                    let _ = at;
                    value
                }),+))
            }
        }
    )+};
}

sources! {
    (A) -> A::Out;
    (A, B) -> (A::Out, B::Out);
    (A, B, C) -> (A::Out, B::Out, C::Out);
    (A, B, C, D) -> (A::Out, B::Out, C::Out, D::Out);
}

impl<A: Member, M: Member> JoinWith<M> for (A,) {
    type Joined = (A, M);
}
impl<A: Member, B: Member, M: Member> JoinWith<M> for (A, B) {
    type Joined = (A, B, M);
}
impl<A: Member, B: Member, C: Member, M: Member> JoinWith<M> for (A, B, C) {
    type Joined = (A, B, C, M);
}

macro_rules! contains {
    ($($member:ident at $i:literal in ($($t:ident),+);)+) => {$(
        #[diagnostic::do_not_recommend]
        impl<T, $($t: Member),+> Contains<T, At<$i>> for ($($t,)+)
        where
            $member: Member<Entity = T>,
        {
        }
    )+};
}
/// No entity. With it the compiler does not guess that whatever is asked for must be the only entity there is, and so
/// says what [`Contains`] says, not that one type is another.
enum Nothing {}

#[diagnostic::do_not_recommend]
impl<A: Member> Contains<Nothing, Nothing> for (A,) {}

contains! {
    A at 0 in (A);
    A at 0 in (A, B);
    B at 1 in (A, B);
    A at 0 in (A, B, C);
    B at 1 in (A, B, C);
    C at 2 in (A, B, C);
    A at 0 in (A, B, C, D);
    B at 1 in (A, B, C, D);
    C at 2 in (A, B, C, D);
    D at 3 in (A, B, C, D);
}
