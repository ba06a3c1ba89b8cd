use shardwise::SqlEnum;

#[derive(Debug, SqlEnum)]
struct State {
    issued: bool,
}

fn main() {}
