//! Where OpenCode's databases are.
//!
//! Input: what the user named and what the environment says (read in `cli`). Output: an ordered list of files, each
//! with a short name that is unique in the store. A data folder that holds JSON sessions of older versions is one more,
//! called `storage`.

use super::sqlite::{self, Source};
use super::storage;
use crate::error::{ExtractError, LocateError};
use crate::store::manifest::Fingerprint;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;

/// Where to look, most specific first: `--db`, `OPENCODE_DB`, `OPENCODE_DATA_DIR`, the data folder.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// `--db`, repeated: files, folders or globs.
    pub db: Vec<String>,
    /// `OPENCODE_DB`: absolute, or relative to the data folder.
    pub env_db: Option<String>,
    /// `OPENCODE_DATA_DIR`: a comma-separated list of folders.
    pub env_data_dir: Option<String>,
    /// OpenCode's data folder: `$XDG_DATA_HOME/opencode` or `~/.local/share/opencode`.
    pub data_folder: Option<Utf8PathBuf>,
}

/// One database file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `opencode`, `opencode-beta` …; made unique by a number where two files share it.
    pub name: String,
    /// The file, or the folder of JSON files.
    pub path: Utf8PathBuf,
}

impl Found {
    /// A database of this name at this place.
    #[must_use]
    pub fn at(name: &str, path: &Utf8Path) -> Self {
        Self { name: name.to_owned(), path: path.to_owned() }
    }

    /// Opens it for reading.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn open(&self, scratch: &Utf8Path) -> Result<Source, ExtractError> {
        Source::open(&self.path, scratch)
    }

    /// Opens it although it is damaged.
    ///
    /// # Errors
    /// As [`Source::rescue`].
    pub fn rescue(&self, scratch: &Utf8Path) -> Result<Source, ExtractError> {
        Source::rescue(&self.path, scratch)
    }

    /// The state of the file.
    ///
    /// # Errors
    /// It cannot be examined.
    pub fn fingerprint(&self) -> Result<Fingerprint, ExtractError> {
        let path =
            camino::absolute_utf8(&self.path).map_err(|source| ExtractError::Io { path: self.path.clone(), source })?;
        sqlite::check_kind(&path)?;
        sqlite::fingerprint(&path)
    }
}

/// A source can still be read at this path: a database, or a folder that still holds JSON sessions.
#[must_use]
pub fn is_there(path: &str) -> bool {
    let path = Utf8Path::new(path);
    if path.is_dir() { storage::is_storage(path) } else { path.exists() }
}

/// Resolves the places to files. Of several named places, one of which nothing is there comes with what the others have.
///
/// # Errors
/// A named path does not exist, or nothing was found at all.
pub fn locate(places: &Places) -> Result<(Vec<Found>, Option<LocateError>), LocateError> {
    let mut paths = Vec::new();
    let mut missing = None;
    if !places.db.is_empty() {
        (paths, missing) = named_paths(places.db.iter().map(String::as_str));
    } else if let Some(env_db) = places.env_db.as_deref().filter(|value| !value.is_empty()) {
        let path = match &places.data_folder {
            Some(folder) if Utf8Path::new(env_db).is_relative() => folder.join(env_db),
            _ => Utf8PathBuf::from(env_db),
        };
        if !path.exists() {
            return Err(LocateError::Missing { path });
        }
        paths.push(path);
    } else if let Some(list) = places.env_data_dir.as_deref().filter(|value| !value.is_empty()) {
        (paths, missing) = named_paths(list.split(',').map(str::trim).filter(|folder| !folder.is_empty()));
    } else {
        let looked: Vec<String> = places.data_folder.iter().map(|folder| format!("{folder}/opencode*.db")).collect();
        if let Some(folder) = &places.data_folder {
            paths.extend(in_folder(folder));
        }
        if paths.is_empty() {
            return Err(LocateError::NotFound { looked });
        }
    }
    match missing {
        Some(error) if paths.is_empty() => Err(error),
        missing => Ok((name_all(paths), missing)),
    }
}

/// What is called like a database in the folders that are looked at, and is none that can be opened.
#[must_use]
pub fn passed_over(places: &Places) -> Vec<String> {
    let env_folders = places.env_data_dir.as_deref().unwrap_or_default();
    let folders: Vec<&Utf8Path> = if !places.db.is_empty() {
        places.db.iter().map(|named| Utf8Path::new(named.as_str())).collect()
    } else if places.env_db.as_deref().is_some_and(|value| !value.is_empty()) {
        Vec::new()
    } else if env_folders.is_empty() {
        places.data_folder.iter().map(Utf8PathBuf::as_path).collect()
    } else {
        env_folders.split(',').map(|folder| Utf8Path::new(folder.trim())).collect()
    };
    let mut notices = Vec::new();
    for entry in folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().filter_map(Result::ok) {
        let (path, name) = (entry.path(), entry.file_name());
        let (shown, is_text) = (name.to_string_lossy(), name.to_str().is_some());
        if !shown.starts_with("opencode") || !shown.ends_with(".db") || (is_text && path.is_file()) || path.is_dir() {
            continue;
        }
        let why = match path.symlink_metadata() {
            _ if !is_text => "its name is not UTF-8, give it another",
            Ok(found) if found.is_symlink() => "it is a link to nothing",
            _ => "it is no plain file",
        };
        notices.push(format!("{} was not read: {why}", path.display()));
    }
    notices.sort();
    notices
}

/// What is there of named places, and the first of which nothing is.
fn named_paths<'n>(names: impl Iterator<Item = &'n str>) -> (Vec<Utf8PathBuf>, Option<LocateError>) {
    let (mut paths, mut missing) = (Vec::new(), None);
    for name in names {
        match named_path(name) {
            Ok(found) => paths.extend(found),
            Err(error) => missing = missing.or(Some(error)),
        }
    }
    (paths, missing)
}

fn named_path(named: &str) -> Result<Vec<Utf8PathBuf>, LocateError> {
    let path = Utf8PathBuf::from(named);
    if path.is_dir() {
        let found = in_folder(&path);
        return if found.is_empty() { Err(LocateError::EmptyFolder { path }) } else { Ok(found) };
    }
    if path.exists() {
        return Ok(vec![path]);
    }
    if named.contains(['*', '?', '[']) {
        let matches = glob::glob(named)
            .map_err(|source| LocateError::Pattern { pattern: named.to_owned(), source })?
            .filter_map(Result::ok)
            .filter_map(|path| Utf8PathBuf::from_path_buf(path).ok())
            .collect::<Vec<_>>();
        let mut found = Vec::new();
        for path in matches {
            if path.is_dir() { found.extend(in_folder(&path)) } else { found.push(path) }
        }
        if !found.is_empty() {
            return Ok(found);
        }
        return Err(LocateError::NotFound { looked: vec![named.to_owned()] });
    }
    Err(LocateError::Missing { path })
}

fn in_folder(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
    let mut found: Vec<_> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().starts_with("opencode") && entry.file_name().ends_with(".db"))
        .map(camino::Utf8DirEntry::into_path)
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    if storage::is_storage(folder) {
        found.push(folder.to_owned());
    }
    found
}

/// True for a name that is text to every engine that reads it as a partition: `007`, `1e5`, `2026-11-22` and `null` are a number, a
/// date or nothing to some.
#[must_use]
pub fn is_plain(name: &str) -> bool {
    let words = ["null", "nil", "none", "na", "nan", "inf", "infinity", "true", "false"];
    name.starts_with(|first: char| first.is_alphabetic()) && !words.iter().any(|word| name.eq_ignore_ascii_case(word))
}

fn name_all(paths: Vec<Utf8PathBuf>) -> Vec<Found> {
    let mut seen = BTreeSet::new();
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    for path in paths {
        let identity = path.canonicalize_utf8().unwrap_or_else(|_| path.clone());
        if !seen.insert(identity) {
            continue;
        }
        let stem = if path.is_dir() { "storage" } else { path.file_stem().unwrap_or("opencode") };
        let stem = if is_plain(stem) { stem.to_owned() } else { format!("db-{stem}") };
        let mut name = stem.clone();
        let mut number = 2;
        while !names.insert(name.clone()) {
            name = format!("{stem}-{number}");
            number += 1;
        }
        found.push(Found { name, path });
    }
    found
}
