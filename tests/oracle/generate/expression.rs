//! Values and conditions over what is in reach. Nothing depends on chance or on the clock of the server: it has to be the same in
//! two worlds.

use super::{Generator, Scope, Wanted};
use crate::oracle::schema::Ty;

impl Generator {
    /// A column of this type, mostly under its table's name.
    pub(super) fn column_of(&mut self, ty: Ty, scope: &Scope<'_>) -> Option<String> {
        let mut level = scope;
        while level.sources.is_empty() || (level.outer.is_some() && self.random.percent(15)) {
            level = level.outer?;
        }
        let fitting: Vec<(usize, &str)> = (level.sources.iter().enumerate())
            .flat_map(|(at, source)| source.columns.iter().map(move |column| (at, column)))
            .filter(|(_, column)| column.ty == ty)
            .map(|(at, column)| (at, column.name.as_str()))
            .collect();
        if fitting.is_empty() {
            return None;
        }
        let (at, name) = *self.random.pick(&fitting);
        let owners =
            level.sources.iter().filter(|source| source.columns.iter().any(|column| column.name == name)).count();
        if owners == 1 && self.random.percent(25) {
            return Some(name.to_owned());
        }
        Some(level.sources[at].column(name))
    }

    pub(super) fn constant(&mut self, ty: Ty) -> String {
        let options: &[&str] = match ty {
            Ty::Uuid => &[":id", ":id::uuid", ":user_id", ":wallet_id", "'55555555-0000-4000-8000-000000000002'::uuid"],
            Ty::Int => &["0", "1", "1000010", "1000015", ":n::bigint", "-5", "42::bigint"],
            Ty::Small => &["201::smallint", "1::smallint"],
            Ty::Text => {
                &["'paid'", "'scanned'", "'payment'", "'it''s'", ":text::text", "'k1'", "$$refund$$", "'User 1'"]
            }
            Ty::Time => &[":at::timestamptz", "timestamptz '2020-01-01 00:00:00+00'"],
            Ty::Bytes => &["'\\x01'::bytea", "decode('02', 'hex')"],
        };
        (*self.random.pick(options)).to_owned()
    }

    pub(super) fn value(&mut self, ty: Ty, scope: &Scope<'_>, depth: usize) -> String {
        let roll = self.random.below(100);
        if roll < 87
            && let Some(column) = self.column_of(ty, scope)
        {
            return column;
        }
        if roll < 91 || depth == 0 {
            return self.constant(ty);
        }
        let depth = depth - 1;
        match self.random.below(6) {
            0 => {
                let (condition, one) = (self.condition(scope, depth), self.value(ty, scope, depth));
                format!("CASE WHEN {condition} THEN {one} ELSE {} END", self.value(ty, scope, depth))
            }
            1 => format!("coalesce({}, {})", self.value(ty, scope, depth), self.value(ty, scope, depth)),
            2 => format!("nullif({}, {})", self.value(ty, scope, depth), self.constant(ty)),
            3 => self.scalar_query(ty, scope, depth),
            _ => self.call(ty, scope, depth),
        }
    }

    fn call(&mut self, ty: Ty, scope: &Scope<'_>, depth: usize) -> String {
        let pick = self.random.below(4);
        match (ty, pick) {
            (Ty::Int, 0) => format!("({} + 1)", self.value(Ty::Int, scope, depth)),
            (Ty::Int, 1) => format!("length({})::bigint", self.value(Ty::Text, scope, depth)),
            (Ty::Int, 2) => format!("greatest({}, 5)", self.value(Ty::Int, scope, depth)),
            (Ty::Int, _) => format!("extract(day FROM {})::bigint", self.value(Ty::Time, scope, depth)),
            (Ty::Text, 0) => format!("upper({})", self.value(Ty::Text, scope, depth)),
            (Ty::Text, 1) => format!("({} || '-' || 'x')", self.value(Ty::Text, scope, depth)),
            (Ty::Text, 2) => format!("{}::text", self.value(Ty::Uuid, scope, depth)),
            (Ty::Text, _) => format!("md5({})", self.value(Ty::Text, scope, depth)),
            (Ty::Uuid, 0) => format!("({})::text::uuid", self.value(Ty::Uuid, scope, depth)),
            (Ty::Uuid, 1) => format!("(ARRAY[{}])[1]", self.value(Ty::Uuid, scope, depth)),
            (Ty::Uuid, _) => format!("CAST({} AS uuid)", self.value(Ty::Uuid, scope, depth)),
            (Ty::Time, 0) => format!("date_trunc('day', {}, 'UTC')", self.value(Ty::Time, scope, depth)),
            (Ty::Time, _) => format!("({} + interval '1 day')", self.value(Ty::Time, scope, depth)),
            (Ty::Small, _) => format!("({})::smallint", self.value(Ty::Small, scope, depth)),
            (Ty::Bytes, _) => format!("({} || '\\x00'::bytea)", self.value(Ty::Bytes, scope, depth)),
        }
    }

    /// A subquery that gives one value.
    fn scalar_query(&mut self, ty: Ty, scope: &Scope<'_>, depth: usize) -> String {
        let query = self.query(scope, depth, Wanted::Types(&[ty]));
        let name = self.alias("s");
        match (ty, self.random.below(3)) {
            (Ty::Int, 0) => format!("(SELECT count(*) FROM ({}) {name})", query.sql),
            (Ty::Int, _) => format!("(SELECT max({name}.c1) FROM ({}) {name}(c1))", query.sql),
            (Ty::Text, _) => {
                format!("(SELECT string_agg({name}.c1, ',' ORDER BY {name}.c1) FROM ({}) {name}(c1))", query.sql)
            }
            _ => format!("(SELECT {name}.c1 FROM ({}) {name}(c1) ORDER BY 1 LIMIT 1)", query.sql),
        }
    }

    /// Mostly a type that something here has: what compares nothing but constants tells nothing of rows.
    pub(super) fn type_in(&mut self, scope: &Scope<'_>) -> Ty {
        let all: Vec<Ty> =
            scope.sources.iter().flat_map(|source| source.columns.iter().map(|column| column.ty)).collect();
        if all.is_empty() || self.random.percent(8) { self.some_type() } else { *self.random.pick(&all) }
    }

    fn some_type(&mut self) -> Ty {
        *self.random.pick(&[Ty::Uuid, Ty::Uuid, Ty::Int, Ty::Int, Ty::Text, Ty::Text, Ty::Time, Ty::Small, Ty::Bytes])
    }

    pub(super) fn condition(&mut self, scope: &Scope<'_>, depth: usize) -> String {
        let ty = self.type_in(scope);
        if depth == 0 {
            return self.comparison(ty, scope, 0);
        }
        let depth = depth - 1;
        match self.random.below(18) {
            0 => format!("({} OR {})", self.condition(scope, depth), self.condition(scope, depth)),
            1 => format!("NOT ({})", self.condition(scope, depth)),
            2 => format!("({} AND {})", self.condition(scope, depth), self.condition(scope, depth)),
            3 | 4 => {
                let not = if self.random.percent(30) { "NOT " } else { "" };
                format!("{not}EXISTS ({})", self.query(scope, depth, Wanted::Types(&[ty])).sql)
            }
            5 => {
                let not = if self.random.percent(30) { "NOT " } else { "" };
                let value = self.value(ty, scope, depth);
                format!("{value} {not}IN ({})", self.query(scope, depth, Wanted::Types(&[ty])).sql)
            }
            6 => {
                let value = self.value(ty, scope, depth);
                format!("{value} = ANY ({})", self.query(scope, depth, Wanted::Types(&[ty])).sql)
            }
            7 => format!("{} = ANY(:ids::uuid[])", self.value(Ty::Uuid, scope, depth)),
            8 => format!("CASE WHEN {} THEN {} ELSE false END", self.condition(scope, 0), self.condition(scope, 0)),
            9 => format!("(:text::text IS NULL OR {})", self.comparison(ty, scope, depth)),
            _ => self.comparison(ty, scope, depth),
        }
    }

    fn comparison(&mut self, ty: Ty, scope: &Scope<'_>, depth: usize) -> String {
        let value = self.value(ty, scope, depth);
        match self.random.below(15) {
            0 => format!("{value} IS NULL"),
            1 | 2 | 11 => format!("{value} IS NOT NULL"),
            12 | 13 => format!("{value} >= {value}"),
            3 => format!("{value} IN ({}, {})", self.constant(ty), self.constant(ty)),
            4 => format!("{value} BETWEEN {} AND {}", self.constant(ty), self.value(ty, scope, depth)),
            5 => format!("{value} IS DISTINCT FROM {}", self.value(ty, scope, depth)),
            6 if ty == Ty::Text => format!("{value} LIKE '%a%'"),
            7 => {
                let other = self.value(ty, scope, depth);
                format!("({value}, 1) >= ({other}, 0)")
            }
            8 => format!("{value} = {}", self.value(ty, scope, depth)),
            9 => format!("{value} <= {}", self.value(ty, scope, depth)),
            10 => format!("{value} <> {}", self.constant(ty)),
            _ => format!("{value} >= {}", self.constant(ty)),
        }
    }
}
