//! The folder tree: names in order, links left alone, bytes of a file.

use crate::store::manifest::Fingerprint;
use camino::{Utf8Path, Utf8PathBuf};

/// Larger files would not fit into a row.
const LIMIT: u64 = 900_000_000;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
}

/// An entry of a folder.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: Utf8PathBuf,
    /// What it is.
    pub kind: Kind,
}

/// A file's bytes, or why there are none.
pub(super) type Content = Result<Vec<u8>, String>;

/// Plain files and folders in order of their names; a folder that is not there has none. Links and devices are left alone.
pub(super) fn children(folder: &Utf8Path, links: &mut u64) -> Vec<Entry> {
    let is_folder = folder.symlink_metadata().is_ok_and(|found| found.is_dir());
    let Some(entries) = is_folder.then(|| folder.read_dir_utf8().ok()).flatten() else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let Ok(kind) = entry.file_type() else { continue };
        let kind = if kind.is_dir() {
            Kind::Folder
        } else if kind.is_file() {
            Kind::File
        } else {
            *links += u64::from(kind.is_symlink());
            continue;
        };
        found.push(Entry { name: entry.file_name().to_owned(), path: entry.into_path(), kind });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// Adds all files below a folder.
pub(super) fn measure(folder: &Utf8Path, fingerprint: &mut Fingerprint) {
    let mut links = 0;
    for child in children(folder, &mut links) {
        if child.kind == Kind::Folder {
            measure(&child.path, fingerprint);
        } else if let Ok(metadata) = child.path.symlink_metadata() {
            fingerprint.change_counter += 1;
            fingerprint.size += metadata.len();
            fingerprint.modified_ns = fingerprint.modified_ns.max(super::super::sqlite::modified_ns(&metadata));
        }
    }
}

/// Reads a file.
pub(super) fn read(path: &Utf8Path) -> Content {
    let size = path.symlink_metadata().map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > LIMIT {
        return Err(format!("has {size} bytes, more than a row can hold"));
    }
    std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))
}
