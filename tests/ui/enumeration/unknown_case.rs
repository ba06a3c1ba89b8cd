use shardwise::SqlEnum;

#[derive(Debug, SqlEnum)]
#[sql_enum(rename_all = "kebap-case")]
enum State {
    Issued,
}

fn main() {}
