use shardwise::SqlEnum;

#[derive(Debug, SqlEnum)]
enum State<T> {
    Issued,
}

fn main() {}
