//! The store: typed Parquet files, partitioned by the week in which a session began, described by one manifest.
//!
//! Input: batches of rows from extract. Output: `<table>/week=<week>/<hash>.parquet`, `manifest.json`, `marts/`.
//! A file's name is the start of its SHA-256, so a file never changes; a refresh writes new files, then renames a new
//! manifest into place, then removes what no manifest names. A crash in between leaves the old state whole.

pub mod batch;
pub mod manifest;
pub mod parquet;
pub mod schema;
pub mod snapshot;

use crate::error::StoreError;
use camino::{Utf8Path, Utf8PathBuf};
use manifest::Manifest;
use std::fs::File;

const LOCK: &str = ".lock";
const STAGING: &str = ".incoming";

/// A folder that holds a store.
#[derive(Debug, Clone)]
pub struct Store {
    root: Utf8PathBuf,
    work: Utf8PathBuf,
}

/// The right to change a store; given up when dropped.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
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
        Self { root: root.to_owned(), work: root.to_owned() }
    }

    /// The same store, which keeps what is derived from it (marts, what was measured) in another folder.
    #[must_use]
    pub fn with_work(self, work: &Utf8Path) -> Self {
        Self { work: work.to_owned(), ..self }
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

    /// Reads the manifest.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when there is no store, otherwise what is wrong with it.
    pub fn manifest(&self) -> Result<Manifest, StoreError> {
        Manifest::load(&self.root)
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
        let path = self.root.join(LOCK);
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
        Ok(StoreLock { _file: file })
    }

    fn create(&self) -> Result<(), StoreError> {
        private_folder(&self.root).map_err(io("create", &self.root))?;
        if self.root.join(manifest::FILE).exists() || self.root.join(LOCK).exists() {
            return Ok(());
        }
        // Snapshots may outlive the store that they froze.
        let others =
            children(&self.root)?.into_iter().filter(|path| path.file_name() != Some(snapshot::FOLDER)).count();
        if others > 0 {
            return Err(StoreError::Foreign { path: self.root.clone() });
        }
        Ok(())
    }

    /// An empty folder beside the tables, in which new files are written before they are moved into place.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn staging(&self) -> Result<Utf8PathBuf, StoreError> {
        let path = self.root.join(STAGING);
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(io("remove", &path))?;
        }
        private_folder(&path).map_err(io("create", &path))?;
        Ok(path)
    }

    /// Moves the new files into place, renames the new manifest over the old one and removes what it no longer names.
    ///
    /// # Errors
    /// Any of that fails; until the manifest is renamed the old state stands.
    pub fn commit(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let staging = self.root.join(STAGING);
        for file in manifest.tables.values().flat_map(|table| &table.files) {
            let from = staging.join(&file.path);
            let to = self.root.join(&file.path);
            if from.exists() {
                if let Some(folder) = to.parent() {
                    private_folder(folder).map_err(io("create", folder))?;
                }
                std::fs::rename(&from, &to).map_err(io("rename", &to))?;
            }
        }
        for table in schema::TABLES {
            let folder = self.root.join(table.name);
            if folder.exists() {
                sync_folder(&folder)?;
            }
        }
        manifest.save(&self.root)?;
        self.sweep(manifest)
    }

    /// Removes files of earlier states (and of a crash), and the folder for incoming ones.
    fn sweep(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let staging = self.root.join(STAGING);
        if staging.exists() {
            std::fs::remove_dir_all(&staging).map_err(io("remove", &staging))?;
        }
        let kept: std::collections::HashSet<&str> =
            manifest.tables.values().flat_map(|table| table.files.iter().map(|file| file.path.as_str())).collect();
        for table in schema::TABLES {
            for folder in subfolders(&self.root.join(table.name))? {
                let mut left = 0;
                for path in children(&folder)? {
                    let relative = path.strip_prefix(&self.root).map(Utf8Path::as_str).unwrap_or_default();
                    if kept.contains(relative) {
                        left += 1;
                    } else {
                        std::fs::remove_file(&path).map_err(io("remove", &path))?;
                    }
                }
                if left == 0 {
                    std::fs::remove_dir(&folder).map_err(io("remove", &folder))?;
                }
            }
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
    builder.create(path)
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

/// Writes a file (0600) under a temporary name, syncs it and renames it into place.
///
/// # Errors
/// As the system says; the old file is then untouched.
pub fn write_atomic(path: &Utf8Path, bytes: &[u8]) -> Result<(), StoreError> {
    use std::io::Write;
    let temporary = path.with_extension("tmp");
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
    let mut file = private_file(&temporary)?;
    file.set_len(0).and_then(|()| file.write_all(bytes))?;
    std::fs::rename(&temporary, path)
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

fn subfolders(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, StoreError> {
    Ok(children(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}
