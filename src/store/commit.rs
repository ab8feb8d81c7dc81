//! From one state to the next: new files into place, the manifest over the old one, what nobody names away.
//!
//! Input: files in the folder for incoming ones, and the manifest that names them. Output: the new state. Until the
//! manifest is renamed, the old state stands.

use super::belongs::is_shaped;
use super::incoming::Incoming;
use super::manifest::{FileEntry, Manifest, source_of};
use super::{
    READING, STAGING, Store, checked, children, io, private_file, private_folder, refuse_link, schema, sync_folder,
};
use crate::error::StoreError;
use camino::Utf8Path;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::collections::HashSet;
use std::io::ErrorKind;

impl Store {
    /// Waits until the new files are on the disk, moves them into place, renames the new manifest over the old one and
    /// removes what it no longer names.
    ///
    /// # Errors
    /// Any of that fails; until the manifest is renamed the old state stands.
    pub fn commit(&self, incoming: Option<&Incoming>, manifest: &Manifest) -> Result<(), StoreError> {
        let moved = self.place(incoming, manifest)?;
        manifest.save(&self.root, self.writer())?;
        self.have_checked(moved.into_iter());
        self.tidy(manifest)
    }

    /// Makes several states hold at once, each of a writer of this folder; the caller has their locks, and has checked the
    /// files that were there already.
    ///
    /// # Errors
    /// As [`Store::commit`]; the old states stand all together, or the new ones do.
    pub(super) fn commit_all(&self, states: Vec<(&Self, Incoming, Manifest)>) -> Result<(), StoreError> {
        let mut placed = Vec::new();
        for (store, incoming, manifest) in states {
            store.place(Some(&incoming), &manifest)?;
            placed.push((store, manifest));
        }
        self.hand_over(&placed)?;
        for (store, manifest) in &placed {
            store.take_over()?;
            // Whoever made them held every file against its checksum.
            store.have_checked(manifest.files());
        }
        placed.iter().try_for_each(|(store, manifest)| store.tidy(manifest))
    }

    /// Waits until the new files are on the disk and moves them into place; gives those that were moved.
    fn place<'m>(&self, incoming: Option<&Incoming>, manifest: &'m Manifest) -> Result<Vec<&'m FileEntry>, StoreError> {
        incoming.map_or(Ok(()), Incoming::settle)?;
        let staging = self.own(STAGING);
        let mut folders = HashSet::new();
        let (mut moved, mut plain) = (Vec::new(), HashSet::new());
        let whole = self.place_new_tables(&staging)?;
        for file in manifest.files() {
            let from = staging.join(&file.path);
            let to = self.root.join(&file.path);
            let is_placed = file.path.split('/').next().is_some_and(|table| whole.contains(table));
            if is_placed || from.exists() {
                checked::refuse_links(&self.root, &file.path, &mut plain)?;
                moved.push(file);
                let folder = to.parent().unwrap_or(&self.root);
                folders.extend(folder.ancestors().take_while(|above| *above != self.root).map(Utf8Path::to_owned));
                if !is_placed {
                    private_folder(folder).map_err(io("create", folder))?;
                    if to.is_dir() && !to.is_symlink() {
                        // Only an empty one: what somebody put into it is not ours.
                        std::fs::remove_dir(&to).map_err(io("remove", &to))?;
                    }
                    std::fs::rename(&from, &to).map_err(io("rename", &to))?;
                }
            }
        }
        // Side by side: the file system writes what waits at the same time in one go.
        folders.par_iter().try_for_each(|folder| sync_folder(folder))?;
        Ok(moved)
    }

    /// Removes what the manifest does not name. The folder for incoming files goes last: as long as it is there, a crash, or
    /// somebody who read, has left files behind.
    fn tidy(&self, manifest: &Manifest) -> Result<(), StoreError> {
        if self.sweep(manifest)? {
            self.discard()?;
        }
        Ok(())
    }

    /// Does what an earlier commit left to do; for a refresh that found nothing new.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn resume(&self, manifest: &Manifest) -> Result<(), StoreError> {
        if self.own(STAGING).exists() { self.tidy(manifest) } else { Ok(()) }
    }

    /// Moves the folders of tables that the store does not have yet as they are; gives their names.
    fn place_new_tables(&self, staging: &Utf8Path) -> Result<HashSet<String>, StoreError> {
        let mut placed = HashSet::new();
        for from in children(staging)? {
            let Some(name) = from.file_name().filter(|name| schema::TABLES.iter().any(|table| table.name == *name))
            else {
                continue;
            };
            let to = self.root.join(name);
            if from.is_dir() && to.symlink_metadata().is_err() {
                match std::fs::rename(&from, &to) {
                    Ok(()) => drop(placed.insert(name.to_owned())),
                    // Another writer was quicker: its folder takes our files one by one.
                    Err(_) if to.exists() => {}
                    Err(error) => return Err(io("rename", &to)(error)),
                }
            }
        }
        Ok(placed)
    }

    /// Removes files of earlier states (and of a crash), unless somebody reads: then the next refresh does.
    fn sweep(&self, manifest: &Manifest) -> Result<bool, StoreError> {
        let path = self.root.join(READING);
        refuse_link(&path)?;
        let alone = private_file(&path).map_err(io("write", &path))?;
        if alone.try_lock().is_err() {
            return Ok(false);
        }
        let others = self.other_manifests();
        let unreadable = others.len() + 1 < Manifest::writers(&self.root)?.len();
        let kept: HashSet<&str> =
            others.iter().chain([manifest]).flat_map(Manifest::files).map(|file| file.path.as_str()).collect();
        // Files of another writer may be on their way into its manifest.
        let is_own = |path: &str| match source_of(path) {
            Some(source) => {
                let may_be_own = || self.writer.is_none() && others.is_empty() && self.may_be_own(source);
                manifest.source(source).is_some() || may_be_own()
            }
            None => self.writer.is_none(),
        };
        // What somebody else put there stays.
        let keep = |path: &str| kept.contains(path) || !is_shaped(path) || unreadable || !is_own(path);
        for table in schema::TABLES {
            self.sweep_folder(&self.root.join(table.name), &keep)?;
        }
        Ok(true)
    }

    /// True when the folder is gone: all that was in it went. One that was empty before is another writer's, who is about to
    /// fill it.
    fn sweep_folder(&self, folder: &Utf8Path, keep: &dyn Fn(&str) -> bool) -> Result<bool, StoreError> {
        if !folder.is_dir() || folder.is_symlink() {
            return Ok(false);
        }
        let (mut left, mut gone) = (0, 0);
        for path in children(folder)? {
            let is_gone = if path.is_dir() && !path.is_symlink() {
                self.sweep_folder(&path, keep)?
            } else if keep(path.strip_prefix(&self.root).map(Utf8Path::as_str).unwrap_or_default()) {
                false
            } else {
                std::fs::remove_file(&path).map_err(io("remove", &path))?;
                true
            };
            *(if is_gone { &mut gone } else { &mut left }) += 1;
        }
        if left > 0 || gone == 0 {
            return Ok(false);
        }
        match std::fs::remove_dir(folder) {
            // Another writer put something there meanwhile.
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(false),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io("remove", folder)(error)),
            _ => Ok(true),
        }
    }
}
