//! Calls of Citus's functions, as text. `at` is always the table's name as SQL text.

use super::{literal, quote_qualified};

/// Which shards a distributed table gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shards {
    /// A group of its own. Without a number of shards it has as many as the server's `citus.shard_count` says.
    New { count: Option<u32> },
    /// Those of another table's group.
    Of {
        /// That table's name, as SQL text.
        at: String,
    },
}

impl Shards {
    fn arguments(&self) -> String {
        match self {
            Self::New { count: None } => "colocate_with => 'none'".to_owned(),
            Self::New { count: Some(count) } => format!("colocate_with => 'none', shard_count => {count}"),
            Self::Of { at } => format!("colocate_with => {}", literal(at)),
        }
    }
}

pub(crate) fn create_reference_table(at: &str) -> String {
    call("create_reference_table", &[literal(at)])
}

pub(crate) fn create_distributed_table(at: &str, column: &str, shards: &Shards) -> String {
    call("create_distributed_table", &[literal(at), literal(column), shards.arguments()])
}

/// The same without blocking writers. It runs in no transaction.
pub(crate) fn create_distributed_table_concurrently(at: &str, column: &str, shards: &Shards) -> String {
    call("create_distributed_table_concurrently", &[literal(at), literal(column), shards.arguments()])
}

/// Moves a distributed table's rows to other shards. The foreign keys between it and other distributed tables are lost.
pub(crate) fn alter_distributed_table(at: &str, column: Option<&str>, shards: &Shards) -> String {
    let column = column.map(|column| format!("distribution_column => {}", literal(column)));
    let arguments: Vec<String> = [literal(at)].into_iter().chain(column).chain([shards.arguments()]).collect();
    call("alter_distributed_table", &arguments)
}

/// Makes a plain table of it again, with its rows. One that Citus knows for the sake of a foreign key alone may be that
/// already, when that key is gone.
pub(crate) fn undistribute_table(at: &str) -> String {
    let known =
        format!("EXISTS (SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = {}::regclass)", literal(at));
    format!("{} WHERE {known}", call("undistribute_table", &[literal(at)]))
}

/// The rows that a table had when it was distributed stay in its file, where no query sees them and every new
/// constraint is checked against them.
pub(crate) fn truncate_local_data(at: &str) -> String {
    call("truncate_local_data_after_distributing_table", &[literal(at)])
}

fn call(function: &str, arguments: &[String]) -> String {
    format!("SELECT pg_catalog.{function}({})", arguments.join(", "))
}

/// Where a tenant's home region is written: a row of the SDK's own table `shardwise.directories`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
pub(crate) struct Directory {
    /// The name of the key's type on the wire: `uuid`.
    pub(crate) key_type: String,
    pub(crate) table_schema: String,
    pub(crate) table_name: String,
    pub(crate) key_column: String,
    pub(crate) region_column: String,
}

pub(crate) fn register(directory: &Directory) -> String {
    let Directory { key_type, table_schema, table_name, key_column, region_column } = directory;
    let values: Vec<String> =
        [key_type, table_schema, table_name, key_column, region_column].map(|text| literal(text)).to_vec();
    format!(
        "INSERT INTO shardwise.directories (key_type, table_schema, table_name, key_column, region_column)\n\
         VALUES ({})\n\
         ON CONFLICT (key_type) DO UPDATE SET table_schema = excluded.table_schema, table_name = excluded.table_name, \
         key_column = excluded.key_column, region_column = excluded.region_column",
        values.join(", ")
    )
}

pub(crate) fn unregister(key_type: &str) -> String {
    format!("DELETE FROM shardwise.directories WHERE key_type = {}", literal(key_type))
}

impl Directory {
    /// The table that it names, as SQL text.
    pub(crate) fn table(&self) -> String {
        quote_qualified(Some(&self.table_schema), &self.table_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_twice_and_numbers_are_bare() {
        let shards = Shards::New { count: Some(4) };
        assert_eq!(
            create_distributed_table("\"Odd's\"", "Key", &shards),
            "SELECT pg_catalog.create_distributed_table('\"Odd''s\"', 'Key', colocate_with => 'none', shard_count => 4)"
        );
        let with = Shards::Of { at: "\"a\".\"b\"".to_owned() };
        assert_eq!(
            alter_distributed_table("\"t\"", None, &with),
            "SELECT pg_catalog.alter_distributed_table('\"t\"', colocate_with => '\"a\".\"b\"')"
        );
        assert_eq!(
            create_distributed_table_concurrently("\"t\"", "k", &Shards::New { count: None }),
            "SELECT pg_catalog.create_distributed_table_concurrently('\"t\"', 'k', colocate_with => 'none')"
        );
    }
}
