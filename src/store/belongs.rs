//! What belongs into a store's folder, and which folder is a store's.
//!
//! Input: a folder. Output: the folder, made where needed. A folder with anything in it that has not the shape of our own
//! files is not taken for a store, unless a manifest or a lock says that it is one.

use super::manifest::{self, Manifest};
use super::{LOCK, READING, STAGING, Store, children, io, private_folder, schema, snapshot};
use crate::error::StoreError;
use camino::{Utf8Path, Utf8PathBuf};

/// The folder of what is derived from the tables.
const MARTS: &str = "marts";

fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A path below the store, `<table>/source=…/week=…/<hash>.parquet`, has the shape of our files. Those of the first version
/// lie in `<table>/week=…`.
pub(super) fn is_shaped(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let [table, levels @ .., file] = parts.as_slice() else { return false };
    schema::table(table).is_some()
        && file.strip_suffix(".parquet").is_some_and(is_hash)
        && match levels {
            [week] => week.starts_with("week="),
            [source, week] => source.starts_with("source=") && week.starts_with("week="),
            _ => false,
        }
}

impl Store {
    /// An archive of snapshots is no store: what a store keeps would lie among them, and lock its verbs out. A folder that is
    /// not there, beside snapshots, is the name of one that was written wrong.
    ///
    /// # Errors
    /// [`StoreError::Archive`] names what is there.
    pub fn refuse_archive(&self) -> Result<(), StoreError> {
        // A store that is damaged is told from what it names itself.
        if !Manifest::writers(self.root()).is_ok_and(|writers| writers.is_empty()) {
            return Ok(());
        }
        let folder = self.root().parent().filter(|_| !self.root().exists()).unwrap_or(self.root());
        let folders = children(folder).unwrap_or_default();
        let is_snapshot = |path: &&Utf8PathBuf| path.is_dir() && Manifest::is_snapshot(path);
        let names = folders.iter().filter(is_snapshot).filter_map(|path| path.file_name());
        let mut snapshots: Vec<String> = names.filter(|name| !name.starts_with('.')).map(str::to_owned).collect();
        snapshots.sort_by(|one, two| two.cmp(one));
        if snapshots.is_empty() {
            return Ok(());
        }
        Err(StoreError::Archive { path: folder.to_owned(), snapshots })
    }

    /// Makes the folder where there is none.
    ///
    /// # Errors
    /// It cannot be made, or holds things that are not a store's.
    pub(super) fn create(&self) -> Result<(), StoreError> {
        self.refuse_archive()?;
        private_folder(self.root()).map_err(io("create", self.root()))?;
        let names = children(self.root())?;
        let is_marked = names.iter().filter_map(|path| path.file_name()).any(|name| {
            name == manifest::FILE || name.starts_with(LOCK) || name == READING || name.starts_with("manifest-")
        });
        if is_marked {
            return Ok(());
        }
        // What a store leaves behind that was removed half, or lost its manifest.
        for path in &names {
            if !self.is_left_over(path)? {
                return Err(StoreError::Foreign { path: self.root().to_owned() });
            }
        }
        Ok(())
    }

    fn is_left_over(&self, path: &Utf8Path) -> Result<bool, StoreError> {
        let name = path.file_name().unwrap_or_default();
        if path.is_symlink() || !path.is_dir() {
            return Ok(!path.is_symlink() && (name == ".checked" || name == "manifest.tmp"));
        }
        Ok(match name {
            // Snapshots may outlive the store that they froze.
            snapshot::FOLDER => true,
            MARTS => children(path)?.iter().filter_map(|path| path.file_name()).all(|name| {
                [".lock", ".incoming"].contains(&name)
                    || name.starts_with(".spill-")
                    || name.rsplit('-').next().is_some_and(is_hash)
            }),
            _ if name.starts_with(STAGING) => true,
            _ if schema::table(name).is_some() => self.all_shaped(path)?,
            _ => false,
        })
    }

    fn all_shaped(&self, folder: &Utf8Path) -> Result<bool, StoreError> {
        for path in children(folder)? {
            let is_fine = match (path.is_symlink(), path.is_dir()) {
                (true, _) => false,
                (false, true) => self.all_shaped(&path)?,
                (false, false) => is_shaped(self.relative(&path)),
            };
            if !is_fine {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn relative<'p>(&self, path: &'p Utf8Path) -> &'p str {
        path.strip_prefix(self.root()).map(Utf8Path::as_str).unwrap_or_default()
    }

    /// The source may be this writer's, as far as locks tell: a writer with a name calls its sources by it, and has a lock
    /// before it has a manifest.
    #[must_use]
    pub fn may_be_own(&self, source: &str) -> bool {
        let is_of =
            |writer: &str| source.strip_prefix(writer).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        let entries = children(self.root()).unwrap_or_default();
        let locks = entries.iter().filter_map(|path| path.file_name()?.strip_prefix(LOCK)?.strip_prefix('-'));
        let owner = locks.filter(|writer| is_of(writer)).max_by_key(|writer| writer.len());
        owner == self.writer()
    }
}

#[cfg(test)]
mod tests {
    use super::is_shaped;

    #[test]
    fn only_files_of_our_own_shape_are_ours() {
        for path in [
            "session/source=opencode/week=2026-W47/0123456789abcdef.parquet",
            "part/week=unknown/0123456789abcdef.parquet",
            "quarantine/source=telemetry/week=telemetry/0123456789abcdef.parquet",
        ] {
            assert!(is_shaped(path), "{path}");
        }
        for path in [
            "session/notes.txt",
            "session/0123456789abcdef.parquet",
            "session/source=opencode/week=2026-W47/mine.parquet",
            "session/year=2026/week=2026-W47/0123456789abcdef.parquet",
            "other/source=opencode/week=2026-W47/0123456789abcdef.parquet",
            "session/source=a/week=b/week=c/0123456789abcdef.parquet",
            "0123456789abcdef.parquet",
            "",
        ] {
            assert!(!is_shaped(path), "{path}");
        }
    }
}
