use shardwise::SqlEnum;

#[derive(SqlEnum)]
enum State {
    Open,
    Closed(u8),
}

fn main() {}
