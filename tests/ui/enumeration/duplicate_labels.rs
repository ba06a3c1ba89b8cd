use shardwise::SqlEnum;

#[derive(Debug, SqlEnum)]
enum State {
    Issued,
    #[sql_enum(rename = "issued")]
    Sold,
}

fn main() {}
