//! Removes all that begins alike.

use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, RedisResult, Value};

use super::answer::{bytes, list, text_of};
use super::link::Link;
use super::listen::ALL;
use super::{Redis, into_bytes};

/// At most about so many keys are looked at in one command.
const AT_ONCE: u32 = 500;

impl Redis {
    /// Whether it answers in time.
    pub(in super::super) async fn ping(&self) -> Option<()> {
        let link = self.link.load_full()?;
        self.within(&link, link.ask(&redis::cmd("PING"))).await.map(drop)
    }

    /// Removes all keys that begin so, and has everybody who keeps anything forget it. What is filled meanwhile was read from the
    /// database meanwhile. Returns how many there were; `None` where an answer did not come in time.
    pub(in super::super) async fn clear(&self, root: &[u8], me: u64) -> Option<u64> {
        let link = self.link.load_full()?;
        let mut removed = 0;
        for node in self.within(&link, nodes(&link)).await? {
            let mut cursor = b"0".to_vec();
            loop {
                let mut scan = redis::cmd("SCAN");
                scan.arg(&cursor[..]).arg("MATCH").arg(pattern(root)).arg("COUNT").arg(AT_ONCE);
                let answer = self.within(&link, ask_on(&link, node.as_ref(), &scan)).await?;
                let mut answer = list(answer)?.into_iter();
                cursor = bytes(&answer.next()?)?.to_vec();
                for key in list(answer.next()?)?.into_iter().filter_map(into_bytes) {
                    // One by one: in a cluster two keys of one node may be of two slots.
                    let mut unlink = redis::cmd("UNLINK");
                    unlink.arg(&key[..]);
                    if self.within(&link, link.ask(&unlink)).await? == Value::Int(1) {
                        removed += 1;
                    }
                }
                if cursor == b"0" {
                    break;
                }
            }
        }
        if let Some(channel) = &self.channel {
            let mut say = redis::cmd("PUBLISH");
            say.arg(channel).arg([me, ALL].map(u64::to_be_bytes).as_flattened());
            self.within(&link, link.ask(&say)).await?;
        }
        Some(removed)
    }
}

/// The nodes that have keys: one without an address where there is but one server.
async fn nodes(link: &Link) -> RedisResult<Vec<Option<(String, u16)>>> {
    let Link::Cluster(_) = link else { return Ok(vec![None]) };
    let answer = link.ask(redis::cmd("CLUSTER").arg("SLOTS")).await?;
    let mut nodes: Vec<_> = list(answer).unwrap_or_default().into_iter().filter_map(primary_of).map(Some).collect();
    nodes.sort();
    nodes.dedup();
    Ok(nodes)
}

/// Of a range of slots: its first and last one, then the primary's host and port, then its replicas.
fn primary_of(slots: Value) -> Option<(String, u16)> {
    let mut node = list(list(slots)?.into_iter().nth(2)?)?.into_iter();
    let (host, port) = (node.next()?, node.next()?);
    let Value::Int(port) = port else { return None };
    Some((text_of(&host)?.to_owned(), u16::try_from(port).ok()?))
}

async fn ask_on(link: &Link, node: Option<&(String, u16)>, command: &Cmd) -> RedisResult<Value> {
    match (link, node) {
        (Link::Cluster(connection), Some((host, port))) => {
            let at = SingleNodeRoutingInfo::ByAddress { host: host.clone(), port: *port };
            let answer = connection.clone().route_command(command.clone(), RoutingInfo::SingleNode(at)).await;
            answer.and_then(Value::extract_error)
        }
        _ => link.ask(command).await,
    }
}

/// What begins so, as Redis' patterns have it.
fn pattern(root: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(root.len() + 1);
    for &byte in root {
        if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'^') {
            pattern.push(b'\\');
        }
        pattern.push(byte);
    }
    pattern.push(b'*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn what_stands_in_a_prefix_is_no_pattern() {
        assert_eq!(pattern(b"shardwise:db:"), b"shardwise:db:*");
        assert_eq!(pattern(b"a*[b]?\\"), b"a\\*\\[b\\]\\?\\\\*");
    }
}
