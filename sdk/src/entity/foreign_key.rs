//! What `references = Target` asks of the field and of the target.

use super::{Element, Replicated};

/// What a field with `references = Target` may hold: the target's key, or an `Option` of it.
#[diagnostic::on_unimplemented(
    message = "a foreign key of type `{Self}` can't reference a key of type `{K}`",
    label = "not a `{K}`",
    note = "give both the same Rust type; `Option` around it makes the foreign key nullable",
    note = "a field can reference an entity whose key is one column, besides the distribution key"
)]
pub trait ForeignKeyTo<K> {
    #[doc(hidden)]
    const CHECKED: () = ();
}
impl<K: Element> ForeignKeyTo<K> for K {}
impl<K: Element> ForeignKeyTo<K> for Option<K> {}

/// Which distributions a foreign key can point at from a row that has no distribution key to spare: a reference entity's
/// row, or the distribution key itself.
#[diagnostic::on_unimplemented(
    message = "this foreign key can only reference a reference entity",
    label = "its rows are distributed",
    note = "a reference entity is on every node and can't point at rows that are on one; the distribution key is part of each foreign key between distributed entities, and can't be one by itself",
    note = "remove `references`, and keep the id as a plain column"
)]
pub trait OnEveryNode {
    #[doc(hidden)]
    const CHECKED: () = ();
}
impl OnEveryNode for Replicated {}

/// Which distributions `on_delete = set_null` works with, from a distributed entity.
#[diagnostic::on_unimplemented(
    message = "Citus refuses `set_null` between distributed entities",
    label = "the foreign key contains the distribution key, which is never NULL",
    note = "use `no_action`, `restrict` or `cascade`, and clear the column in the transaction that deletes the row"
)]
pub trait ClearedByDelete {
    #[doc(hidden)]
    const CHECKED: () = ();
}
impl ClearedByDelete for Replicated {}
