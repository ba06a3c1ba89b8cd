use shardwise::SqlEnum;

#[derive(Debug, SqlEnum)]
#[sql_enum(native = "name")]
enum State {
    Issued,
}

fn main() {}
