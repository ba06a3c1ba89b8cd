//! The question what a server is, in PostgreSQL's own protocol, as steps of HAProxy's `tcp-check`.

/// Asks the server as this role, and expects that it is, or is not, a standby.
pub(super) fn steps(role: &str, database: &str, is_standby: bool) -> String {
    // SQLSTATE 53300: all places of the server, or of the role, are taken.
    const FULL: &[u8] = b"C53300\0";
    let answer = if is_standby { b"t" } else { b"f" };
    let steps = [
        "connect".to_owned(),
        format!("send-binary {}", hex(&start_up(role, database))),
        // Nobody new is led to one that is full, and who is there stays: it is not down. Either answer is longer than this, and without
        // a length HAProxy would go on looking for it.
        format!("expect min-recv 64 error-status L7OKC ! binary {}", hex(FULL)),
        // ReadyForQuery.
        "expect binary 5a0000000549".to_owned(),
        format!("send-binary {}", hex(&message(b'Q', b"SELECT pg_catalog.pg_is_in_recovery()\0"))),
        // The end, before the answer is read: on one that it does not expect HAProxy would wait for more.
        format!("send-binary {}", hex(&message(b'X', b""))),
        // A DataRow with one column of one letter.
        format!("expect binary 440000000b000100000001{}", hex(answer)),
    ];
    let steps = steps.map(|step| format!("  tcp-check {step}\n")).concat();
    format!("  option tcp-check\n{steps}")
}

/// The first message of a session. See PostgreSQL's manual, Message Formats.
fn start_up(role: &str, database: &str) -> Vec<u8> {
    const VERSION: [u8; 4] = [0, 3, 0, 0];
    let words = ["user", role, "database", database, ""];
    let body = words.iter().flat_map(|word| word.bytes().chain([0]));
    with_length(VERSION.into_iter().chain(body).collect())
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [vec![kind], with_length(body.to_vec())].concat()
}

/// A length counts itself.
fn with_length(body: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [length.to_be_bytes().to_vec(), body].concat()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
