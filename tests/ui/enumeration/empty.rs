use shardwise::SqlEnum;

#[derive(Debug, SqlEnum)]
enum State {}

fn main() {}
