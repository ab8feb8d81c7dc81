//! Is what a manifest says sound in itself? Files are held against the disk elsewhere.
//!
//! Input: a manifest as it was read. Output: nothing, or what contradicts itself in it, or leads out of the store.

use super::manifest::{FileEntry, Manifest};
use super::schema;
use crate::error::StoreError;
use camino::Utf8Path;

impl Manifest {
    /// Checks what was read from `own`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] names the first thing that cannot be.
    pub(super) fn check_itself(&self, own: &Utf8Path) -> Result<(), StoreError> {
        self.check_paths(own)?;
        self.check_sums(own)
    }

    /// A manifest may be shared between machines: no path in it may lead out of the store, and no name become one that does.
    fn check_paths(&self, own: &Utf8Path) -> Result<(), StoreError> {
        let mut writers = self.snapshot.iter().flat_map(|entry| entry.writers.keys());
        if let Some(writer) = writers.find(|writer| super::snapshot::check_name(writer).is_err()) {
            let problem = format!("names a writer '{}', which is no name", writer.escape_debug());
            return Err(StoreError::Damaged { path: own.to_owned(), problem });
        }
        for (table, entry) in &self.tables {
            for file in &entry.files {
                let path = Utf8Path::new(&file.path);
                let is_plain = path.components().map(|part| part.as_str()).collect::<Vec<_>>().join("/") == file.path;
                let inside = is_plain
                    && path.components().all(|part| matches!(part, camino::Utf8Component::Normal(_)))
                    && path.starts_with(table)
                    && schema::table(table).is_some();
                if !inside {
                    return Err(StoreError::Damaged {
                        path: own.to_owned(),
                        problem: format!("names '{}', which is not a file of table {table}", file.path.escape_debug()),
                    });
                }
            }
        }
        Ok(())
    }

    /// What it says twice it must say alike: a file that fell out of it, or one of a source that it does not know, would be
    /// missing from every number, and from no check of files.
    fn check_sums(&self, own: &Utf8Path) -> Result<(), StoreError> {
        let damaged = |problem: String| Err(StoreError::Damaged { path: own.to_owned(), problem });
        for (table, entry) in &self.tables {
            let rows: u64 = entry.files.iter().map(|file| file.rows).sum();
            if rows != entry.rows {
                return damaged(format!("says {} rows of table {table}, but its files hold {rows}", entry.rows));
            }
            let is_known = |file: &&FileEntry| file.source().is_none_or(|source| self.source(source).is_some());
            if let Some(file) = entry.files.iter().find(|file| !is_known(file)) {
                return damaged(format!("names '{}', of a source that it does not know", file.path.escape_debug()));
            }
        }
        let is_absent = |table: &str| schema::table(table).is_some() && !self.tables.contains_key(table);
        for source in self.sources.iter().filter(|_| self.schema_version == schema::SCHEMA_VERSION) {
            if let Some((table, rows)) = source.rows_read.iter().find(|(table, rows)| **rows > 0 && is_absent(table)) {
                return damaged(format!("has no table {table}, of which {rows} rows were read from {}", source.name));
            }
        }
        Ok(())
    }
}
