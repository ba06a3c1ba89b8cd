//! `render haproxy`.

use std::time::Duration;

use super::super::context::Context;
use super::super::failure::Failure;
use super::files::{Files, Out};
use super::groups::Groups;
use super::refused;
use crate::render::access::Network;
use crate::render::haproxy::HaProxy;

/// What a proxy is to be like.
#[derive(clap::Args)]
pub(in crate::cli) struct Command {
    #[command(flatten)]
    groups: Groups,
    /// Where it listens
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    listen: String,
    /// Its first port; each group has ten
    #[arg(long, value_name = "PORT", default_value_t = 6000)]
    port: u16,
    /// The role that asks the servers whether they are a primary
    #[arg(long, value_name = "ROLE", default_value = "shardwise_check")]
    check_role: String,
    /// The database in which it asks
    #[arg(long, value_name = "NAME", default_value = "postgres")]
    check_database: String,
    /// How often it asks
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    check_every: Duration,
    /// The proxy's own address, for the line of pg_hba.conf that lets the role in
    #[arg(long, value_name = "NETWORK")]
    from: Option<Network>,
    /// Run as this user, where systemd does not see to that
    #[arg(long, value_name = "USER")]
    run_as: Option<String>,
    #[command(flatten)]
    out: Out,
}

impl Command {
    pub(super) async fn files(self, context: &Context) -> Result<(Files, Out), Failure> {
        let proxy =
            HaProxy::before(self.groups.all(context).await?).listen(&self.listen, self.port).map_err(refused)?;
        let proxy = proxy.check_as(self.check_role, self.check_database).check_every(self.check_every);
        let proxy = self.run_as.into_iter().fold(proxy, HaProxy::run_as);
        let files = Files::default()
            .with("haproxy.cfg", proxy.file().map_err(refused)?)
            .with("check-role.sql", proxy.check_role().map_err(refused)?);
        let rule = self.from.map(|from| proxy.check_rule(from)).transpose().map_err(refused)?;
        Ok((rule.into_iter().fold(files, |files, line| files.with("pg_hba.conf", line + "\n")), self.out))
    }
}
