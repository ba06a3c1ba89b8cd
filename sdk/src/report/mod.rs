//! A cluster's [`Status`] as one page of HTML (feature `report`): a file that can be sent to somebody, and opened years later.
//!
//! It has no script, and asks for nothing from outside: styles and pictures are in it. It fits a phone and a desk, is light or dark
//! as its reader's system is, and can be printed. Names of nodes, tables and tenants are foreign text, and stand in it as such; were
//! one of them markup all the same, the page's own policy lets no script run and nothing be loaded.
//!
//! ```
//! # use shardwise::advise::AdviceOptions;
//! # use shardwise::{Cluster, Schema};
//! # async fn f(cluster: Cluster, schema: Schema) -> std::io::Result<()> {
//! let advice = cluster.admin().advise(&schema, &AdviceOptions::default()).await.ok();
//! let page = cluster.status_of(&schema).await.html(advice.as_ref());
//! std::fs::write("status.html", page)
//! # }
//! ```

mod advice;
mod bars;
mod charts;
mod lists;
mod map;
mod page;
#[cfg(test)]
mod tests;

use crate::advise::Advice;
use crate::status::Status;

impl Status {
    /// The page; with what should be done, where that is given.
    #[must_use]
    pub fn html(&self, advice: Option<&Advice>) -> String {
        page::page(self, advice).into_string()
    }
}
