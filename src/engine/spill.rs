//! Where what does not fit into memory goes, for as long as a database is open.
//!
//! Input: a folder. Output: a folder in it of this database's own. It is locked while it is in use, so that one that a
//! killed run has left is known, and goes when the next one comes.

use crate::store::{private_file, private_folder};
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How the names of such folders begin.
pub(super) const PREFIX: &str = ".spill-";

const LOCK: &str = "lock";

/// Several databases may be open in one process.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A folder that goes with the last who holds this.
#[derive(Debug)]
pub(super) struct Spill {
    folder: Utf8PathBuf,
    /// None where the folder cannot be made: DuckDB tells when it needs one.
    _lock: Option<File>,
}

impl Spill {
    /// A folder in `scratch`, and none of those that ended runs have left there.
    pub(super) fn below(scratch: &Utf8Path) -> Self {
        sweep(scratch);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = scratch.join(format!("{PREFIX}{}-{number}", std::process::id()));
        let lock = scratch
            .is_dir()
            .then(|| locked(&folder))
            .and_then(|made| made.inspect_err(|error| tracing::debug!("{folder}: {error}")).ok());
        Self { folder, _lock: lock }
    }

    pub(super) fn folder(&self) -> &Utf8Path {
        &self.folder
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        if self.folder.is_dir() {
            remove(&self.folder);
        }
    }
}

fn locked(folder: &Utf8Path) -> std::io::Result<File> {
    private_folder(folder)?;
    let lock = private_file(&folder.join(LOCK))?;
    lock.lock()?;
    Ok(lock)
}

/// Removes folders that nobody holds. One without a lock is of a run that is just beginning, or of an older version.
fn sweep(scratch: &Utf8Path) {
    let is_left = |folder: &Utf8Path, run: &str| match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => run.split('-').next().is_some_and(crate::store::is_ended),
    };
    for entry in scratch.read_dir_utf8().into_iter().flatten().filter_map(Result::ok) {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && entry.file_name().strip_prefix(PREFIX).is_some_and(|run| is_left(entry.path(), run)) {
            remove(entry.path());
        }
    }
}

fn remove(folder: &Utf8Path) {
    if let Err(error) = std::fs::remove_dir_all(folder) {
        tracing::debug!("{folder}: {error}");
    }
}
