//! What tests of reports share: where a report is, what is in it, reports of the real database.

use crate::harness::{Place, Run, fixture, real};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder that a run printed.
pub(crate) fn folder(place: &Place, run: &Run) -> PathBuf {
    let page = PathBuf::from(run.out.trim());
    let page = if page.is_absolute() { page } else { place.folder.path().join(page) };
    page.parent().expect("a folder").to_path_buf()
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What no report may hold: scripts, anything that would be fetched.
pub(crate) fn is_closed(html: &str) {
    let lower = html.to_lowercase();
    assert!(lower.starts_with("<!doctype html>"));
    assert!(lower.contains("content-security-policy") && lower.contains("default-src 'none'"));
    for forbidden in [
        "<script",
        "<link",
        "<iframe",
        "<object",
        "<embed",
        "<img",
        "@import",
        "url(http",
        "src=\"http",
        "href=\"javascript:",
    ] {
        assert!(!lower.contains(forbidden), "{forbidden} is in the page");
    }
    // Quoted values may hold anything, escaped; what is left of a tag may not hold a handler.
    let quoted = regex::Regex::new(r#""[^"<>]*""#).expect("a pattern");
    let bare = quoted.replace_all(&lower, "''");
    let handler = regex::Regex::new(r"<[a-z][^<>]*\son[a-z]+\s*=").expect("a pattern");
    assert!(!handler.is_match(&bare), "an element has an event handler");
}

/// A copy of the real database, changed by a case of `fixtures/cases/`.
pub(crate) fn changed(place: &Place, case: &str) -> PathBuf {
    let db = place.path("opencode.db");
    fs::copy(real(), &db).expect("copied");
    let database = rusqlite::Connection::open(&db).expect("opened");
    database.execute_batch(&read(&fixture(&format!("cases/{case}.sql")))).expect("changed");
    db
}

/// The report of a database over all time with the skills of `home`, as a folder.
pub(crate) fn report_of(place: &Place, db: &Path, home: &Path, more: &[&str]) -> PathBuf {
    let home = home.display().to_string();
    let map = format!("/home/dev={home}");
    let args = [&["--home", &home, "--map", &map, "report", "--all", "--out", "out"], more].concat();
    folder(place, &place.on(db, &args).ok())
}

/// `report.json` of a folder.
pub(crate) fn json_of(folder: &Path) -> Value {
    serde_json::from_str(&read(&folder.join("report.json"))).expect("JSON")
}

/// All files below a folder, in order.
pub(crate) fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect();
    files.sort();
    files
}
