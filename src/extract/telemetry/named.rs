//! Files of telemetry that the user names.
//!
//! Input: paths. Output: their events in the store, and what came of each file.

use super::{Format, Wanted, discover, refresh};
use crate::error::{ExtractError, StoreError};
use crate::extract::catalog;
use crate::store::Store;
use crate::store::manifest::{Manifest, TelemetryEntry};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::tz::TimeZone;

/// A file that the user names.
#[derive(Debug, Clone)]
pub struct ByHand {
    /// The file, absolute.
    pub path: Utf8PathBuf,
    /// The format, where it is forced.
    pub format: Option<Format>,
    /// Take figures that the source invents.
    pub is_synthetic: bool,
}

/// What came of a file that the user named.
#[derive(Debug)]
pub struct Ingested {
    /// The file's entry.
    pub entry: TelemetryEntry,
    /// Events that the store did not have.
    pub added: u64,
    /// Events of which a value made no sense; of a file that was read now.
    pub problems: u64,
    /// False where the store had read the file as it is.
    pub is_changed: bool,
}

/// Takes files that the user names into a store, which need not have any database yet.
///
/// # Errors
/// A file cannot be read or is no telemetry (then nothing is taken), or the store cannot be written.
pub fn ingest(
    store: &Store,
    files: &[ByHand],
    places: &catalog::Places,
    zone: &TimeZone,
    now: i64,
) -> Result<Vec<Ingested>, ExtractError> {
    let _lock = store.lock(true, || tracing::warn!("another logicoma is working on this store: waiting for it"))?;
    let old = match store.own_manifest() {
        Ok(manifest) => Some(manifest),
        Err(StoreError::Absent { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut manifest = old.clone().unwrap_or_else(|| Manifest::empty(true, now));
    let wanted = Wanted { store, old: old.as_ref(), places, databases: &[], by_hand: files, zone, is_full: false };
    let mut folder = None;
    let read = refresh(&wanted, &mut manifest, &mut || crate::extract::incoming(store, &mut folder), &mut Vec::new())?;
    if !read.is_empty() {
        manifest.written_at = now;
        store.commit(folder.as_ref(), &manifest)?;
    }
    let entries = manifest.telemetry.iter().filter(|entry| files.iter().any(|file| file.path == entry.path));
    Ok(entries
        .map(|entry| {
            let read = read.iter().find(|read| read.entry.path == entry.path);
            Ingested {
                entry: entry.clone(),
                added: read.map_or(0, |read| read.added),
                problems: read.map_or(0, |read| read.problems),
                is_changed: read.is_some(),
            }
        })
        .collect())
}

/// The files behind what the user named: a folder stands for the files of telemetry in it.
///
/// # Errors
/// Nothing is there.
pub fn named(path: &Utf8Path) -> Result<Vec<Utf8PathBuf>, ExtractError> {
    let io = |source| ExtractError::Io { path: path.to_owned(), source };
    let absolute = camino::absolute_utf8(path).map_err(io)?;
    if !std::fs::metadata(&absolute).map_err(io)?.is_dir() {
        return Ok(vec![absolute]);
    }
    let files = discover::in_folder(&absolute);
    if files.is_empty() {
        return Err(ExtractError::Telemetry { path: absolute, problem: "is a folder without telemetry files".into() });
    }
    Ok(files)
}
