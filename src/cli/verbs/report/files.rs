//! A report's folder: written beside its place and renamed into it, so that a crash leaves the old one whole.

use super::Output;
use crate::error::StoreError;
use crate::render::index::{IndexEntry, render_index};
use crate::render::{RenderOptions, Rendered};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

/// Writes the files and gives the folder.
///
/// # Errors
/// The folder cannot be written; an older report of the period is then untouched.
pub(super) fn write(
    out: &Utf8Path,
    name: &str,
    rendered: &Rendered,
    formats: &[Output],
) -> anyhow::Result<Utf8PathBuf> {
    fs_err::create_dir_all(out).map_err(|source| StoreError::Io { action: "create", path: out.to_owned(), source })?;
    let folder = out.join(name);
    let incoming = out.join(format!(".{name}.incoming-{}", std::process::id()));
    let fresh = fill(&incoming, rendered, formats).with_context(|| format!("cannot write the report to {folder}"));
    if let Err(error) = fresh {
        // What was begun is of no use; the error that matters is the one above.
        let _ = fs_err::remove_dir_all(&incoming);
        return Err(error);
    }
    replace(&incoming, &folder)?;
    Ok(folder)
}

fn fill(incoming: &Utf8Path, rendered: &Rendered, formats: &[Output]) -> anyhow::Result<()> {
    if incoming.exists() {
        fs_err::remove_dir_all(incoming)?;
    }
    fs_err::create_dir(incoming)?;
    if formats.contains(&Output::Html) {
        put(&incoming.join("index.html"), &rendered.html)?;
    }
    if formats.contains(&Output::Markdown) {
        put(&incoming.join("report.md"), &rendered.markdown)?;
        for (file, svg) in &rendered.charts {
            put(&incoming.join(file), svg)?;
        }
    }
    if formats.contains(&Output::Json) {
        put(&incoming.join("report.json"), &rendered.json)?;
    }
    Ok(())
}

fn put(path: &Utf8Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut file = fs_err::File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// Writes the list of all reports in `out`: `index.html` and `index.md`, newest first.
///
/// # Errors
/// The folder cannot be read or written, or a template is wrong.
pub(super) fn write_index(out: &Utf8Path, theme: &str, options: &RenderOptions) -> anyhow::Result<()> {
    let mut entries = Vec::new();
    for entry in out.read_dir_utf8()?.filter_map(Result::ok) {
        let name = entry.file_name().to_owned();
        let Ok(bytes) = fs_err::read(entry.path().join("report.json")) else { continue };
        if name.starts_with('.') {
            continue;
        }
        let report: serde_json::Value = match serde_json::from_slice(&bytes) {
            Ok(report) => report,
            Err(error) => {
                tracing::warn!("{}/report.json is not JSON ({error}): left out of the list of reports", entry.path());
                continue;
            }
        };
        entries.extend(IndexEntry::from_json(&name, &report));
    }
    let (html, markdown) = render_index(&entries, theme, options)?;
    for (name, text) in [("index.html", html), ("index.md", markdown)] {
        let incoming = out.join(format!(".{name}.incoming-{}", std::process::id()));
        put(&incoming, &text)?;
        fs_err::rename(&incoming, out.join(name))?;
    }
    Ok(())
}

fn replace(incoming: &Utf8Path, folder: &Utf8Path) -> anyhow::Result<()> {
    if !folder.exists() {
        fs_err::rename(incoming, folder)?;
        return Ok(());
    }
    let old = Utf8PathBuf::from(format!("{incoming}.old"));
    fs_err::rename(folder, &old)?;
    if let Err(error) = fs_err::rename(incoming, folder) {
        fs_err::rename(&old, folder)?;
        return Err(error.into());
    }
    fs_err::remove_dir_all(&old)?;
    Ok(())
}
