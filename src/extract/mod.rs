//! From the user's machine into the store: databases, telemetry files, and skills on disk.
//!
//! Input: places. Output: a store whose manifest says what was read. [`refresh`] writes nothing when nothing changed.

pub mod catalog;
pub mod opencode;
pub mod routes;
pub mod telemetry;

use crate::error::{ExtractError, StoreError};
use crate::model::digest;
use crate::store::batch::Batch;
use crate::store::manifest::{DirectoryEntry, Manifest, TableEntry};
use crate::store::schema::{self, SCHEMA_VERSION};
use crate::store::{Store, parquet};
use camino::{Utf8Path, Utf8PathBuf};
use catalog::{Catalog, RecordedDirectory, SkillRow};
use jiff::tz::TimeZone;
use opencode::Progress;
use opencode::locate::Found;
use routes::Routes;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What to read and how.
pub struct Request<'a> {
    /// Databases.
    pub found: &'a [Found],
    /// Where skills live.
    pub places: &'a catalog::Places,
    /// Keep raw JSON; None = as the store has it, yes for a new store.
    pub content: Option<bool>,
    /// Read everything again, whether or not something changed.
    pub full: bool,
    /// The zone of times that say none.
    pub zone: &'a TimeZone,
    /// Clock, epoch ms UTC.
    pub now: i64,
}

/// What a refresh did.
#[derive(Debug)]
pub struct Refreshed {
    /// The store's state.
    pub manifest: Manifest,
    /// False when nothing had changed.
    pub changed: bool,
    /// Rows read.
    pub rows_read: u64,
    /// Bytes of JSON read.
    pub bytes_read: u64,
    /// Rows that could not be decoded, in the whole store.
    pub quarantined: u64,
    /// Files written.
    pub files_written: u64,
    /// What the catalogue of skills could not read.
    pub warnings: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Brings the store up to date.
///
/// # Errors
/// A source cannot be read, or the store cannot be written; the old state then stands.
pub fn refresh(store: &Store, request: &Request<'_>, progress: &dyn Progress) -> Result<Refreshed, ExtractError> {
    let started = Instant::now();
    let _lock = store.lock(true, || tracing::warn!("another logicoma is working on this store: waiting for it"))?;
    let old = match store.manifest() {
        Ok(manifest) => Some(manifest),
        Err(StoreError::Absent { .. }) => None,
        // A rebuild is what the hint of a damaged store asks for.
        Err(StoreError::Manifest { .. } | StoreError::Damaged { .. }) if request.full => None,
        Err(error) => return Err(error.into()),
    };
    let content = request.content.unwrap_or_else(|| old.as_ref().is_none_or(|manifest| manifest.has_content));
    if let Some(manifest) = old.as_ref().filter(|_| !request.full) {
        let intact = manifest.check_files(store.root());
        if let Err(error) = intact {
            tracing::warn!("{error}: rebuilding the store");
        } else if manifest.schema_version == SCHEMA_VERSION
            && manifest.has_content == content
            && same_sources(manifest, request.found)?
        {
            return with_catalog(store, manifest.clone(), request, started);
        }
    }
    let incoming = store.staging()?;
    let extracted = opencode::extract(request.found, content, &incoming, progress)?;
    let mut manifest = Manifest {
        schema_version: SCHEMA_VERSION,
        logicoma_version: env!("CARGO_PKG_VERSION").to_owned(),
        written_at: request.now,
        has_content: content,
        sources: extracted.sources,
        directories: extracted
            .directories
            .into_iter()
            .map(|found| DirectoryEntry {
                project_id: found.project_id,
                worktree: found.worktree,
                directory: found.directory,
            })
            .collect(),
        catalog_hash: String::new(),
        telemetry: Vec::new(),
        tables: extracted.tables,
        snapshot: None,
    };
    let wanted = telemetry_of(store, request, old.as_ref(), request.found, request.full);
    telemetry::refresh(&wanted, &mut manifest, &mut || Ok(incoming.clone()))?;
    let disk = discover(request.places, &manifest);
    add_disk(&mut manifest, &disk, content, &incoming)?;
    let files_written = manifest.tables.values().map(|table| table.files.len() as u64).sum();
    store.commit(&manifest)?;
    Ok(Refreshed {
        quarantined: manifest.rows("quarantine"),
        manifest,
        changed: true,
        rows_read: extracted.rows_read,
        bytes_read: extracted.bytes_read,
        files_written,
        warnings: disk.warnings(),
        elapsed: started.elapsed(),
    })
}

fn same_sources(manifest: &Manifest, found: &[Found]) -> Result<bool, ExtractError> {
    if manifest.sources.len() != found.len() {
        return Ok(false);
    }
    for (source, found) in manifest.sources.iter().zip(found) {
        let path = camino::absolute_utf8(&found.path).unwrap_or_else(|_| found.path.clone());
        if source.path != path || source.name != found.name {
            return Ok(false);
        }
        if source.fingerprint != opencode::sqlite::fingerprint(&path)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The databases are as they were: only skills on disk may have changed.
fn with_catalog(
    store: &Store,
    mut manifest: Manifest,
    request: &Request<'_>,
    started: Instant,
) -> Result<Refreshed, ExtractError> {
    let disk = discover(request.places, &manifest);
    let old = manifest.clone();
    let mut folder = None;
    let wanted = telemetry_of(store, request, Some(&old), &[], false);
    let read = telemetry::refresh(&wanted, &mut manifest, &mut || incoming(store, &mut folder))?;
    let is_other_disk = disk.hash() != manifest.catalog_hash;
    let changed = is_other_disk || !read.is_empty();
    if changed {
        let incoming = incoming(store, &mut folder)?;
        let content = manifest.has_content;
        if is_other_disk {
            add_disk(&mut manifest, &disk, content, &incoming)?;
        }
        manifest.written_at = request.now;
        store.commit(&manifest)?;
    }
    Ok(Refreshed {
        quarantined: manifest.rows("quarantine"),
        manifest,
        changed,
        rows_read: 0,
        bytes_read: 0,
        files_written: u64::from(changed),
        warnings: disk.warnings(),
        elapsed: started.elapsed(),
    })
}

/// The folder for new files, made when it is first asked for.
fn incoming(store: &Store, folder: &mut Option<Utf8PathBuf>) -> Result<Utf8PathBuf, StoreError> {
    if folder.is_none() {
        *folder = Some(store.staging()?);
    }
    Ok(folder.clone().unwrap_or_default())
}

fn telemetry_of<'a>(
    store: &'a Store,
    request: &'a Request<'_>,
    old: Option<&'a Manifest>,
    databases: &'a [Found],
    is_full: bool,
) -> telemetry::Wanted<'a> {
    let (places, zone) = (request.places, request.zone);
    telemetry::Wanted { store, old, places, databases, by_hand: &[], zone, is_full }
}

/// A store that has read no database yet.
fn empty_manifest(now: i64) -> Manifest {
    Manifest {
        schema_version: SCHEMA_VERSION,
        logicoma_version: env!("CARGO_PKG_VERSION").to_owned(),
        written_at: now,
        has_content: true,
        sources: Vec::new(),
        directories: Vec::new(),
        catalog_hash: String::new(),
        telemetry: Vec::new(),
        tables: BTreeMap::new(),
        snapshot: None,
    }
}

fn recorded(manifest: &Manifest) -> Vec<RecordedDirectory> {
    manifest
        .directories
        .iter()
        .map(|entry| RecordedDirectory {
            project_id: entry.project_id.clone(),
            worktree: entry.worktree.clone(),
            directory: entry.directory.clone(),
        })
        .collect()
}

/// What lies on disk beside the databases.
struct Disk {
    skills: Catalog,
    routes: Routes,
}

impl Disk {
    fn hash(&self) -> String {
        let mut text = String::new();
        for skill in &self.skills.skills {
            text.push_str(&format!("{skill:?}\n"));
        }
        text.push_str(&format!("{:?}\n{:?}\n", self.routes.routes, self.routes.formats));
        digest::sha256(text.as_bytes())
    }

    fn warnings(&self) -> Vec<String> {
        let all = self.skills.warnings.iter().chain(&self.routes.warnings);
        all.map(|warning| format!("{}: {}", warning.path, warning.message)).collect()
    }
}

/// Skills as the newest database's generation of OpenCode sees them, and Tachikoma's route tables.
fn discover(places: &catalog::Places, manifest: &Manifest) -> Disk {
    let generation = if manifest.sources.iter().any(|source| source.generation.contains("v2")) {
        catalog::Generation::V2
    } else {
        catalog::Generation::V1
    };
    let directories = recorded(manifest);
    Disk {
        skills: catalog::discover(&catalog::Places { generation, ..places.clone() }, &directories),
        routes: routes::discover(places, &directories),
    }
}

fn add_disk(manifest: &mut Manifest, disk: &Disk, content: bool, incoming: &Utf8Path) -> Result<(), ExtractError> {
    let mut skills = Batch::new(&schema::SKILL, content, disk.skills.skills.len());
    for skill in &disk.skills.skills {
        push_skill(&mut skills, skill);
    }
    manifest.catalog_hash = disk.hash();
    let [routes, formats] = disk.routes.batches(content);
    for batch in [skills, routes, formats] {
        let name = batch.table().name.to_owned();
        let mut table = TableEntry { rows: batch.len() as u64, files: Vec::new() };
        if !batch.is_empty() {
            table.files.push(parquet::write(batch, "all", incoming)?);
        }
        manifest.tables.insert(name, table);
    }
    Ok(())
}

fn push_skill(batch: &mut Batch, skill: &SkillRow) {
    batch
        .row()
        .text(skill.skill_name.as_deref())
        .text(Some(skill.scope.as_str()))
        .text(Some(skill.path.as_str()))
        .text(skill.project_id.as_deref())
        .text(skill.directory.as_deref())
        .int(Some(skill.description_chars))
        .int(Some(skill.body_chars))
        .text(skill.content_hash.as_deref())
        .int(skill.modified_at)
        .bool(Some(skill.is_hidden))
        .bool(Some(skill.is_shadowed))
        .text(skill.problem.as_deref());
}
