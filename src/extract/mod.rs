//! From the user's machine into the store: databases, telemetry files, and skills on disk.
//!
//! Input: places. Output: a store whose manifest says what was read. [`refresh`] costs what changed, and writes nothing when
//! nothing did. Every source is kept whole and on its own; readers unite them.

pub mod catalog;
pub mod disk;
pub mod opencode;
pub mod routes;
mod sources;
pub mod telemetry;

use crate::error::{ExtractError, StoreError};
use crate::store::manifest::{Manifest, Notice, SourceEntry};
use crate::store::schema::{self, SCHEMA_VERSION};
use crate::store::{Reading, Store, incoming::Incoming};
use camino::Utf8Path;
use jiff::tz::TimeZone;
use opencode::locate::{self, Found};
use opencode::{Files, Job, Old, Outcome, Progress};
use sources::Assigned;
use std::time::{Duration, Instant};

/// Notices kept in the manifest.
const NOTICES: usize = 100;

/// What to read and how.
pub struct Request<'a> {
    /// Databases.
    pub found: &'a [Found],
    /// Where skills live.
    pub places: &'a catalog::Places,
    /// Keep raw JSON; None = as the store has it, yes for a new store.
    pub content: Option<bool>,
    /// Read everything again, whether or not something changed. History stays.
    pub full: bool,
    /// The zone of times that say none.
    pub zone: &'a TimeZone,
    /// Clock, epoch ms UTC.
    pub now: i64,
}

/// What a refresh did.
#[derive(Debug)]
pub struct Refreshed {
    /// The state of what this writer keeps.
    pub manifest: Manifest,
    /// False when no row had changed.
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
    /// What the user should know of the sources.
    pub notices: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
    /// Keeps the files of this state in place.
    pub reading: Reading,
}

/// A refresh under way.
struct Run<'a> {
    store: &'a Store,
    request: &'a Request<'a>,
    progress: &'a dyn Progress,
    old: Manifest,
    next: Manifest,
    /// Old files have today's columns.
    is_current: bool,
    staging: Option<Incoming>,
    /// Databases that changed and can be read whole.
    changed: Vec<Found>,
    new: Vec<Notice>,
    said: Vec<String>,
    warnings: Vec<String>,
    rows_read: u64,
    bytes_read: u64,
    is_changed: bool,
    must_save: bool,
}

/// Brings the store up to date.
///
/// # Errors
/// No source can be read, or the store cannot be written; the old state then stands.
pub fn refresh(store: &Store, request: &Request<'_>, progress: &dyn Progress) -> Result<Refreshed, ExtractError> {
    let started = Instant::now();
    let _lock = store.lock(true, || tracing::warn!("another logicoma is working on this store: waiting for it"))?;
    let (old, lost) = sources::known(store, request.full)?;
    let content = request.content.unwrap_or_else(|| old.as_ref().is_none_or(|manifest| manifest.has_content));
    let mut old = old.unwrap_or_else(|| Manifest::empty(content, request.now));
    let mut is_current = lost.is_none() && old.schema_version == SCHEMA_VERSION && old.has_content == content;
    if let Err(error) = store.check(&old) {
        tracing::warn!("{error}: reading everything again");
        is_current = false;
        // What lies on disk beside the sources is written again too.
        old.sources.iter_mut().for_each(|source| source.catalog_hash.clear());
    }
    let next = Manifest {
        schema_version: SCHEMA_VERSION,
        logicoma_version: env!("CARGO_PKG_VERSION").to_owned(),
        has_content: content,
        ..old.clone()
    };
    let mut run = Run {
        store,
        request,
        progress,
        old,
        next,
        is_current,
        staging: None,
        changed: Vec::new(),
        new: Vec::new(),
        said: lost.into_iter().collect(),
        warnings: Vec::new(),
        rows_read: 0,
        bytes_read: 0,
        is_changed: false,
        must_save: false,
    };
    match run.sources().and_then(|()| run.telemetry()) {
        Ok(()) => run.finish(started),
        Err(error) => {
            // The error that matters is the first one; what is left here goes with the next refresh.
            let _ = store.discard();
            Err(error)
        }
    }
}

/// The folder for new files, made when it is first asked for.
fn incoming(store: &Store, folder: &mut Option<Incoming>) -> Result<Incoming, StoreError> {
    let made = folder.take().map_or_else(|| store.staging(), Ok)?;
    Ok(folder.insert(made).clone())
}

impl Run<'_> {
    fn incoming(&mut self) -> Result<Incoming, StoreError> {
        incoming(self.store, &mut self.staging)
    }

    /// Telemetry files, and tables of telemetry in databases that changed.
    fn telemetry(&mut self) -> Result<(), ExtractError> {
        let wanted = telemetry::Wanted {
            store: self.store,
            old: Some(&self.old),
            places: self.request.places,
            databases: &self.changed,
            by_hand: &[],
            zone: self.request.zone,
            is_full: self.request.full,
        };
        let (store, staging) = (self.store, &mut self.staging);
        if !telemetry::refresh(&wanted, &mut self.next, &mut || incoming(store, staging), &mut self.said)?.is_empty() {
            (self.is_changed, self.must_save) = (true, true);
        }
        Ok(())
    }

    fn notice(&mut self, source: &str, text: String) {
        self.new.push(Notice { at: self.request.now, source: source.to_owned(), text });
    }

    fn sources(&mut self) -> Result<(), ExtractError> {
        let others = self.store.other_manifests();
        let (assigned, notices) = sources::assign(self.request.found, &self.old, &others, self.store.writer());
        for (source, text) in notices {
            self.notice(&source, text);
        }
        let mut failed = Vec::new();
        for one in &assigned {
            match self.source(one, &others) {
                Ok(()) => {}
                Err(ExtractError::Store(error)) => return Err(error.into()),
                Err(error) => failed.push((one.name.clone(), error)),
            }
        }
        // One that can be read is better than none; but a single one that cannot is an error.
        if failed.len() == assigned.len()
            && let Some((_, error)) = failed.pop()
        {
            return Err(error);
        }
        for (name, error) in failed {
            let state = if self.old.source(&name).is_some() {
                "what was read of it before stands"
            } else {
                "nothing is known of it"
            };
            self.said.push(format!("{error}: {state}"));
        }
        self.others(&assigned)
    }

    /// Sources of the store that were not looked for, or not found.
    fn others(&mut self, assigned: &[Assigned<'_>]) -> Result<(), ExtractError> {
        for entry in self.old.sources.clone() {
            if assigned.iter().any(|one| one.name == entry.name) {
                continue;
            }
            if entry.last_seen_at.is_none() && !entry.path.is_empty() && !locate::is_there(&entry.path) {
                self.notice(&entry.name, format!("{} is gone: what was read of it stays as history", entry.path));
                self.leave(&entry.name, entry.read_at);
            }
            if entry.last_seen_at.is_none() && entry.path.is_empty() {
                self.leave(&entry.name, self.request.now);
            }
            if !self.is_current {
                let files = sources::files_of(&self.old, &entry.name);
                let found = Found::at(&entry.name, Utf8Path::new(&entry.path));
                let incoming = self.incoming()?;
                let job = self.job(
                    &found,
                    &entry.name,
                    &incoming,
                    Some(Old { entry: Some(&entry), files: &files, is_current: false }),
                );
                let (files, notices) = opencode::reshape(job)?;
                self.put(&entry.name, files);
                for text in notices {
                    self.notice(&entry.name, text);
                }
            }
        }
        Ok(())
    }

    /// From now on all rows of a source are history.
    fn leave(&mut self, name: &str, seen_at: i64) {
        for entry in self.next.sources.iter_mut().filter(|entry| entry.name == name) {
            entry.last_seen_at = Some(seen_at);
            (self.is_changed, self.must_save) = (true, true);
        }
    }

    fn job<'j>(&self, found: &'j Found, name: &'j str, incoming: &'j Incoming, old: Option<Old<'j>>) -> Job<'j>
    where
        Self: 'j,
    {
        Job {
            name,
            found,
            content: self.next.has_content,
            root: self.store.root(),
            incoming,
            old,
            now: self.request.now,
            progress: self.progress,
        }
    }

    fn source(&mut self, one: &Assigned<'_>, others: &[Manifest]) -> Result<(), ExtractError> {
        let known = self.old.source(&one.name).cloned();
        let is_same = |entry: &SourceEntry| -> Result<bool, ExtractError> {
            Ok(entry.last_seen_at.is_none() && entry.fingerprint == one.found.fingerprint()?)
        };
        if let Some(entry) = known.as_ref().filter(|_| self.is_current && !self.request.full)
            && is_same(entry)?
        {
            self.said.extend(entry.damage.iter().map(|damage| format!("{}: {damage}", entry.path)));
            return self.disk(&one.name);
        }
        let incoming = self.incoming()?;
        let files = sources::files_of(&self.old, &one.name);
        let is_current = self.is_current && !self.request.full;
        let old =
            (known.is_some() || !files.is_empty()).then_some(Old { entry: known.as_ref(), files: &files, is_current });
        let outcome = opencode::refresh(self.job(one.found, &one.name, &incoming, old))?;
        let was_away = known.as_ref().is_some_and(|entry| entry.last_seen_at.is_some() && !entry.path.is_empty());
        if was_away && !matches!(outcome, Outcome::Other(_)) {
            self.is_changed = true;
            // Of one that takes the place of another it is said already.
            if self.new.iter().all(|notice| notice.source != one.name) {
                self.notice(&one.name, format!("{} is back: what it holds is history no longer", one.found.path));
            }
        }
        match outcome {
            Outcome::Same(entry) => {
                self.changed.push(one.found.clone());
                self.entry(*entry);
                self.must_save = true;
            }
            Outcome::Changed(changed) => {
                let changed = *changed;
                self.rows_read += changed.rows_read;
                self.bytes_read += changed.bytes_read;
                for text in changed.notices {
                    self.notice(&one.name, text);
                }
                if let Some(damage) = &changed.entry.damage {
                    self.notice(
                        &one.name,
                        format!("{}: {damage}; what was known of these rows stands", changed.entry.path),
                    );
                }
                if changed.entry.damage.is_none() {
                    self.changed.push(one.found.clone());
                }
                self.put(&one.name, changed.files);
                self.entry(changed.entry);
            }
            Outcome::Other(sessions) => {
                let seen_at = known.as_ref().map(|entry| entry.read_at);
                let back = sources::returned(self.store, &self.old, one, &sessions).filter(|_| self.is_current);
                let name = back.clone().unwrap_or_else(|| sources::unused(&one.name, &self.next, others));
                let text = sources::replaced(&one.found.path, &one.name, &name, seen_at, back.is_some());
                self.notice(&name, text);
                self.leave(&one.name, seen_at.unwrap_or(self.request.now));
                if !self.is_current {
                    let (files, _) = opencode::reshape(self.job(one.found, &one.name, &incoming, old))?;
                    self.put(&one.name, files);
                }
                let new = Assigned { found: one.found, name };
                return self.source(&new, others);
            }
        }
        self.disk(&one.name)
    }

    /// A source's new section.
    fn entry(&mut self, entry: SourceEntry) {
        match self.next.sources.iter_mut().find(|known| known.name == entry.name) {
            Some(known) => *known = entry,
            None => self.next.sources.push(entry),
        }
    }

    /// A source's new files.
    fn put(&mut self, name: &str, files: Files) {
        for (table, files) in files {
            let entry = self.next.tables.entry(table).or_default();
            entry.files.retain(|file| file.source() != Some(name));
            entry.files.extend(files);
        }
        (self.is_changed, self.must_save) = (true, true);
    }

    /// What lies on disk beside a source.
    fn disk(&mut self, name: &str) -> Result<(), ExtractError> {
        let Some(entry) = self.next.source(name) else { return Ok(()) };
        let disk = disk::discover(self.request.places, entry);
        let hash = disk.hash();
        self.warnings.extend(disk.warnings());
        if entry.catalog_hash != hash {
            let incoming = self.incoming()?;
            let files = disk.write(name, self.next.has_content, &incoming)?;
            self.put(name, files);
            for entry in self.next.sources.iter_mut().filter(|entry| entry.name == name) {
                entry.catalog_hash.clone_from(&hash);
            }
        }
        Ok(())
    }

    fn finish(mut self, started: Instant) -> Result<Refreshed, ExtractError> {
        self.said.extend(self.new.iter().map(|notice| notice.text.clone()));
        self.must_save |= !self.new.is_empty();
        let mut files_written = 0;
        if self.must_save {
            for table in schema::TABLES.iter().filter(|table| sources::is_by_source(table)) {
                // Of a store of the first version, whose files hold several sources, everything was carried over.
                let files = &mut self.next.tables.entry(table.name.to_owned()).or_default().files;
                files.retain(|file| file.source().is_some() || sources::is_of_telemetry(file));
            }
            for table in self.next.tables.values_mut() {
                table.files.sort();
                table.rows = table.files.iter().map(|file| file.rows).sum();
            }
            let known: std::collections::HashSet<&str> = self.old.files().map(|file| file.path.as_str()).collect();
            files_written = self.next.files().filter(|file| !known.contains(file.path.as_str())).count() as u64;
            self.next.written_at = self.request.now;
            self.next.notices.extend(self.new);
            let surplus = self.next.notices.len().saturating_sub(NOTICES);
            self.next.notices.drain(..surplus);
            self.store.commit(self.staging.as_ref(), &self.next)?;
        } else {
            self.store.resume(&self.next)?;
        }
        Ok(Refreshed {
            quarantined: self.next.rows(schema::QUARANTINE.name),
            changed: self.is_changed,
            rows_read: self.rows_read,
            bytes_read: self.bytes_read,
            files_written,
            warnings: self.warnings,
            notices: self.said,
            elapsed: started.elapsed(),
            reading: self.store.reading(),
            manifest: self.next,
        })
    }
}
