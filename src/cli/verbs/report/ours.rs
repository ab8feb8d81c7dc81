//! Whether what lies where a report goes was left there by an earlier one: nothing else is ever replaced.
//!
//! Input: the folder of all reports, the name of one, the names of metrics. Output: nothing, or what lies in the way.

use crate::cli::Usage;
use crate::render::index::IndexEntry;
use camino::Utf8Path;

/// Of every HTML page of ours.
const GENERATOR: &str = r#"name="generator" content="Logicoma""#;
/// Of every page of a report but the demo's.
const STAMP: &str = "logicoma-stamp ";
/// Of the list in Markdown; those of older versions begin with its title.
const LIST: [&str; 2] = ["<!-- logicoma-reports -->", "# Reports\n"];
/// Of every chart.
const CHART: &str = r#"class="chart"#;
const PAGES: [&str; 3] = ["index.html", "report.md", "report.json"];

/// Refuses to write a report over what is none, or a list of reports over what is none.
///
/// # Errors
/// Something that no report left lies in the way: it is named.
pub(super) fn check(out: &Utf8Path, name: &str, metrics: &[&str]) -> Result<(), Usage> {
    let folder = out.join(name);
    let refuse = |what: String| {
        Err(Usage(format!(
            "{what}, which no report has left there: it was not touched; name another folder with --out"
        )))
    };
    for list in ["index.html", "index.md"] {
        if out.join(list).symlink_metadata().is_ok() && !is_list(&out.join(list)) {
            return refuse(format!("{out} holds {list}"));
        }
    }
    let Ok(found) = folder.symlink_metadata() else { return Ok(()) };
    if !found.is_dir() {
        return refuse(format!("{folder} is a {}", if found.is_symlink() { "link" } else { "file" }));
    }
    let mut is_empty = true;
    for entry in walkdir::WalkDir::new(&folder).min_depth(1).sort_by_file_name() {
        let Ok(entry) = entry else { return refuse(format!("{folder} holds a folder that cannot be read")) };
        let path = Utf8Path::from_path(entry.path()).and_then(|path| path.strip_prefix(&folder).ok());
        let is_ours = path.is_some_and(|path| match entry.file_type() {
            kind if kind.is_dir() => path == "data",
            kind => kind.is_file() && is_of_report(&folder, path, metrics),
        });
        if !is_ours {
            return refuse(format!(
                "{folder} holds {}",
                entry.path().strip_prefix(&folder).unwrap_or(entry.path()).display()
            ));
        }
        is_empty = false;
    }
    if is_empty || PAGES.iter().any(|page| is_page(&folder.join(page))) {
        return Ok(());
    }
    refuse(format!("{folder} holds files"))
}

fn text(path: &Utf8Path) -> String {
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    if is_file { String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned() } else { String::new() }
}

fn is_list(path: &Utf8Path) -> bool {
    let text = text(path);
    text.contains(GENERATOR) || text.contains(LIST[0]) || text.starts_with(LIST[1])
}

/// A page carries one of our marks. One of three is enough: the others may be damaged, or of a template of the user's.
fn is_page(path: &Utf8Path) -> bool {
    let text = text(path);
    text.contains(GENERATOR)
        || text.contains(STAMP)
        || (text.contains("\nLogicoma ") && text.contains(", store schema "))
        || serde_json::from_str(&text).is_ok_and(|report| IndexEntry::from_json("", &report).is_some())
}

/// A file that a report may consist of, by its place and name.
fn is_of_report(folder: &Utf8Path, path: &Utf8Path, metrics: &[&str]) -> bool {
    let is_metric = path.file_stem().is_some_and(|stem| metrics.contains(&stem));
    match (path.parent().map(Utf8Path::as_str), path.extension()) {
        (Some(""), Some("svg")) => is_metric || text(&folder.join(path)).contains(CHART),
        (Some(""), _) => PAGES.contains(&path.as_str()),
        (Some("data"), Some("csv" | "parquet")) => true,
        _ => false,
    }
}
