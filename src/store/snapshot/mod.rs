//! Snapshots: dated, immutable copies of a store that anyone can check with `sha256sum -c SHA256SUMS`.
//!
//! Input: a store. Output: `<archive>/<name>/`, itself a complete store, whose manifest has a `snapshot` section. A file
//! that an earlier snapshot of the archive holds already is a hard link to it, so that a snapshot costs what changed since;
//! nothing is ever linked with the live store, so that damage there does not spread. Everything is written beside its place,
//! synced and renamed: a crash leaves no half snapshot. Folders whose name begins with a dot are not snapshots.

mod copy;
mod create;
mod lean;
mod prune;
mod restore;
mod verify;

pub(crate) use copy::check as check_file;
pub use create::{Created, Order};
pub use prune::{Fate, Keep};
pub use restore::Restored;
pub use verify::{Problem, Verified};

use super::manifest::{Manifest, SnapshotEntry};
use super::{Store, io, manifest, private_file, private_folder, schema};
use crate::error::{SnapshotError, StoreError};
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::File;

/// Name of the list of checksums in every snapshot.
pub const SUMS: &str = "SHA256SUMS";
/// Name of the archive in a store, where no other is named.
pub const FOLDER: &str = "snapshots";

const LOCK: &str = ".lock";

/// Bytes of a name. There are snapshots with longer names than new ones get.
const LONGEST: usize = 160;

/// A folder that holds snapshots; several machines may share it.
#[derive(Debug, Clone)]
pub struct Archive {
    root: Utf8PathBuf,
}

/// One snapshot.
#[derive(Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its manifest, or what is wrong with it.
    pub manifest: Result<Manifest, StoreError>,
}

impl Listed {
    /// The section that makes it a snapshot, where the manifest can be read.
    #[must_use]
    pub fn entry(&self) -> Option<&SnapshotEntry> {
        self.manifest.as_ref().ok().and_then(|manifest| manifest.snapshot.as_ref())
    }
}

/// A name that is safe as the name of a folder.
///
/// # Errors
/// It is not.
pub fn check_name(name: &str) -> Result<(), SnapshotError> {
    let fine = !name.is_empty()
        && name.len() <= LONGEST
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if fine { Ok(()) } else { Err(SnapshotError::Name { name: name.to_owned() }) }
}

/// A folder of an archive is a snapshot, or what is left of one: by what lies in it, or by its name alone.
fn looks_like(folder: &Utf8Path, name: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_dated = name.get(..18).is_some_and(|time| {
        let parts: Vec<&str> = time.split(['-', 'T', 'Z']).collect();
        parts.iter().map(|part| part.len()).eq([4, 2, 2, 6, 0]) && parts.iter().all(|part| digits(part))
    });
    is_dated || [SUMS, manifest::FILE].iter().any(|file| folder.join(file).symlink_metadata().is_ok())
}

impl Archive {
    /// An archive at this folder, which need not exist yet.
    #[must_use]
    pub fn at(root: &Utf8Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The archive inside a store.
    #[must_use]
    pub fn of(store: &Store) -> Self {
        Self { root: store.root().join(FOLDER) }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// An archive lies neither in a snapshot, in which nothing is written, nor among a store's own files.
    fn refuse_place(&self) -> Result<(), SnapshotError> {
        let not_archive = || Err(SnapshotError::NotArchive { path: self.root.clone() });
        if !Manifest::writers(&self.root)?.is_empty() {
            return not_archive();
        }
        for (folder, below) in self.root.ancestors().skip(1).zip(self.root.ancestors()) {
            let is_table = below.file_name().is_some_and(|name| name == "marts" || schema::table(name).is_some());
            if Manifest::load(folder, None).is_ok_and(|manifest| manifest.snapshot.is_some() || is_table) {
                return not_archive();
            }
        }
        Ok(())
    }

    /// Every snapshot, oldest first; those whose manifest cannot be read come last.
    ///
    /// # Errors
    /// The folder is there but cannot be read, or is no archive.
    pub fn list(&self) -> Result<Vec<Listed>, SnapshotError> {
        self.refuse_place()?;
        let entries = match self.root.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io("read", &self.root)(error).into()),
        };
        let mut listed = Vec::new();
        for entry in entries {
            let entry = entry.map_err(io("read", &self.root))?;
            let name = entry.file_name().to_owned();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if !is_folder || check_name(&name).is_err() || !looks_like(entry.path(), &name) {
                continue;
            }
            let absent =
                |error| if let StoreError::Absent { .. } = error { verify::missing(entry.path()) } else { error };
            let manifest = Manifest::load(entry.path(), None).map_err(absent).and_then(|manifest| {
                let named = manifest.snapshot.as_ref().map(|snapshot| snapshot.name.as_str());
                if named == Some(name.as_str()) {
                    return Ok(manifest);
                }
                Err(StoreError::Damaged {
                    path: entry.path().join(manifest::FILE),
                    problem: format!("names another snapshot, '{}'", named.unwrap_or_default().escape_debug()),
                })
            });
            // What was pruned meanwhile is not there.
            if manifest.is_ok() || entry.path().is_dir() {
                listed.push(Listed { name, manifest });
            }
        }
        listed.sort_by_cached_key(|one| {
            let created = one.entry().map(|entry| entry.created_at);
            (created.is_none(), created, one.name.clone())
        });
        Ok(listed)
    }

    /// One snapshot as a store.
    ///
    /// # Errors
    /// There is none of this name, or its manifest cannot be read.
    pub fn open(&self, name: &str) -> Result<(Store, Manifest), SnapshotError> {
        check_name(name)?;
        super::refuse_link(&self.root.join(name))?;
        let unknown = || SnapshotError::Unknown { name: name.to_owned(), archive: self.root.clone() };
        let found = self.list()?.into_iter().find(|one| one.name == name).ok_or_else(unknown)?;
        Ok((Store::at(&self.root.join(name)), found.manifest?))
    }

    /// Creates the folder and takes its lock, so that two runs do not tread on each other. A file system without locks
    /// (some network folders) gives none: names of folders still keep machines apart.
    fn lock(&self) -> Result<Option<File>, SnapshotError> {
        self.refuse_place()?;
        super::refuse_link(&self.root)?;
        private_folder(&self.root).map_err(io("create", &self.root))?;
        let path = self.root.join(LOCK);
        super::refuse_link(&path)?;
        let file = private_file(&path).map_err(io("write", &path))?;
        match file.lock() {
            Ok(()) => Ok(Some(file)),
            Err(error) if error.kind() == std::io::ErrorKind::Unsupported => Ok(None),
            Err(error) => Err(io("lock", &path)(error).into()),
        }
    }

    /// Removes what a crash left; the lock is held, and only folders of this machine's name are touched.
    fn clear(&self, prefixes: &[String]) -> Result<(), SnapshotError> {
        for entry in self.root.read_dir_utf8().map_err(io("read", &self.root))? {
            let entry = entry.map_err(io("read", &self.root))?;
            if prefixes.iter().any(|prefix| entry.file_name() == prefix) {
                std::fs::remove_dir_all(entry.path()).map_err(io("remove", entry.path()))?;
            }
        }
        Ok(())
    }
}
