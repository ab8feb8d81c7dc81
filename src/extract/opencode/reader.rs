//! Reading one source: what changed of it, or all of it.
//!
//! Input: an open source, what the store keeps of it. Output: [`Read`]: nothing new, another database, or fresh rows.

use super::heads::{self, Heads};
use super::intake::{Evidence, Shared};
use super::partition::{Generation, Owners};
use super::pieces::{self, Piece};
use super::rescue::Range;
use super::rows::RowKind;
use super::scan::{self, Scan};
use super::sqlite::Source;
use super::state::{Dirty, Held, Key, SessionState, States};
use super::{Job, UNKNOWN, decode};
use crate::error::ExtractError;
use crate::store::manifest::{FileEntry, SourceEntry};
use crate::store::read;
use crate::store::schema::{self, TableDef};
use arrow::array::{Array, AsArray, RecordBatch};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Up to so many bytes of changed rows are written into the files in which their sessions lie; more make files of their own.
const IN_MEMORY: u64 = 32 << 20;

/// What a source holds now.
pub(super) struct Fresh {
    /// For the manifest.
    pub entry: SourceEntry,
    /// Signatures of all sessions, those that are only history included.
    pub states: States,
    /// What was read again; None = everything.
    pub dirty: Option<Dirty>,
    /// Rows that were read and not written, with their partition.
    pub records: Vec<(&'static TableDef, String, RecordBatch)>,
    /// Rows that were read and written.
    pub files: Vec<(&'static str, FileEntry)>,
    /// Hashes of the ids of all messages and all parts that were read, with the rows' `time_updated`, sorted.
    pub ids: [Vec<(u64, i64)>; 2],
    /// Sessions that were read, with their `time_updated`.
    pub sessions: HashMap<Key, i64>,
    /// Sessions that have todos, of those that were read.
    pub todo_sessions: HashSet<Key>,
    /// Ids of projects, if they were read, with their `time_updated`.
    pub projects: HashMap<String, i64>,
    /// Rows read.
    pub rows_read: u64,
    /// Bytes of JSON read.
    pub bytes_read: u64,
    /// Nothing at all could be read.
    pub is_nothing: bool,
}

/// What reading gave.
pub(super) enum Read {
    /// Nothing changed but the file.
    Same(Box<SourceEntry>),
    /// Another database, with these sessions.
    Other(HashSet<Key>),
    /// Something changed.
    Fresh(Box<Fresh>),
}

/// Reads one source.
pub(super) struct Reader<'a> {
    job: Job<'a>,
    source: &'a Source,
    /// Other connections, once they were asked for.
    twins: Option<Vec<Source>>,
    owners: Owners,
    fresh: Fresh,
    newest: Option<i64>,
}

impl<'a> Reader<'a> {
    /// Looks at the sessions.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(super) fn new(job: Job<'a>, source: &'a Source) -> Result<Self, ExtractError> {
        let owners = Owners::read(source)?;
        let generations: Vec<&str> = source.generations().map(Generation::name).collect();
        let known = job.old.and_then(|old| old.entry);
        let entry = SourceEntry {
            name: job.name.to_owned(),
            path: camino::absolute_utf8(&source.path).unwrap_or_else(|_| source.path.clone()).into_string(),
            opencode_version: None,
            generation: generations.join("+"),
            migrations: source.migrations(),
            rows_read: BTreeMap::new(),
            fingerprint: source.fingerprint.clone(),
            read_at: job.now,
            newest_at: None,
            last_seen_at: None,
            damage: None,
            directories: known.map(|entry| entry.directories.clone()).unwrap_or_default(),
            catalog_hash: known.map(|entry| entry.catalog_hash.clone()).unwrap_or_default(),
        };
        let fresh = Fresh {
            entry,
            states: States::default(),
            dirty: None,
            records: Vec::new(),
            files: Vec::new(),
            ids: [Vec::new(), Vec::new()],
            sessions: HashMap::new(),
            todo_sessions: HashSet::new(),
            projects: HashMap::new(),
            rows_read: 0,
            bytes_read: 0,
            is_nothing: false,
        };
        Ok(Self { job, source, twins: None, owners, fresh, newest: None })
    }

    /// Reads what changed.
    ///
    /// # Errors
    /// The source cannot be read, or the store cannot be written.
    pub(super) fn read(mut self) -> Result<Read, ExtractError> {
        let old = self.old_states();
        if self.source.gaps.is_none() && self.is_other()? {
            return Ok(Read::Other(self.owners.iter().map(|(id, _)| id.into()).collect()));
        }
        if let Some(gaps) = &self.source.gaps {
            // Sessions that cannot be read now are where they were.
            for (key, state) in old.iter().flat_map(|old| &old.sessions) {
                if let Held::In(generation) = state.held
                    && gaps.borrow().has(generation.session_table())
                {
                    self.owners.remember(key, generation, &state.week);
                }
            }
        }
        let heads = heads::scan(self.source, &self.owners, &mut self.fresh.states)?;
        self.newest = self.owners.newest;
        self.describe(heads);
        let is_current = self.job.old.is_some_and(|old| old.is_current);
        if let Some(old) = old.as_ref().filter(|_| is_current && self.source.gaps.is_none()) {
            let scan = scan::scan(self.source, &self.owners)?;
            for (key, rows) in &scan.sessions {
                let state = self.fresh.states.entry(key, || orphan(&self.owners, key));
                state.rows = rows.signature;
            }
            let dirty = self.fresh.states.since(old);
            self.newest = self.newest.max(scan.newest);
            self.fresh.entry.rows_read.extend(scan.rows_read.clone());
            if dirty.is_empty() {
                self.finish();
                return Ok(Read::Same(Box::new(self.fresh.entry)));
            }
            let bytes: u64 = dirty.rows.iter().filter_map(|key| scan.sessions.get(key)).map(|rows| rows.bytes).sum();
            if bytes <= IN_MEMORY || bytes * 2 <= scan.bytes {
                self.some(&dirty, &scan, bytes <= IN_MEMORY)?;
                self.fresh.dirty = Some(dirty);
                self.finish();
                return Ok(Read::Fresh(Box::new(self.fresh)));
            }
            // Most of it changed: it costs less to read it all in one go.
            self.fresh.states.sessions.values_mut().for_each(|state| state.rows = 0);
        }
        self.everything()?;
        if let Some(old) = &old {
            let _ = self.fresh.states.since(old);
        }
        self.finish();
        Ok(Read::Fresh(Box::new(self.fresh)))
    }

    fn old_states(&self) -> Option<States> {
        let files = self.job.old?.files.get(schema::SESSION_STATE.name)?;
        States::load(self.job.root, files)
    }

    /// Sessions are known of this source, also such as are only history; it holds sessions, and none of them is known.
    fn is_other(&self) -> Result<bool, ExtractError> {
        let Some(old) = self.job.old else { return Ok(false) };
        let mut known = false;
        for file in old.files.get(schema::SESSION.name).into_iter().flatten() {
            let path = self.job.root.join(&file.path);
            // A file that cannot be read says nothing; it is noticed where it is needed.
            let Ok(batches) = read::columns(&path, &schema::SESSION, &["id", "source"]) else {
                return Ok(false);
            };
            for batch in batches {
                let (ids, sources) = (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
                for row in 0..batch.num_rows() {
                    let is_own = file.source().is_some() || sources.value(row) == self.job.name;
                    if ids.is_null(row) || !is_own {
                        continue;
                    }
                    if self.owners.get(ids.value(row).as_bytes()).is_some() {
                        return Ok(false);
                    }
                    known = true;
                }
            }
        }
        Ok(known && self.owners.len() > 0)
    }

    fn describe(&mut self, heads: Heads) {
        let entry = &mut self.fresh.entry;
        entry.opencode_version = heads.version;
        entry.rows_read = heads.rows_read;
        for directory in heads.directories {
            if !entry.directories.contains(&directory) {
                entry.directories.push(directory);
            }
        }
        entry.directories.sort();
    }

    fn finish(&mut self) {
        self.fresh.entry.newest_at = self.newest;
        if let Some(gaps) = &self.source.gaps {
            self.fresh.entry.damage = gaps.borrow().sentence();
            self.fresh.is_nothing = gaps.borrow().is_everything();
        }
        for ids in &mut self.fresh.ids {
            ids.sort_unstable();
        }
    }

    fn take_heads(&mut self, dirty: Option<&Dirty>) -> Result<(), ExtractError> {
        let extracted = heads::extract(self.source, &self.owners, dirty, self.job.content)?;
        self.fresh.rows_read += extracted.count;
        self.fresh.records.extend(extracted.records);
        self.fresh.sessions = extracted.sessions;
        self.fresh.todo_sessions = extracted.todo_sessions;
        self.fresh.projects = extracted.projects;
        Ok(())
    }

    /// Reads the sessions that changed.
    fn some(&mut self, dirty: &Dirty, scan: &Scan, in_memory: bool) -> Result<(), ExtractError> {
        let mut evidence = Evidence::new();
        for kind in RowKind::of(self.source) {
            let found = dirty.rows.iter().filter_map(|key| scan.sessions.get(key));
            let mut rowids: Vec<i64> = found.flat_map(|rows| rows.rowids[kind as usize].iter().copied()).collect();
            rowids.sort_unstable();
            if !rowids.is_empty() {
                evidence = self.stream(kind, Some(&rowids), in_memory, &evidence)?;
            }
        }
        self.take_heads(Some(dirty))
    }

    /// Reads everything.
    fn everything(&mut self) -> Result<(), ExtractError> {
        let mut evidence = Evidence::new();
        for kind in RowKind::of(self.source) {
            let before = self.fresh.rows_read;
            evidence = self.stream(kind, None, false, &evidence)?;
            let count = self.fresh.rows_read - before;
            self.fresh.entry.rows_read.insert(kind.table().to_owned(), count);
        }
        self.take_heads(None)
    }

    /// Reads one table, or rows of it.
    fn stream(
        &mut self,
        kind: RowKind,
        rowids: Option<&[i64]>,
        in_memory: bool,
        evidence: &Evidence,
    ) -> Result<Evidence, ExtractError> {
        let (source, table) = (self.source, kind.table());
        let last = source.last_rowid(table);
        let estimate = rowids.map_or(last, |rowids| rowids.len() as u64);
        self.job.progress.table(self.job.name, table, estimate);
        let pieces = match rowids {
            Some(rowids) => pieces::of_rowids(rowids),
            // Around damage, every gap is found by one reader.
            None if source.gaps.is_some() => vec![Piece::Range(Range::FULL)],
            None => pieces::of_table(last),
        };
        if pieces.len() > 1 && self.twins.is_none() {
            self.twins = Some(pieces::twins(source));
        }
        let shared = Shared {
            kind,
            source: self.job.name,
            content: self.job.content,
            owners: &self.owners,
            evidence,
            incoming: (!in_memory).then_some(self.job.incoming),
            with_ids: self.job.old.is_some(),
            with_signatures: rowids.is_none(),
        };
        let twins = self.twins.as_deref_mut().unwrap_or_default();
        let mut found = Evidence::new();
        for done in pieces::read(source, twins, &pieces, shared, self.job.progress)? {
            for (key, evidence) in done.evidence {
                let known: &mut decode::PromptEvidence = found.entry(key).or_default();
                known.has_real |= evidence.has_real;
                known.has_synthetic |= evidence.has_synthetic;
                known.has_compaction |= evidence.has_compaction;
            }
            self.newest = self.newest.max(done.newest);
            self.fresh.rows_read += done.count;
            self.fresh.bytes_read += done.bytes;
            self.fresh.files.extend(done.files);
            self.fresh.records.extend(done.records);
            for (known, new) in self.fresh.ids.iter_mut().zip(done.ids) {
                known.extend(new);
            }
            for (key, hash) in done.signatures {
                let state = self.fresh.states.entry(&key, || orphan(&self.owners, &key));
                state.rows = state.rows.wrapping_add(hash);
            }
        }
        Ok(found)
    }
}

/// The state of rows without a session.
pub(super) fn orphan(owners: &Owners, key: &[u8]) -> SessionState {
    SessionState::new(Held::Orphan(owners.orphan(key)), UNKNOWN)
}
