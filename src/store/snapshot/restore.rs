//! Making a store hold an old state again.
//!
//! Input: a snapshot, a store. Output: the store with copies of the snapshot's files; the old state until the very end.

use super::copy::{check, copy};
use super::{Archive, Listed, verify};
use crate::error::{SnapshotError, StoreError};
use crate::store::Store;
use crate::store::manifest::Manifest;
use std::collections::BTreeSet;

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// The state that the store has now.
    pub manifest: Manifest,
    /// Files copied; the others were there already.
    pub copied_files: u64,
}

impl Archive {
    /// Restores a snapshot. `force` gives up a present state that no snapshot holds.
    ///
    /// # Errors
    /// The snapshot is damaged, the present state would be lost, or the store cannot be written; the old state stands then.
    pub fn restore(&self, store: &Store, name: &str, force: bool) -> Result<Restored, SnapshotError> {
        let (from, frozen) = self.open(name)?;
        let listed = Listed { name: name.to_owned(), manifest: Ok(frozen.clone()) };
        let verified = verify::verify(from.root(), &listed)?;
        if !verified.problems.is_empty() {
            let problems = verified.problems.iter().map(|bad| format!("{name}/{} {}", bad.path, bad.problem)).collect();
            return Err(SnapshotError::Damaged { snapshots: vec![name.to_owned()], problems });
        }
        let writers = frozen.snapshot.as_ref().map(|entry| entry.writers.clone()).unwrap_or_default();
        let mut stores = vec![store.clone()];
        let named: BTreeSet<String> =
            Manifest::writers(store.root())?.into_iter().flatten().chain(writers.keys().cloned()).collect();
        stores.extend(named.iter().map(|writer| store.clone().with_writer(writer)));
        let waiting = || tracing::warn!("another logicoma is working on this store: waiting for it");
        let _locks = stores.iter().map(|store| store.lock(true, waiting)).collect::<Result<Vec<_>, _>>()?;
        match store.manifest() {
            Ok(present) if !force && !self.holds(&present)? => {
                let (path, archive) = (store.root().to_owned(), self.root().to_owned());
                return Err(SnapshotError::Unsaved { path, archive });
            }
            // A state that cannot be read cannot be kept either.
            Ok(_) | Err(StoreError::Absent { .. } | StoreError::Manifest { .. } | StoreError::Damaged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let manifest = Manifest { snapshot: None, ..frozen };
        let mut copied_files = 0;
        let mut states = Vec::new();
        for store in &stores {
            let mut own = manifest.clone();
            own.retain(|source| {
                let owner = writers.iter().find(|(_, sources)| sources.contains(&source.name));
                owner.map(|(writer, _)| writer.as_str()) == store.writer()
            });
            if own.sources.is_empty() && stores.len() > 1 && store.own_manifest().is_err() {
                continue;
            }
            let incoming = store.staging()?;
            for file in own.files() {
                if check(&store.root().join(&file.path), file).is_err() {
                    copy(&from.root().join(&file.path), &incoming.join(&file.path), file)?;
                    copied_files += 1;
                }
            }
            states.push((store, incoming, own));
        }
        store.commit_all(states)?;
        Ok(Restored { manifest, copied_files })
    }

    /// Some snapshot holds this state, and could be restored: what its manifest says alone brings nothing back.
    fn holds(&self, present: &Manifest) -> Result<bool, SnapshotError> {
        let state = present.content_key();
        for listed in self.list()?.iter().rev() {
            let Ok(manifest) = &listed.manifest else { continue };
            let froze = manifest.snapshot.as_ref().is_some_and(|entry| entry.state == state && !entry.is_lean);
            if !froze && manifest.content_key() != state {
                continue;
            }
            let verified = verify::verify(&self.root.join(&listed.name), listed)?;
            let Some(bad) = verified.problems.first() else { return Ok(true) };
            tracing::warn!(
                "snapshot {} holds the present state, but is damaged: {} {}",
                listed.name,
                bad.path,
                bad.problem
            );
        }
        Ok(false)
    }
}
