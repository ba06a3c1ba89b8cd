//! Counting all rows of an entity in the scope.

use super::execute::run;
use super::executor::Executor;
use super::job::{Answer, Effect, Job, Text};
use super::row::{count_of, scalar};
use super::{In, Scope, Session};
use crate::entity::Params;
use crate::error::Result;

impl<S: Scope, X: Executor> Session<S, X> {
    /// Counts the entity's rows in this scope. For a part of them, `select().filter(…).count()`.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn count<E: In<S>>(&self) -> Result<u64> {
        let mut params = Params::new();
        self.scope.bind(&mut params);
        let job = Job {
            operation: "count",
            table: Some(E::table()),
            text: Text::Entity(&E::statements().count),
            params: params.as_slice(),
            effect: Effect::Reads,
        };
        let answer = run::<Answer>(&self.executor, &job).await?;
        Ok(count_of(scalar::<i64>(&answer.rows)?))
    }
}
