//! Which servers are meant: those of the cluster, or those that the arguments name.

use std::str::FromStr;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::words::{did_you_mean, listed};
use crate::config::Endpoint;
use crate::render::{Group, groups};

/// Servers by groups: a primary and its standbys.
#[derive(clap::Args)]
pub(in crate::cli) struct Groups {
    /// A primary and its standbys, in place of those of the cluster, which is not asked then: NAME=HOST:PORT,HOST:PORT
    #[arg(long = "servers", value_name = "GROUP")]
    named: Vec<Named>,
}

/// A group as an argument.
#[derive(Clone)]
struct Named(Group);

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, servers) = text.split_once('=').ok_or("write NAME=HOST:PORT,HOST:PORT, the primary first")?;
        let servers: Result<Vec<Endpoint>, _> = servers.split(',').map(str::parse).collect();
        Ok(Self(Group::new(name, servers.map_err(|error| error.to_string())?)))
    }
}

impl Groups {
    /// All groups.
    pub(super) async fn all(&self, context: &Context) -> Result<Vec<Group>, Failure> {
        if self.named.is_empty() {
            return Ok(groups(&context.cluster().await?.topology(), &context.config()?));
        }
        Ok(self.named.iter().map(|Named(group)| group.clone()).collect())
    }

    /// The one with this name; the only one that there is.
    pub(super) async fn one(&self, context: &Context, name: Option<&str>) -> Result<Group, Failure> {
        let all = self.all(context).await?;
        let names = || all.iter().map(|group| group.name.as_str());
        let found = match (name, all.as_slice()) {
            (Some(name), _) => all.iter().find(|group| group.name == name),
            (None, [only]) => Some(only),
            (None, _) => return Err(Failure::usage(format!("say which by --group: there are {}", listed(names())))),
        };
        let name = name.unwrap_or_default();
        let missing =
            || format!("no group is named {name:?}{}: there are {}", did_you_mean(name, names()), listed(names()));
        found.cloned().ok_or_else(|| Failure::usage(missing()))
    }
}
