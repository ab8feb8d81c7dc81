//! What differs between two states of a store: rows of each table, and sessions.
//!
//! Input: two stores with their manifests. Output: tables. Files that both states share are equal and are not read.

use super::duck::Duck;
use super::table::Table;
use super::union::gathered;
use crate::error::EngineError;
use crate::store::Store;
use crate::store::manifest::Manifest;
use crate::store::schema::{Origin, SESSION_STATE, TABLES, TableDef};
use std::collections::HashSet;

/// One state.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The store.
    pub store: &'a Store,
    /// Its manifest.
    pub manifest: &'a Manifest,
}

/// Rows of a table that came, went or are not what they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows of the first state.
    pub before: u64,
    /// Rows of the second.
    pub after: u64,
    /// Only in the second.
    pub added: i64,
    /// Only in the first.
    pub removed: i64,
    /// In both, with other values.
    pub changed: i64,
}

/// Columns that name a row, where a table has no `id`.
fn key(table: &TableDef) -> Vec<&'static str> {
    let known: &[&str] = match table.name {
        "todo" => &["session_id", "position"],
        "quarantine" => &["table_name", "row_id"],
        "skill" => &["path", "project_id", "directory"],
        _ => &["id"],
    };
    let mut key: Vec<&'static str> =
        table.columns.iter().map(|column| column.name).filter(|name| known.contains(name)).collect();
    if key.is_empty() {
        key.extend(table.columns.iter().map(|column| column.name));
    }
    key
}

/// Columns that make up a row's value: what both states keep. When a row was last seen is no change of the row.
fn compared(table: &TableDef, before: Side<'_>, after: Side<'_>) -> Vec<&'static str> {
    let content = before.manifest.has_content && after.manifest.has_content;
    let same_schema = before.manifest.schema_version == after.manifest.schema_version;
    table
        .columns
        .iter()
        .filter(|column| match column.origin {
            Origin::Source => true,
            Origin::Content => content,
            Origin::Path => false,
            Origin::Decoded => same_schema && !["source_row", "last_seen_at"].contains(&column.name),
        })
        .map(|column| column.name)
        .collect()
}

fn session_column(table: &TableDef) -> Option<&'static str> {
    if table.name == "session" {
        return Some("id");
    }
    table.position("session_id").map(|_| "session_id")
}

fn list(columns: &[&str]) -> String {
    columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
}

/// The rows of a side's files that the other side has not.
fn own_rows(table: &TableDef, side: Side<'_>, other: Side<'_>) -> Result<String, EngineError> {
    let shared: HashSet<&str> = other
        .manifest
        .tables
        .get(table.name)
        .map(|table| table.files.iter().map(|file| file.sha256.as_str()).collect())
        .unwrap_or_default();
    gathered(side.store, side.manifest, table, |file| !shared.contains(file.sha256.as_str()))
}

/// Tables that say something of the sources.
fn compared_tables() -> impl Iterator<Item = &'static TableDef> {
    TABLES.iter().copied().filter(|table| table.name != SESSION_STATE.name)
}

/// Compares every table; leaves `delta_<table>` in the database for [`sessions`].
///
/// # Errors
/// A file cannot be read.
pub fn rows(duck: &Duck, before: Side<'_>, after: Side<'_>) -> Result<Vec<(&'static str, RowCounts)>, EngineError> {
    let mut counts = Vec::new();
    for table in compared_tables() {
        let (key, state) = (list(&key(table)), list(&compared(table, before, after)));
        let session =
            session_column(table).map_or_else(|| "null".to_owned(), |column| format!("any_value(\"{column}\")"));
        let grouped = |rows: &str| {
            format!(
                "select hash({key}) as row_key, cast({session} as varchar) as session_id, bit_xor(hash({state})) as state, \
                 count(*) as row_count from ({rows}) group by row_key"
            )
        };
        let sql = format!(
            "create or replace temp table \"delta_{}\" as
            with old_rows as ({}), new_rows as ({})
            select
                coalesce(new_rows.session_id, old_rows.session_id) as session_id,
                greatest(coalesce(new_rows.row_count, 0) - coalesce(old_rows.row_count, 0), 0) as added,
                greatest(coalesce(old_rows.row_count, 0) - coalesce(new_rows.row_count, 0), 0) as removed,
                cast(old_rows.row_count = new_rows.row_count as integer) as changed
            from old_rows
            full join new_rows using (row_key)
            where old_rows.state is distinct from new_rows.state or old_rows.row_count is distinct from new_rows.row_count",
            table.name,
            grouped(&own_rows(table, before, after)?),
            grouped(&own_rows(table, after, before)?),
        );
        duck.batch(table.name, &sql)?;
        let sums = duck.query(
            table.name,
            &format!(
                "select cast(coalesce(sum(added), 0) as bigint), cast(coalesce(sum(removed), 0) as bigint), \
                 cast(coalesce(sum(changed), 0) as bigint) from \"delta_{}\"",
                table.name
            ),
            &[],
        )?;
        let sum = |column: usize| sums.value(0, column).as_i64().unwrap_or_default();
        counts.push((
            table.name,
            RowCounts {
                before: before.manifest.rows(table.name),
                after: after.manifest.rows(table.name),
                added: sum(0),
                removed: sum(1),
                changed: sum(2),
            },
        ));
    }
    Ok(counts)
}

/// Sessions of which any row differs: `session_id, title, status, cost_before, cost_after, added, removed, changed`, where
/// the last three count rows of all tables. Costs are as recorded, copies made by forks included.
///
/// # Errors
/// A file cannot be read; [`rows`] was not asked before.
pub fn sessions(duck: &Duck, before: Side<'_>, after: Side<'_>) -> Result<Table, EngineError> {
    let mut deltas = Vec::new();
    let mut whole = Vec::new();
    for table in compared_tables() {
        if session_column(table).is_some() {
            deltas.push(format!("select * from \"delta_{}\"", table.name));
        }
        if ["session", "message"].contains(&table.name) {
            for (name, side) in [("before", before), ("after", after)] {
                let rows = gathered(side.store, side.manifest, table, |_| true)?;
                whole.push(format!("{name}_{} as ({rows})", table.name));
            }
        }
    }
    let sql = format!(
        "with {}, deltas as ({}),
        touched as (
            select
                session_id, cast(sum(added) as bigint) as added, cast(sum(removed) as bigint) as removed,
                cast(sum(coalesce(changed, 0)) as bigint) as changed
            from deltas
            where session_id is not null
            group by session_id
        ),
        old_sessions as (select id, max(title) as title from before_session group by id),
        new_sessions as (select id, max(title) as title from after_session group by id),
        old_costs as (select session_id, sum(cost) as cost from before_message semi join touched using (session_id) group by session_id),
        new_costs as (select session_id, sum(cost) as cost from after_message semi join touched using (session_id) group by session_id)
        select
            touched.session_id,
            coalesce(new_sessions.title, old_sessions.title) as title,
            case
                when old_sessions.id is null and new_sessions.id is not null then 'added'
                when new_sessions.id is null and old_sessions.id is not null then 'removed'
                else 'changed'
            end as status,
            old_costs.cost as cost_before, new_costs.cost as cost_after, added, removed, changed
        from touched
        left join old_sessions on old_sessions.id = touched.session_id
        left join new_sessions on new_sessions.id = touched.session_id
        left join old_costs on old_costs.session_id = touched.session_id
        left join new_costs on new_costs.session_id = touched.session_id
        order by touched.session_id",
        whole.join(", "),
        deltas.join(" union all ")
    );
    duck.query("sessions", &sql, &[])
}
