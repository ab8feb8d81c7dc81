//! Builds each mart once per state of the store, as Parquet, and shows it as view `mart_<name>`.
//!
//! Input: staging views. Output: `marts/<key>/<mart>.parquet`, where the key covers the store's files and the SQL. The
//! folder is written beside its place and renamed into it; marts of earlier states go.

use super::duck::Duck;
use super::scope::literal;
use super::views::{Wanted, body};
use crate::error::{EngineError, StoreError};
use crate::metric::{Layer, QueryFile};
use crate::registry::Registry;
use crate::store::manifest::Manifest;
use crate::store::{Store, private_folder};
use camino::{Utf8Path, Utf8PathBuf};

/// Name of the folder in the store.
pub const FOLDER: &str = "marts";

/// Makes sure that all marts exist and creates their views. True when they had to be built.
///
/// # Errors
/// A mart's SQL fails, marts depend on each other in a circle, or the store cannot be written.
pub fn ensure(
    duck: &Duck,
    store: &Store,
    manifest: &Manifest,
    registry: &Registry,
    wanted: &Wanted,
) -> Result<bool, EngineError> {
    let root = store.work().join(FOLDER);
    crate::store::refuse_link(&root)?;
    let folder = folder_of(store, manifest, registry);
    let ordered = in_order(registry)?;
    let complete = folder.is_dir() && ordered.iter().all(|mart| file_of(&folder, mart).is_file());
    if complete {
        for mart in ordered.iter().filter(|mart| wanted.has_mart(&mart.name)) {
            show(duck, mart, &file_of(&folder, mart))?;
        }
        return Ok(false);
    }
    super::tables(duck, store, manifest, registry, &Wanted::all())?;
    let incoming = root.join(format!(".incoming-{}", std::process::id()));
    build(duck, &ordered, &incoming)?;
    replace(&root, &incoming, &folder)?;
    for mart in &ordered {
        show(duck, mart, &file_of(&folder, mart))?;
    }
    Ok(true)
}

/// Where the marts of a state lie: the name covers the store's files and the SQL.
#[must_use]
pub fn folder_of(store: &Store, manifest: &Manifest, registry: &Registry) -> Utf8PathBuf {
    let key = crate::model::digest::sha256(format!("{}{}", manifest.content_key(), registry.mart_key()).as_bytes());
    store.work().join(FOLDER).join(&key[..16])
}

/// Every mart's file in a state.
#[must_use]
pub fn files_of(store: &Store, manifest: &Manifest, registry: &Registry) -> Vec<Utf8PathBuf> {
    let folder = folder_of(store, manifest, registry);
    registry.layer(Layer::Mart).map(|mart| file_of(&folder, mart)).collect()
}

fn file_of(folder: &Utf8Path, mart: &QueryFile) -> Utf8PathBuf {
    folder.join(format!("{}.parquet", mart.name))
}

fn show(duck: &Duck, mart: &QueryFile, file: &Utf8Path) -> Result<(), EngineError> {
    let sql = format!(
        "create or replace view \"mart_{}\" as select * from read_parquet({}, hive_partitioning = false)",
        mart.name,
        literal(file.as_str())
    );
    duck.batch(&mart.path, &sql)
}

fn build(duck: &Duck, ordered: &[&QueryFile], incoming: &Utf8Path) -> Result<(), EngineError> {
    if incoming.exists() {
        std::fs::remove_dir_all(incoming).map_err(crate::store::io("remove", incoming))?;
    }
    private_folder(incoming).map_err(crate::store::io("create", incoming))?;
    for mart in ordered {
        let file = file_of(incoming, mart);
        let started = std::time::Instant::now();
        let sql = format!("copy ({}\n) to {} (format parquet, compression zstd)", body(mart), literal(file.as_str()));
        match duck.batch(&mart.path, &sql) {
            Err(EngineError::Sql { message, .. }) if message.contains("Out of Memory") => {
                tracing::info!(mart = mart.name, "needs more memory than the limit: lifting it");
                duck.without_limit()?;
                duck.batch(&mart.path, &sql)?;
            }
            result => result?,
        }
        tracing::debug!(mart = mart.name, elapsed_ms = started.elapsed().as_millis(), "built");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let private = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&file, private).map_err(crate::store::io("write", &file))?;
        }
        show(duck, mart, &file)?;
    }
    Ok(())
}

fn replace(root: &Utf8Path, incoming: &Utf8Path, folder: &Utf8Path) -> Result<(), StoreError> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(crate::store::io("remove", folder))?;
    }
    std::fs::rename(incoming, folder).map_err(crate::store::io("rename", folder))?;
    for entry in root.read_dir_utf8().map_err(crate::store::io("read", root))?.filter_map(Result::ok) {
        if entry.path() != folder && entry.path().is_dir() {
            std::fs::remove_dir_all(entry.path()).map_err(crate::store::io("remove", entry.path()))?;
        }
    }
    Ok(())
}

/// Marts in an order in which each comes after those that it reads.
fn in_order(registry: &Registry) -> Result<Vec<&QueryFile>, EngineError> {
    let mut waiting: Vec<&QueryFile> = registry.layer(Layer::Mart).collect();
    let mut ordered: Vec<&QueryFile> = Vec::new();
    while !waiting.is_empty() {
        let ready = |mart: &QueryFile| {
            mart.sources
                .iter()
                .filter_map(|source| source.strip_prefix("mart_"))
                .all(|needed| ordered.iter().any(|done| done.name == needed))
        };
        let (now, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|mart| ready(mart));
        if now.is_empty() {
            let names: Vec<&str> = later.iter().map(|mart| mart.name.as_str()).collect();
            return Err(EngineError::Sql {
                file: later[0].path.clone(),
                message: format!(
                    "these marts wait for each other or for a mart that does not exist: {}",
                    names.join(", ")
                ),
            });
        }
        ordered.extend(now);
        waiting = later;
    }
    Ok(ordered)
}
