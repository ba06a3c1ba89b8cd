use shardwise::SqlEnum;

#[derive(SqlEnum)]
#[sql_enum(type_name = "state")]
enum State {
    Open,
}

fn main() {}
