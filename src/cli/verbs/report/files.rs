//! A report's folder: written beside its place and renamed into it, so that a crash leaves the old one whole; not touched
//! at all when every byte would be the same.

use super::{DataKind, Output};
use crate::cli::format;
use crate::engine::table::Table;
use crate::error::StoreError;
use crate::render::index::{IndexEntry, render_index};
use crate::render::{RenderOptions, Rendered};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// Between a name and the process that writes it.
const INCOMING: &str = ".incoming-";
/// Behind what is about to be replaced.
const OLD: &str = ".old";

/// The files of a report by their path in its folder.
pub(super) type Files = BTreeMap<Utf8PathBuf, Vec<u8>>;

/// What a report consists of.
///
/// # Errors
/// A table cannot be encoded.
pub(super) fn files<'a>(
    rendered: &Rendered,
    formats: &[Output],
    data: &[DataKind],
    tables: impl Iterator<Item = (&'a str, &'a Table)>,
) -> anyhow::Result<Files> {
    let mut files = Files::new();
    if formats.contains(&Output::Html) {
        files.insert("index.html".into(), rendered.html.clone().into_bytes());
    }
    if formats.contains(&Output::Markdown) {
        files.insert("report.md".into(), rendered.markdown.clone().into_bytes());
        files.extend(rendered.charts.iter().map(|(name, svg)| (name.into(), svg.clone().into_bytes())));
    }
    if formats.contains(&Output::Json) {
        files.insert("report.json".into(), rendered.json.clone().into_bytes());
    }
    for (name, table) in tables.filter(|_| !data.is_empty()) {
        for kind in data {
            let path = Utf8PathBuf::from(format!("data/{name}.{}", kind.ending()));
            let bytes = format::render(table, kind.format(), None)
                .with_context(|| format!("cannot write {name} as {}", kind.ending()))?;
            files.insert(path, bytes);
        }
    }
    Ok(files)
}

/// Writes the files into `OUT/NAME` and gives the folder, and whether anything had to be written.
///
/// # Errors
/// The folder cannot be written; an older report of the period is then untouched.
pub(super) fn write(out: &Utf8Path, name: &str, files: &Files) -> anyhow::Result<(Utf8PathBuf, bool)> {
    let folder = out.join(name);
    sweep(out);
    if is_same(&folder, files) {
        return Ok((folder, false));
    }
    fs_err::create_dir_all(out).map_err(|source| StoreError::Io { action: "create", path: out.to_owned(), source })?;
    let incoming = out.join(format!(".{name}{INCOMING}{}", std::process::id()));
    let fresh = fill(&incoming, files).with_context(|| format!("cannot write the report to {folder}"));
    if let Err(error) = fresh {
        // What was begun is of no use; the error that matters is the one above.
        let _ = fs_err::remove_dir_all(&incoming);
        return Err(error);
    }
    replace(&incoming, &folder)?;
    Ok((folder, true))
}

/// Puts in order what runs that were killed have left: a report that was moved aside goes back to its place unless there is
/// a newer one, and half-written ones go. Runs that are still at work are left alone.
fn sweep(out: &Utf8Path) {
    let leftovers = |entry: &camino::Utf8DirEntry| {
        let name = entry.file_name().strip_prefix('.')?;
        let (report, process) = name.rsplit_once(INCOMING)?;
        let (process, is_old) = process.strip_suffix(OLD).map_or((process, false), |process| (process, true));
        crate::store::is_ended(process).then(|| (out.join(report), is_old))
    };
    for entry in out.read_dir_utf8().into_iter().flatten().filter_map(Result::ok) {
        let Some((place, is_old)) = leftovers(&entry) else { continue };
        let done = if is_old && !place.exists() {
            std::fs::rename(entry.path(), &place)
        } else if entry.path().is_dir() {
            std::fs::remove_dir_all(entry.path())
        } else {
            std::fs::remove_file(entry.path())
        };
        if let Err(error) = done {
            tracing::debug!("{}: {error}", entry.path());
        }
    }
}

/// Whether the folder holds these files, byte for byte, and no others.
fn is_same(folder: &Utf8Path, files: &Files) -> bool {
    let count = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter(|entry| !entry.as_ref().is_ok_and(|entry| entry.file_type().is_dir()))
        .count();
    count == files.len()
        && files.iter().all(|(path, bytes)| std::fs::read(folder.join(path)).is_ok_and(|found| found == *bytes))
}

fn fill(incoming: &Utf8Path, files: &Files) -> anyhow::Result<()> {
    if incoming.exists() {
        fs_err::remove_dir_all(incoming)?;
    }
    fs_err::create_dir(incoming)?;
    for (path, bytes) in files {
        let path = incoming.join(path);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        put(&path, bytes)?;
    }
    Ok(())
}

fn put(path: &Utf8Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write;
    let mut file = fs_err::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

/// Writes the list of all reports in `out`: `index.html` and `index.md`, newest first.
///
/// # Errors
/// The folder cannot be read or written, or a template is wrong.
pub(super) fn write_index(out: &Utf8Path, theme: &str, options: &RenderOptions) -> anyhow::Result<()> {
    let mut folders: Vec<Utf8PathBuf> = out
        .read_dir_utf8()?
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_name().starts_with('.') && entry.path().is_dir())
        .map(camino::Utf8DirEntry::into_path)
        .collect();
    folders.sort();
    let (html, markdown) =
        render_index(&folders.iter().filter_map(|path| entry(path)).collect::<Vec<_>>(), theme, options)?;
    for (name, text) in [("index.html", html), ("index.md", markdown)] {
        let path = out.join(name);
        if std::fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
            continue;
        }
        let incoming = out.join(format!(".{name}{INCOMING}{}", std::process::id()));
        put(&incoming, text.as_bytes())?;
        fs_err::rename(&incoming, path)?;
    }
    Ok(())
}

/// What the list says of one folder; nothing where it holds no report.
fn entry(folder: &Utf8Path) -> Option<IndexEntry> {
    let name = folder.file_name()?;
    let page = ["index.html", "report.md", "report.json"].into_iter().find(|page| folder.join(page).is_file())?;
    let markdown = ["report.md", page].into_iter().find(|page| folder.join(page).is_file())?;
    let report = std::fs::read(folder.join("report.json")).ok().and_then(|bytes| {
        serde_json::from_slice::<serde_json::Value>(&bytes)
            .inspect_err(|error| {
                tracing::warn!("{folder}/report.json is not JSON ({error}): listed without its numbers");
            })
            .ok()
    });
    let entry =
        report.and_then(|report| IndexEntry::from_json(name, &report)).unwrap_or_else(|| IndexEntry::bare(name));
    Some(IndexEntry { page: page.to_owned(), markdown_page: markdown.to_owned(), ..entry })
}

fn replace(incoming: &Utf8Path, folder: &Utf8Path) -> anyhow::Result<()> {
    if !folder.exists() {
        fs_err::rename(incoming, folder)?;
        return Ok(());
    }
    let old = Utf8PathBuf::from(format!("{incoming}{OLD}"));
    fs_err::rename(folder, &old)?;
    if let Err(error) = fs_err::rename(incoming, folder) {
        fs_err::rename(&old, folder)?;
        return Err(error.into());
    }
    fs_err::remove_dir_all(&old)?;
    Ok(())
}
