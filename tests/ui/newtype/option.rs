use shardwise::SqlNewtype;

#[derive(Debug, SqlNewtype)]
struct Note(Option<String>);

fn main() {}
