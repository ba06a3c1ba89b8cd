//! A cluster's [`Status`] as one page of HTML (feature `report`): a file that can be sent to somebody, and opened years later.
//!
//! It has no script, and asks for nothing from outside: styles and pictures are in it. It fits a phone and a desk, is light or dark
//! as its reader's system is, and can be printed. Names of nodes, tables and tenants are foreign text, and stand in it as such; were
//! one of them markup all the same, the page's own policy lets no script run and nothing be loaded.
//!
//! ```
//! # use shardwise::Cluster;
//! # async fn f(cluster: Cluster) -> std::io::Result<()> {
//! let page = cluster.status().await.html(None);
//! std::fs::write("status.html", page)
//! # }
//! ```

mod bars;
mod charts;
mod counsel;
mod lists;
mod map;
mod page;
#[cfg(test)]
mod tests;

pub use counsel::{Counsel, Item};

use crate::status::Status;

impl Status {
    /// The page; with what should be done, where that is given.
    #[must_use]
    pub fn html(&self, counsel: Option<&Counsel>) -> String {
        page::page(self, counsel).into_string()
    }
}
