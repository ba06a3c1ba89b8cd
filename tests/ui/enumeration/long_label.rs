use shardwise::SqlEnum;

#[derive(Debug, SqlEnum)]
#[sql_enum(native = "state")]
enum State {
    #[sql_enum(rename = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
    Issued,
}

fn main() {}
