//! Functions that triggers run with the rights of whoever made them: so a writer's rights on what they write beside don't matter.
//! Pure.

use super::quote::dollar_quoted;

/// Where they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    /// PostgreSQL alone.
    Plain,
    /// A node of Citus, beside the shards.
    Citus,
}

impl Server {
    /// What `pg_proc.proconfig` has of such a function. Nothing is looked up by the writer's search path.
    pub(crate) fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &["search_path=pg_catalog, pg_temp"],
            // A generic plan on a shard of the node's own takes memory with each execution, which Citus keeps until the session ends.
            Self::Citus => &["search_path=pg_catalog, pg_temp", "plan_cache_mode=force_custom_plan"],
        }
    }

    /// Citus takes triggers on its tables from those alone who say that they write nothing elsewhere. Ours write what lies beside.
    pub(crate) fn allow_triggers(self, statements: Vec<String>) -> Vec<String> {
        if self == Self::Plain || statements.is_empty() {
            return statements;
        }
        let allow = |on: &str| format!("SET LOCAL citus.enable_unsafe_triggers = {on}");
        [allow("on")].into_iter().chain(statements).chain([allow("off")]).collect()
    }
}

/// The statements that make it, or make it anew. `function` is its name as SQL text.
///
/// Who may call it could have it run for a table of their own, with its owner's rights. Nobody has to: triggers don't ask.
pub(crate) fn create_function(function: &str, body: &str, server: Server) -> [String; 2] {
    let set: String =
        server.settings().iter().map(|setting| format!("SET {} ", setting.replacen('=', " = ", 1))).collect();
    [
        format!(
            "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {set}AS {}",
            dollar_quoted(body)
        ),
        format!("REVOKE ALL ON FUNCTION {function}() FROM PUBLIC"),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Server, create_function};

    #[test]
    fn a_body_may_hold_whatever_it_wants() {
        let [create, close] = create_function("a.\"b c\"", "BEGIN $body0$ END", Server::Citus);
        assert_eq!(
            create,
            "CREATE OR REPLACE FUNCTION a.\"b c\"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = \
             pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $body1$BEGIN $body0$ END$body1$"
        );
        assert_eq!(close, "REVOKE ALL ON FUNCTION a.\"b c\"() FROM PUBLIC");
    }

    #[test]
    fn triggers_are_allowed_for_as_long_as_it_takes() {
        let statements = || vec!["CREATE TRIGGER …".to_owned()];
        assert_eq!(Server::Plain.allow_triggers(statements()), statements());
        let on_citus = Server::Citus.allow_triggers(statements());
        assert!(on_citus[0].ends_with("= on") && on_citus[1] == statements()[0] && on_citus[2].ends_with("= off"));
        assert!(Server::Citus.allow_triggers(Vec::new()).is_empty());
    }
}
