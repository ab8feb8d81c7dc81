//! Freezing a store.
//!
//! Input: a store and its manifest, what to leave out. Output: a new folder in the archive.

use super::copy::{Held, copy, put};
use super::{Archive, SUMS, check_name, lean};
use crate::error::{SnapshotError, StoreError};
use crate::model::digest;
use crate::store::manifest::{FILE, FileEntry, Manifest, SnapshotEntry, TableEntry};
use crate::store::{Store, io, private_folder, sync_folder};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a new snapshot's name: a number that is put behind a taken one must find room.
const LONGEST: usize = 110;

/// What to make.
#[derive(Debug, Clone)]
pub struct Order {
    /// The clock, epoch ms UTC.
    pub now: i64,
    /// Leave the raw JSON out.
    pub lean: bool,
    /// Name of this machine, for archives that several machines share.
    pub source: Option<String>,
}

/// What was made.
#[derive(Debug)]
pub struct Created {
    /// Its folder.
    pub path: Utf8PathBuf,
    /// Its section of the manifest.
    pub entry: SnapshotEntry,
    /// Files shared with earlier snapshots.
    pub shared_files: u64,
    /// Bytes of Parquet that were written.
    pub new_bytes: u64,
    /// The newest earlier snapshot, when it holds the same.
    pub same_as: Option<String>,
}

impl Archive {
    /// Freezes the state that `manifest` describes; the caller holds the store's lock.
    ///
    /// # Errors
    /// A file of the store is damaged, or the archive cannot be written; nothing is left behind then.
    pub fn create(&self, store: &Store, manifest: &Manifest, order: &Order) -> Result<Created, SnapshotError> {
        if let Some(source) = &order.source {
            check_name(source)?;
        }
        let base = base_name(order.now, order.source.as_deref());
        if base.len() > LONGEST {
            return Err(SnapshotError::TooLong { name: base, longest: LONGEST });
        }
        if manifest.snapshot.is_some() {
            return Err(StoreError::Frozen { path: store.root().to_owned() }.into());
        }
        let lock = self.lock()?;
        let incoming_name = format!(".incoming-{}", order.source.as_deref().unwrap_or("store"));
        let incoming = self.root.join(&incoming_name);
        self.clear(&[incoming_name])?;
        private_folder(&incoming).map_err(io("create", &incoming))?;
        let made = self.fill(&incoming, store, manifest, order);
        if made.is_err() {
            // What was begun helps nobody; the error that matters is the first one.
            let _ = std::fs::remove_dir_all(&incoming);
        }
        drop(lock);
        made
    }

    fn fill(
        &self,
        incoming: &Utf8Path,
        store: &Store,
        manifest: &Manifest,
        order: &Order,
    ) -> Result<Created, SnapshotError> {
        let mut held = Held::default();
        let state = manifest.content_key();
        let mut newest = None;
        for listed in self.list()? {
            if let (Ok(earlier), Some(entry)) = (&listed.manifest, listed.entry()) {
                held.add(&self.root.join(&listed.name), earlier);
                let is_same = entry.state == state && entry.source == order.source;
                newest = Some((listed.name.clone(), is_same.then_some(entry.is_lean)));
            }
        }
        let mut frozen = manifest.clone();
        // One writer of a store may keep the text that another leaves out.
        let mut is_lean = false;
        let mut shared_files = 0;
        let mut new_bytes = 0;
        for (name, table) in &mut frozen.tables {
            for file in &mut table.files {
                let (entry, is_shared) = freeze(store, &held, (name.as_str(), &*file), order.lean, incoming)?;
                is_lean |= entry.sha256 != file.sha256;
                if is_shared {
                    shared_files += 1;
                } else {
                    new_bytes += entry.bytes;
                }
                *file = entry;
            }
            table.files.sort();
        }
        frozen.has_content &= !is_lean;
        let same_as = newest.filter(|(_, earlier)| *earlier == Some(is_lean)).map(|(name, _)| name);
        let (first_at, last_at) = lean::period(&frozen, incoming)?;
        let sum = |of: fn(&TableEntry) -> u64| frozen.tables.values().map(of).sum();
        let mut entry = SnapshotEntry {
            name: String::new(),
            created_at: order.now,
            source: order.source.clone(),
            writers: writers(store)?,
            is_lean,
            state,
            first_at,
            last_at,
            rows: sum(|table| table.rows),
            files: sum(|table| table.files.len() as u64),
            bytes: sum(|table| table.files.iter().map(|file| file.bytes).sum()),
        };
        sync_folders(incoming, &frozen)?;
        let path = self.publish(incoming, &mut frozen, &mut entry)?;
        Ok(Created { path, entry, shared_files, new_bytes, same_as })
    }

    /// Writes manifest and checksums under the first free name and renames the folder to it.
    fn publish(
        &self,
        incoming: &Utf8Path,
        frozen: &mut Manifest,
        entry: &mut SnapshotEntry,
    ) -> Result<Utf8PathBuf, SnapshotError> {
        let base = base_name(entry.created_at, entry.source.as_deref());
        for number in 1_u32.. {
            entry.name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
            let target = self.root.join(&entry.name);
            if target.symlink_metadata().is_ok() {
                continue;
            }
            frozen.snapshot = Some(entry.clone());
            frozen.save(incoming, None)?;
            let sums_path = incoming.join(SUMS);
            if sums_path.exists() {
                std::fs::remove_file(&sums_path).map_err(io("remove", &sums_path))?;
            }
            let manifest_bytes = std::fs::read(incoming.join(FILE)).map_err(io("read", incoming))?;
            put(&sums_path, sums(frozen, &digest::sha256(&manifest_bytes)).as_bytes())?;
            sync_folder(incoming)?;
            match std::fs::rename(incoming, &target) {
                Ok(()) => {
                    sync_folder(&self.root)?;
                    return Ok(target);
                }
                // Another machine took the name meanwhile.
                Err(_) if target.exists() => {}
                Err(error) => return Err(io("rename", &target)(error).into()),
            }
        }
        Err(SnapshotError::Name { name: base })
    }
}

/// What each writer with a name keeps in the store: restoring gives it back to them.
fn writers(store: &Store) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
    let mut writers = BTreeMap::new();
    for writer in Manifest::writers(store.root())?.into_iter().flatten() {
        let sources = Manifest::load(store.root(), Some(&writer))?.sources;
        writers.insert(writer, sources.into_iter().map(|source| source.name).collect());
    }
    Ok(writers)
}

/// Puts one file of the store into the new snapshot. True when an earlier snapshot shares it.
fn freeze(
    store: &Store,
    held: &Held,
    (table, file): (&str, &FileEntry),
    is_lean: bool,
    incoming: &Utf8Path,
) -> Result<(FileEntry, bool), StoreError> {
    let from = store.root().join(&file.path);
    if is_lean && let Some((entry, bytes)) = lean::rewrite(table, file, &from)? {
        let to = incoming.join(&entry.path);
        let is_shared = held.link(&entry, &to)?;
        if !is_shared {
            put(&to, &bytes)?;
        }
        return Ok((entry, is_shared));
    }
    let to = incoming.join(&file.path);
    let is_shared = held.link(file, &to)?;
    if !is_shared {
        copy(&from, &to, file)?;
    }
    Ok((file.clone(), is_shared))
}

/// `2026-11-22T120000Z`, with the machine's name where one is given.
fn base_name(created_at: i64, source: Option<&str>) -> String {
    let time = Timestamp::from_millisecond(created_at)
        .map_or_else(|_| created_at.to_string(), |time| time.strftime("%Y-%m-%dT%H%M%SZ").to_string());
    match source {
        Some(source) => format!("{time}-{source}"),
        None => time,
    }
}

/// The text of `SHA256SUMS`, as `sha256sum` writes and reads it.
pub(super) fn sums(manifest: &Manifest, manifest_sha256: &str) -> String {
    let mut lines: Vec<(String, String)> =
        manifest.files().map(|file| (file.path.clone(), file.sha256.clone())).collect();
    lines.push((FILE.to_owned(), manifest_sha256.to_owned()));
    lines.sort();
    lines.iter().fold(String::new(), |mut text, (path, sha256)| {
        text.push_str(&format!("{sha256}  {path}\n"));
        text
    })
}

/// Syncs every folder between the files and `root`.
fn sync_folders(root: &Utf8Path, manifest: &Manifest) -> Result<(), StoreError> {
    let mut folders = BTreeSet::new();
    for file in manifest.files() {
        folders.extend(Utf8Path::new(&file.path).ancestors().skip(1).filter(|path| !path.as_str().is_empty()));
    }
    folders.into_iter().try_for_each(|folder| sync_folder(&root.join(folder)))
}
