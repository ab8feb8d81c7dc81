//! Builds each mart once per state of the store, as Parquet, and shows it as view `mart_<name>`.
//!
//! Input: staging views. Output: `<root>/<key>/<mart>.parquet` (or a folder `<mart>/` of several files, one for a part of
//! the sessions), where the key covers the store's files and the SQL, and `.sums` says what each file must hold: one that does
//! not is built anew. The folder is written beside its place and renamed into it; marts of earlier states go, those of other
//! selections of this state (`--source`, `--present-only`) stay. A mart that is not stored is a step on the way: it is built
//! when a run names it.

mod build;
mod plan;
mod queue;
mod sums;

use super::duck::Duck;
use super::macros::MACROS;
use super::scope::literal;
use super::wanted::Wanted;
use crate::error::{EngineError, StoreError};
use crate::metric::{Layer, QueryFile};
use crate::registry::Registry;
use crate::store::manifest::Manifest;
use crate::store::{Store, private_file, private_folder};
use camino::{Utf8Path, Utf8PathBuf};
use plan::Plan;
use sums::Sums;

/// Name of the folder in the store.
pub const FOLDER: &str = "marts";

/// How many other selections of a store's state keep their marts.
const SELECTIONS: usize = 5;

/// What marts are built from, and where they go.
pub struct Workshop<'a> {
    /// The store.
    pub store: &'a Store,
    /// Its state.
    pub manifest: &'a Manifest,
    /// Staging and marts.
    pub registry: &'a Registry,
}

/// Makes sure that the marts of a run exist and are what was built.
///
/// # Errors
/// A mart's SQL fails, marts depend on each other in a circle, or the folder cannot be written.
pub fn ensure(shop: &Workshop<'_>, wanted: &Wanted) -> Result<(), EngineError> {
    let root = &shop.store.work().join(FOLDER);
    crate::store::refuse_link(root)?;
    let folder = folder_of(shop.store, shop.manifest, shop.registry);
    let marts: Vec<&QueryFile> = shop.registry.layer(Layer::Mart).collect();
    let missing = |sums: &Sums| -> Vec<&QueryFile> {
        // What is built for a snapshot is kept for this run alone.
        let is_kept = shop.store.work() == shop.store.root();
        let is_needed = |mart: &&&QueryFile| (mart.is_stored && is_kept) || wanted.has_mart(mart);
        let read: Vec<&QueryFile> = marts.iter().filter(|mart| wanted.has_mart(mart)).copied().collect();
        let broken = sums.broken(&folder, &read);
        let is_bad = |mart: &&&QueryFile| {
            !sums.has(&folder, mart) || sums.files_of(&folder, mart).iter().any(|file| broken.contains(file))
        };
        marts.iter().filter(is_needed).filter(is_bad).copied().collect()
    };
    let mut sums = Sums::load(&folder);
    private_folder(root).map_err(crate::store::io("create", root))?;
    if !missing(&sums).is_empty() {
        let _turn = take_turn(root)?;
        // Another process may have built them while this one waited.
        sums = Sums::load(&folder);
        let targets = missing(&sums);
        if !targets.is_empty() {
            forget_broken(&folder, &sums, &targets)?;
            let plan = Plan::new(&marts, &targets)?;
            let incoming = root.join(".incoming");
            let built = build::build(shop, &plan, &incoming)
                .and_then(|()| Ok(sums.take(&incoming)?))
                .and_then(|()| Ok(place(root, &incoming, &folder, &sums)?));
            if let Err(error) = built {
                // What was begun would only fill the disk; the error that matters is the one above.
                let _ = remove(&incoming);
                return Err(error.while_building(root));
            }
        }
    }
    Ok(())
}

/// Shows the marts of a run as views.
///
/// # Errors
/// A mart's file is damaged.
pub fn show_all(duck: &Duck, shop: &Workshop<'_>, wanted: &Wanted) -> Result<(), EngineError> {
    let folder = folder_of(shop.store, shop.manifest, shop.registry);
    let sums = Sums::load(&folder);
    let mut marts = shop.registry.layer(Layer::Mart).filter(|mart| wanted.has_mart(mart));
    marts.try_for_each(|mart| show(duck, mart, &sums.files_of(&folder, mart)))
}

/// Says which marts are not what was built, and forgets what was measured of them.
fn forget_broken(folder: &Utf8Path, sums: &Sums, targets: &[&QueryFile]) -> Result<(), StoreError> {
    let broken = sums.broken(folder, targets);
    for path in &broken {
        tracing::debug!("{path}: not what was built: building it anew");
    }
    if broken.is_empty() { Ok(()) } else { remove(&folder.join(super::memo::FOLDER)) }
}

/// Files of marts of a state that are not what was built.
#[must_use]
pub fn broken(store: &Store, manifest: &Manifest, registry: &Registry) -> Vec<Utf8PathBuf> {
    let folder = folder_of(store, manifest, registry);
    Sums::load(&folder).broken(&folder, &registry.layer(Layer::Mart).collect::<Vec<_>>())
}

/// Drops everything that was built and measured, of all states.
///
/// # Errors
/// It cannot be removed.
pub fn forget(store: &Store) -> Result<(), StoreError> {
    let root = &store.work().join(FOLDER);
    crate::store::refuse_link(root)?;
    if !root.is_dir() {
        return Ok(());
    }
    let _turn = take_turn(root)?;
    for entry in root.read_dir_utf8().map_err(crate::store::io("read", root))?.filter_map(Result::ok) {
        if state_of(entry.path()).is_some_and(|state| !state.starts_with('.')) {
            remove(entry.path())?;
        }
    }
    Ok(())
}

/// Where the marts of a state lie: the name covers the store's files and the SQL, and begins with the whole store's state,
/// of which the run may look at a part.
#[must_use]
pub fn folder_of(store: &Store, manifest: &Manifest, registry: &Registry) -> Utf8PathBuf {
    let content = manifest.content_key();
    let whole = manifest.whole.as_ref().unwrap_or(&content);
    let key = crate::model::digest::sha256(format!("{content}{}{MACROS}", registry.mart_key()).as_bytes());
    store.work().join(FOLDER).join(format!("{}-{}", &whole[..8], &key[..16]))
}

/// The part of a folder's name that says of which state of the store it is.
fn state_of(folder: &Utf8Path) -> Option<&str> {
    folder.file_name()?.split_once('-').map(|(state, _)| state)
}

/// Every mart's files in a state.
#[must_use]
pub fn files(store: &Store, manifest: &Manifest, registry: &Registry) -> Vec<Utf8PathBuf> {
    let folder = folder_of(store, manifest, registry);
    let sums = Sums::load(&folder);
    registry.layer(Layer::Mart).flat_map(|mart| sums.files_of(&folder, mart)).collect()
}

fn show(duck: &Duck, mart: &QueryFile, files: &[Utf8PathBuf]) -> Result<(), EngineError> {
    let list = files.iter().map(|file| literal(file.as_str())).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "create or replace view \"mart_{}\" as select * from read_parquet([{list}], hive_partitioning = false)",
        mart.name,
    );
    duck.batch(&mart.path, &sql)
}

/// One process builds at a time; the others wait for what it builds. Given back when the file is closed.
fn take_turn(root: &Utf8Path) -> Result<std::fs::File, StoreError> {
    let path = root.join(".lock");
    let file = private_file(&path).map_err(crate::store::io("write", &path))?;
    file.lock().map_err(crate::store::io("lock", &path))?;
    Ok(file)
}

/// Removes a file or a folder, whichever it is, if it is there.
fn remove(path: &Utf8Path) -> Result<(), StoreError> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(_) => return Ok(()),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(crate::store::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Renames what was built into its place, and removes the marts of other states; of this state, the newest stay.
fn place(root: &Utf8Path, incoming: &Utf8Path, folder: &Utf8Path, sums: &Sums) -> Result<(), StoreError> {
    if folder.is_dir() && !folder.is_symlink() {
        for entry in incoming.read_dir_utf8().map_err(crate::store::io("read", incoming))?.filter_map(Result::ok) {
            let target = folder.join(entry.file_name());
            // A mart that was damaged, or divided otherwise.
            if target.is_dir() || entry.path().is_dir() {
                remove(&target)?;
            }
            remove(&target.with_extension(if target.extension().is_some() { "" } else { "parquet" }))?;
            std::fs::rename(entry.path(), &target).map_err(crate::store::io("rename", &target))?;
        }
        sums.save(folder)?;
    } else {
        remove(folder)?;
        sums.save(incoming)?;
        std::fs::rename(incoming, folder).map_err(crate::store::io("rename", folder))?;
    }
    let mut same_state = Vec::new();
    let mut gone = Vec::new();
    for entry in root.read_dir_utf8().map_err(crate::store::io("read", root))?.filter_map(Result::ok) {
        let is_spill = entry.file_name().starts_with(super::spill::PREFIX);
        if entry.path() == folder || !entry.path().is_dir() || is_spill {
            continue;
        }
        let is_same = state_of(entry.path()).is_some_and(|state| Some(state) == state_of(folder));
        let modified = entry.metadata().and_then(|found| found.modified()).ok();
        if is_same { same_state.push((modified, entry.into_path())) } else { gone.push(entry.into_path()) }
    }
    same_state.sort();
    gone.extend(same_state.into_iter().rev().skip(SELECTIONS).map(|(_, path)| path));
    gone.iter().try_for_each(|path| remove(path))
}
