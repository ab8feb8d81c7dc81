//! Telemetry: what Tachikoma's skills, hooks and scripts wrote down beside OpenCode's database.
//!
//! Input: recorded directories (files are found below their `.opencode`), files given by hand, databases that hold the
//! five tables. Output: the store's tables `telemetry` (events), `telemetry_total` (counters without events) and
//! `telemetry_file`, and bad lines in `quarantine`. An event id stands once. A file that has not changed is not read
//! again; what was read stays when a file shrinks, is half written, or goes.

mod clock;
mod discover;
pub mod emit;
mod event;
mod exports;
mod fields;
mod format;
mod jsonl;
mod keep;
mod lines;
mod metrics_json;
mod named;
pub mod schema;
mod sink;
mod tables;

pub use event::EventKind;
pub use format::Format;
pub use named::{ByHand, Ingested, ingest, named};

use super::catalog;
use super::opencode::locate::Found;
use super::opencode::sqlite::{self, Source};
use crate::error::{ExtractError, StoreError};
use crate::store::batch::Batch;
use crate::store::manifest::{FileEntry, Fingerprint, Manifest, TelemetryEntry};
use crate::store::schema::{QUARANTINE, TELEMETRY, TELEMETRY_FILE, TELEMETRY_TOTAL, TableDef};
use crate::store::{Store, incoming::Incoming};
use arrow::array::RecordBatch;
use camino::Utf8PathBuf;
use jiff::tz::TimeZone;
use keep::{Kept, Rows};
use sink::{Place, Sink};
use std::collections::{BTreeMap, HashSet};

/// Partition of bad lines in the quarantine.
pub(super) const PARTITION: &str = crate::store::manifest::OF_TELEMETRY;
/// Format of the tables inside a database.
const IN_DATABASE: &str = "tables";

/// What to look at.
pub struct Wanted<'a> {
    /// The store.
    pub store: &'a Store,
    /// Its old state.
    pub old: Option<&'a Manifest>,
    /// Where skills and telemetry live.
    pub places: &'a catalog::Places,
    /// Databases that may have changed.
    pub databases: &'a [Found],
    /// Files named now.
    pub by_hand: &'a [ByHand],
    /// The zone of times that say none.
    pub zone: &'a TimeZone,
    /// Read everything again, whether or not it changed.
    pub is_full: bool,
}

/// What a refresh found in one file that it read.
#[derive(Debug, Clone)]
pub struct Read {
    /// The file's entry.
    pub entry: TelemetryEntry,
    /// Events that the store did not have.
    pub added: u64,
    /// Events of which a value made no sense.
    pub problems: u64,
}

/// A file to look at.
struct Candidate {
    place: Place,
    format: Option<Format>,
    is_by_hand: bool,
    is_strict: bool,
    fingerprint: Fingerprint,
}

/// Brings the telemetry of `manifest` up to date: its old state is carried over, and files that changed are read. Gives
/// what was read; nothing was written when that is empty. `manifest` holds the other tables of the new state, `incoming`
/// makes the folder for new files, `said` gets what the user should know.
///
/// # Errors
/// A file cannot be read, one named by hand is no telemetry, or the store cannot be written.
pub fn refresh(
    wanted: &Wanted<'_>,
    manifest: &mut Manifest,
    incoming: &mut dyn FnMut() -> Result<Incoming, StoreError>,
    said: &mut Vec<String>,
) -> Result<Vec<Read>, ExtractError> {
    carry_over(wanted.old, manifest);
    // Other columns, or files that are not what the manifest says: what can still be read is written anew.
    let kept = Kept { store: wanted.store, manifest: wanted.old, content: manifest.has_content };
    let is_other = !kept.fits(manifest);
    let is_full = wanted.is_full || is_other;
    let mut changed = candidates(wanted, manifest, said)?;
    changed.retain(|file| is_full || is_changed(file, manifest, wanted.zone));
    let mut databases = Vec::new();
    for found in wanted.databases {
        let source = Source::open(&found.path, &incoming()?)?;
        if tables::has_any(&source) {
            databases.push(source);
        }
    }
    if changed.is_empty() && databases.is_empty() && !is_other {
        return Ok(Vec::new());
    }
    let known = kept.known()?;
    let mut sink = Sink::new(&known, manifest.has_content);
    let mut read = Vec::new();
    for file in changed {
        read.push(read_file(file, wanted.zone, &mut sink)?);
    }
    for source in databases {
        read.push(read_database(&source, &mut sink)?);
    }
    for read in &read {
        manifest.telemetry.retain(|entry| entry.path != read.entry.path);
        manifest.telemetry.push(read.entry.clone());
    }
    manifest.telemetry.sort_by(|one, other| one.path.cmp(&other.path));
    write(&kept, sink, &read, manifest, &incoming()?)?;
    Ok(read)
}

/// The old state's telemetry, as it was.
fn carry_over(old: Option<&Manifest>, manifest: &mut Manifest) {
    let Some(old) = old else { return };
    manifest.telemetry.clone_from(&old.telemetry);
    for table in keep::TABLES {
        if let Some(entry) = old.tables.get(table.name) {
            manifest.tables.insert(table.name.to_owned(), entry.clone());
        }
    }
    let bad = old.tables.get(QUARANTINE.name).map(|table| table.files.iter().filter(|file| is_ours(file)));
    replace_bad(manifest, bad.into_iter().flatten().cloned().collect());
}

fn is_ours(file: &FileEntry) -> bool {
    file.partition() == Some(PARTITION)
}

/// Puts the files of bad lines beside those of bad rows.
fn replace_bad(manifest: &mut Manifest, files: Vec<FileEntry>) {
    if files.is_empty() && !manifest.tables.contains_key(QUARANTINE.name) {
        return;
    }
    let table = manifest.tables.entry(QUARANTINE.name.to_owned()).or_default();
    table.files.retain(|file| !is_ours(file));
    table.files.extend(files);
    table.files.sort();
    table.rows = table.files.iter().map(|file| file.rows).sum();
}

/// Files that are there: found ones, those named now, and those named before.
fn candidates(
    wanted: &Wanted<'_>,
    manifest: &Manifest,
    said: &mut Vec<String>,
) -> Result<Vec<Candidate>, ExtractError> {
    let directories = super::disk::recorded(manifest);
    let mut files: BTreeMap<Utf8PathBuf, Candidate> = BTreeMap::new();
    for place in discover::discover(wanted.places, &directories, said) {
        if let Ok(fingerprint) = sqlite::fingerprint(&place.path) {
            let path = place.path.clone();
            files.insert(path, Candidate { place, format: None, is_by_hand: false, is_strict: false, fingerprint });
        }
    }
    for entry in manifest.telemetry.iter().filter(|entry| entry.is_by_hand) {
        // A file that is gone leaves its events.
        let path = Utf8PathBuf::from(&entry.path);
        let Ok(fingerprint) = sqlite::fingerprint(&path) else { continue };
        let place = Place {
            path: path.clone(),
            project_id: entry.project_id.clone(),
            directory: entry.directory.clone(),
            is_synthetic: entry.is_synthetic,
        };
        let format = Format::parse(&entry.format);
        files.insert(path, Candidate { place, format, is_by_hand: true, is_strict: false, fingerprint });
    }
    for named in wanted.by_hand {
        let fingerprint = sqlite::fingerprint(&named.path)?;
        let mut place = discover::place_of(&named.path, wanted.places, &directories);
        place.is_synthetic = named.is_synthetic;
        let (path, format) = (named.path.clone(), named.format);
        files.insert(path, Candidate { place, format, is_by_hand: true, is_strict: true, fingerprint });
    }
    Ok(files.into_values().collect())
}

/// The zone that matters to a file of this format; the others' times say theirs.
fn zone_of(format: &str, zone: &TimeZone) -> Option<String> {
    let name = || zone.iana_name().map_or_else(|| format!("{zone:?}"), str::to_owned);
    (format == Format::MetricsJson.name()).then(name)
}

fn is_changed(file: &Candidate, manifest: &Manifest, zone: &TimeZone) -> bool {
    let path = file.place.path.as_str();
    manifest.telemetry.iter().find(|entry| entry.path == path).is_none_or(|entry| {
        entry.fingerprint != file.fingerprint
            || entry.is_by_hand != file.is_by_hand
            || entry.is_synthetic != file.place.is_synthetic
            || entry.zone != zone_of(&entry.format, zone)
            || file.format.is_some_and(|format| format.name() != entry.format)
    })
}

/// Reads a file; one that is found but cannot be opened is no reason to stop.
fn read_file(file: Candidate, zone: &TimeZone, sink: &mut Sink<'_>) -> Result<Read, ExtractError> {
    sink.begin(file.place.clone());
    let format = match format::read(&file.place.path, file.format, file.is_strict, zone, sink) {
        Ok(format) => format,
        Err(error) if file.is_strict => return Err(error),
        Err(error) => {
            sink.bad(None, &format!("file cannot be read: {error}"), b"");
            None
        }
    };
    let note = match format {
        Some(Format::Agents) if !file.place.is_synthetic => {
            Some("its figures are invented: `logicoma ingest --synthetic` takes them")
        }
        Some(Format::Learning) => Some("settings and statistics: no events"),
        None => Some("not read: see the quarantine"),
        _ => None,
    };
    // A file that is half written now is of the format that was named all the same.
    let name = format.or(file.format).map_or("unknown", Format::name);
    let mut read = told(file, name, note, sink);
    read.entry.zone = zone_of(&read.entry.format, zone);
    Ok(read)
}

fn read_database(source: &Source, sink: &mut Sink<'_>) -> Result<Read, ExtractError> {
    let path = camino::absolute_utf8(&source.path).unwrap_or_else(|_| source.path.clone());
    let place = Place { path, ..Place::default() };
    sink.begin(place.clone());
    tables::read(source, sink)?;
    let fingerprint = source.fingerprint.clone();
    let file = Candidate { place, format: None, is_by_hand: false, is_strict: false, fingerprint };
    Ok(told(file, IN_DATABASE, None, sink))
}

fn told(file: Candidate, format: &str, note: Option<&str>, sink: &Sink<'_>) -> Read {
    let counts = sink.counts();
    let place = file.place;
    Read {
        entry: TelemetryEntry {
            path: place.path.into_string(),
            format: format.to_owned(),
            project_id: place.project_id,
            directory: place.directory,
            is_by_hand: file.is_by_hand,
            is_synthetic: place.is_synthetic,
            fingerprint: file.fingerprint,
            events: counts.events,
            duplicates: counts.duplicates,
            bad_lines: counts.bad,
            totals: counts.totals,
            note: note.map(str::to_owned),
            zone: None,
        },
        added: counts.added,
        problems: counts.problems,
    }
}

/// Writes what was read beside what stays.
fn write(
    kept: &Kept<'_>,
    sink: Sink<'_>,
    read: &[Read],
    manifest: &mut Manifest,
    incoming: &Incoming,
) -> Result<(), StoreError> {
    let paths: HashSet<&str> = read.iter().map(|read| read.entry.path.as_str()).collect();
    let put = |manifest: &mut Manifest, table: &'static TableDef, rows: Rows, order: &[&str]| {
        let entry = keep::write(table, rows, order, incoming)?;
        manifest.tables.insert(table.name.to_owned(), entry);
        Ok::<(), StoreError>(())
    };
    let Sink { seen, seen_totals, events, totals, bad, .. } = sink;
    let stays = |rows: &RecordBatch, row: usize| !seen.contains(&sink::id_key(keep::value(rows, "id", row)));
    let mut rows = kept.rows(&TELEMETRY, |_| true, stays)?;
    for (partition, batch) in events {
        keep::add(&mut rows, &partition, batch)?;
    }
    put(manifest, &TELEMETRY, rows, &["ts", "id"])?;

    // A file that was emptied, or is half written, says nothing of what it counted before.
    let stays = |rows: &RecordBatch, row: usize| {
        let key = sink::TOTAL_KEY.map(|column| keep::value(rows, column, row));
        !seen_totals.contains(&sink::total_key(key))
    };
    let mut rows = kept.rows(&TELEMETRY_TOTAL, |_| true, stays)?;
    keep::add(&mut rows, "all", totals)?;
    put(manifest, &TELEMETRY_TOTAL, rows, &["path", "kind", "subject", "format", "counter"])?;

    let mut rows = Rows::new();
    keep::add(&mut rows, "all", file_rows(&manifest.telemetry, kept.content))?;
    put(manifest, &TELEMETRY_FILE, rows, &["path"])?;

    let is_others = |rows: &RecordBatch, row: usize| {
        let id = keep::value(rows, "row_id", row);
        !paths.contains(id) && !id.rsplit_once(':').is_some_and(|(path, _)| paths.contains(path))
    };
    let mut rows = kept.rows(&QUARANTINE, |partition| partition == PARTITION, is_others)?;
    keep::add(&mut rows, PARTITION, bad)?;
    let bad = keep::write(&QUARANTINE, rows, &["row_id", "reason"], incoming)?;
    replace_bad(manifest, bad.files);
    Ok(())
}

/// A row for each file.
fn file_rows(files: &[TelemetryEntry], content: bool) -> Batch {
    let mut batch = Batch::new(&TELEMETRY_FILE, content, files.len());
    let count = |number: u64| i64::try_from(number).ok();
    for file in files {
        batch
            .row()
            .text(Some(&file.path))
            .text(Some(&file.format))
            .text(file.project_id.as_deref())
            .text(file.directory.as_deref())
            .bool(Some(file.is_by_hand))
            .bool(Some(file.is_synthetic))
            .int(count(file.fingerprint.size))
            .int(count(file.events))
            .int(count(file.duplicates))
            .int(count(file.bad_lines))
            .int(count(file.totals))
            .text(file.note.as_deref());
    }
    batch
}
