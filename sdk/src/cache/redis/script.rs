//! What Redis does in one go: scripts, for before version 8.4 it has no way to set a key only if it holds this value.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind, Value};

use super::link::Link;

pub(super) static LOOK: Script = Script::new(|| redis::Script::new(include_str!("look.lua")), include_str!("look.lua"));
pub(super) static CLAIM: Script =
    Script::new(|| redis::Script::new(include_str!("claim.lua")), include_str!("claim.lua"));
pub(super) static FILL: Script = Script::new(|| redis::Script::new(include_str!("fill.lua")), include_str!("fill.lua"));
pub(super) static DROP: Script = Script::new(|| redis::Script::new(include_str!("drop.lua")), include_str!("drop.lua"));
pub(super) static UNMARK: Script =
    Script::new(|| redis::Script::new(include_str!("unmark.lua")), include_str!("unmark.lua"));

/// A script that a server is asked for by its digest, and given where it does not have it.
pub(super) struct Script {
    digest: LazyLock<redis::Script>,
    text: &'static str,
}

impl Script {
    const fn new(make: fn() -> redis::Script, text: &'static str) -> Self {
        Self { digest: LazyLock::new(make), text }
    }

    pub(super) async fn run(&self, link: &Link, keys: &[&[u8]], args: &[&[u8]]) -> RedisResult<Value> {
        let answer = link.ask(&command("EVALSHA", self.digest.get_hash(), keys, args)).await;
        match answer {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                link.ask(&command("EVAL", self.text, keys, args)).await
            }
            answer => answer,
        }
    }
}

fn command(name: &str, script: &str, keys: &[&[u8]], args: &[&[u8]]) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(keys.len()).arg(keys).arg(args);
    command
}
