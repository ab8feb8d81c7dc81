//! What differs between two states of a store: rows of each table, and sessions.
//!
//! Input: two stores with their manifests. Output: tables. Rows are compared as views show them: one that stands in two
//! sources is one row, in its newest state. Files that both states share are equal and are not read, where no row of
//! another file can win over theirs.

use super::Wanted;
use super::duck::Duck;
use super::table::Table;
use super::union::{Union, gathered};
use crate::error::EngineError;
use crate::store::Store;
use crate::store::manifest::{FileEntry, Manifest};
use crate::store::schema::{MESSAGE, Origin, PROJECT, SESSION, SESSION_STATE, SIGNAL, TABLES, TableDef};
use std::collections::HashSet;

/// One state.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The store.
    pub store: &'a Store,
    /// Its manifest, as far as it is looked at.
    pub manifest: &'a Manifest,
}

/// Rows of a table that came, went or are not what they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows of the first state.
    pub before: i64,
    /// Rows of the second.
    pub after: i64,
    /// Only in the second, only in the first, in both with other values; None where two schema versions cannot be compared.
    pub differing: Option<[i64; 3]>,
}

/// Names of the schemas in which each side's tables lie.
const SIDES: [&str; 2] = ["before", "after"];

/// Two states in one database, ready to be compared.
pub struct Comparison<'a> {
    duck: &'a Duck,
    sides: [Side<'a>; 2],
    unions: [Union<'a>; 2],
    /// A row of one source may win over one of another, in one of the states.
    is_united: bool,
}

/// Columns that name a row.
fn key(table: &TableDef) -> Vec<&'static str> {
    let known: &[&str] = match table.name {
        "todo" => &["session_id", "position"],
        "signal" => &["part_id", "position"],
        "quarantine" => &["table_name", "row_id"],
        "skill" => &["path", "project_id", "directory"],
        "route" => &["project_id", "era", "kind", "name"],
        "model_format" => &["project_id", "place"],
        "telemetry_total" => &["path", "kind", "subject", "format", "counter"],
        "telemetry_file" => &["path"],
        _ => &["id"],
    };
    table.columns.iter().map(|column| column.name).filter(|name| known.contains(name)).collect()
}

fn session_column(table: &TableDef) -> Option<&'static str> {
    if table.name == SESSION.name {
        return Some("id");
    }
    table.position("session_id").map(|_| "session_id")
}

fn list(columns: &[&str]) -> String {
    columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
}

/// Tables that say something of the sources.
fn compared_tables() -> impl Iterator<Item = &'static TableDef> {
    TABLES.iter().copied().filter(|table| table.name != SESSION_STATE.name)
}

fn number(duck: &Duck, file: &str, sql: &str) -> Result<i64, EngineError> {
    Ok(duck.query(file, sql, &[])?.value(0, 0).as_i64().unwrap_or_default())
}

/// What tells a file of a state, and all that its rows' fate depends on.
fn identity<'f>(side: Side<'f>, file: &'f FileEntry) -> (&'f str, &'f str, Option<i64>) {
    let source = file.source().and_then(|source| side.manifest.source(source));
    (&file.path, &file.sha256, source.and_then(|source| source.last_seen_at))
}

impl<'a> Comparison<'a> {
    /// Unites the sources of each side.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn new(duck: &'a Duck, before: Side<'a>, after: Side<'a>) -> Result<Self, EngineError> {
        let prepare = |name: &str, side: Side<'a>| -> Result<_, EngineError> {
            duck.batch("sources", &format!("create schema \"{name}\"; set schema = '{name}'"))?;
            let union = Union::prepare(duck, side.store, side.manifest, &Wanted::all(), None)?;
            let is_shared = "select count(*) from information_schema.tables
                 where table_schema = current_schema() and table_name = 'message_rank'";
            Ok((union, number(duck, "sources", is_shared)? > 0))
        };
        let [(old, is_old), (new, is_new)] = [prepare(SIDES[0], before)?, prepare(SIDES[1], after)?];
        Ok(Self { duck, sides: [before, after], unions: [old, new], is_united: is_old || is_new })
    }

    /// Columns that make up a row's value: what both states keep. When a row was last seen, and in which of two sources
    /// its newest state stands, is no change of the row; nor is what another version reads from it.
    fn compared(&self, table: &TableDef) -> Vec<&'static str> {
        let [before, after] = self.sides;
        let content = before.manifest.has_content && after.manifest.has_content;
        let kept = table.columns.iter().filter(|column| match column.origin {
            Origin::Source => true,
            Origin::Content => content,
            Origin::Path => false,
            Origin::Decoded => self.is_same_version() && !["source_row", "last_seen_at"].contains(&column.name),
        });
        kept.map(|column| column.name).collect()
    }

    fn is_same_version(&self) -> bool {
        self.sides[0].manifest.schema_version == self.sides[1].manifest.schema_version
    }

    /// The rows of a side, as far as they can differ from the other's.
    fn own_rows(&self, table: &TableDef, side: usize) -> Result<String, EngineError> {
        let is_several = self.sides.iter().any(|side| side.manifest.sources.len() > 1);
        let is_of_all = table.name == PROJECT.name || table.position("source").is_none();
        if self.is_united || (is_several && is_of_all) {
            return self.unions[side].sql(table);
        }
        let (own, other) = (self.sides[side], self.sides[1 - side]);
        let files = other.manifest.tables.get(table.name).into_iter().flat_map(|table| &table.files);
        let shared: HashSet<_> = files.map(|file| identity(other, file)).collect();
        gathered(own.store, own.manifest, table, |file| !shared.contains(&identity(own, file)))
    }

    /// Runs SQL among a side's own tables.
    fn on(&self, side: usize, file: &str, sql: &str) -> Result<(), EngineError> {
        self.duck.batch(file, &format!("set schema = '{}'; {sql}", SIDES[side]))
    }

    /// Compares every table; leaves `delta_<table>` in the database for [`Comparison::sessions`].
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn rows(&self) -> Result<Vec<(&'static str, RowCounts)>, EngineError> {
        let mut counts = Vec::new();
        for table in compared_tables() {
            let mut found = RowCounts::default();
            for (side, count) in [&mut found.before, &mut found.after].into_iter().enumerate() {
                self.on(side, table.name, "")?;
                *count = number(
                    self.duck,
                    table.name,
                    &format!("select count(*) from ({})", self.unions[side].sql(table)?),
                )?;
            }
            // Signals are what a version reads from parts: another reads others from the same.
            if self.is_same_version() || table.name != SIGNAL.name {
                found.differing = Some(self.differing(table)?);
            }
            counts.push((table.name, found));
        }
        Ok(counts)
    }

    fn differing(&self, table: &TableDef) -> Result<[i64; 3], EngineError> {
        let (name, key, compared) = (table.name, list(&key(table)), self.compared(table));
        let session =
            session_column(table).map_or_else(|| "null".to_owned(), |column| format!("any_value(\"{column}\")"));
        // Sums, since equal rows would take each other out of a `bit_xor`.
        let state = if compared.is_empty() { "0".to_owned() } else { format!("sum(hash({}))", list(&compared)) };
        for side in [0, 1] {
            let grouped = format!(
                "create or replace temp table \"{}_keys\" as
                 select hash({key}) as row_key, cast({session} as varchar) as session_id, {state} as state, count(*) as row_count
                 from ({}) group by row_key",
                SIDES[side],
                self.own_rows(table, side)?
            );
            self.on(side, name, &grouped)?;
        }
        self.duck.batch(
            name,
            &format!(
                "create or replace temp table \"delta_{name}\" as
                 select
                     coalesce(new_rows.session_id, old_rows.session_id) as session_id,
                     greatest(coalesce(new_rows.row_count, 0) - coalesce(old_rows.row_count, 0), 0) as added,
                     greatest(coalesce(old_rows.row_count, 0) - coalesce(new_rows.row_count, 0), 0) as removed,
                     coalesce(cast(old_rows.row_count = new_rows.row_count as integer), 0) as changed
                 from before_keys as old_rows
                 full join after_keys as new_rows using (row_key)
                 where old_rows.state is distinct from new_rows.state or old_rows.row_count is distinct from new_rows.row_count"
            ),
        )?;
        let sum = |column: &str| {
            number(self.duck, name, &format!("select cast(coalesce(sum({column}), 0) as bigint) from \"delta_{name}\""))
        };
        Ok([sum("added")?, sum("removed")?, sum("changed")?])
    }

    /// Sessions of which any row differs: `session_id, title, status, cost_before, cost_after, added, removed, changed`, where
    /// the last three count rows of all tables. Costs are as recorded, copies made by forks included.
    ///
    /// # Errors
    /// A file cannot be read; [`Comparison::rows`] was not asked before.
    pub fn sessions(&self) -> Result<Table, EngineError> {
        let has_delta = |table: &&TableDef| self.is_same_version() || table.name != SIGNAL.name;
        let deltas: Vec<String> = compared_tables()
            .filter(|table| session_column(table).is_some())
            .filter(has_delta)
            .map(|table| format!("select * from \"delta_{}\"", table.name))
            .collect();
        self.duck.batch(
            "sessions",
            &format!(
                "create or replace temp table touched as
                 select
                     session_id, cast(sum(added) as bigint) as added, cast(sum(removed) as bigint) as removed,
                     cast(sum(changed) as bigint) as changed
                 from ({})
                 where session_id is not null
                 group by session_id",
                deltas.join(" union all ")
            ),
        )?;
        for (side, name) in SIDES.iter().enumerate() {
            let (sessions, messages) = (self.unions[side].sql(&SESSION)?, self.unions[side].sql(&MESSAGE)?);
            let sql = format!(
                "create or replace temp table \"{name}_sessions\" as
                 with costs as (
                     select session_id, sum(cost) as cost from ({messages}) semi join touched using (session_id) group by session_id
                 )
                 select touched.session_id, sessions.id is not null as is_there, sessions.title, costs.cost
                 from touched
                 left join (select id, any_value(title) as title from ({sessions}) group by id) as sessions
                     on sessions.id = touched.session_id
                 left join costs on costs.session_id = touched.session_id"
            );
            self.on(side, "sessions", &sql)?;
        }
        self.duck.query(
            "sessions",
            "select
                touched.session_id,
                case when new_sessions.is_there then new_sessions.title else old_sessions.title end as title,
                case
                    when new_sessions.is_there and not old_sessions.is_there then 'added'
                    when old_sessions.is_there and not new_sessions.is_there then 'removed'
                    else 'changed'
                end as status,
                old_sessions.cost as cost_before, new_sessions.cost as cost_after, added, removed, changed
            from touched
            inner join before_sessions as old_sessions using (session_id)
            inner join after_sessions as new_sessions using (session_id)
            order by touched.session_id",
            &[],
        )
    }
}
