//! OpenCode's databases into the store's tables.
//!
//! Input: a located database, and what the store keeps of it. Output: new Parquet files in the folder for incoming ones, and
//! what the manifest says of the source. Messages and parts are read piece by piece, by one connection a core that all see
//! the same state (`pieces`); whoever reads a row decodes it out of SQLite's own memory (`intake`), so that no row is copied
//! before it is in its columns. What waits to be written is bounded, so memory does not grow with the database.
//!
//! A refresh looks at all sessions and at the leaf pages of messages and parts (`scan`), finds by signatures which
//! sessions changed, reads these again, and writes the files anew in which rows of theirs lie (`merge`). Rows that
//! the source no longer holds stay, with the time at which they were last seen.

mod aside;
mod columns;
pub mod decode;
mod heads;
mod intake;
pub mod locate;
mod merge;
mod partition;
mod pieces;
mod reader;
mod rescue;
mod rewrite;
mod rows;
mod scan;
mod signals;
mod signature;
pub mod sqlite;
mod state;
pub mod storage;

use crate::error::{ExtractError, StoreError};
use crate::store::incoming::Incoming;
use crate::store::manifest::{FileEntry, SourceEntry};
use camino::Utf8Path;
use locate::Found;
use reader::{Read, Reader};
use sqlite::Source;
use std::collections::{BTreeMap, HashSet};

pub use partition::UNKNOWN;
pub(crate) use partition::week_of;

/// Told how far extract is; from the reading thread only.
pub trait Progress: Sync {
    /// A table is about to be read; `rows` is an estimate from above.
    fn table(&self, source: &str, table: &str, rows: u64);
    /// So many more rows and bytes have been read.
    fn advance(&self, rows: u64, bytes: u64);
}

/// Files of a source, by table.
pub type Files = BTreeMap<String, Vec<FileEntry>>;

/// What a store keeps of a source.
#[derive(Debug, Clone, Copy)]
pub struct Old<'a> {
    /// What the manifest says; None when that was lost.
    pub entry: Option<&'a SourceEntry>,
    /// Its files.
    pub files: &'a Files,
    /// The files have today's columns, and may be continued.
    pub is_current: bool,
}

/// A source to be read.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Its name in the store.
    pub name: &'a str,
    /// Where it is.
    pub found: &'a Found,
    /// Keep raw JSON.
    pub content: bool,
    /// The store's folder.
    pub root: &'a Utf8Path,
    /// Folder for new files.
    pub incoming: &'a Incoming,
    /// What the store keeps of it.
    pub old: Option<Old<'a>>,
    /// Clock, epoch ms UTC.
    pub now: i64,
    /// Told how far it is.
    pub progress: &'a dyn Progress,
}

/// What reading a source gave.
pub enum Outcome {
    /// No row changed; the entry has the new fingerprint.
    Same(Box<SourceEntry>),
    /// Nothing of what was known is there: this is another database, with these sessions.
    Other(HashSet<Box<[u8]>>),
    /// Rows changed.
    Changed(Box<Changed>),
}

/// A source's new state.
#[derive(Debug)]
pub struct Changed {
    /// For the manifest.
    pub entry: SourceEntry,
    /// All its files.
    pub files: Files,
    /// Rows read.
    pub rows_read: u64,
    /// Bytes of JSON read.
    pub bytes_read: u64,
    /// What the user should know.
    pub notices: Vec<String>,
}

/// Reads a source as far as it changed.
///
/// # Errors
/// The source cannot be read at all, or the store cannot be written. Nothing but the folder for incoming files has changed
/// then.
pub fn refresh(job: Job<'_>) -> Result<Outcome, ExtractError> {
    match attempt(job) {
        // A file of the store does not hold what was written: everything is read again, and what is left is carried over.
        Err(ExtractError::Store(StoreError::Damaged { path, problem }))
            if job.old.is_some_and(|old| old.is_current) =>
        {
            let old = job.old.map(|old| Old { is_current: false, ..old });
            let mut outcome = attempt(Job { old, ..job })?;
            if let Outcome::Changed(changed) = &mut outcome {
                let told = changed.notices.iter().any(|notice| notice.contains(path.as_str()));
                if !told {
                    changed.notices.push(format!("{path} {problem}: its rows were read again"));
                }
            }
            Ok(outcome)
        }
        result => result,
    }
}

fn attempt(job: Job<'_>) -> Result<Outcome, ExtractError> {
    let read = match read(job, Found::open) {
        Err(error @ ExtractError::Corrupt { .. }) => {
            tracing::info!("{error}: reading what can be read");
            match read(job, Found::rescue) {
                Err(ExtractError::Store(error)) => return Err(error.into()),
                Ok(Read::Fresh(fresh)) if !fresh.is_nothing => Read::Fresh(fresh),
                _ => return Err(error),
            }
        }
        result => result?,
    };
    match read {
        Read::Same(entry) => Ok(Outcome::Same(entry)),
        Read::Other(sessions) => Ok(Outcome::Other(sessions)),
        Read::Fresh(fresh) => Ok(Outcome::Changed(Box::new(merge::merge(job, *fresh)?))),
    }
}

/// The database is closed again when this returns: no lock of it is held while files are written.
fn read(job: Job<'_>, open: fn(&Found, &Utf8Path) -> Result<Source, ExtractError>) -> Result<Read, ExtractError> {
    // A database that was read as immutable, but written meanwhile, is read again: then it has a log to share.
    for _ in 0..3 {
        let source = open(job.found, job.incoming)?;
        let read = Reader::new(job, &source)?.read()?;
        if source.verify_unchanged() {
            return Ok(read);
        }
        tracing::info!("the database changed while it was read without a log: reading it again");
    }
    Err(ExtractError::Locked {
        path: job.found.path.clone(),
        source: rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("the database keeps changing".into()),
        ),
    })
}

/// Files of a source that is not there any more, in today's shape.
///
/// # Errors
/// The store cannot be read or written.
pub fn reshape(job: Job<'_>) -> Result<(Files, Vec<String>), ExtractError> {
    Ok(merge::reshape(job)?)
}
