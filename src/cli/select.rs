//! Which sources of a store a run looks at.
//!
//! Input: `--source`, `--db`, `--present-only`. Output: the manifest without the sources that do not pass.

use super::Usage;
use super::globals::Globals;
use crate::extract::opencode::locate;
use crate::store::Store;
use crate::store::manifest::{Manifest, SourceEntry};
use camino::{Utf8Path, Utf8PathBuf};

/// True when only writers with a name keep something in this store and no database is named: then a run reads it, and adds
/// nothing of this machine's.
pub(super) fn is_shared(store: &Store, globals: &Globals) -> bool {
    let writers = Manifest::writers(store.root()).unwrap_or_default();
    globals.db.is_empty() && !writers.is_empty() && !writers.contains(&None)
}

/// A name for a new source that other engines read from a folder's name as text.
///
/// # Errors
/// It is none, or reads as a number, a date or a word with a meaning.
pub(super) fn source_name(name: &str) -> Result<&str, Usage> {
    if locate::is_plain(writer_name(name)?) {
        Ok(name)
    } else {
        let message = "other programs would read it as a value: begin with a letter, as in";
        Err(Usage(format!("'{name}' is no name for a source, {message} db-{name}")))
    }
}

/// A name for a writer that is safe as part of a file's name.
///
/// # Errors
/// It is not.
pub(super) fn writer_name(name: &str) -> Result<&str, Usage> {
    let is_safe = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if is_safe {
        Ok(name)
    } else {
        Err(Usage(format!("'{name}' is no name for a source: use letters, digits, '.', '_' and '-'")))
    }
}

/// Leaves out of a state what is not looked at. Gives what the user should know of that.
///
/// # Errors
/// As [`select_all`].
pub(super) fn select(manifest: &mut Manifest, store: &Store, globals: &Globals) -> Result<Option<String>, Usage> {
    Ok(select_all(&mut [(manifest, store)], globals)?.into_iter().next())
}

/// Leaves out of states that are compared what is not looked at: `--source` names sources or writers, `--db` the databases.
/// What only one of them has is nothing in the other. Gives what the user should know of that.
///
/// # Errors
/// A name or database is in none of them.
pub(super) fn select_all(states: &mut [(&mut Manifest, &Store)], globals: &Globals) -> Result<Vec<String>, Usage> {
    for (manifest, _) in &mut *states {
        manifest.whole = Some(manifest.content_key());
        manifest.present_only = globals.present_only;
    }
    let is_by_source = !globals.source.is_empty();
    let wanted = if is_by_source { &globals.source } else { &globals.db };
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut chosen: Vec<Vec<String>> = vec![Vec::new(); states.len()];
    for name in wanted {
        let look = |(manifest, store): &(&mut Manifest, &Store)| {
            if is_by_source { of_source(name, manifest, store) } else { Ok(of_database(name, manifest)) }
        };
        let found = states.iter().map(look).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&String> = found.iter().flatten().collect();
        if names.is_empty() {
            let known = known(states);
            if is_by_source {
                return Err(Usage(format!("--source {name}: the store knows {known}")));
            }
            if states.iter().all(|(manifest, _)| manifest.snapshot.is_some()) {
                // A snapshot from elsewhere is of databases that are elsewhere.
                return Ok(vec![format!(
                    "--db {name} is none of the databases of this snapshot; looking at all of them: {known}"
                )]);
            }
            return Err(Usage(format!(
                "--db {name}: the store holds nothing of it yet; run `logicoma extract` on it first, or name with --source \
                 what the store knows: {known}"
            )));
        }
        for ((chosen, own), (manifest, _)) in chosen.iter_mut().zip(&found).zip(&*states) {
            // The same database may lie elsewhere on the machine of the other state.
            let is_there = |name: &&&String| manifest.source(name).is_some();
            let same = names.iter().filter(|_| own.is_empty()).filter(is_there).copied();
            chosen.extend(own.iter().chain(same).cloned());
        }
    }
    for ((manifest, _), names) in states.iter_mut().zip(&chosen) {
        manifest.retain(|source| names.contains(&source.name));
    }
    Ok(Vec::new())
}

/// The sources of some states, as the user may name them.
fn known(states: &[(&mut Manifest, &Store)]) -> String {
    let mut named: Vec<String> = Vec::new();
    for source in states.iter().flat_map(|(manifest, _)| &manifest.sources) {
        let text = format!("{} ({})", source.name, source.path);
        if !named.contains(&text) {
            named.push(text);
        }
    }
    named.join(", ")
}

/// The source of this name, and those of the writer of this name; in a snapshot, of the writer that it froze.
fn of_source(name: &str, manifest: &Manifest, store: &Store) -> Result<Vec<String>, Usage> {
    let of_writer = Manifest::load(store.root(), Some(writer_name(name)?));
    let own = of_writer.map(|manifest| manifest.sources).unwrap_or_default();
    let frozen = manifest.snapshot.as_ref().and_then(|entry| entry.writers.get(name)).into_iter().flatten().cloned();
    let same = manifest.source(name).map(|source| source.name.clone());
    Ok(own.into_iter().map(|source| source.name).chain(frozen).chain(same).collect())
}

/// Of several databases that stood at one path, the one that was there last: the others are history under their own names.
fn of_database(db: &str, manifest: &Manifest) -> Vec<String> {
    let is_last = |source: &SourceEntry| {
        let same = manifest.sources.iter().filter(|other| other.path == source.path);
        same.max_by_key(|other| other.seen_until()).is_some_and(|last| last.name == source.name)
    };
    let found = manifest.sources.iter().filter(|source| is_last(source) && is_at(source, db));
    found.map(|source| source.name.clone()).collect()
}

fn absolute(path: &Utf8Path) -> Utf8PathBuf {
    let absolute = camino::absolute_utf8(path).unwrap_or_else(|_| path.to_owned());
    absolute.canonicalize_utf8().unwrap_or(absolute)
}

/// The source is the database, lies in the folder, or matches the pattern.
fn is_at(source: &SourceEntry, db: &str) -> bool {
    let named = absolute(Utf8Path::new(db));
    let path = absolute(Utf8Path::new(&source.path));
    let matches = |path: &Utf8Path| {
        let pattern = camino::absolute_utf8(db).map_or_else(|_| db.to_owned(), Utf8PathBuf::into_string);
        glob::Pattern::new(&pattern).is_ok_and(|pattern| pattern.matches(path.as_str()))
    };
    let parent = path.parent().unwrap_or(&path);
    path == named || parent == named || matches(Utf8Path::new(&source.path)) || matches(parent)
}

/// What could not be read of the databases that a run looks at, the last time that they were read.
pub(super) fn damage(manifest: &Manifest) -> impl Iterator<Item = String> {
    let present = manifest.sources.iter().filter(|source| source.last_seen_at.is_none());
    present.filter_map(|source| Some(format!("{}: {}", source.path, source.damage.as_ref()?)))
}
