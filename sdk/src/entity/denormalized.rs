//! What `denormalized = stand_id.name` asks of the field.

/// What a denormalised field may hold: the type of the field that it follows, or an `Option` of it.
#[diagnostic::on_unimplemented(
    message = "a denormalised column of type `{Self}` can't hold values of type `{C}`",
    label = "not a `{C}`",
    note = "give both fields the same Rust type; `Option` around it where the foreign key may be NULL"
)]
pub trait CopyOf<C> {}
impl<C> CopyOf<C> for C {}
impl<C> CopyOf<C> for Option<C> {}
