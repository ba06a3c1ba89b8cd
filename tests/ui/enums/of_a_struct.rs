use shardwise::SqlEnum;

#[derive(SqlEnum)]
struct State {
    open: bool,
}

fn main() {}
