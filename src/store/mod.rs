//! The store: typed Parquet files, by source and by the week in which a session began, described by a manifest.
//!
//! Input: batches of rows from extract. Output: `<table>/source=<source>/week=<week>/<hash>.parquet`, `manifest.json`,
//! `marts/`. A file's name is the start of its SHA-256, so a file never changes; a refresh writes new files, then renames
//! a new manifest into place, then removes what no manifest names. A crash in between leaves the old state whole.
//!
//! Several machines may write into one folder without a server: a writer with a name has a manifest, a lock and sources
//! of its own (`manifest-<writer>.json`), and touches no file of another. Readers see all manifests together, and hold a
//! shared lock, so that no file goes while they read.

pub mod batch;
mod belongs;
mod checked;
mod commit;
mod handover;
pub mod incoming;
pub mod manifest;
pub mod parquet;
pub mod read;
pub mod schema;
pub mod snapshot;
mod sound;
mod writers;

use crate::error::StoreError;
use camino::{Utf8Path, Utf8PathBuf};
use incoming::Incoming;
use manifest::Manifest;
use std::fs::File;

const LOCK: &str = ".lock";
const READING: &str = ".reading";
const STAGING: &str = ".incoming";
/// What is wrong with a link, a folder or a pipe where a file should be.
const NOT_PLAIN: &str = "is not a plain file";

/// A folder that holds a store.
#[derive(Debug, Clone)]
pub struct Store {
    root: Utf8PathBuf,
    work: Utf8PathBuf,
    writer: Option<String>,
}

/// The right to change a store; given up when dropped.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
}

/// While this lives, no file is removed from the store.
#[derive(Debug)]
pub struct Reading {
    _file: Option<File>,
}

/// Wraps an I/O error with what was tried on which path.
pub(crate) fn io(action: &'static str, path: &Utf8Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { action, path, source }
}

impl Store {
    /// A store at this folder, which need not exist yet.
    #[must_use]
    pub fn at(root: &Utf8Path) -> Self {
        Self { root: root.to_owned(), work: root.to_owned(), writer: None }
    }

    /// The same store, which keeps what is derived from it (marts, what was measured) in another folder.
    #[must_use]
    pub fn with_work(self, work: &Utf8Path) -> Self {
        Self { work: work.to_owned(), ..self }
    }

    /// The same folder, written under a name of its own.
    #[must_use]
    pub fn with_writer(self, writer: &str) -> Self {
        Self { writer: Some(writer.to_owned()), ..self }
    }

    /// The name under which it is written, where it has one.
    #[must_use]
    pub fn writer(&self) -> Option<&str> {
        self.writer.as_deref()
    }

    fn own(&self, name: &str) -> Utf8PathBuf {
        match &self.writer {
            Some(writer) => self.root.join(format!("{name}-{writer}")),
            None => self.root.join(name),
        }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Where things derived from the store are kept: the store itself, except for a snapshot.
    #[must_use]
    pub fn work(&self) -> &Utf8Path {
        &self.work
    }

    /// What all writers keep here, as one.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when there is no store, otherwise what is wrong with it.
    pub fn manifest(&self) -> Result<Manifest, StoreError> {
        Manifest::load_all(&self.root)
    }

    /// What this writer keeps here.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when it has written nothing yet, otherwise what is wrong with it.
    pub fn own_manifest(&self) -> Result<Manifest, StoreError> {
        Manifest::load(&self.root, self.writer())
    }

    /// The manifests of the other writers. One that cannot be read is left out: it is theirs to mend.
    #[must_use]
    pub fn other_manifests(&self) -> Vec<Manifest> {
        Manifest::writers(&self.root)
            .unwrap_or_default()
            .into_iter()
            .filter(|writer| writer.as_deref() != self.writer())
            .filter_map(|writer| Manifest::load(&self.root, writer.as_deref()).ok())
            .collect()
    }

    /// Keeps every file in place until the result is dropped. Take it before the manifest is read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        // The file is there since the first refresh; a folder that nobody refreshes needs no lock.
        let file = open_plain(&self.root.join(READING)).ok().filter(|file| file.lock_shared().is_ok());
        Reading { _file: file }
    }

    /// Creates the folder (0700) where needed and takes the store's lock. When another process holds it, `waiting` is
    /// told once and the call waits.
    ///
    /// # Errors
    /// The folder cannot be created or written, or holds things that are not a store's.
    pub fn lock(&self, wait: bool, waiting: impl FnOnce()) -> Result<StoreLock, StoreError> {
        if Manifest::is_snapshot(&self.root) {
            return Err(StoreError::Frozen { path: self.root.clone() });
        }
        self.create()?;
        let path = self.own(LOCK);
        refuse_link(&path)?;
        let file = private_file(&path).map_err(io("write", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) if wait => {
                waiting();
                file.lock().map_err(io("lock", &path))?;
            }
            Err(std::fs::TryLockError::WouldBlock) => return Err(StoreError::Locked { path: self.root.clone() }),
            Err(std::fs::TryLockError::Error(source)) => return Err(io("lock", &path)(source)),
        }
        self.take_over()?;
        Ok(StoreLock { _file: file })
    }

    /// An empty folder beside the tables, in which new files are written before they are moved into place.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn staging(&self) -> Result<Incoming, StoreError> {
        self.discard()?;
        let path = self.own(STAGING);
        private_folder(&path).map_err(io("create", &path))?;
        Ok(Incoming::new(path))
    }

    /// Removes the folder for incoming files.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn discard(&self) -> Result<(), StoreError> {
        let staging = self.own(STAGING);
        if staging.exists() {
            std::fs::remove_dir_all(&staging).map_err(io("remove", &staging))?;
        }
        Ok(())
    }

    /// Absolute paths of a table's files.
    #[must_use]
    pub fn files(&self, manifest: &Manifest, table: &str) -> Vec<Utf8PathBuf> {
        manifest
            .tables
            .get(table)
            .map(|table| table.files.iter().map(|file| self.root.join(&file.path)).collect())
            .unwrap_or_default()
    }
}

/// Creates a folder and its parents; the folder itself is for the user only (0700).
///
/// # Errors
/// As the system says.
pub fn private_folder(path: &Utf8Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        // A folder above may go between two steps, when another writer sweeps.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => builder.create(path),
        made => made,
    }
}

/// Opens a file for writing, for the user only (0600), keeping what it holds.
///
/// # Errors
/// As the system says.
pub fn private_file(path: &Utf8Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Opens a file for reading. What is not a plain file is not opened: a link leads elsewhere, and a pipe would wait for ever.
///
/// # Errors
/// As the system says; `InvalidInput` when it is something else than a file.
pub(crate) fn open_plain(path: &Utf8Path) -> std::io::Result<File> {
    if std::fs::symlink_metadata(path)?.is_file() {
        return File::open(path);
    }
    Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, NOT_PLAIN))
}

/// All that a plain file holds.
///
/// # Errors
/// As [`open_plain`].
pub(crate) fn read_plain(path: &Utf8Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    open_plain(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Removes what a crash (or somebody else) left under a name that is about to be written: a link there would be followed.
fn unlink(path: &Utf8Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file (0600) under a temporary name, syncs it and renames it into place.
///
/// # Errors
/// As the system says; the old file is then untouched.
pub fn write_atomic(path: &Utf8Path, bytes: &[u8]) -> Result<(), StoreError> {
    use std::io::Write;
    let temporary = path.with_extension("tmp");
    unlink(&temporary).map_err(io("remove", &temporary))?;
    let mut file = private_file(&temporary).map_err(io("write", &temporary))?;
    let written = file.set_len(0).and_then(|()| file.write_all(bytes)).and_then(|()| file.sync_all());
    if let Err(source) = written {
        // A half-written temporary file helps nobody; the error that matters is the first one.
        let _ = std::fs::remove_file(&temporary);
        return Err(io("write", path)(source));
    }
    std::fs::rename(&temporary, path).map_err(io("rename", path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Writes a file (0600) that may be lost in a crash, but is never seen half-written.
///
/// # Errors
/// As the system says.
pub fn write_whole(path: &Utf8Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    unlink(&temporary)?;
    let mut file = private_file(&temporary)?;
    file.set_len(0).and_then(|()| file.write_all(bytes))?;
    std::fs::rename(&temporary, path)
}

/// Whether the process of a number has ended, where the system tells.
#[must_use]
pub fn is_ended(process: &str) -> bool {
    let is_number = process.bytes().all(|byte| byte.is_ascii_digit());
    is_number && Utf8Path::new("/proc/self").exists() && !Utf8Path::new("/proc").join(process).exists()
}

/// A link inside a store could lead anywhere: it is never followed.
///
/// # Errors
/// [`StoreError::Link`] when the path is a symbolic link.
pub fn refuse_link(path: &Utf8Path) -> Result<(), StoreError> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_symlink() => Err(StoreError::Link { path: path.to_owned() }),
        _ => Ok(()),
    }
}

pub(crate) fn sync_folder(path: &Utf8Path) -> Result<(), StoreError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(io("write", path))
}

fn children(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, StoreError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in folder.read_dir_utf8().map_err(io("read", folder))? {
        paths.push(entry.map_err(io("read", folder))?.into_path());
    }
    Ok(paths)
}

/// All files below a folder, ordered; links are not followed.
///
/// # Errors
/// A folder cannot be read.
pub fn walk(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, StoreError> {
    let mut found = Vec::new();
    if !folder.is_symlink() {
        for path in children(folder)? {
            if path.is_dir() && !path.is_symlink() {
                found.extend(walk(&path)?);
            } else if path.is_file() && !path.is_symlink() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
