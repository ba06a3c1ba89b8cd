//! Denormalised columns: what keeps each equal to the column that it follows, as SQL.
//!
//! Whoever writes a row is given the values of the rows that it points at, and keeps these from being changed until it ends; whoever
//! changes such a row changes those that point at it. So of two who meet one waits, and none writes what is not so any more.

use super::layout::Fnv;
use super::trigger::{self, Server};
use super::{ColumnDef, ForeignKey, Table, literal, names, quote_ident, quote_qualified};

/// What the names of all triggers of denormalised columns begin with.
///
/// Triggers run in the order of their names: these see what others have made of a row.
const TRIGGERS: &str = "zz_shardwise_copy_";

/// What the comments begin with of all triggers that keep columns of a table.
pub(crate) fn beginning(table: &Table, current_schema: &str) -> String {
    beginning_of(&quote_qualified(Some(table.schema.unwrap_or(current_schema)), table.name))
}

fn beginning_of(at: &str) -> String {
    format!("shardwise: denormalized columns of {at}, ")
}

/// A condition of [`Copies::fills`] that holds for all rows.
pub(crate) const EVERY: &str = "true";

/// The number of steps to a table that follows no other: what others follow is filled before them.
pub(crate) fn depth(table: &Table) -> usize {
    // `behind` are those on the way to it: two that follow each other have an end there.
    fn within<'a>(table: &'a Table, behind: &[&'a Table]) -> usize {
        if behind.iter().any(|one| std::ptr::eq(*one, table)) {
            return 0;
        }
        let way = [behind, &[table]].concat();
        let through = table.columns.iter().filter_map(|column| Some(column.denormalized?.through));
        let keys = through.filter_map(|through| table.foreign_keys.iter().find(|key| key.column == through));
        keys.map(|key| 1 + within((key.target)(), &way)).max().unwrap_or(0)
    }
    within(table, &[])
}

/// The denormalised columns of a table in a database.
#[derive(Debug, Clone)]
pub(crate) struct Copies<'a> {
    pub(crate) table: &'a Table,
    pub(crate) schema: String,
    /// The table as SQL text.
    pub(crate) at: String,
    pub(crate) links: Vec<Link<'a>>,
}

/// Those that follow one row, through one foreign key.
#[derive(Debug, Clone)]
pub(crate) struct Link<'a> {
    pub(crate) key: &'a ForeignKey,
    pub(crate) source_schema: String,
    /// The other table as SQL text.
    pub(crate) source: String,
    /// Columns, and those that they follow.
    pub(crate) columns: Vec<(&'a ColumnDef, &'static str)>,
}

/// A trigger with its function.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// The schema and the name of the table that bears the trigger.
    pub(crate) on: (String, String),
    pub(crate) trigger: String,
    pub(crate) function: String,
    pub(crate) create_trigger: String,
    pub(crate) body: String,
}

impl Link<'_> {
    /// Whether the other table is one of Citus' reference tables, of which each node has all rows.
    fn is_beside_shards(&self, server: Server) -> bool {
        server == Server::Citus && (self.key.target)().distribution_column().is_none()
    }
}

impl<'a> Copies<'a> {
    /// Those of a table, where it has any, as seen by a connection whose unqualified names are in `current_schema`.
    pub(crate) fn of(table: &'a Table, current_schema: &str) -> Option<Self> {
        let schema = |table: &Table| table.schema.unwrap_or(current_schema).to_owned();
        let mut links: Vec<Link<'a>> = Vec::new();
        for column in table.columns {
            let Some(denormalized) = column.denormalized else { continue };
            let key = table.foreign_keys.iter().find(|key| key.column == denormalized.through)?;
            let one = (column, denormalized.source);
            match links.iter_mut().find(|link| link.key.column == key.column) {
                Some(link) => link.columns.push(one),
                None => {
                    let source_schema = schema((key.target)());
                    let source = quote_qualified(Some(&source_schema), (key.target)().name);
                    links.push(Link { key, source_schema, source, columns: vec![one] });
                }
            }
        }
        let (schema, is_none) = (schema(table), links.is_empty());
        let at = quote_qualified(Some(&schema), table.name);
        (!is_none).then_some(Self { table, schema, at, links })
    }

    /// What keeps them: on the table itself first, then on each that it points at.
    pub(crate) fn pieces(&self, server: Server) -> Vec<Piece> {
        let of_links = self.links.iter().map(|link| self.source_piece(link, server));
        [self.own_piece(server)].into_iter().chain(of_links).collect()
    }

    /// What the comments of the triggers say when they are what is wanted here.
    pub(crate) fn mark(&self, server: Server) -> String {
        let mut hash = Fnv::new();
        for piece in self.pieces(server) {
            hash.part(piece.create_trigger.as_bytes());
            hash.part(piece.body.as_bytes());
        }
        format!("{}{:016x}", beginning_of(&self.at), hash.get())
    }

    /// The same of the trigger on the table itself, when all rows have their values.
    pub(crate) fn filled_mark(&self, server: Server) -> String {
        format!("{}, filled", self.mark(server))
    }

    pub(crate) fn set_mark(piece: &Piece, mark: &str) -> String {
        let on = quote_qualified(Some(&piece.on.0), &piece.on.1);
        format!("COMMENT ON TRIGGER {} ON {on} IS {}", quote_ident(&piece.trigger), literal(mark))
    }

    /// Makes a piece's function, or makes it anew.
    pub(crate) fn create_function(&self, piece: &Piece, server: Server) -> [String; 2] {
        trigger::create_function(&quote_qualified(Some(&self.schema), &piece.function), &piece.body, server)
    }

    pub(crate) fn forbid_null(&self, column: &str) -> String {
        format!("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL", self.at, quote_ident(column))
    }

    /// Counts the rows that differ, a column after the other.
    pub(crate) fn count_differing(&self) -> String {
        let counts: Vec<String> = self
            .columns()
            .map(|(nth, column, source)| {
                let (own, other) = (quote_ident(column.name), quote_ident(source));
                format!("count(*) FILTER (WHERE c.{own} IS DISTINCT FROM s{nth}.{other})")
            })
            .collect();
        let joins: Vec<String> = self
            .links
            .iter()
            .enumerate()
            .map(|(nth, link)| {
                format!("LEFT JOIN {} s{nth} ON {}", link.source, self.joined(link, "c", &format!("s{nth}")))
            })
            .collect();
        format!("SELECT {} FROM {} c {}", counts.join(", "), self.at, joins.join(" "))
    }

    /// The columns in the order of [`count_differing`](Self::count_differing), with the number of their link.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, &'a ColumnDef, &'static str)> {
        let links = self.links.iter().enumerate();
        links.flat_map(|(nth, link)| link.columns.iter().map(move |(column, source)| (nth, *column, *source)))
    }

    /// The statements that give the rows that meet `condition`, on columns of `c`, what they should have; those that have it are not
    /// written.
    pub(crate) fn fills(&self, condition: &str) -> Vec<String> {
        let of_link = |link| [Some(self.fill(link, condition)), self.empty(link, condition)];
        self.links.iter().flat_map(of_link).flatten().collect()
    }

    fn fill(&self, link: &Link<'_>, condition: &str) -> String {
        let own = |(column, _): &(&ColumnDef, &str)| quote_ident(column.name);
        let set: Vec<String> =
            link.columns.iter().map(|pair| format!("{} = s.{}", own(pair), quote_ident(pair.1))).collect();
        let differs: Vec<String> = link
            .columns
            .iter()
            .map(|pair| format!("c.{} IS DISTINCT FROM s.{}", own(pair), quote_ident(pair.1)))
            .collect();
        format!(
            "UPDATE {} c SET {} FROM {} s WHERE {condition} AND {} AND ({})",
            self.at,
            set.join(", "),
            link.source,
            self.joined(link, "c", "s"),
            differs.join(" OR ")
        )
    }

    /// Rows that point at none, for a foreign key that may be NULL, have nothing.
    fn empty(&self, link: &Link<'_>, condition: &str) -> Option<String> {
        let through = self.table.column(link.key.column).filter(|column| column.nullable)?;
        let names: Vec<String> = link.columns.iter().map(|(column, _)| quote_ident(column.name)).collect();
        let (set, some): (Vec<String>, Vec<String>) =
            names.iter().map(|name| (format!("{name} = NULL"), format!("c.{name} IS NOT NULL"))).unzip();
        Some(format!(
            "UPDATE {} c SET {} WHERE {condition} AND c.{} IS NULL AND ({})",
            self.at,
            set.join(", "),
            quote_ident(through.name),
            some.join(" OR ")
        ))
    }

    /// The condition that a row is the one that another points at.
    fn joined(&self, link: &Link<'_>, own: &str, source: &str) -> String {
        let (own_key, target) = (link.key.columns(self.table), (link.key.target)().primary_key);
        let pairs = own_key.iter().zip(target);
        let pairs = pairs.map(|(own_column, column)| {
            format!("{source}.{} = {own}.{}", quote_ident(column), quote_ident(own_column))
        });
        pairs.collect::<Vec<_>>().join(" AND ")
    }

    fn own_piece(&self, server: Server) -> Piece {
        let (trigger, function) = (self.trigger("write"), names::object(self.table.name, "denormalized"));
        let create_trigger = format!(
            "CREATE TRIGGER {} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {}()",
            quote_ident(&trigger),
            self.at,
            quote_qualified(Some(&self.schema), &function)
        );
        let body = format!(
            "\n#variable_conflict use_column\nDECLARE\n    shardwise_rows bigint;\nBEGIN\n{}RETURN NEW;\nEND\n",
            self.links.iter().map(|link| self.look(link, server)).collect::<String>()
        );
        Piece { on: (self.schema.clone(), self.table.name.to_owned()), trigger, function, create_trigger, body }
    }

    /// Gives the row what the other one has, where the two may have parted.
    fn look(&self, link: &Link<'_>, server: Server) -> String {
        let key: Vec<String> = link.key.columns(self.table).into_iter().map(quote_ident).collect();
        let own: Vec<String> = link.columns.iter().map(|(column, _)| quote_ident(column.name)).collect();
        let of_row = |row: &str| {
            let all: Vec<String> = key.iter().chain(&own).map(|name| format!("{row}.{name}")).collect();
            all.join(", ")
        };
        let news: Vec<String> = own.iter().map(|name| format!("NEW.{name}")).collect();
        let list: Vec<String> = link.columns.iter().map(|(_, source)| format!("s.{}", quote_ident(source))).collect();
        let (into, list) = (news.join(", "), list.join(", "));
        let read = if link.is_beside_shards(server) {
            // By way of Citus a lock on a row of a reference table is one on the table, on one node for all.
            let target = (link.key.target)().primary_key;
            let same: Vec<String> = target
                .iter()
                .enumerate()
                .map(|(nth, name)| format!("s.{} = ${}", quote_ident(name), nth + 1))
                .collect();
            let select =
                template(&format!("SELECT {list} FROM "), &format!(" s WHERE {} FOR SHARE", same.join(" AND ")));
            let using: Vec<String> = key.iter().map(|name| format!("NEW.{name}")).collect();
            format!(
                "        EXECUTE (SELECT format({}, {}) FROM pg_dist_shard d WHERE d.logicalrelid = {}::regclass)\n            \
                 INTO {into} USING {};\n",
                literal(&select),
                shard_name(&link.source_schema, "d"),
                literal(&link.source),
                using.join(", ")
            )
        } else {
            let same = self.joined(link, "NEW", "s");
            format!("        SELECT {list} INTO {into} FROM {} s WHERE {same} FOR SHARE;\n", link.source)
        };
        let none: String = news.iter().map(|name| format!("        {name} := NULL;\n")).collect();
        format!(
            "    IF TG_OP = 'UPDATE' AND ({old}) IS NOT DISTINCT FROM ({new}) THEN\n        NULL;\n    \
             ELSIF NEW.{through} IS NULL THEN\n{none}    ELSE\n{read}        \
             GET DIAGNOSTICS shardwise_rows = ROW_COUNT;\n        \
             IF shardwise_rows = 0 THEN\n            \
             RAISE EXCEPTION {message} USING ERRCODE = 'foreign_key_violation', TABLE = {table}, SCHEMA = {schema}, CONSTRAINT = {name};\n        \
             END IF;\n    END IF;\n",
            old = of_row("OLD"),
            new = of_row("NEW"),
            through = quote_ident(link.key.column),
            message = literal(&format!("{} points at no row of {}", self.at, link.source).replace('%', "%%")),
            table = literal(self.table.name),
            schema = literal(&self.schema),
            name = literal(&names::foreign_key(self.table, link.key)),
        )
    }

    /// Who changes the row that others point at changes those. A new one may have taken the place of one that was deleted by the same
    /// statement, or had another key before.
    fn source_piece(&self, link: &Link<'_>, server: Server) -> Piece {
        let trigger = self.trigger(link.key.column);
        let function = names::object(&format!("{}_{}", self.table.name, link.key.column), "followed");
        let create_trigger = format!(
            "CREATE TRIGGER {} AFTER INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {}()",
            quote_ident(&trigger),
            link.source,
            quote_qualified(Some(&self.schema), &function)
        );
        let on = (link.source_schema.clone(), (link.key.target)().name.to_owned());
        let body = self.source_body(link, server);
        Piece { on, trigger, function, create_trigger, body }
    }

    fn source_body(&self, link: &Link<'_>, server: Server) -> String {
        let pass_on = if link.is_beside_shards(server) { self.on_own_shards(link) } else { self.on_table(link) };
        let refusal = format!(
            "shardwise: what {} has of {} can only be changed by a transaction that is READ COMMITTED: another one does not see all \
             rows that have it",
            self.at, link.source
        );
        let seen = |row: &str| {
            let names = (link.key.target)().primary_key.iter().copied();
            let all = names.chain(link.columns.iter().map(|(_, source)| *source));
            all.map(|name| format!("{row}.{}", quote_ident(name))).collect::<Vec<_>>().join(", ")
        };
        format!(
            "\n#variable_conflict use_column\nDECLARE\n    shardwise_shard text;\nBEGIN\n    \
             IF TG_OP = 'UPDATE' THEN\n        \
             IF ({}) IS NOT DISTINCT FROM ({}) THEN\n            RETURN NULL;\n        END IF;\n        \
             IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN\n            \
             RAISE EXCEPTION {} USING ERRCODE = 'feature_not_supported';\n        END IF;\n    \
             END IF;\n{pass_on}    RETURN NULL;\nEND\n",
            seen("OLD"),
            seen("NEW"),
            literal(&refusal.replace('%', "%%"))
        )
    }

    fn on_table(&self, link: &Link<'_>) -> String {
        let own: Vec<String> = link.columns.iter().map(|(column, _)| quote_ident(column.name)).collect();
        let new: Vec<String> = link.columns.iter().map(|(_, source)| format!("NEW.{}", quote_ident(source))).collect();
        let set: Vec<String> = own.iter().zip(&new).map(|(own, new)| format!("{own} = {new}")).collect();
        let differs: Vec<String> =
            own.iter().zip(&new).map(|(own, new)| format!("c.{own} IS DISTINCT FROM {new}")).collect();
        let (at, condition) = (&self.at, format!("{} AND ({})", self.joined(link, "c", "NEW"), differs.join(" OR ")));
        format!(
            "    PERFORM 1 FROM {at} c WHERE {condition} ORDER BY {} FOR NO KEY UPDATE;\n    \
             UPDATE {at} c SET {} WHERE {condition};\n",
            self.key_order(),
            set.join(", "),
        )
    }

    /// A change of a reference table is made on each node, and each sees to the shards that it has. Those who move shards wait.
    fn on_own_shards(&self, link: &Link<'_>) -> String {
        let own: Vec<String> = link.columns.iter().map(|(column, _)| quote_ident(column.name)).collect();
        let (count, keys) = (own.len(), (link.key.target)().primary_key);
        let set: Vec<String> = own.iter().enumerate().map(|(nth, own)| format!("{own} = ${}", nth + 1)).collect();
        let differs: Vec<String> =
            own.iter().enumerate().map(|(nth, own)| format!("c.{own} IS DISTINCT FROM ${}", nth + 1)).collect();
        let same: Vec<String> = link
            .key
            .columns(self.table)
            .iter()
            .enumerate()
            .map(|(nth, own)| format!("c.{} = ${}", quote_ident(own), count + nth + 1))
            .collect();
        let condition = format!("{} AND ({})", same.join(" AND "), differs.join(" OR "));
        let lock = template(
            "SELECT 1 FROM ",
            &format!(" c WHERE {condition} ORDER BY {} FOR NO KEY UPDATE", self.key_order()),
        );
        let update = template("UPDATE ", &format!(" c SET {} WHERE {condition}", set.join(", ")));
        let values: Vec<String> = link
            .columns
            .iter()
            .map(|(_, source)| *source)
            .chain(keys.iter().copied())
            .map(|name| format!("NEW.{}", quote_ident(name)))
            .collect();
        let at = literal(&self.at);
        // Of a tenant's own row it is one shard.
        let of_tenant = match (self.table.distribution_column(), keys) {
            (Some(column), [key]) if column == link.key.column => {
                format!(" AND d.shardid = get_shard_id_for_distribution_column({at}, NEW.{})", quote_ident(key))
            }
            _ => String::new(),
        };
        format!(
            "    PERFORM lock_shard_metadata(5, array_agg(d.shardid ORDER BY d.shardid))\n        \
             FROM pg_dist_shard d WHERE d.logicalrelid = {at}::regclass{of_tenant};\n    \
             FOR shardwise_shard IN\n        SELECT {} FROM pg_dist_shard d JOIN pg_dist_placement p USING (shardid)\n        \
             WHERE d.logicalrelid = {at}::regclass AND p.groupid = (SELECT groupid FROM pg_dist_local_group){of_tenant}\n        \
             ORDER BY d.shardid\n    LOOP\n        EXECUTE format({}, shardwise_shard) USING {values};\n        \
             EXECUTE format({}, shardwise_shard) USING {values};\n    END LOOP;\n",
            shard_name(&self.schema, "d"),
            literal(&lock),
            literal(&update),
            values = values.join(", ")
        )
    }

    /// Rows are locked in one order by all who change what they follow: those don't wait for each other in a circle. It is the same
    /// when the table gets partitions.
    fn key_order(&self) -> String {
        let key = self.table.distribution_column().into_iter().chain(self.table.key.iter().copied());
        key.map(|name| format!("c.{}", quote_ident(name))).collect::<Vec<_>>().join(", ")
    }

    fn trigger(&self, label: &str) -> String {
        names::object(&format!("{TRIGGERS}{}_{}_{label}", self.schema, self.table.name), "denormalized")
    }
}

/// The name of a shard as SQL text: Citus leaves `public` out.
fn shard_name(schema: &str, shard: &str) -> String {
    let name = format!("shard_name({shard}.logicalrelid, {shard}.shardid)");
    if schema == "public" { format!("'public.' || {name}") } else { name }
}

/// A template of `format()`, with a table between these texts.
fn template(before: &str, behind: &str) -> String {
    format!("{}%s{}", before.replace('%', "%%"), behind.replace('%', "%%"))
}
