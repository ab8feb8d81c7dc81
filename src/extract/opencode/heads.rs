//! The small tables: sessions, todos, projects.
//!
//! Input: an open source and its sessions' generations. Output: their signatures and the directories that sessions recorded
//! ([`scan`]), and the rows of all or of some sessions as record batches ([`extract`]).

use super::intake::{UNDATED, finish};
use super::partition::{Owners, UNKNOWN, text_key};
use super::reader::orphan;
use super::rows::integer;
use super::signature::Hasher;
use super::sqlite::Source;
use super::state::{Dirty, Held, Key, SessionState, States};
use crate::error::ExtractError;
use crate::store::batch::Batch;
use crate::store::manifest::DirectoryEntry;
use crate::store::schema::{self, Kind, Origin, TableDef};
use arrow::array::RecordBatch;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What a look over the small tables tells.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// Rows by table of the source.
    pub rows_read: BTreeMap<String, u64>,
    /// OpenCode version of the newest session.
    pub version: Option<String>,
    /// Directories of sessions.
    pub directories: Vec<DirectoryEntry>,
}

/// Rows of the small tables.
#[derive(Debug, Default)]
pub(super) struct Extracted {
    /// With their partition.
    pub records: Vec<(&'static TableDef, String, RecordBatch)>,
    /// Sessions, with their `time_updated`.
    pub sessions: HashMap<Key, i64>,
    /// Sessions that have todos.
    pub todo_sessions: HashSet<Key>,
    /// Ids of projects, with their `time_updated`.
    pub projects: HashMap<String, i64>,
    /// Rows.
    pub count: u64,
}

fn session_columns() -> Vec<&'static str> {
    let mut columns = source_columns(&schema::SESSION);
    columns.extend(["fork_session_id", "fork_boundary", "idle_outcome"]);
    columns
}

fn select(source: &Source, table: &str, columns: &[&'static str]) -> String {
    format!("select rowid, {} from \"{table}\"", source.select_list(table, columns))
}

/// Adds up the signatures of sessions, todos and projects, and notes what the manifest says of them.
///
/// # Errors
/// The source cannot be read.
pub(super) fn scan(source: &Source, owners: &Owners, states: &mut States) -> Result<Heads, ExtractError> {
    let mut heads = Heads::default();
    let mut hasher = Hasher::default();
    let mut newest = (i64::MIN, None);
    let mut directories = BTreeSet::new();
    for (id, owner) in owners.iter() {
        let week = &owners.partitions[owner.partition as usize];
        states.entry(id, || SessionState::new(Held::In(owner.generation), week));
    }
    let hash = |hasher: &mut Hasher, tag: u8, row: &Row<'_>, from: usize| -> Result<u128, rusqlite::Error> {
        hasher.begin(tag);
        for index in from..row.as_ref().column_count() {
            hasher.value(row.get_ref(index)?);
        }
        Ok(hasher.end())
    };
    for generation in source.generations() {
        let columns = session_columns();
        let at = |name: &str| columns.iter().position(|column| *column == name).map_or(0, |index| index + 1);
        let (created, version, project, directory) =
            (at("time_created"), at("version"), at("project_id"), at("directory"));
        let table = generation.session_table();
        let count = source.each(table, &select(source, table, &columns), |row| {
            let key = text_key(row.get_ref(1)?).unwrap_or_default();
            if owners.get(key).is_some_and(|owner| owner.generation != generation) {
                return Ok(());
            }
            let hash = hash(&mut hasher, 16 + generation as u8, row, 0)?;
            let state = states.entry(key, || orphan(owners, key));
            state.head = state.head.wrapping_add(hash);
            let text = |index: usize| row.get_ref(index).ok().and_then(|value| value.as_str().ok().map(str::to_owned));
            let moment = integer(row.get_ref(created)?).unwrap_or(i64::MIN);
            if moment >= newest.0
                && let Some(version) = text(version)
            {
                newest = (moment, Some(version));
            }
            directories.extend(
                text(directory).filter(|directory| !directory.is_empty()).map(|directory| (text(project), directory)),
            );
            Ok(())
        })?;
        heads.rows_read.insert(table.to_owned(), count);
    }
    if source.columns.contains_key("todo") {
        let sql = select(source, "todo", &source_columns(&schema::TODO));
        let count = source.each("todo", &sql, |row| {
            let hash = hash(&mut hasher, 18, row, 1)?;
            let key = text_key(row.get_ref(1)?).unwrap_or_default();
            let state = states.entry(key, || orphan(owners, key));
            state.head = state.head.wrapping_add(hash);
            Ok(())
        })?;
        heads.rows_read.insert("todo".to_owned(), count);
    }
    let mut worktrees: HashMap<String, String> = HashMap::new();
    if source.columns.contains_key("project") {
        let columns = source_columns(&schema::PROJECT);
        let worktree = columns.iter().position(|column| *column == "worktree").map_or(0, |index| index + 1);
        let count = source.each("project", &select(source, "project", &columns), |row| {
            let key = text_key(row.get_ref(1)?);
            if key.is_none() {
                // It goes to the quarantine with the rows that belong to no session.
                let hash = hash(&mut hasher, 20, row, 0)?;
                let state = states.entry(b"", || orphan(owners, b""));
                state.head = state.head.wrapping_add(hash);
                return Ok(());
            }
            states.projects = states.projects.wrapping_add(hash(&mut hasher, 19, row, 1)?);
            if let (Ok(id), Ok(worktree)) = (row.get_ref(1)?.as_str(), row.get_ref(worktree)?.as_str()) {
                worktrees.insert(id.to_owned(), worktree.to_owned());
            }
            Ok(())
        })?;
        heads.rows_read.insert("project".to_owned(), count);
    }
    heads.version = newest.1;
    heads.directories = directories
        .into_iter()
        .map(|(project_id, directory)| {
            let worktree = project_id.as_ref().and_then(|id| worktrees.get(id)).cloned();
            DirectoryEntry { project_id, worktree, directory }
        })
        .collect();
    Ok(heads)
}

/// A cell, owned.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Null,
    Int(i64),
    Float(f64),
    Text(String),
}

impl Value {
    fn read(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Int(number),
            ValueRef::Real(number) => Self::Float(number),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Float(number) => integer(ValueRef::Real(*number)),
            _ => None,
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "costs are small numbers")]
    fn float(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

/// Values of a row by column name.
type Record = HashMap<&'static str, Value>;

fn record(row: &Row<'_>, columns: &[&'static str]) -> Result<Record, rusqlite::Error> {
    let mut record = Record::with_capacity(columns.len() + 4);
    record.insert("source_row", Value::read(row.get_ref(0)?));
    for (index, column) in columns.iter().enumerate() {
        record.insert(column, Value::read(row.get_ref(index + 1)?));
    }
    Ok(record)
}

fn updated_at(record: &Record) -> i64 {
    record.get("time_updated").and_then(Value::int).unwrap_or(UNDATED)
}

/// Writes one row: each column from the record by its name, NULL where the record has none.
fn write(batch: &mut Batch, table: &TableDef, record: &Record) {
    let mut row = batch.row();
    for column in table.columns.iter().filter(|column| column.origin != Origin::Path) {
        let value = record.get(column.name).unwrap_or(&Value::Null);
        match column.kind {
            Kind::Text => match value {
                Value::Int(number) => row.text(Some(&number.to_string())),
                _ => row.text(value.text()),
            },
            Kind::Int => row.int(value.int()),
            Kind::Float => row.float(value.float()),
            Kind::Bool => row.bool(value.int().map(|number| number != 0)),
        };
    }
}

fn source_columns(table: &TableDef) -> Vec<&'static str> {
    table
        .columns
        .iter()
        .filter(|column| matches!(column.origin, Origin::Source | Origin::Content))
        .map(|column| column.name)
        .collect()
}

fn decode_session(record: &mut Record) {
    let json = |value: Option<&Value>| -> Option<serde_json::Value> { serde_json::from_str(value?.text()?).ok() };
    let field = |value: &serde_json::Value, key: &str| match value.get(key) {
        Some(serde_json::Value::String(text)) if !text.is_empty() => Value::Text(text.clone()),
        _ => Value::Null,
    };
    if let Some(model) = json(record.get("model")) {
        let id = match field(&model, "id") {
            Value::Null => field(&model, "modelID"),
            id => id,
        };
        record.insert("model_id", id);
        record.insert("provider_id", field(&model, "providerID"));
    }
    if let Some(revert) = json(record.get("revert")) {
        record.insert("revert_message_id", field(&revert, "messageID"));
        record.insert("revert_part_id", field(&revert, "partID"));
    }
    // The boundary is an object in the published code and a bare id elsewhere.
    if let Some(boundary) = json(record.get("fork_boundary"))
        && let Value::Text(id) = field(&boundary, "messageID")
    {
        record.insert("fork_boundary", Value::Text(id));
    }
}

/// Batches under construction, by partition.
struct Batches {
    content: bool,
    batches: BTreeMap<(&'static str, String), Batch>,
}

impl Batches {
    fn of(&mut self, table: &'static TableDef, partition: &str) -> &mut Batch {
        let content = self.content;
        self.batches.entry((table.name, partition.to_owned())).or_insert_with(|| Batch::new(table, content, 16))
    }
}

/// Reads sessions, todos and projects: all of them, or those that changed.
///
/// # Errors
/// The source cannot be read.
pub(super) fn extract(
    source: &Source,
    owners: &Owners,
    dirty: Option<&Dirty>,
    content: bool,
) -> Result<Extracted, ExtractError> {
    let mut extracted = Extracted::default();
    let mut batches = Batches { content, batches: BTreeMap::new() };
    let is_wanted = |key: &[u8]| dirty.is_none_or(|dirty| dirty.heads.contains(key));
    let week_of =
        |key: &[u8]| owners.get(key).map_or(UNKNOWN, |owner| owners.partitions[owner.partition as usize].as_str());
    for generation in source.generations() {
        let (table, columns) = (generation.session_table(), session_columns());
        source.each(table, &select(source, table, &columns), |row| {
            let key = text_key(row.get_ref(1)?);
            if !is_wanted(key.unwrap_or_default()) {
                return Ok(());
            }
            let Some(key) = key else {
                quarantine(batches.of(&schema::QUARANTINE, UNKNOWN), table, &record(row, &columns)?);
                return Ok(());
            };
            if owners.get(key).is_some_and(|owner| owner.generation == generation) {
                let mut record = record(row, &columns)?;
                decode_session(&mut record);
                record.insert("generation", Value::Text(generation.name().to_owned()));
                write(batches.of(&schema::SESSION, week_of(key)), &schema::SESSION, &record);
                extracted.sessions.insert(key.into(), updated_at(&record));
                extracted.count += 1;
            }
            Ok(())
        })?;
    }
    if source.columns.contains_key("todo") {
        let columns = source_columns(&schema::TODO);
        source.each("todo", &select(source, "todo", &columns), |row| {
            let key = text_key(row.get_ref(1)?).unwrap_or_default();
            if is_wanted(key) {
                write(batches.of(&schema::TODO, week_of(key)), &schema::TODO, &record(row, &columns)?);
                extracted.todo_sessions.insert(key.into());
                extracted.count += 1;
            }
            Ok(())
        })?;
    }
    let (projects, nameless) = (dirty.is_none_or(|dirty| dirty.projects), is_wanted(b""));
    if source.columns.contains_key("project") && (projects || nameless) {
        let columns = source_columns(&schema::PROJECT);
        source.each("project", &select(source, "project", &columns), |row| {
            let record = record(row, &columns)?;
            match text_key(row.get_ref(1)?).and_then(|_| record.get("id")).and_then(Value::text) {
                Some(id) if projects => {
                    extracted.projects.insert(id.to_owned(), updated_at(&record));
                    write(batches.of(&schema::PROJECT, "all"), &schema::PROJECT, &record);
                    extracted.count += 1;
                }
                None if nameless => quarantine(batches.of(&schema::QUARANTINE, UNKNOWN), "project", &record),
                _ => {}
            }
            Ok(())
        })?;
    }
    for ((_, partition), batch) in batches.batches {
        let table = batch.table();
        extracted.records.push((table, partition, finish(batch)?));
    }
    Ok(extracted)
}

/// A session or project that has no id that could be stored.
fn quarantine(batch: &mut Batch, table: &str, record: &Record) {
    let row_id = record.get("source_row").and_then(Value::int).unwrap_or_default();
    batch
        .row()
        .text(Some(table))
        .text(Some(&format!("rowid {row_id}")))
        .text(None)
        .text(Some("id is not text"))
        .int(record.get("time_created").and_then(Value::int))
        .text(None);
}
