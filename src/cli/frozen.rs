//! Stores in which nothing may be written: what is derived from them goes into a temporary folder.

use super::context::Context;
use crate::store::{Store, private_folder};
use anyhow::Context as _;
use camino::Utf8Path;

impl Context {
    /// A folder outside of every store, until the run ends.
    ///
    /// # Errors
    /// There is no place for temporary files.
    pub fn scratch(&self) -> anyhow::Result<&Utf8Path> {
        if self.scratch.get().is_none() {
            let made =
                tempfile::Builder::new().prefix("logicoma-").tempdir().context("cannot make a temporary folder")?;
            let _ = self.scratch.set(made);
        }
        let folder = self.scratch.get().and_then(|folder| Utf8Path::from_path(folder.path()));
        folder.context("the temporary folder has no readable name")
    }

    /// A snapshot, or a store on a read-only disk: what is derived from it goes elsewhere.
    ///
    /// # Errors
    /// There is no place for temporary files.
    pub fn frozen(&self, store: Store) -> anyhow::Result<Store> {
        let name = crate::model::digest::sha256(store.root().as_str().as_bytes());
        let work = self.scratch()?.join(&name[..16]);
        private_folder(&work)?;
        Ok(store.with_work(&work))
    }
}
