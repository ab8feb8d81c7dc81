//! New states of several writers at once: all of them hold, or none.
//!
//! Input: a manifest for each writer, whose files are in place. Output: the folder `.restored`, renamed into the store in one
//! step: from then on its manifests win over those beside it. Each is moved over the old one by whoever next has its
//! writer's lock, so that a crash in between changes nothing for a reader.

use super::manifest::Manifest;
use super::writers::file_name;
use super::{STAGING, Store, io, private_folder, read_plain, refuse_link, sync_folder};
use crate::error::StoreError;
use camino::{Utf8Path, Utf8PathBuf};

/// The folder with the manifests that hold.
const FOLDER: &str = ".restored";

/// The folder, where there is one.
pub(super) fn folder(root: &Utf8Path) -> Option<Utf8PathBuf> {
    let folder = root.join(FOLDER);
    folder.symlink_metadata().is_ok_and(|found| found.is_dir()).then_some(folder)
}

/// The manifest of this name that holds, with its path: one that was handed over, until its writer has taken it.
pub(super) fn read(root: &Utf8Path, name: &str) -> (Utf8PathBuf, std::io::Result<Vec<u8>>) {
    if let Some(path) = folder(root).map(|folder| folder.join(name))
        && let Ok(bytes) = read_plain(&path)
    {
        return (path, Ok(bytes));
    }
    let path = root.join(name);
    let read = read_plain(&path);
    (path, read)
}

impl Store {
    /// Makes these manifests hold, in one step; the caller has the locks of their writers.
    ///
    /// # Errors
    /// The folder cannot be written; the old states stand then.
    pub(super) fn hand_over(&self, states: &[(&Self, Manifest)]) -> Result<(), StoreError> {
        let root = self.root();
        let target = root.join(FOLDER);
        refuse_link(&target)?;
        // Its name says that it is no writer's: those have a hyphen in front of theirs.
        let incoming = root.join(format!("{STAGING}.{}", FOLDER.trim_start_matches('.')));
        if incoming.symlink_metadata().is_ok() {
            std::fs::remove_dir_all(&incoming).map_err(io("remove", &incoming))?;
        }
        private_folder(&incoming).map_err(io("create", &incoming))?;
        for (store, manifest) in states {
            manifest.save(&incoming, store.writer())?;
        }
        std::fs::rename(&incoming, &target).map_err(io("rename", &target))?;
        sync_folder(root)
    }

    /// Moves this writer's manifest over its old one, where a restore left it to do; the caller has the writer's lock.
    ///
    /// # Errors
    /// It cannot be moved.
    pub(super) fn take_over(&self) -> Result<(), StoreError> {
        let Some(folder) = folder(self.root()) else { return Ok(()) };
        let name = file_name(self.writer());
        let (from, to) = (folder.join(&name), self.root().join(&name));
        match std::fs::rename(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io("rename", &to)(error)),
            _ => sync_folder(self.root())?,
        }
        // It goes with the last of them.
        let _ = std::fs::remove_dir(&folder);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Manifest;
    use super::{FOLDER, Store};
    use camino::Utf8Path;

    fn state(store: &Store) -> Vec<i64> {
        let writers = Manifest::writers(store.root()).expect("writers");
        let load = |writer: &Option<String>| Manifest::load(store.root(), writer.as_deref()).expect("a manifest");
        writers.iter().map(|writer| load(writer).written_at).collect()
    }

    #[test]
    fn what_was_handed_over_holds_at_once_whoever_takes_it_when() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8").join("store");
        let store = Store::at(&root);
        let [desk, laptop, tower] = ["desk", "laptop", "tower"].map(|writer| store.clone().with_writer(writer));
        let locks = [&desk, &laptop, &tower].map(|store| store.lock(false, || ()).expect("a lock"));
        for store in [&desk, &laptop] {
            Manifest::empty(true, 1).save(&root, store.writer()).expect("saved");
        }
        let states = [&desk, &laptop, &tower].map(|store| (store, Manifest::empty(true, 2)));
        store.hand_over(&states).expect("handed over");
        assert_eq!(state(&store), [2, 2, 2]);
        assert_eq!(store.manifest().expect("as one").written_at, 2);
        drop(locks);
        // A crash here; one machine goes on, the others are not there.
        let lock = laptop.lock(false, || ()).expect("a lock");
        assert_eq!(state(&store), [2, 2, 2]);
        Manifest::empty(true, 3).save(&root, laptop.writer()).expect("saved");
        drop(lock);
        assert_eq!(state(&store), [2, 3, 2], "what is new wins over what was handed over");
        for store in [&desk, &tower] {
            drop(store.lock(false, || ()).expect("a lock"));
        }
        assert_eq!(state(&store), [2, 3, 2]);
        assert!(!root.join(FOLDER).exists(), "it goes with the last");
    }
}
