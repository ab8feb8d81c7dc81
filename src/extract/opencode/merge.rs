//! Fresh rows into what the store keeps: replaced, kept as history, or left alone.
//!
//! Input: the source's old files, and what was read of it now. Output: its new files. A row of a session that was read
//! again is replaced when the source still holds its id, and is history otherwise. Not history are parts whose message
//! still exists in the second generation: they were derived from it, or it stands for them. A file is written anew only
//! when rows of it change, together with small files of the same partition.

use super::intake::UNDATED;
use super::partition::Generation;
use super::reader::Fresh;
use super::rewrite::{Fate, RowKeys, Target, Writer};
use super::state::Held;
use super::{Changed, Files, Job};
use crate::error::StoreError;
use crate::extract::disk;
use crate::store::manifest::SourceEntry;
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
    /// The row's `time_updated`, where a row of this id was read.
    fn read_of(&self, which: usize, id: Option<&str>) -> Option<i64> {
        let hash = super::intake::evidence_key(id.unwrap_or_default().as_bytes());
        let ids = &self.ids[which];
        ids.get(ids.partition_point(|(known, _)| *known < hash)).filter(|(known, _)| *known == hash).map(|(_, at)| *at)
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
        let held = self.states.sessions.get(key).map(|state| state.held);
        // A row that moves from one generation to the other has another history of changes.
        let continues =
            row.generation.is_none_or(|of| held.and_then(Held::generation).is_some_and(|now| now.name() == of));
        let replace = |is_read: bool, now: Option<i64>| match (judge(is_read, now.is_some()), row.updated_at, now) {
            (Fate::Drop, Some(before), Some(now)) if continues && now > UNDATED && now < before => Fate::Revert,
            (fate, ..) => fate,
        };
        match table.name {
            "message" => replace(rows, self.read_of(0, row.id)),
            "part" | "signal" => {
                let derived = row.generation == Some("v2") || held.and_then(Held::generation) == Some(Generation::V2);
                match self.read_of(1, row.id) {
                    None if derived => judge(rows, self.read_of(0, row.message_id).is_some()),
                    now => replace(rows, now),
                }
            }
            "session" => replace(heads, self.sessions.get(key).copied()),
            // Todos are a list: a session that is there has the whole of it.
            "todo" => judge(heads, self.sessions.contains_key(key) || self.todo_sessions.contains(key)),
            "project" => replace(projects, row.id.and_then(|id| self.projects.get(id)).copied()),
            // What could not be decoded of a session that is gone is all that is left of it.
            _ if held == Some(Held::Gone) && !key.is_empty() => Fate::Keep,
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
    notices.extend(notice_of_age(job, &fresh, &writer));
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

/// An older copy stands where a newer database was, or nothing is left of it. What tells is the newest change, rows that
/// were newer before, and SQLite's own counter of changes, which only grows: one who deletes the newest session has it grow.
fn notice_of_age(job: Job<'_>, fresh: &Fresh, writer: &Writer<'_>) -> Option<String> {
    let old = job.old?.entry?;
    let gone = |table: &str| writer.vanished.get(table).copied().unwrap_or(0);
    let (sessions, messages, parts) = (gone("session"), gone("message"), gone("part"));
    let is_less = sessions + messages + parts > 0;
    let counts = format!("{sessions} sessions, {messages} messages and {parts} parts");
    let path = &fresh.entry.path;
    let when =
        |moment: i64| Timestamp::from_millisecond(moment).map_or_else(|_| moment.to_string(), |at| at.to_string());
    let mut rest = if is_less {
        format!("{counts} are not in it; they stay in the store as history")
    } else {
        "nothing is missing".to_owned()
    };
    if writer.reverted > 0 {
        rest = format!("{} rows were newer in the store: what it says of them now counts; {rest}", writer.reverted);
    }
    // A folder of files has no such counter.
    let counter = |entry: &SourceEntry| Some(entry.fingerprint.change_counter).filter(|count| *count > 0);
    let is_file = !Utf8Path::new(path).is_dir();
    let changes = counter(old).zip(counter(&fresh.entry)).filter(|_| is_file);
    let is_empty = || !fresh.states.sessions.values().any(|state| matches!(state.held, Held::In(_)));
    match (old.newest_at.zip(fresh.entry.newest_at), changes) {
        (Some((before, now)), changes) if now < before => {
            let what = match changes {
                Some((before, now)) if now < before => "is older than what was read before",
                Some((before, now)) if now > before => "went on, but what was newest in it was deleted, as it seems",
                _ => "is older than what was read before, or what was newest in it was deleted",
            };
            let (before, now) = (when(before), when(now));
            Some(format!("{path} {what}: its newest change is of {now}, not of {before}; {rest}"))
        }
        _ if is_less && is_empty() => {
            Some(format!("{path} holds no session any more: {counts} stay in the store as history"))
        }
        (_, Some((before, now))) if now < before => {
            let older = if is_less || writer.reverted > 0 { ", and older as it seems" } else { "" };
            Some(format!(
                "{path} is another copy than was read before{older}: SQLite counts {now} changes in it, not {before}; {rest}"
            ))
        }
        _ if writer.reverted > 0 => Some(format!("{path} is an older copy, as it seems: {rest}")),
        _ => None,
    }
}
