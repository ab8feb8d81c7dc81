//! The small tables: sessions, todos, projects.
//!
//! Input: open sources and the owners of sessions. Output: Parquet files, and the directories that sessions recorded.

use super::locate::Found;
use super::partition::{Generation, Owners};
use super::rows::integer;
use super::sqlite::{Source, explain};
use crate::error::ExtractError;
use crate::extract::catalog::RecordedDirectory;
use crate::store::batch::Batch;
use crate::store::manifest::FileEntry;
use crate::store::parquet;
use crate::store::schema::{self, Kind, TableDef};
use camino::Utf8Path;
use rusqlite::types::ValueRef;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the small tables gave.
#[derive(Debug, Default)]
pub(super) struct Small {
    /// Table and file.
    pub files: Vec<(&'static str, FileEntry)>,
    /// Rows read per source and table.
    pub rows_read: Vec<BTreeMap<String, u64>>,
    /// Newest OpenCode version per source.
    pub versions: Vec<Option<String>>,
    /// Directories of sessions.
    pub directories: Vec<RecordedDirectory>,
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

fn read_table(
    source: &Source,
    table: &'static str,
    columns: &[&'static str],
    mut each: impl FnMut(Record),
) -> Result<u64, ExtractError> {
    let explain = |error| explain(&source.path, Some(table), error);
    let sql = format!("select rowid, {} from \"{table}\" order by rowid", source.select_list(table, columns));
    let mut statement = source.connection.prepare(&sql).map_err(explain)?;
    let mut rows = statement.query([]).map_err(explain)?;
    let mut count = 0;
    while let Some(row) = rows.next().map_err(explain)? {
        count += 1;
        let mut record = Record::with_capacity(columns.len() + 4);
        record.insert("source_row", Value::read(row.get_ref(0).map_err(explain)?));
        for (index, column) in columns.iter().enumerate() {
            record.insert(column, Value::read(row.get_ref(index + 1).map_err(explain)?));
        }
        each(record);
    }
    Ok(count)
}

/// Writes one row: each column from the record by its name, NULL where the record has none.
fn write(batch: &mut Batch, table: &TableDef, record: &Record) {
    let mut row = batch.row();
    for column in table.columns {
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
    table.columns.iter().filter(|column| column.origin != schema::Origin::Decoded).map(|column| column.name).collect()
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

/// Reads sessions, todos and projects of all sources.
///
/// # Errors
/// A source cannot be read, or the store cannot be written.
pub(super) fn extract(
    found: &[Found],
    sources: &[Source],
    owners: &mut Owners,
    content: bool,
    incoming: &Utf8Path,
) -> Result<Small, ExtractError> {
    let mut small = Small::default();
    let mut sessions: BTreeMap<u32, Batch> = BTreeMap::new();
    let mut todos: BTreeMap<u32, Batch> = BTreeMap::new();
    let mut projects: BTreeMap<String, Record> = BTreeMap::new();
    let mut directories = BTreeSet::new();
    for (index, source) in sources.iter().enumerate() {
        let name = Value::Text(found[index].name.clone());
        let mut rows_read = BTreeMap::new();
        let mut newest: (i64, Option<String>) = (i64::MIN, None);
        for generation in [Generation::V1, Generation::V2] {
            let present = if generation == Generation::V1 { source.has_v1() } else { source.has_v2() };
            if !present {
                continue;
            }
            let mut columns = source_columns(&schema::SESSION);
            columns.extend(["fork_session_id", "fork_boundary", "idle_outcome"]);
            let count = read_table(source, generation.session_table(), &columns, |mut record| {
                let Some(id) = record.get("id").and_then(Value::text).map(str::to_owned) else { return };
                let Some(owner) = owners.get(id.as_bytes()) else { return };
                if (owner.source, owner.generation) != (index, generation) {
                    return;
                }
                let created = record.get("time_created").and_then(Value::int).unwrap_or(i64::MIN);
                if created >= newest.0
                    && let Some(version) = record.get("version").and_then(Value::text)
                {
                    newest = (created, Some(version.to_owned()));
                }
                if let Some(directory) = record.get("directory").and_then(Value::text).filter(|text| !text.is_empty()) {
                    let project = record.get("project_id").and_then(Value::text).map(str::to_owned);
                    directories.insert((project, directory.to_owned()));
                }
                decode_session(&mut record);
                record.insert("generation", Value::Text(generation.name().to_owned()));
                record.insert("source", name.clone());
                let batch =
                    sessions.entry(owner.partition).or_insert_with(|| Batch::new(&schema::SESSION, content, 16));
                write(batch, &schema::SESSION, &record);
            })?;
            rows_read.insert(generation.session_table().to_owned(), count);
        }
        if source.columns.contains_key("todo") {
            let count = read_table(source, "todo", &source_columns(&schema::TODO), |mut record| {
                let owner = record.get("session_id").and_then(Value::text).and_then(|id| owners.get(id.as_bytes()));
                if owner.is_some_and(|owner| owner.source != index) {
                    return;
                }
                record.insert("source", name.clone());
                let partition = owner.map_or(0, |owner| owner.partition);
                let batch = todos.entry(partition).or_insert_with(|| Batch::new(&schema::TODO, content, 16));
                write(batch, &schema::TODO, &record);
            })?;
            rows_read.insert("todo".to_owned(), count);
        }
        if source.columns.contains_key("project") {
            let count = read_table(source, "project", &source_columns(&schema::PROJECT), |mut record| {
                let Some(id) = record.get("id").and_then(Value::text).map(str::to_owned) else { return };
                record.insert("source", name.clone());
                let updated = |record: &Record| record.get("time_updated").and_then(Value::int).unwrap_or(i64::MIN);
                if projects.get(&id).is_none_or(|known| updated(known) < updated(&record)) {
                    projects.insert(id, record);
                }
            })?;
            rows_read.insert("project".to_owned(), count);
        }
        small.rows_read.push(rows_read);
        small.versions.push(newest.1);
    }
    small.directories = directories
        .into_iter()
        .map(|(project_id, directory)| {
            let project = project_id.as_ref().and_then(|id| projects.get(id));
            let worktree = project.and_then(|record| record.get("worktree")).and_then(Value::text).map(str::to_owned);
            RecordedDirectory { project_id, worktree, directory }
        })
        .collect();
    let mut project_batch = Batch::new(&schema::PROJECT, content, projects.len());
    for record in projects.values() {
        write(&mut project_batch, &schema::PROJECT, record);
    }
    let partitioned =
        sessions.into_iter().chain(todos).map(|(number, batch)| (owners.partitions[number as usize].clone(), batch));
    for (partition, batch) in partitioned.chain([("all".to_owned(), project_batch)]) {
        if !batch.is_empty() {
            small.files.push((batch.table().name, parquet::write(batch, &partition, incoming)?));
        }
    }
    Ok(small)
}
