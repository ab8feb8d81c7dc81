//! Holding a snapshot against its checksums.
//!
//! Input: a snapshot's folder. Output: every file that is not what it was, and every one that does not belong.

use super::copy::{check, hash};
use super::create::sums;
use super::{Archive, Listed, SUMS};
use crate::error::{SnapshotError, StoreError};
use crate::store::manifest::FILE;
use crate::store::{io, read_plain};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;

/// One bad file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path relative to the snapshot.
    pub path: String,
    /// What is wrong.
    pub problem: String,
}

/// What was checked.
#[derive(Debug)]
pub struct Verified {
    /// The snapshot.
    pub name: String,
    /// Files checked.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Rows that the manifest names.
    pub rows: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// A newer version made it: only the list of checksums could be asked.
    pub is_newer: bool,
}

impl Archive {
    /// Recomputes every checksum of one snapshot, or of all.
    ///
    /// # Errors
    /// There is no such snapshot, or the archive cannot be read. Bad files are no error here.
    pub fn verify(&self, name: Option<&str>) -> Result<Vec<Verified>, SnapshotError> {
        if let Some(name) = name {
            super::check_name(name)?;
        }
        let mut listed = self.list()?;
        if let Some(name) = name {
            let path = self.root.join(name);
            crate::store::refuse_link(&path)?;
            listed.retain(|one| one.name == name);
            // A folder of which nothing says that it is a snapshot, but somebody who should know.
            if listed.is_empty() && path.is_dir() {
                listed.push(Listed { name: name.to_owned(), manifest: Err(missing(&path)) });
            }
        }
        let mut found = Vec::new();
        for one in &listed {
            let path = self.root.join(&one.name);
            let verified = verify(&path, one);
            // What was pruned meanwhile is not damaged.
            if path.is_dir() {
                found.push(verified?);
            }
        }
        match name {
            Some(name) if found.is_empty() => {
                Err(SnapshotError::Unknown { name: name.to_owned(), archive: self.root.clone() })
            }
            _ => Ok(found),
        }
    }
}

/// Checks one snapshot.
pub(super) fn verify(root: &Utf8Path, listed: &Listed) -> Result<Verified, SnapshotError> {
    let mut verified =
        Verified { name: listed.name.clone(), files: 0, bytes: 0, rows: 0, problems: Vec::new(), is_newer: false };
    let mut say = |path: &str, problem: String| {
        verified.problems.push(Problem { path: path.to_owned(), problem });
    };
    let manifest = match &listed.manifest {
        Ok(manifest) => manifest,
        Err(StoreError::TooNew { .. }) => {
            verified.is_newer = true;
            by_list(root, &mut verified)?;
            return Ok(verified);
        }
        Err(error) => {
            say(FILE, sentence(error));
            if let Err(error) = hash(&root.join(SUMS)) {
                say(SUMS, sentence(&error));
            }
            return Ok(verified);
        }
    };
    let mut known: BTreeSet<&str> = [FILE, SUMS].into();
    for file in manifest.files() {
        known.insert(&file.path);
        match check(&root.join(&file.path), file) {
            Ok(()) => {}
            Err(StoreError::Damaged { problem, .. }) => say(&file.path, problem),
            Err(error) => say(&file.path, sentence(&error)),
        }
    }
    match hash(&root.join(FILE)) {
        Ok((_, sha256)) => {
            let expected = sums(manifest, &sha256);
            match read_plain(&root.join(SUMS)) {
                Ok(found) if found == expected.as_bytes() => {}
                Ok(found) => say(
                    if names_manifest(&found, &sha256) { SUMS } else { FILE },
                    format!("does not agree with the other of {FILE} and {SUMS}"),
                ),
                Err(error) => say(SUMS, sentence(&io("read", Utf8Path::new(SUMS))(error))),
            }
        }
        Err(error) => say(FILE, sentence(&error)),
    }
    let mut extra = Vec::new();
    foreign(root, root, &known, &mut extra)?;
    for path in extra {
        say(&path, "does not belong to the snapshot".into());
    }
    verified.files = known.len() as u64;
    verified.bytes = manifest.files().map(|file| file.bytes).sum();
    verified.rows = manifest.tables.values().map(|table| table.rows).sum();
    Ok(verified)
}

/// A manifest that is not there.
pub(super) fn missing(root: &Utf8Path) -> StoreError {
    StoreError::Damaged { path: root.join(FILE), problem: "is missing".into() }
}

/// Holds a snapshot, whose manifest this version cannot read, against its list of checksums.
fn by_list(root: &Utf8Path, verified: &mut Verified) -> Result<(), SnapshotError> {
    let bytes = match read_plain(&root.join(SUMS)) {
        Ok(bytes) => bytes,
        Err(error) => {
            let problem = sentence(&io("read", Utf8Path::new(SUMS))(error));
            verified.problems.push(Problem { path: SUMS.to_owned(), problem });
            return Ok(());
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut known: BTreeSet<&str> = [SUMS].into();
    for line in text.lines() {
        let split = line.split_once("  ").filter(|(_, path)| {
            let parts = Utf8Path::new(path).components();
            !path.is_empty() && parts.into_iter().all(|part| matches!(part, camino::Utf8Component::Normal(_)))
        });
        let Some((sha256, path)) = split else {
            let problem = format!("has a line that is none: '{}'", line.escape_debug());
            verified.problems.push(Problem { path: SUMS.to_owned(), problem });
            continue;
        };
        known.insert(path);
        let problem = match hash(&root.join(path)) {
            Ok((size, found)) => {
                verified.bytes += if path == FILE { 0 } else { size };
                (found != sha256).then(|| "does not hold what it held (SHA-256 differs)".to_owned())
            }
            Err(StoreError::Damaged { problem, .. }) => Some(problem),
            Err(error) => Some(sentence(&error)),
        };
        verified.problems.extend(problem.map(|problem| Problem { path: path.to_owned(), problem }));
    }
    let mut extra = Vec::new();
    foreign(root, root, &known, &mut extra)?;
    let problem = "does not belong to the snapshot";
    verified.problems.extend(extra.into_iter().map(|path| Problem { path, problem: problem.into() }));
    verified.files = known.len() as u64;
    Ok(())
}

fn names_manifest(sums: &[u8], sha256: &str) -> bool {
    let line = format!("{sha256}  {FILE}");
    sums.split(|byte| *byte == b'\n').any(|found| found == line.as_bytes())
}

/// An error with its cause, in one sentence.
fn sentence(error: &StoreError) -> String {
    use std::error::Error;
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// Files and links below a folder that nobody knows.
fn foreign(
    root: &Utf8Path,
    folder: &Utf8Path,
    known: &BTreeSet<&str>,
    found: &mut Vec<String>,
) -> Result<(), SnapshotError> {
    let mut entries: Vec<(Utf8PathBuf, bool)> = Vec::new();
    for entry in folder.read_dir_utf8().map_err(io("read", folder))? {
        let entry = entry.map_err(io("read", folder))?;
        let is_folder = entry.file_type().map_err(io("read", entry.path()))?.is_dir();
        entries.push((entry.into_path(), is_folder));
    }
    entries.sort();
    for (path, is_folder) in entries {
        let relative = path.strip_prefix(root).map(Utf8Path::as_str).unwrap_or_default();
        if is_folder {
            foreign(root, &path, known, found)?;
        } else if !known.contains(relative) {
            found.push(relative.to_owned());
        }
    }
    Ok(())
}
