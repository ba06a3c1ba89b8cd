use shardwise::SqlNewtype;

struct Colour;

#[derive(Debug, SqlNewtype)]
struct Id(Colour);

fn main() {}
