use shardwise::SqlEnum;

#[derive(Debug, SqlEnum)]
enum State {
    Issued,
    Scanned(u32),
    Refunded { reason: String },
}

fn main() {}
