use shardwise::SqlEnum;

#[derive(SqlEnum)]
enum State {
    Open,
    #[sql_enum(rename = "open")]
    Closed,
}

fn main() {}
