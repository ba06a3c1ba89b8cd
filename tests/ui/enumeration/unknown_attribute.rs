use shardwise::SqlEnum;

#[derive(Debug, SqlEnum)]
#[sql_enum(nativ = "state")]
enum State {
    #[sql_enum(renamed = "sold")]
    Issued,
}

fn main() {}
