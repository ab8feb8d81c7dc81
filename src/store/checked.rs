//! Files are what the manifest says: sizes always, checksums whenever a file is not the one that was checked before.
//!
//! Input: a store and its manifest. Output: nothing, or the first file that is damaged. What was checked is remembered in
//! `.checked` beside what is derived from the store, by size and time of change: hashing a store every time would cost more
//! than measuring it. `snapshot verify` trusts no memory.

use super::manifest::{FileEntry, Manifest};
use super::{Store, read_plain, refuse_link, snapshot, write_whole};
use crate::error::StoreError;
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashSet};

/// Name of the memory.
const FILE: &str = ".checked";

/// Size, time and checksum.
fn state(found: &std::fs::Metadata, file: &FileEntry) -> Option<String> {
    let modified = found.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos();
    Some(format!("{} {modified} {}", found.len(), file.sha256))
}

/// No folder between the store and a file is a link.
///
/// # Errors
/// [`StoreError::Link`] names the first that is.
pub(super) fn refuse_links(root: &Utf8Path, file: &str, seen: &mut HashSet<Utf8PathBuf>) -> Result<(), StoreError> {
    let folders = Utf8Path::new(file).ancestors().skip(1).filter(|folder| !folder.as_str().is_empty());
    for folder in folders {
        if !seen.insert(folder.to_owned()) {
            break;
        }
        refuse_link(&root.join(folder))?;
    }
    Ok(())
}

impl Store {
    fn memory(&self) -> (Utf8PathBuf, BTreeMap<String, String>) {
        let path = self.work().join(FILE);
        let text = read_plain(&path).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let split = |line: &str| line.split_once('\t').map(|(path, state)| (path.to_owned(), state.to_owned()));
        (path, text.lines().filter_map(split).collect())
    }

    fn remember(&self, path: &Utf8Path, mut known: BTreeMap<String, String>) {
        if path.parent() == Some(self.root()) && Manifest::is_snapshot(self.root()) {
            return;
        }
        known.retain(|file, _| self.root().join(file).exists());
        let text = known.iter().fold(String::new(), |text, (file, state)| text + file + "\t" + state + "\n");
        if let Err(error) = write_whole(path, text.as_bytes()) {
            // What is not remembered is checked again next time.
            tracing::debug!("{path}: {error}");
        }
    }

    /// Holds every listed file against the disk.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] names the first file that is missing or changed; [`StoreError::Link`] one that leads elsewhere.
    pub fn check(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let (memory, mut known) = self.memory();
        let mut folders = HashSet::new();
        let mut unknown = Vec::new();
        for file in manifest.files() {
            refuse_links(self.root(), &file.path, &mut folders)?;
            let path = self.root().join(&file.path);
            let damaged = |problem: String| StoreError::Damaged { path: path.clone(), problem };
            let found = std::fs::symlink_metadata(&path).map_err(|_| damaged("is missing".into()))?;
            refuse_link(&path)?;
            if found.len() != file.bytes {
                return Err(damaged(format!("has {} bytes instead of {}", found.len(), file.bytes)));
            }
            let state = state(&found, file);
            if state.is_none() || known.get(&file.path) != state.as_ref() {
                unknown.push((path, file));
                known.extend(state.map(|state| (file.path.clone(), state)));
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.par_iter().try_for_each(|(path, file)| snapshot::check_file(path, file))?;
        self.remember(&memory, known);
        Ok(())
    }

    /// Remembers files that were hashed while they were written.
    pub(super) fn have_checked<'f>(&self, files: impl Iterator<Item = &'f FileEntry>) {
        let (memory, mut known) = self.memory();
        for file in files {
            let found = std::fs::symlink_metadata(self.root().join(&file.path));
            known.extend(found.ok().and_then(|found| state(&found, file)).map(|state| (file.path.clone(), state)));
        }
        self.remember(&memory, known);
    }
}
