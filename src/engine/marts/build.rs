//! Runs a [`Plan`]: SQL in, Parquet out.
//!
//! Sessions are taken a part at a time, so that memory does not grow with the store, and two parts side by side, each on
//! one thread: that keeps all cores busy where one long chain of marts would not; marts over all sessions are made side by
//! side for the same reason. How the store is divided depends on its rows alone, so that equal stores give equal marts on
//! every machine.

use super::plan::Plan;
use super::queue::Queue;
use super::{Workshop, show};
use crate::engine::duck::Duck;
use crate::engine::sandbox::Select;
use crate::engine::scope::literal;
use crate::engine::views::partition_of;
use crate::engine::wanted::Wanted;
use crate::error::{EngineError, StoreError};
use crate::metric::QueryFile;
use crate::store::manifest::Manifest;
use crate::store::private_folder;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Parts that are worked on at once, by one worker: what fits into the memory that DuckDB may hold.
const CHUNK_PARTS: u64 = 68_000;

/// Below this a store is not divided: one part of it fits into memory, and other marts keep the other threads busy.
const SMALL_PARTS: u64 = 60_000;

/// Parts in a row group: what Parquet's writer holds in memory.
const ROW_GROUP: u32 = 30_720;

/// Optimisers that choose an order of joins by guesses about rows. The marts' SQL names the long table first, and the
/// tables to be held in memory after it.
const UNWANTED: &str = "join_order,build_side_probe_side";

/// Builds all marts of a plan below `incoming`, in a database of its own: it may write there, and nobody asks it anything.
pub(super) fn build(shop: &Workshop<'_>, plan: &Plan<'_>, incoming: &Utf8Path) -> Result<(), EngineError> {
    if incoming.exists() {
        std::fs::remove_dir_all(incoming).map_err(crate::store::io("remove", incoming))?;
    }
    private_folder(incoming).map_err(crate::store::io("create", incoming))?;
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let duck = &Duck::open(threads, incoming.parent().unwrap_or(incoming))?;
    let tables: Vec<Utf8PathBuf> = shop.manifest.files().map(|file| shop.store.root().join(&file.path)).collect();
    duck.reach(&tables, Some(incoming))?;
    let texts = plan.before.iter().chain(&plan.by_session).chain(&plan.after).map(|mart| mart.text.as_str());
    let wanted = Wanted::of(texts, shop.registry);
    crate::engine::tables(duck, shop.store, shop.manifest, shop.registry, &wanted, None)?;
    duck.batch("optimizers", &format!("set disabled_optimizers = '{UNWANTED}'"))?;
    duck.one_thread_each()?;
    let site = Site { plan, incoming, threads, turn: RwLock::new(()) };
    let chunks = chunks(shop.manifest);
    if chunks.len() == 1 {
        let all = [plan.before.as_slice(), &plan.by_session, &plan.after].concat();
        site.over_all(duck, &all, true)
    } else {
        site.over_all(duck, &plan.before, false)?;
        site.by_session(duck, shop, &chunks)?;
        for mart in plan.by_session.iter().filter(|mart| plan.is_written(mart)) {
            let files: Vec<Utf8PathBuf> =
                (0..chunks.len()).map(|chunk| file_of(incoming, mart, Some((chunk, chunks.len())))).collect();
            show(duck, mart, &files)?;
        }
        site.over_all(duck, &plan.after, true)?;
        Stage { duck, site: &site, chunk: None }.drop(&plan.before)
    }
}

/// What all that build share.
struct Site<'a> {
    plan: &'a Plan<'a>,
    incoming: &'a Utf8Path,
    threads: usize,
    /// Shared by all that work; held alone by one that needs all the memory.
    turn: RwLock<()>,
}

impl Site<'_> {
    /// Marts over all sessions, each as soon as those that it reads are there. Where they `are_passing`, each is dropped
    /// after its last reader.
    fn over_all(&self, duck: &Duck, marts: &[&QueryFile], are_passing: bool) -> Result<(), EngineError> {
        let queue = Queue::new(marts);
        self.side_by_side(duck, marts.len(), |duck| {
            let stage = Stage { duck, site: self, chunk: None };
            let _watch = queue.watch();
            while let Some(mart) = queue.take() {
                let made = stage.make(mart);
                let read = queue.finish(mart, made.is_ok());
                made?;
                if are_passing {
                    stage.drop(&read)?;
                }
            }
            Ok(())
        })
    }

    /// The marts of each part of the sessions, as many parts at once as there are threads.
    fn by_session(&self, duck: &Duck, shop: &Workshop<'_>, chunks: &[BTreeSet<String>]) -> Result<(), EngineError> {
        let marts = &self.plan.by_session;
        if marts.is_empty() {
            return Ok(());
        }
        let wanted = Wanted::of(marts.iter().map(|mart| mart.text.as_str()), shop.registry);
        let next = AtomicUsize::new(0);
        self.side_by_side(duck, chunks.len(), |duck| {
            loop {
                let chunk = next.fetch_add(1, Ordering::Relaxed);
                let Some(partitions) = chunks.get(chunk) else { return Ok(()) };
                let schema = format!("chunk_{chunk}");
                duck.batch("chunk", &format!("create schema {schema}; set search_path = '{schema},main'"))?;
                crate::engine::tables(duck, shop.store, shop.manifest, shop.registry, &wanted, Some(partitions))?;
                let stage = Stage { duck, site: self, chunk: Some((chunk, chunks.len())) };
                for (position, mart) in marts.iter().enumerate() {
                    stage.make(mart)?;
                    stage.drop(&Plan::finished(marts, position))?;
                }
                duck.batch("chunk", &format!("set search_path = 'main'; drop schema {schema} cascade"))?;
            }
        })
    }

    /// Works on `count` things with a connection for each thread.
    fn side_by_side(
        &self,
        duck: &Duck,
        count: usize,
        work: impl Fn(&Duck) -> Result<(), EngineError> + Sync,
    ) -> Result<(), EngineError> {
        let workers: Vec<Duck> = (0..self.threads.min(count)).map(|_| duck.again()).collect::<Result<_, _>>()?;
        std::thread::scope(|scope| {
            let work = &work;
            let running: Vec<_> = workers.into_iter().map(|worker| scope.spawn(move || work(&worker))).collect();
            running.into_iter().try_for_each(|thread| {
                thread.join().unwrap_or_else(|_| {
                    Err(EngineError::Start { message: "a thread that builds marts ended before its time".into() })
                })
            })
        })
    }
}

/// Where marts are being made: over all sessions, or over the sessions of a chunk.
struct Stage<'a> {
    duck: &'a Duck,
    site: &'a Site<'a>,
    chunk: Option<(usize, usize)>,
}

impl Stage<'_> {
    fn make(&self, mart: &QueryFile) -> Result<(), EngineError> {
        let started = std::time::Instant::now();
        let select = Select::of(self.duck, mart)?;
        let sql = if self.site.plan.is_written(mart) {
            let file = file_of(self.site.incoming, mart, self.chunk);
            if let Some(folder) = file.parent() {
                private_folder(folder).map_err(crate::store::io("create", folder))?;
            }
            self.run(mart, &copy(select, &file))?;
            private(&file)?;
            show(self.duck, mart, &[file])
        } else {
            self.run(mart, &format!("create or replace table \"mart_{}\" as ({}\n)", mart.name, select.sql))
        };
        tracing::debug!(
            mart = mart.name,
            chunk = self.chunk.map(|(chunk, _)| chunk),
            elapsed_ms = started.elapsed().as_millis(),
            "built"
        );
        sql
    }

    /// Frees the memory of marts that are not written.
    fn drop(&self, marts: &[&QueryFile]) -> Result<(), EngineError> {
        marts
            .iter()
            .filter(|mart| !self.site.plan.is_written(mart))
            .try_for_each(|mart| self.duck.batch(&mart.path, &format!("drop table \"mart_{}\"", mart.name)))
    }

    fn run(&self, mart: &QueryFile, sql: &str) -> Result<(), EngineError> {
        let is_short = |result: &Result<(), EngineError>| matches!(result, Err(EngineError::Machine { message, .. }) if message.contains("Out of Memory"));
        let shared = self.site.turn.read();
        let result = self.duck.batch(&mart.path, sql);
        drop(shared);
        if !is_short(&result) {
            return result;
        }
        let _alone = self.site.turn.write();
        tracing::debug!(mart = mart.name, "needs the memory of the others: once more, alone");
        let result = self.duck.batch(&mart.path, sql);
        if !is_short(&result) {
            return result;
        }
        tracing::info!(mart = mart.name, "needs more memory than the limit: lifting it");
        self.duck.without_limit()?;
        self.duck.batch(&mart.path, sql)
    }
}

fn copy(select: Select<'_>, file: &Utf8Path) -> String {
    let file = literal(file.as_str());
    format!("copy ({}\n) to {file} (format parquet, compression zstd, row_group_size {ROW_GROUP})", select.sql)
}

fn private(file: &Utf8Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(file, mode).map_err(crate::store::io("write", file))?;
    }
    Ok(())
}

fn file_of(folder: &Utf8Path, mart: &QueryFile, chunk: Option<(usize, usize)>) -> Utf8PathBuf {
    match chunk {
        Some((chunk, count)) if count > 1 => folder.join(&mart.name).join(format!("{chunk:04}.parquet")),
        _ => folder.join(format!("{}.parquet", mart.name)),
    }
}

/// The store's partitions in groups of about equally many parts, in the order of time; a session lies in one partition.
fn chunks(manifest: &Manifest) -> Vec<BTreeSet<String>> {
    let mut parts: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, table) in &manifest.tables {
        for file in &table.files {
            if let Some(partition) = partition_of(&file.path) {
                *parts.entry(partition).or_default() += if name == "part" { file.rows } else { 0 };
            }
        }
    }
    let total: u64 = parts.values().sum();
    // Evenly many, so that two workers end together.
    let count = if total < SMALL_PARTS { 1 } else { 2 * total.div_ceil(2 * CHUNK_PARTS) };
    let mut chunks: Vec<BTreeSet<String>> = vec![BTreeSet::new()];
    let (mut before, mut current) = (0, 0);
    for (partition, rows) in parts {
        let target = (before * count).checked_div(total).unwrap_or(0);
        if target > current && chunks.last().is_some_and(|chunk| !chunk.is_empty()) {
            chunks.push(BTreeSet::new());
            current = target;
        }
        if let Some(chunk) = chunks.last_mut() {
            chunk.insert(partition.to_owned());
        }
        before += rows;
    }
    chunks
}
