//! On which connection a session's statements run: any of the right node's, or that of one transaction.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::OnceCell;

use super::call::Call;
use super::execute::{Forgets, limits, try_again};
use super::progression::{Begun, OpenStream, Progression, Unanswered};
use super::terms::HeldTo;
use super::touch::Touched;
use super::written::{Reached, Written};
use crate::cluster::{Bound, Core, Way};
use crate::config::Consistency;
use crate::error::{Error, Result};
use crate::pool::{ForStatement, Lease, Line};
use crate::retry::{Decision, Progress, decide};
use crate::route::Route;
use crate::routing::{Access, Intent, Need, Target};
use crate::topology::Position;

/// On which connection a session's statements run. Sealed.
pub trait Executor: Clone + Send + Sync + sealed::Sealed + 'static {
    /// With `statement` a connection may be shared with others' statements.
    #[doc(hidden)]
    fn hold(&self, need: Need, statement: Option<ForStatement>) -> impl Future<Output = Result<Hold>> + Send;
    #[doc(hidden)]
    fn route(&self) -> Result<Route>;
    #[doc(hidden)]
    fn core(&self) -> &Arc<Core>;
    #[doc(hidden)]
    fn target(&self) -> &Target;
    /// How far the session has written, where that is kept, and kept with each statement.
    #[doc(hidden)]
    fn written(&self) -> Option<&Written>;
    /// What holds for each call.
    #[doc(hidden)]
    fn call(&self) -> Call;
    /// Makes ready for another attempt after this error, where one is granted.
    #[doc(hidden)]
    fn again(
        &self,
        error: Error,
        attempt: &mut u32,
        progress: Progress,
        idempotent: bool,
    ) -> impl Future<Output = Result<()>> + Send;
    /// Whether each statement stands for itself: then the retry loop and the call's time limit apply to it.
    #[doc(hidden)]
    const STANDALONE: bool;
    /// Whether its reads come from the primary, with how far the node's log had come before.
    #[doc(hidden)]
    const FILLS: bool = false;
    /// Takes what [`FILLS`](Self::FILLS) asks for.
    #[doc(hidden)]
    fn reached(&self, _: Reached, _: &Hold) {}
    /// What its statements have in common.
    #[doc(hidden)]
    fn pooled(&self) -> &Pooled;
    /// What its writes make old, where that is for the transaction's end.
    #[doc(hidden)]
    fn touched(&self) -> Option<&Arc<Touched>> {
        None
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Pooled {}
    impl Sealed for super::Pinned {}
    #[cfg(feature = "cache")]
    impl Sealed for super::super::cached::Filling {}
}

/// Each statement takes a connection from the pool of the node that it is routed to.
#[derive(Clone)]
pub struct Pooled {
    core: Arc<Core>,
    pub(super) target: Target,
    /// The tenant that the database holds its statements to.
    pub(super) tenant: Option<HeldTo>,
    /// How far it has written, if its reads are to see that.
    pub(super) written: Option<Written>,
    pub(super) call: Call,
}

impl Pooled {
    pub(super) fn new(core: Arc<Core>, target: Target) -> Self {
        let consistency = target.consistency;
        Self { core, target, tenant: None, written: None, call: Call::default() }.reading(consistency)
    }

    /// The same, and the database holds its statements to this tenant.
    pub(super) fn held_to(self, tenant: Option<HeldTo>) -> Self {
        Self { tenant, ..self }
    }

    /// The same, with reads from elsewhere.
    pub(super) fn reading(self, consistency: Consistency) -> Self {
        let target = Target { consistency, ..self.target };
        Self { target, written: (consistency == Consistency::Session).then(Written::default), ..self }
    }

    /// What a read has to see of the session's own writes.
    pub(super) fn after(&self, need: Need) -> Need {
        let is_read = need.access == Access::Read;
        Need { after: self.written.as_ref().filter(|_| is_read).and_then(Written::get), ..need }
    }

    /// A connection for exclusive use, and the route it is on.
    pub(super) async fn way(&self, need: Need) -> Result<Way> {
        let way = self.core.way(self.target, need).await?;
        let intent = self.target.intent;
        if matches!(intent, Intent::Coordinator | Intent::Analytics) {
            if self.core.must_vet(intent) {
                Box::pin(self.core.vet(&way.line, intent)).await?;
            }
            // Raw SQL may set anything.
            way.line.may_have_session_state();
        }
        Ok(way)
    }
}

impl Executor for Pooled {
    async fn hold(&self, need: Need, statement: Option<ForStatement>) -> Result<Hold> {
        let is_shared = matches!(self.target.intent, Intent::Tenant | Intent::Reference);
        let need = self.after(need);
        let Way { line, route, bound } = match statement.filter(|_| is_shared) {
            Some(statement) => self.core.way_for(self.target, need, &statement).await?,
            None => {
                // On the heap, for the sake of those that share.
                let Way { line, route, bound } = Box::pin(self.way(need)).await?;
                Way { line: Line::Own(line), route, bound }
            }
        };
        let tenant = self.tenant.clone();
        Ok(Hold {
            needs_limit: is_shared && line.connection().is_pooled(),
            line,
            route,
            bound,
            after: need.after,
            tenant,
            transaction: None,
            stream: None,
            opening: Unanswered::default(),
            is_begun: true,
        })
    }

    fn route(&self) -> Result<Route> {
        self.core.route(self.target, Need::ANY)
    }

    fn core(&self) -> &Arc<Core> {
        &self.core
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn written(&self) -> Option<&Written> {
        self.written.as_ref()
    }

    fn call(&self) -> Call {
        self.call
    }

    async fn again(&self, error: Error, attempt: &mut u32, progress: Progress, idempotent: bool) -> Result<()> {
        try_again(&self.core, error, attempt, progress, idempotent).await
    }

    fn pooled(&self) -> &Pooled {
        self
    }

    const STANDALONE: bool = true;
}

/// All statements run on the connection of one transaction, which begins with the first of them.
#[derive(Clone)]
pub struct Pinned {
    pub(super) pooled: Pooled,
    pub(super) transaction: Arc<Progression>,
    pub(super) begin: &'static str,
    pub(super) access: Access,
    /// Whether COMMIT is on its way.
    pub(super) committing: Arc<AtomicBool>,
    /// What its writes make old.
    pub(super) touched: Option<Arc<Touched>>,
}

impl Pinned {
    pub(super) async fn begun<'a>(&self, beginning: &'a OnceCell<Begun>) -> Result<&'a Begun> {
        let begun = beginning.get_or_try_init(|| Begun::new(&self.pooled, self.begin, self.access)).await;
        begun.map_err(|error| error.of("begin", None))
    }

    /// When it is dropped, what was kept of reference tables is read anew.
    pub(super) fn forgets(&self) -> Forgets<'_, Pooled> {
        Forgets { executor: &self.pooled, table: None }
    }

    /// The connection, in the transaction.
    pub(super) async fn lease(&self) -> Result<Arc<Lease>> {
        let beginning = self.transaction.next()?;
        let begun = self.begun(&beginning).await?;
        let guard = FailUnlessDone(Some(&self.transaction));
        begun.settle(self.core(), limits(self).statement).await?;
        guard.done();
        Ok(begun.lease.clone())
    }
}

impl Executor for Pinned {
    async fn hold(&self, need: Need, statement: Option<ForStatement>) -> Result<Hold> {
        let beginning = self.transaction.next()?;
        let begun = self.begun(&beginning).await?;
        // A table of another co-location group has its rows elsewhere.
        let bound = self.core().bound(*self.target(), need)?.filter(|bound| Some(*bound) != begun.bound);
        let opening = if statement.is_some() && bound.is_none() {
            begun.opening()
        } else {
            let guard = FailUnlessDone(Some(&self.transaction));
            begun.settle(self.core(), limits(self).statement).await?;
            guard.done();
            None
        };
        Ok(Hold {
            line: begun.line(),
            route: begun.route,
            bound,
            // Its own writes are seen.
            after: None,
            // The node was told when the transaction began.
            tenant: None,
            transaction: Some(self.transaction.clone()),
            stream: None,
            opening: Unanswered::new(opening),
            needs_limit: false,
            is_begun: begun.is_answered(),
        })
    }

    fn route(&self) -> Result<Route> {
        self.transaction.route().map_or_else(|| self.pooled.route(), Ok)
    }

    fn core(&self) -> &Arc<Core> {
        self.pooled.core()
    }

    fn target(&self) -> &Target {
        self.pooled.target()
    }

    fn written(&self) -> Option<&Written> {
        // With the COMMIT.
        None
    }

    /// A statement that is repeated would come a second time in the same transaction.
    fn call(&self) -> Call {
        Call { is_idempotent: false, ..self.pooled.call }
    }

    /// As long as nothing else was done, it begins anew.
    async fn again(&self, error: Error, attempt: &mut u32, _: Progress, _: bool) -> Result<()> {
        if decide(&error, *attempt, Progress::NotSent, true) == Decision::Stop || !self.transaction.restart() {
            return Err(error);
        }
        // What was sent was not committed.
        try_again(self.core(), error, attempt, Progress::NotSent, true).await
    }

    fn pooled(&self) -> &Pooled {
        &self.pooled
    }

    fn touched(&self) -> Option<&Arc<Touched>> {
        self.touched.as_ref()
    }

    const STANDALONE: bool = false;
}

/// A connection held for one statement, or for a stream.
pub struct Hold {
    line: Line,
    pub(super) route: Route,
    /// What the node has to vouch for before it runs the statement.
    pub(super) bound: Option<Bound>,
    /// What a standby has to have.
    pub(super) after: Option<Position>,
    /// Whom the node has to be told that the statement is held to.
    pub(super) tenant: Option<HeldTo>,
    transaction: Option<Arc<Progression>>,
    // While its answer is read row by row, no other statement of the transaction can be answered.
    stream: Option<OpenStream>,
    /// The answer to the transaction's BEGIN, which was sent before.
    pub(super) opening: Unanswered,
    /// Whether nothing but the server itself can end the statement: a pooler is not asked to cancel. What only the coordinator can
    /// do, some of it outside of transactions alone, has no limit there.
    pub(super) needs_limit: bool,
    /// Whether it is certain that a transaction is open.
    pub(super) is_begun: bool,
}

impl Deref for Hold {
    type Target = Line;

    fn deref(&self) -> &Line {
        &self.line
    }
}

impl Hold {
    /// Whether the statement stands for itself, in no transaction of the caller's.
    pub(super) fn is_standalone(&self) -> bool {
        self.transaction.is_none()
    }

    /// Whether the node has to do something before it runs the statement.
    pub(super) fn has_terms(&self) -> bool {
        self.bound.is_some() || self.tenant.is_some()
    }

    /// The error with what this knows of it.
    pub(super) fn explain(&self, error: Error) -> Error {
        let error = self.line.explain(error).via(self.route);
        if self.is_standalone() { error } else { error.in_transaction() }
    }

    /// An error where the transaction's COMMIT was sent meanwhile.
    pub(super) fn ensure_open(&self) -> Result<()> {
        self.transaction.as_ref().map_or(Ok(()), |transaction| transaction.ensure_open())
    }

    /// Says that the statement failed after it had begun to answer.
    pub(super) fn fail(&self) {
        if let Some(transaction) = &self.transaction {
            transaction.fail();
        }
    }

    /// Says that the answer is read as it comes, for as long as this is held.
    pub(super) fn streaming(mut self) -> Self {
        self.stream = self.transaction.clone().map(OpenStream::new);
        self
    }

    /// Says that the rest of the answer is not wanted. Inside a transaction the connection reads past it before the next
    /// statement's answer; outside, and when the transaction has ended, the statement is cancelled.
    pub(super) fn forsake(&self) {
        if self.transaction.as_ref().is_none_or(|transaction| transaction.has_ended()) {
            self.abandon();
        }
    }

    /// Marks the transaction as failed unless the statement ends well: on the server it is aborted then, or, if the
    /// statement's future was dropped, nobody knows what it did.
    pub(super) fn transaction_guard(&self) -> FailUnlessDone<'_> {
        FailUnlessDone(self.transaction.as_deref())
    }
}

pub(super) struct FailUnlessDone<'a>(pub(super) Option<&'a Progression>);

impl FailUnlessDone<'_> {
    pub(super) fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for FailUnlessDone<'_> {
    fn drop(&mut self) {
        if let Some(transaction) = self.0 {
            transaction.fail();
        }
    }
}
