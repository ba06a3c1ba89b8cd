use shardwise::SqlEnum;

#[derive(SqlEnum)]
enum State {}

fn main() {}
