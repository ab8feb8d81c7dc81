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

/// Leaves out what is not looked at: `--source` names sources or writers, `--db` the databases. Gives what the user should
/// know of that.
///
/// # Errors
/// A name or database is not in the store.
pub(super) fn select(manifest: &mut Manifest, store: &Store, globals: &Globals) -> Result<Option<String>, Usage> {
    manifest.whole = Some(manifest.content_key());
    manifest.present_only = globals.present_only;
    let known = |manifest: &Manifest| {
        let named = manifest.sources.iter().map(|source| format!("{} ({})", source.name, source.path));
        named.collect::<Vec<_>>().join(", ")
    };
    if !globals.source.is_empty() {
        let mut names: Vec<String> = Vec::new();
        for name in &globals.source {
            let of_writer = Manifest::load(store.root(), Some(writer_name(name)?));
            let own = of_writer.map(|manifest| manifest.sources).unwrap_or_default();
            let before = names.len();
            names.extend(own.into_iter().map(|source| source.name));
            names.extend(manifest.source(name).map(|source| source.name.clone()));
            if names.len() == before {
                return Err(Usage(format!("--source {name}: the store knows {}", known(manifest))));
            }
        }
        manifest.retain(|source| names.contains(&source.name));
    } else if !globals.db.is_empty() {
        let mut names: Vec<String> = Vec::new();
        for db in &globals.db {
            let before = names.len();
            // Of several databases that stood at one path, the newest: the others are history under their own names.
            for (index, source) in manifest.sources.iter().enumerate() {
                let is_newest = manifest.sources[index + 1..].iter().all(|later| later.path != source.path);
                if is_newest && is_at(source, db) {
                    names.push(source.name.clone());
                }
            }
            if names.len() == before && manifest.snapshot.is_some() {
                // A snapshot from elsewhere is of databases that are elsewhere.
                return Ok(Some(format!(
                    "--db {db} is none of the databases of this snapshot; looking at all of them: {}",
                    known(manifest)
                )));
            }
            if names.len() == before {
                return Err(Usage(format!(
                    "--db {db}: the store holds nothing of it yet; run `logicoma extract` on it first, or name with --source \
                     what the store knows: {}",
                    known(manifest)
                )));
            }
        }
        manifest.retain(|source| names.contains(&source.name));
    }
    Ok(None)
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
