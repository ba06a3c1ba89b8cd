use shardwise::SqlEnum;

#[derive(SqlEnum)]
enum State {
    Issued,
}

fn main() {}
