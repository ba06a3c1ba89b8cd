//! Deleting a row.

use super::execute::run;
use super::executor::Executor;
use super::job::{Answer, Effect, Job, Text};
use super::{In, Scope, Session};
use crate::entity::{EntityKey as _, Params, Writable};
use crate::error::Result;

impl<S: Scope, X: Executor> Session<S, X> {
    /// Deletes the row with this key; false where there was none.
    ///
    /// # Errors
    /// [`is_foreign_key_violation`](crate::Error::is_foreign_key_violation) where other rows still reference it.
    pub async fn delete<E: In<S> + Writable>(&self, key: E::Key) -> Result<bool> {
        let touch = self.touch(self.touching_deleted::<E>(&key)).await;
        let mut params = Params::new();
        self.scope.bind(&mut params);
        key.bind(&mut params);
        let job = Job {
            operation: "delete",
            table: Some(E::table()),
            text: Text::Entity(&E::statements().delete),
            params: params.as_slice(),
            effect: Effect::Writes,
        };
        Ok(touch.done(run::<Answer>(&self.executor, &job).await).await?.affected > 0)
    }
}
