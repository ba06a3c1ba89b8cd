//! Numbers that the new side gives from now on.

use tokio_postgres::types::Type;

use crate::admin::desk::Desk;
use crate::admin::wire::column;
use crate::error::Result;

/// Sets the sequences of the new side behind those of the same names on the old one, by as many numbers as the margin says. Returns how
/// many there are.
pub(super) async fn set(old: &Desk, new: &Desk, margin: u32) -> Result<usize> {
    // As far as nobody can have come yet, and no further than they go.
    const LAST: &str = "\
        SELECT schemaname::text, sequencename::text, CASE WHEN increment_by > 0 \
            THEN least(max_value::numeric, last_value::numeric + $1::int8 * increment_by::numeric) \
            ELSE greatest(min_value::numeric, last_value::numeric + $1::int8 * increment_by::numeric) END::int8 \
        FROM pg_catalog.pg_sequences WHERE last_value IS NOT NULL";
    let rows = old.query(LAST, &[(&i64::from(margin), Type::INT8)]).await?;
    let (mut schemas, mut names, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        schemas.push(column::<String>(row, 0)?);
        names.push(column::<String>(row, 1)?);
        values.push(column::<i64>(row, 2)?);
    }
    // `unnest` of several is the parser's own.
    const SET: &str = "\
        SELECT pg_catalog.setval(s.seqrelid::pg_catalog.regclass, wanted.value) \
        FROM unnest($1, $2, $3) AS wanted (schema, name, value) \
        JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema \
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name \
        JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid";
    let params = [(&schemas as _, Type::TEXT_ARRAY), (&names as _, Type::TEXT_ARRAY), (&values as _, Type::INT8_ARRAY)];
    Ok(new.query(SET, &params).await?.len())
}
