//! OpenCode's databases into the store's tables.
//!
//! Input: located databases. Output: Parquet files below the folder for incoming ones, and what the manifest says of
//! each source. The calling thread reads and copies rows; rayon workers decode and compress. Permits bound the chunks
//! in flight, so that memory does not grow with the database.

pub mod decode;
mod jobs;
pub mod locate;
mod partition;
mod rows;
mod signals;
mod small;
pub mod sqlite;

use super::catalog::RecordedDirectory;
use crate::error::ExtractError;
use crate::store::manifest::{FileEntry, SourceEntry, TableEntry};
use camino::Utf8Path;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use jobs::{Done, Evidence, Shared};
use locate::Found;
use partition::{Generation, Owners};
use rows::{Chunk, Chunker, RowKind, wanted};
use sqlite::{Source, explain};
use std::collections::{BTreeMap, HashSet};

pub use partition::UNKNOWN;
pub(crate) use partition::week_of;

/// Told how far extract is; from the reading thread only.
pub trait Progress {
    /// A table is about to be read; `rows` is an estimate from above.
    fn table(&self, source: &str, table: &str, rows: u64);
    /// So many more rows and bytes have been read.
    fn advance(&self, rows: u64, bytes: u64);
}

/// What was read.
#[derive(Debug, Default)]
pub struct Extracted {
    /// Files by table.
    pub tables: BTreeMap<String, TableEntry>,
    /// Databases.
    pub sources: Vec<SourceEntry>,
    /// Directories in which sessions ran, for the catalogue of skills.
    pub directories: Vec<RecordedDirectory>,
    /// Rows that could not be decoded.
    pub quarantined: u64,
    /// Rows read from all sources.
    pub rows_read: u64,
    /// Bytes of JSON read.
    pub bytes_read: u64,
}

/// Reads all sources.
///
/// # Errors
/// A source cannot be read, or the store cannot be written. Nothing but the folder for incoming files has changed then.
pub fn extract(
    found: &[Found],
    content: bool,
    incoming: &Utf8Path,
    progress: &dyn Progress,
) -> Result<Extracted, ExtractError> {
    // A database that was read as immutable, but written meanwhile, is read again: then it has a log to share.
    for _ in 0..3 {
        let sources = found.iter().map(|found| Source::open(&found.path, incoming)).collect::<Result<Vec<_>, _>>()?;
        let extracted = Extractor::new(found, &sources, content, incoming, progress)?.run()?;
        if sources.iter().all(Source::verify_unchanged) {
            return Ok(extracted);
        }
        tracing::info!("a database changed while it was read without a log: reading it again");
    }
    let path = found.first().map(|found| found.path.clone()).unwrap_or_default();
    Err(ExtractError::Locked {
        path,
        source: rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("the database keeps changing".into()),
        ),
    })
}

struct Extractor<'a> {
    found: &'a [Found],
    sources: &'a [Source],
    owners: Owners,
    content: bool,
    incoming: &'a Utf8Path,
    progress: &'a dyn Progress,
    done: Extracted,
    orphans: HashSet<u64>,
}

impl<'a> Extractor<'a> {
    fn new(
        found: &'a [Found],
        sources: &'a [Source],
        content: bool,
        incoming: &'a Utf8Path,
        progress: &'a dyn Progress,
    ) -> Result<Self, ExtractError> {
        let owners = Owners::read(sources)?;
        Ok(Self {
            found,
            sources,
            owners,
            content,
            incoming,
            progress,
            done: Extracted::default(),
            orphans: HashSet::new(),
        })
    }

    fn run(mut self) -> Result<Extracted, ExtractError> {
        for index in 0..self.sources.len() {
            let mut rows_read = BTreeMap::new();
            if self.sources[index].has_v1() {
                let (rows, evidence) = self.stream(index, RowKind::Part, Evidence::new())?;
                rows_read.insert("part".to_owned(), rows);
                let (rows, _) = self.stream(index, RowKind::Message, evidence)?;
                rows_read.insert("message".to_owned(), rows);
            }
            if self.sources[index].has_v2() {
                let (rows, _) = self.stream(index, RowKind::V2, Evidence::new())?;
                rows_read.insert("session_message".to_owned(), rows);
            }
            self.done.rows_read += rows_read.values().sum::<u64>();
            self.done.sources.push(self.describe(index, rows_read));
        }
        let small = small::extract(self.found, self.sources, &mut self.owners, self.content, self.incoming)?;
        for (index, rows) in small.rows_read.into_iter().enumerate() {
            self.done.rows_read += rows.values().sum::<u64>();
            self.done.sources[index].rows_read.extend(rows);
        }
        for (index, version) in small.versions.into_iter().enumerate() {
            self.done.sources[index].opencode_version = version;
        }
        self.done.directories = small.directories;
        self.add_files(small.files);
        for table in self.done.tables.values_mut() {
            table.files.sort();
        }
        Ok(self.done)
    }

    fn describe(&self, index: usize, rows_read: BTreeMap<String, u64>) -> SourceEntry {
        let source = &self.sources[index];
        let generation = match (source.has_v1(), source.has_v2()) {
            (true, true) => "v1+v2",
            (_, true) => "v2",
            _ => "v1",
        };
        SourceEntry {
            name: self.found[index].name.clone(),
            path: camino::absolute_utf8(&source.path).unwrap_or_else(|_| source.path.clone()).into_string(),
            opencode_version: None,
            generation: generation.to_owned(),
            migrations: source.migrations(),
            rows_read,
            fingerprint: source.fingerprint.clone(),
        }
    }

    fn add_files(&mut self, files: Vec<(&'static str, FileEntry)>) {
        for (table, file) in files {
            let entry = self.done.tables.entry(table.to_owned()).or_default();
            entry.rows += file.rows;
            entry.files.push(file);
        }
    }

    /// Streams one table through the workers.
    fn stream(&mut self, index: usize, kind: RowKind, evidence: Evidence) -> Result<(u64, Evidence), ExtractError> {
        let source = &self.sources[index];
        let table = kind.table();
        let explain = |error| explain(&source.path, Some(table), error);
        let estimate: i64 = source
            .connection
            .query_row(&format!("select coalesce(max(rowid), 0) from \"{table}\""), [], |row| row.get(0))
            .map_err(explain)?;
        self.progress.table(&self.found[index].name, table, u64::try_from(estimate).unwrap_or(0));
        let sql = format!("select rowid, {} from \"{table}\" order by rowid", source.select_list(table, &wanted(kind)));
        let mut statement = source.connection.prepare(&sql).map_err(explain)?;
        let mut rows = statement.query([]).map_err(explain)?;

        let partitions = self.owners.partitions.clone();
        let shared = Shared {
            source: &self.found[index].name,
            content: self.content,
            partitions: &partitions,
            incoming: self.incoming,
        };
        let generation = if kind == RowKind::V2 { Generation::V2 } else { Generation::V1 };
        let workers = Workers::new();
        let (owners, orphans, progress) = (&self.owners, &mut self.orphans, self.progress);
        let mut count = 0_u64;
        let mut bytes = 0_u64;
        let read = rayon::in_place_scope(|scope| -> Result<(), ExtractError> {
            let mut chunker = Chunker::new(kind, partitions.len());
            while let Some(row) = rows.next().map_err(explain)? {
                count += 1;
                let size = row.get_ref(7).map_err(explain)?.as_bytes().map_or(0, <[u8]>::len) as u64;
                bytes += size;
                if count.is_multiple_of(256) {
                    progress.advance(256, 0);
                }
                let session = row.get_ref(3).map_err(explain)?.as_bytes().unwrap_or_default();
                let partition = match owners.get(session) {
                    Some(owner) if (owner.source, owner.generation) == (index, generation) => owner.partition,
                    Some(_) => continue,
                    None => {
                        // A row without session: kept once, whichever databases hold it.
                        let id = row.get_ref(1).map_err(explain)?.as_bytes().unwrap_or_default();
                        if !id.is_empty() && !orphans.insert(jobs::evidence_key(id) ^ kind as u64) {
                            continue;
                        }
                        0
                    }
                };
                if let Some(chunk) = chunker.push(row, partition).map_err(explain)? {
                    workers.submit(scope, chunk, &shared, &evidence);
                }
            }
            for chunk in chunker.finish() {
                workers.submit(scope, chunk, &shared, &evidence);
            }
            Ok(())
        });
        let collected = workers.collect();
        read?;
        let mut found = Evidence::new();
        for done in collected {
            let done = done?;
            self.done.quarantined += done.quarantined;
            for (key, evidence) in done.evidence {
                let known: &mut decode::PromptEvidence = found.entry(key).or_default();
                known.has_real |= evidence.has_real;
                known.has_synthetic |= evidence.has_synthetic;
                known.has_compaction |= evidence.has_compaction;
            }
            self.add_files(done.files);
        }
        self.done.bytes_read += bytes;
        Ok((count, found))
    }
}

type JobResult = Result<Done, crate::error::StoreError>;

/// Bounds the chunks in flight and gathers what the jobs leave.
struct Workers {
    permits: (Sender<()>, Receiver<()>),
    results: (Sender<JobResult>, Receiver<JobResult>),
}

impl Workers {
    fn new() -> Self {
        let limit = rayon::current_num_threads() + 1;
        let permits = bounded(limit);
        for _ in 0..limit {
            let _ = permits.0.send(());
        }
        Self { permits, results: unbounded() }
    }

    fn submit<'scope>(
        &self,
        scope: &rayon::Scope<'scope>,
        chunk: Chunk,
        shared: &'scope Shared<'scope>,
        evidence: &'scope Evidence,
    ) {
        let _ = self.permits.1.recv();
        let (permit, result) = (self.permits.0.clone(), self.results.0.clone());
        scope.spawn(move |_| {
            let _ = result.send(jobs::run(chunk, shared, evidence));
            let _ = permit.send(());
        });
    }

    fn collect(self) -> Vec<JobResult> {
        let (sender, receiver) = self.results;
        drop(sender);
        receiver.into_iter().collect()
    }
}
