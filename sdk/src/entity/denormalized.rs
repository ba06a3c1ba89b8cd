//! What `denormalized = stand_id.name` asks of the field.

use std::marker::PhantomData;

use super::{Column, Writable};

/// What a denormalised field may hold: the type of the field that it follows, or an `Option` of it.
#[diagnostic::on_unimplemented(
    message = "a denormalised column of type `{Self}` can't hold values of type `{C}`",
    label = "not a `{C}`",
    note = "give both fields the same Rust type; `Option` around it where the foreign key may be NULL"
)]
pub trait CopyOf<C> {}
impl<C> CopyOf<C> for C {}
impl<C> CopyOf<C> for Option<C> {}

/// What the derive writes so that the compiler checks it: first whose values they are, then what is to hold them.
#[doc(hidden)]
#[derive(Debug)]
pub struct Followed<C>(PhantomData<C>);

impl<C> Followed<C> {
    pub const fn column<E: Writable>(_: Column<E, C>) -> Self {
        Self(PhantomData)
    }

    pub const fn by<T: CopyOf<C>>(&self) {}
}
