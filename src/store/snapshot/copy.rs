//! Moving bytes between a store and its snapshots: every byte is hashed on its way.
//!
//! Input: a file and what a manifest says of it. Output: the same file elsewhere, or what is wrong with it.

use crate::error::StoreError;
use crate::model::digest;
use crate::store::manifest::{FileEntry, Manifest};
use crate::store::{NOT_PLAIN, io, open_plain, private_file, private_folder};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{Read, Write};

const BUFFER: usize = 1 << 20;

/// Size and SHA-256 of a regular file; what it holds goes to `sink` too. Links are not followed.
fn pump(path: &Utf8Path, mut sink: impl FnMut(&[u8]) -> Result<(), StoreError>) -> Result<(u64, String), StoreError> {
    let damaged = |problem: &str| StoreError::Damaged { path: path.to_owned(), problem: problem.into() };
    let mut file = open_plain(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => damaged("is missing"),
        std::io::ErrorKind::InvalidInput => damaged(NOT_PLAIN),
        _ => io("read", path)(error),
    })?;
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = file.read(&mut buffer).map_err(io("read", path))?;
        if count == 0 {
            return Ok((size, digest::hex(&hash.finalize())));
        }
        hash.update(&buffer[..count]);
        size += count as u64;
        sink(&buffer[..count])?;
    }
}

/// Holds a file against what a manifest says of it.
///
/// # Errors
/// [`StoreError::Damaged`] with what differs, or the file cannot be read.
pub(crate) fn check(path: &Utf8Path, expected: &FileEntry) -> Result<(), StoreError> {
    let (bytes, sha256) = pump(path, |_| Ok(()))?;
    compare(path, bytes, &sha256, expected)
}

fn compare(path: &Utf8Path, bytes: u64, sha256: &str, expected: &FileEntry) -> Result<(), StoreError> {
    let damaged = |problem: String| Err(StoreError::Damaged { path: path.to_owned(), problem });
    if bytes != expected.bytes {
        return damaged(format!("has {bytes} bytes instead of {}", expected.bytes));
    }
    if sha256 != expected.sha256 {
        return damaged("does not hold what it held (SHA-256 differs)".into());
    }
    Ok(())
}

/// Size and SHA-256 of a file.
///
/// # Errors
/// It is missing, no plain file, or cannot be read.
pub(super) fn hash(path: &Utf8Path) -> Result<(u64, String), StoreError> {
    pump(path, |_| Ok(()))
}

/// Writes a new file (0600), synced; its folder is made where needed.
///
/// # Errors
/// As the system says.
pub(super) fn put(path: &Utf8Path, bytes: &[u8]) -> Result<(), StoreError> {
    if let Some(folder) = path.parent() {
        private_folder(folder).map_err(io("create", folder))?;
    }
    let mut file = private_file(path).map_err(io("write", path))?;
    file.write_all(bytes).and_then(|()| file.sync_data()).map_err(io("write", path))
}

/// Copies a file whose bytes must be those that the manifest names, synced.
///
/// # Errors
/// The file is damaged, or a side cannot be read or written.
pub(super) fn copy(from: &Utf8Path, to: &Utf8Path, expected: &FileEntry) -> Result<(), StoreError> {
    if let Some(folder) = to.parent() {
        private_folder(folder).map_err(io("create", folder))?;
    }
    let mut file = private_file(to).map_err(io("write", to))?;
    let (bytes, sha256) = pump(from, |part| file.write_all(part).map_err(io("write", to)))?;
    compare(from, bytes, &sha256, expected)?;
    file.sync_data().map_err(io("write", to))
}

/// Files of earlier snapshots by checksum.
#[derive(Default)]
pub(super) struct Held {
    files: HashMap<String, (Utf8PathBuf, FileEntry)>,
}

impl Held {
    /// Adds the files of a snapshot; later ones win.
    pub(super) fn add(&mut self, root: &Utf8Path, manifest: &Manifest) {
        for file in manifest.files() {
            self.files.insert(file.sha256.clone(), (root.join(&file.path), file.clone()));
        }
    }

    /// Links an earlier snapshot's file with the same bytes into place. False when there is none, when it has been damaged
    /// (a link would spread that), or when the file system has no links.
    pub(super) fn link(&self, expected: &FileEntry, to: &Utf8Path) -> Result<bool, StoreError> {
        let Some((from, entry)) = self.files.get(&expected.sha256) else { return Ok(false) };
        if let Err(error) = check(from, entry) {
            tracing::warn!("{error}: not used for the new snapshot");
            return Ok(false);
        }
        if let Some(folder) = to.parent() {
            private_folder(folder).map_err(io("create", folder))?;
        }
        Ok(std::fs::hard_link(from, to).is_ok())
    }
}
