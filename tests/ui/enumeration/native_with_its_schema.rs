use shardwise::SqlEnum;

#[derive(Debug, SqlEnum)]
#[sql_enum(native = "pay.state")]
enum State {
    Issued,
}

fn main() {}
