//! Which database is which source of the store.
//!
//! Input: located databases, the manifests of the store. Output: a name for each, the one that it had before where it is the
//! same file; names are never shared, and are safe as names of folders.

use super::opencode::Files;
use super::opencode::locate::Found;
use super::{disk, telemetry};
use crate::error::StoreError;
use crate::store::manifest::{FileEntry, Manifest, SourceEntry};
use crate::store::schema::{self, TableDef};
use crate::store::{self, Store};
use arrow::array::AsArray;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use std::collections::HashSet;

/// A database with its name in the store.
pub(super) struct Assigned<'a> {
    /// Where it is.
    pub found: &'a Found,
    /// Its name.
    pub name: String,
}

/// True for tables whose files belong to one source each.
pub(super) fn is_by_source(table: &TableDef) -> bool {
    disk::TABLES.iter().any(|known| known.name == table.name)
        || table.columns.iter().any(|column| column.origin == schema::Origin::Path)
}

/// Bad lines of telemetry lie beside the bad rows of databases.
pub(super) fn is_of_telemetry(file: &FileEntry) -> bool {
    file.source().is_none() && file.partition() == Some(telemetry::PARTITION)
}

/// A text as a name that is safe as part of a path.
fn safe(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '-' })
        .collect();
    let clean = clean.trim_start_matches('.');
    if clean.is_empty() { "opencode".to_owned() } else { clean.to_owned() }
}

fn absolute(path: &Utf8Path) -> Utf8PathBuf {
    camino::absolute_utf8(path).unwrap_or_else(|_| path.to_owned())
}

/// Both paths lead to the same file, or would if it were there.
pub(super) fn is_same_path(known: &str, path: &Utf8Path) -> bool {
    let (known, path) = (Utf8Path::new(known), absolute(path));
    known == path
        || known.canonicalize_utf8().ok().zip(path.canonicalize_utf8().ok()).is_some_and(|(known, path)| known == path)
}

/// A name that nobody has, made from another one by a number.
pub(super) fn unused(base: &str, own: &Manifest, others: &[Manifest]) -> String {
    let is_taken = |name: &str| others.iter().chain([own]).any(|manifest| manifest.source(name).is_some());
    let stem = base.rsplit_once('-').filter(|(_, number)| number.parse::<u32>().is_ok()).map_or(base, |(stem, _)| stem);
    let mut number = 2_u32;
    while is_taken(&format!("{stem}-{number}")) {
        number += 1;
    }
    format!("{stem}-{number}")
}

/// Gives every database its name; what the user should know of new names is told.
pub(super) fn assign<'a>(
    found: &'a [Found],
    old: &Manifest,
    others: &[Manifest],
    writer: Option<&str>,
) -> (Vec<Assigned<'a>>, Vec<(String, String)>) {
    let mut taken = old.clone();
    let mut assigned: Vec<Assigned<'a>> = Vec::new();
    let mut notices = Vec::new();
    for one in found {
        // Of several at that path, the one that was there last: the others were replaced.
        let there = old.sources.iter().filter(|source| is_same_path(&source.path, &one.path));
        let known = there.max_by_key(|source| source.seen_until());
        // After the manifest was lost, a name is all that is known.
        let nameless = |name: &str| old.source(name).is_some_and(|source| source.path.is_empty());
        let base = match writer {
            Some(writer) if found.len() == 1 => writer.to_owned(),
            Some(writer) => format!("{writer}-{}", safe(&one.name)),
            None => safe(&one.name),
        };
        let is_free = |name: &str| {
            others.iter().chain([&taken]).all(|manifest| manifest.source(name).is_none())
                || (nameless(name) && !assigned.iter().any(|one| one.name == name))
        };
        let name = match known {
            Some(source) => source.name.clone(),
            None if is_free(&base) => base,
            None => {
                let name = unused(&base, &taken, others);
                let holder = taken.source(&base).map(|source| source.path.clone()).unwrap_or_default();
                notices.push((
                    name.clone(),
                    format!("{} is kept as source '{name}': '{base}' is {holder}", absolute(&one.path)),
                ));
                name
            }
        };
        if taken.source(&name).is_none() {
            taken.sources.push(SourceEntry::named(&name, absolute(&one.path).as_str()));
        }
        assigned.push(Assigned { found: one, name });
    }
    (assigned, notices)
}

/// The files in which rows of a source lie.
pub(super) fn files_of(manifest: &Manifest, name: &str) -> Files {
    let mut files = Files::new();
    for table in schema::TABLES.iter().filter(|table| is_by_source(table)) {
        let own: Vec<_> = manifest
            .tables
            .get(table.name)
            .into_iter()
            .flat_map(|entry| &entry.files)
            .filter(|file| !is_of_telemetry(file) && file.source().is_none_or(|source| source == name))
            .cloned()
            .collect();
        if !own.is_empty() {
            files.insert(table.name.to_owned(), own);
        }
    }
    files
}

/// The source to which a database belongs that stands where another one was: one that was there earlier, and has sessions of
/// it. What cannot be read of a source says nothing.
pub(super) fn returned(
    store: &Store,
    old: &Manifest,
    one: &Assigned<'_>,
    sessions: &HashSet<Box<[u8]>>,
) -> Option<String> {
    let shares = |path: &Utf8Path| {
        let batches = store::read::columns(path, &schema::SESSION, &["id"]).unwrap_or_default();
        batches
            .iter()
            .any(|batch| batch.column(0).as_string::<i32>().iter().flatten().any(|id| sessions.contains(id.as_bytes())))
    };
    let earlier = old.sources.iter().rev().filter(|source| {
        source.name != one.name && source.last_seen_at.is_some() && is_same_path(&source.path, &one.found.path)
    });
    earlier
        .map(|source| &source.name)
        .find(|name| {
            let files = files_of(old, name);
            let own = files.get(schema::SESSION.name).into_iter().flatten().filter(|file| file.source().is_some());
            own.map(|file| store.root().join(&file.path)).any(|path| shares(&path))
        })
        .cloned()
}

/// What is said when another database stands where a known one was.
pub(super) fn replaced(path: &Utf8Path, old: &str, new: &str, seen_at: Option<i64>, is_back: bool) -> String {
    let when = seen_at
        .and_then(|moment| Timestamp::from_millisecond(moment).ok())
        .map_or_else(String::new, |at| format!(", last read at {at},"));
    let what = if is_back {
        format!("is not the database that was there last, but source '{new}' again")
    } else {
        format!("is another database than before: none of the known sessions is in it. It is kept as source '{new}'")
    };
    format!("{} {what}; what was read of the old one{when} stays as history in source '{old}'", absolute(path))
}

/// What this writer keeps in the store, and what is to be said of it when its manifest was lost.
///
/// # Errors
/// The manifest is damaged, and a rebuild is not what was asked for.
pub(super) fn known(store: &Store, full: bool) -> Result<(Option<Manifest>, Option<String>), StoreError> {
    match store.own_manifest() {
        Ok(manifest) => Ok((Some(manifest), None)),
        // Files without a manifest: it was lost, or a first refresh ended before it was written.
        Err(StoreError::Absent { .. }) => {
            let left = Some(salvage(store)?).filter(|left| !left.tables.is_empty());
            let said = format!("{} has files but no manifest: what they hold was carried over", store.root());
            Ok((left.clone(), left.map(|_| said)))
        }
        // A rebuild is what the hint of a damaged store asks for.
        Err(error @ (StoreError::Manifest { .. } | StoreError::Damaged { .. })) if full => {
            let said = format!("{error}: what its files still hold was carried over, but history may be lost");
            Ok((Some(salvage(store)?), Some(said)))
        }
        Err(error) => Err(error),
    }
}

/// A manifest made from the files that lie in a store whose own manifest was lost. What they hold may be history.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn salvage(store: &Store) -> Result<Manifest, StoreError> {
    let mut manifest = Manifest::empty(true, 0);
    let others = store.other_manifests();
    // What another manifest names is not lost.
    let named: HashSet<&str> = others.iter().flat_map(Manifest::files).map(|file| file.path.as_str()).collect();
    let is_foreign = |name: &str| others.iter().any(|other| other.source(name).is_some());
    for table in schema::TABLES {
        for path in store::walk(&store.root().join(table.name))? {
            let Some(entry) = store::read::entry(store.root(), &path) else { continue };
            if named.contains(entry.path.as_str()) {
                continue;
            }
            match entry.source().map(str::to_owned) {
                Some(source) if is_foreign(&source) || !store.may_be_own(&source) => continue,
                Some(source) if manifest.source(&source).is_none() => {
                    manifest.sources.push(SourceEntry::named(&source, ""));
                }
                None if is_by_source(table) && !is_of_telemetry(&entry) => continue,
                _ => {}
            }
            manifest.tables.entry(table.name.to_owned()).or_default().files.push(entry);
        }
    }
    Ok(manifest)
}
