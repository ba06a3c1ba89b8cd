use shardwise::SqlEnum;

#[derive(Debug, SqlEnum)]
enum State {
    #[sql_enum(rename_all = "UPPERCASE")]
    Issued,
}

fn main() {}
