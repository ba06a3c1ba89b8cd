//! How a source is held to the tenant, and how it is not quite.

use super::{Generator, Scope, Source};

/// In so many of a hundred places the key is held wrongly.
const CARELESS: usize = 14;

impl Generator {
    /// A condition for a source's key: by another source's that is in reach, by one of a query around, or by the parameter.
    pub(super) fn key_condition(
        &mut self,
        source: &Source,
        neighbours: &[Source],
        scope: &Scope<'_>,
    ) -> Option<String> {
        let own = source.key()?;
        if self.random.percent(CARELESS) {
            return self.careless_condition(&own, source);
        }
        let near: Vec<String> = neighbours.iter().filter_map(Source::key).filter(|key| *key != own).collect();
        if !near.is_empty() && self.random.percent(60) {
            let other = self.random.pick(&near).clone();
            return Some(self.equal(&own, &other));
        }
        let around = scope.outer_keys();
        if !around.is_empty() && self.random.percent(50) {
            let other = self.random.pick(&around).clone();
            return Some(self.equal(&own, &other));
        }
        Some(self.held(&own, source))
    }

    fn equal(&mut self, one: &str, other: &str) -> String {
        match self.random.below(8) {
            0 => format!("{other} OPERATOR(pg_catalog.=) {one}"),
            1 => format!("({other}) = {one}"),
            2 | 3 => format!("{other} = {one}"),
            _ => format!("{one} = {other}"),
        }
    }

    /// Held to the parameter, in one of the ways that are right.
    pub(super) fn held(&mut self, own: &str, source: &Source) -> String {
        let param = self.param().to_owned();
        match self.random.below(12) {
            0 => format!("{param} = {own}"),
            1 => format!("({own} = {param})"),
            2 => format!("{own} IN ({param})"),
            3 => format!("({own}, 1) = ({param}, 1)"),
            4 => {
                let name = &source.columns[self.random.below(source.columns.len())].name;
                format!("ROW({own}, {name}) = ROW({param}, {name})", name = source.column(name))
            }
            // Where it is not clear whose it is, the server refuses it.
            6 if own.ends_with(".festival_id") => format!("festival_id = {param}"),
            5 => format!("{own} /* the tenant's */ = -- and nobody else's\n {param}"),
            _ => format!("{own} = {param}"),
        }
    }

    pub(super) fn param(&mut self) -> &'static str {
        self.random.pick_text(&[
            ":festival_id",
            ":festival_id",
            ":festival_id",
            ":festival_id::uuid",
            "CAST(:festival_id AS uuid)",
            "(:festival_id)",
        ])
    }

    fn careless_condition(&mut self, own: &str, source: &Source) -> Option<String> {
        let other_column = source.columns[self.random.below(source.columns.len())].name.clone();
        let other_column = source.column(&other_column);
        Some(match self.random.below(27) {
            0 | 1 => return None,
            2 => format!("{own} = :other"),
            3 => format!("({own} = :festival_id OR {other_column} IS NOT NULL)"),
            4 => format!("{own} = :festival_id OR {other_column} IS NULL"),
            5 => format!("NOT {own} <> :festival_id"),
            6 => format!("{own} <> :festival_id"),
            7 => format!("{own} IN (:festival_id, :other)"),
            8 => format!("{own} = ANY(ARRAY[:festival_id, :other]::uuid[])"),
            9 => format!("{own} = {own}"),
            10 => format!("{own} IS NOT DISTINCT FROM :festival_id"),
            11 => format!("{own} = coalesce(nullif(:festival_id, :festival_id), {own})"),
            12 => format!("CASE WHEN {other_column} IS NULL THEN {own} = :festival_id ELSE true END"),
            13 => format!("{own}::text >= :festival_id::text"),
            14 => format!("left({own}::text, 1) <> left(:festival_id::text, 1)"),
            15 => format!("({own} = :festival_id) IS NOT TRUE"),
            16 => format!("{own} IN (SELECT id FROM festivals)"),
            17 => format!("({own}, {other_column}) >= (:festival_id, {other_column})"),
            18 => ":festival_id = :festival_id".to_owned(),
            19 => format!("{other_column} = {other_column} /* AND {own} = :festival_id */"),
            20 => format!("{own} = (SELECT max(f.id::text)::uuid FROM festivals f)"),
            21 => format!("{own} = :festival_id::text::uuid"),
            22 => format!("festival_id = :festival_id AND {own} IS NOT NULL"),
            23 => format!("NOT EXISTS (SELECT 1 FROM festivals f WHERE f.id = :festival_id AND {own} = :festival_id)"),
            24 => format!("(SELECT count(*) FROM festivals f WHERE f.id = :festival_id AND {own} = f.id) < 5"),
            25 => format!("{own} = {}", self.foreign_key()),
            _ => format!("EXISTS (SELECT 1 FROM festivals f WHERE f.id = {own})"),
        })
    }

    /// A value of the key's type that is the other tenant's key, or may be.
    pub(super) fn foreign_key(&mut self) -> &'static str {
        self.random.pick_text(&[
            ":other::uuid",
            "(SELECT f.id FROM festivals f WHERE f.id <> :festival_id)",
            "(SELECT (:row::jsonb ->> 'festival_id')::uuid AS festival_id)",
            "(SELECT :other::uuid AS festival_id)",
            "coalesce(:other, :festival_id)",
        ])
    }
}
