//! Fresh rows into what the store keeps: replaced, kept as history, or left alone.
//!
//! Input: the source's old files, and what was read of it now. Output: its new files. A row of a session that was read
//! again is replaced when the source still holds its id, and is history otherwise. Not history are parts whose message
//! still exists in the second generation: they were derived from it, or it stands for them. A file is written anew only
//! when rows of it change, together with small files of the same partition.

use super::partition::Generation;
use super::reader::Fresh;
use super::rewrite::{Fate, RowKeys, Target, Writer};
use super::state::Held;
use super::{Changed, Files, Job};
use crate::error::StoreError;
use crate::extract::disk;
use crate::store::parquet::{self, Place};
use crate::store::schema::{self, TableDef};
use camino::Utf8Path;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Tables with rows of a source, besides its state.
const TABLES: [&TableDef; 7] = [
    &schema::PART,
    &schema::SIGNAL,
    &schema::MESSAGE,
    &schema::SESSION,
    &schema::TODO,
    &schema::PROJECT,
    &schema::QUARANTINE,
];

impl Fresh {
    fn has(&self, which: usize, id: Option<&str>) -> bool {
        let hash = super::intake::evidence_key(id.unwrap_or_default().as_bytes());
        self.ids[which].binary_search(&hash).is_ok()
    }

    /// What becomes of an old row.
    fn fate(&self, table: &TableDef, row: &RowKeys<'_>) -> Fate {
        let key = row.session_id.unwrap_or_default().as_bytes();
        let (rows, heads, projects) = match &self.dirty {
            Some(dirty) => (dirty.rows.contains(key), dirty.heads.contains(key), dirty.projects),
            None => (true, true, true),
        };
        let judge = |is_read: bool, is_there: bool| match (is_read, is_there) {
            (false, _) => Fate::Keep,
            (true, true) => Fate::Drop,
            (true, false) => Fate::Vanish,
        };
        match table.name {
            "message" => judge(rows, self.has(0, row.id)),
            "part" | "signal" => {
                let continues = row.generation == Some("v2")
                    || self.states.sessions.get(key).is_some_and(|state| {
                        matches!(state.held, Held::In(Generation::V2) | Held::Orphan(Generation::V2))
                    });
                judge(rows, self.has(1, row.id) || (continues && self.has(0, row.message_id)))
            }
            "session" => judge(heads, self.sessions.contains(key)),
            // Todos are a list: a session that is there has the whole of it.
            "todo" => judge(heads, self.sessions.contains(key) || self.todo_sessions.contains(key)),
            "project" => judge(projects, row.id.is_some_and(|id| self.projects.contains(id))),
            _ if matches!(row.table_name, Some("message" | "part" | "session_message")) => judge(rows, true),
            _ => judge(heads, true),
        }
    }

    /// Rows of this table may have to be judged in this partition.
    fn touches(&self, table: &TableDef, partition: &str) -> bool {
        let Some(dirty) = &self.dirty else { return true };
        match table.name {
            "project" => dirty.projects,
            "message" | "part" | "signal" => !dirty.rows.is_empty() && dirty.weeks.contains(partition),
            "session" | "todo" => !dirty.heads.is_empty() && dirty.weeks.contains(partition),
            _ => dirty.weeks.contains(partition),
        }
    }
}

/// Makes the source's new files.
///
/// # Errors
/// The store cannot be read or written; [`StoreError::Damaged`] when an old file that is needed is not what it was.
pub(super) fn merge(job: Job<'_>, mut fresh: Fresh) -> Result<Changed, StoreError> {
    let mut files = Files::new();
    let mut writer = Writer::new(job);
    let nothing = Files::new();
    let old = job.old.map_or(&nothing, |old| old.files);
    // Of a damaged database nobody knows what is gone: what was not read stays as it was.
    let seen_at = match (&fresh.entry.damage, job.old.and_then(|old| old.entry)) {
        (Some(_), _) => Target::AsItWas,
        (None, Some(entry)) if entry.read_at > 0 => Target::SeenAt(entry.read_at),
        (None, _) => Target::SeenWhenWritten,
    };
    for table in TABLES {
        let mut new: BTreeMap<String, Vec<_>> = BTreeMap::new();
        let (own, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut fresh.records).into_iter().partition(|(of, ..)| of.name == table.name);
        fresh.records = rest;
        for (_, partition, record) in own {
            new.entry(partition).or_default().push(record);
        }
        let mut kept: Vec<_> =
            fresh.files.iter().filter(|(of, _)| *of == table.name).map(|(_, file)| file.clone()).collect();
        let states = &fresh.states;
        kept.extend(writer.table(
            table,
            old.get(table.name).map_or(&[][..], Vec::as_slice),
            new,
            seen_at,
            &|partition| fresh.touches(table, partition),
            &|row| fresh.fate(table, row),
            &|key| states.sessions.get(key).map(|state| state.week.as_str()),
        )?);
        files.insert(table.name.to_owned(), kept);
    }
    let place = Place { source: Some(job.name), partition: "all", incoming: job.incoming };
    files.insert(schema::SESSION_STATE.name.to_owned(), vec![parquet::write(fresh.states.batch(), place)?]);
    for table in disk::TABLES {
        files.insert(table.name.to_owned(), old.get(table.name).cloned().unwrap_or_default());
    }
    let mut notices = std::mem::take(&mut writer.notices);
    notices.extend(notice_of_age(job, &fresh, &writer.vanished));
    Ok(Changed { entry: fresh.entry, files, rows_read: fresh.rows_read, bytes_read: fresh.bytes_read, notices })
}

/// Files of a source that cannot be read any more, in today's shape.
///
/// # Errors
/// The store cannot be read or written.
pub(super) fn reshape(job: Job<'_>) -> Result<(Files, Vec<String>), StoreError> {
    let mut files = Files::new();
    let mut writer = Writer::new(job);
    for table in schema::TABLES {
        let old = job.old.and_then(|old| old.files.get(table.name)).map_or(&[][..], Vec::as_slice);
        let kept = if TABLES.iter().any(|known| known.name == table.name) {
            let all = |_: &str| true;
            writer.table(table, old, BTreeMap::new(), Target::AsItWas, &all, &|_| Fate::Keep, &|_| None)?
        } else {
            old.to_vec()
        };
        files.insert(table.name.to_owned(), kept);
    }
    Ok((files, writer.notices))
}

/// An older copy stands where a newer database was, or nothing is left of it. What tells is the newest change; and SQLite's
/// own counter of changes, which only grows, where rows are missing: one who deletes the newest session has it grow.
fn notice_of_age(job: Job<'_>, fresh: &Fresh, vanished: &BTreeMap<&'static str, u64>) -> Option<String> {
    let old = job.old?.entry?;
    let gone = |table: &str| vanished.get(table).copied().unwrap_or(0);
    let (sessions, messages, parts) = (gone("session"), gone("message"), gone("part"));
    let is_less = sessions + messages + parts > 0;
    let counts = format!("{sessions} sessions, {messages} messages and {parts} parts");
    let path = &fresh.entry.path;
    let when =
        |moment: i64| Timestamp::from_millisecond(moment).map_or_else(|_| moment.to_string(), |at| at.to_string());
    let missing = if is_less {
        format!("{counts} are not in it; they stay in the store as history")
    } else {
        "what it says of a row counts, and nothing is missing".to_owned()
    };
    let (before, now) = (old.fingerprint.change_counter, fresh.entry.fingerprint.change_counter);
    let is_empty = || !fresh.states.sessions.values().any(|state| matches!(state.held, Held::In(_)));
    match (old.newest_at, fresh.entry.newest_at) {
        (Some(before), Some(now)) if now < before => Some(format!(
            "{path} is older than what was read before: its newest change is of {}, not of {}. {missing}",
            when(now),
            when(before),
        )),
        _ if is_less && is_empty() => {
            Some(format!("{path} holds no session any more: {counts} stay in the store as history"))
        }
        // A folder of files has no such counter.
        _ if is_less && (1..before).contains(&now) && !Utf8Path::new(path).is_dir() => Some(format!(
            "{path} is another copy than was read before, and older as it seems: SQLite counts {now} changes in it, not \
             {before}. {missing}"
        )),
        _ => None,
    }
}
