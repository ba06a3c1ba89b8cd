//! The SDK's own tables on Citus: what all clients of a cluster have to agree on.

/// Goes up by one with every change of `catalog.sql`. A macro, for `concat!` takes no constant.
macro_rules! version {
    () => {
        4
    };
}

/// Which state of the SDK's own tables this version of it needs.
pub(crate) const VERSION: u32 = version!();

/// Makes the schema `shardwise`, or brings it to [`VERSION`]. For the coordinator; running it again changes nothing.
pub(crate) const CREATE: &str = concat!(
    include_str!("catalog.sql"),
    "\n-- Read before all this is run again, so that what is newer is left alone.\nCOMMENT ON SCHEMA shardwise IS 'shardwise \
     catalog ",
    version!(),
    "';\n"
);

/// The same, statement by statement, without the comments of the file.
pub(crate) fn statements() -> impl Iterator<Item = String> {
    CREATE.split("\n\n").map(|paragraph| {
        let code = paragraph.lines().filter(|line| !line.starts_with("--"));
        code.collect::<Vec<_>>().join("\n").trim_end_matches(';').to_owned()
    })
}

/// The version that the comment on the schema tells.
pub(crate) fn version_of(comment: &str) -> Option<u32> {
    comment.strip_prefix("shardwise catalog ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_as_it_is_written() {
        let last = statements().last().expect("a statement");
        let (_, written) = last.rsplit_once(" IS '").expect("a comment");
        assert_eq!(version_of(written.trim_end_matches('\'')), Some(VERSION));
        assert_eq!(version_of("standard public schema"), None);
    }

    #[test]
    fn each_paragraph_is_one_statement() {
        for statement in statements() {
            let begins = ["ALTER", "COMMENT", "CREATE", "DO", "DROP", "GRANT", "INSERT", "REVOKE", "SELECT"];
            assert!(begins.iter().any(|begin| statement.starts_with(begin)), "{statement}");
            // A body between dollars may have more.
            let bare: String = statement.split("$$").step_by(2).collect();
            assert!(!bare.contains(';'), "{statement}");
        }
    }
}
