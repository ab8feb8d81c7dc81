//! Several machines in one folder: each writer has a manifest of its own, a reader sees them together.
//!
//! Input: the manifests in a folder. Output: one manifest, without what a reader does not look at.

use super::manifest::{FILE, Manifest, SourceEntry};
use super::{handover, io};
use crate::error::StoreError;
use camino::Utf8Path;

/// Name of a writer's manifest.
#[must_use]
pub(super) fn file_name(writer: Option<&str>) -> String {
    writer.map_or_else(|| FILE.to_owned(), |writer| format!("manifest-{writer}.json"))
}

/// The writer whose manifest has this name; `Some(None)` is the writer without a name.
fn writer_of(name: &str) -> Option<Option<&str>> {
    if name == FILE {
        return Some(None);
    }
    name.strip_prefix("manifest-")
        .and_then(|rest| rest.strip_suffix(".json"))
        .filter(|writer| !writer.is_empty())
        .map(Some)
}

impl Manifest {
    /// Names of the writers that have a manifest in this folder, the one without a name first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn writers(root: &Utf8Path) -> Result<Vec<Option<String>>, StoreError> {
        let mut writers = Vec::new();
        for folder in [Some(root.to_owned()), handover::folder(root)].into_iter().flatten() {
            let entries = match folder.read_dir_utf8() {
                Ok(entries) => entries,
                Err(error)
                    if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
                {
                    continue;
                }
                Err(error) => return Err(io("read", &folder)(error)),
            };
            for entry in entries {
                let entry = entry.map_err(io("read", &folder))?;
                writers.extend(writer_of(entry.file_name()).map(|writer| writer.map(str::to_owned)));
            }
        }
        writers.sort();
        writers.dedup();
        Ok(writers)
    }

    /// Reads and checks all manifests of a store, as one.
    ///
    /// # Errors
    /// There is none, or one is unreadable, damaged, or of a newer schema.
    pub fn load_all(root: &Utf8Path) -> Result<Self, StoreError> {
        loop {
            let is_handed_over = handover::folder(root).is_some();
            let whole = Self::load_each(root);
            // A restore in between: some of what was read is of the state before.
            if handover::folder(root).is_some() == is_handed_over {
                return whole;
            }
        }
    }

    fn load_each(root: &Utf8Path) -> Result<Self, StoreError> {
        let mut whole: Option<Self> = None;
        for writer in Self::writers(root)? {
            match (Self::load(root, writer.as_deref()), &mut whole) {
                (Ok(manifest), None) => whole = Some(manifest),
                (Ok(manifest), Some(whole)) => whole.join(manifest),
                // Another writer may have gone in between.
                (Err(StoreError::Absent { .. }), _) => {}
                (Err(error), _) => return Err(error),
            }
        }
        whole.ok_or_else(|| StoreError::Absent { path: root.to_owned() })
    }

    /// Adds what another writer keeps; a source that is known already counts once.
    fn join(&mut self, other: Self) {
        let known: Vec<String> = self.sources.iter().map(|source| source.name.clone()).collect();
        let is_known = |name: &str| known.iter().any(|known| known == name);
        self.schema_version = self.schema_version.min(other.schema_version);
        self.written_at = self.written_at.max(other.written_at);
        self.has_content &= other.has_content;
        self.notices.extend(other.notices);
        self.notices.sort_by_key(|notice| notice.at);
        self.telemetry.extend(other.telemetry);
        self.sources.extend(other.sources.into_iter().filter(|source| !is_known(&source.name)));
        for (name, table) in other.tables {
            let own = self.tables.entry(name).or_default();
            for file in table.files {
                if !file.source().is_some_and(is_known) && !own.files.contains(&file) {
                    own.rows += file.rows;
                    own.files.push(file);
                }
            }
            own.files.sort();
        }
    }

    /// Keeps only what belongs to sources that pass.
    pub fn retain(&mut self, keep: impl Fn(&SourceEntry) -> bool) {
        let gone: Vec<String> =
            self.sources.iter().filter(|source| !keep(source)).map(|source| source.name.clone()).collect();
        self.sources.retain(|source| !gone.contains(&source.name));
        self.notices.retain(|notice| !gone.contains(&notice.source));
        for table in self.tables.values_mut() {
            table.files.retain(|file| file.source().is_none_or(|source| !gone.iter().any(|name| name == source)));
            table.rows = table.files.iter().map(|file| file.rows).sum();
        }
    }
}
