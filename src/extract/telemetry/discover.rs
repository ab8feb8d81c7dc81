//! Which telemetry files there are: beside the projects in which sessions ran.
//!
//! Input: places and recorded directories, as for skills. Output: files with the project in whose folder they lie, each
//! once. Looks only at the names that Tachikoma writes, and follows no link out of the folder to which `.opencode` belongs:
//! whoever wrote a project may have laid it there.

use super::sink::Place;
use crate::extract::catalog::{Places, RecordedDirectory, ladder};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};

/// Files directly in `.opencode`.
const BESIDE: [&str; 4] =
    ["skill-learning-metrics.json", "agent-metrics.json", "memory/graph.json", "data/production_monitor/samples.jsonl"];
/// What an export of the tracking modules writes, into a folder that the user names.
const EXPORTED: [&str; 4] =
    ["execution-traces.json", "competence-models.json", "routing-decisions.json", "learning-metrics.json"];

/// The files, ordered by path; `said` gets those that are left out.
pub(super) fn discover(places: &Places, directories: &[RecordedDirectory], said: &mut Vec<String>) -> Vec<Place> {
    let mut found: BTreeMap<Utf8PathBuf, Place> = BTreeMap::new();
    let mut visited: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    let distinct: BTreeSet<&RecordedDirectory> = directories.iter().collect();
    for recorded in distinct {
        for (directory, project) in ladder(places, recorded) {
            let folder = project.join(".opencode");
            if visited.insert(folder.clone()) {
                let project_id = recorded.project_id.as_deref();
                add((&folder, &project), project_id, Some(&directory), &mut found, said);
            }
        }
    }
    // An installation for all projects; its installer's global mode forgets the name of the folder.
    let home = places.home.as_deref();
    let own = [home.map(|home| home.join(".opencode")), home.map(|home| home.join(".config/.opencode"))];
    for folder in own.into_iter().flatten().chain(places.config_root()) {
        if visited.insert(folder.clone()) {
            let base = home.filter(|home| folder.starts_with(home)).unwrap_or(&folder);
            add((&folder, base), None, None, &mut found, said);
        }
    }
    found.into_values().collect()
}

/// Links followed, the path lies below the folder.
pub(super) fn is_inside(path: &Utf8Path, folder: &Utf8Path) -> bool {
    let real = |path: &Utf8Path| path.canonicalize_utf8().ok();
    real(path).zip(real(folder)).is_some_and(|(path, folder)| path.starts_with(folder))
}

fn add(
    (folder, base): (&Utf8Path, &Utf8Path),
    project_id: Option<&str>,
    directory: Option<&Utf8Path>,
    found: &mut BTreeMap<Utf8PathBuf, Place>,
    said: &mut Vec<String>,
) {
    let Ok(entries) = folder.read_dir_utf8() else { return };
    let mut paths: Vec<Utf8PathBuf> = BESIDE.iter().chain(&EXPORTED).map(|name| folder.join(name)).collect();
    for child in entries.filter_map(Result::ok).filter(|entry| entry.file_name() != "node_modules") {
        if child.path().is_dir() {
            paths.extend(EXPORTED.iter().map(|name| child.path().join(name)));
        }
    }
    let telemetry = folder.join("telemetry");
    paths.push(telemetry.join("metrics.json"));
    if let Ok(entries) = telemetry.read_dir_utf8() {
        let lines = entries.filter_map(Result::ok).map(camino::Utf8DirEntry::into_path);
        paths.extend(lines.filter(|path| path.extension() == Some("jsonl")));
    }
    for path in paths.into_iter().filter(|path| path.is_file()) {
        if !is_inside(&path, base) {
            said.push(format!(
                "{path} was not read: a link leads out of {base}; `logicoma ingest {path}` takes it all the same"
            ));
            continue;
        }
        let place = Place {
            path: path.clone(),
            project_id: project_id.map(str::to_owned),
            directory: directory.map(ToString::to_string),
            is_synthetic: false,
        };
        found.entry(path).or_insert(place);
    }
}

/// The files of telemetry in a folder that the user named.
pub(super) fn in_folder(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
    let is_known = |path: &Utf8PathBuf| {
        let name = path.file_name().unwrap_or_default();
        let names =
            EXPORTED.iter().chain(&["skill-learning-metrics.json", "agent-metrics.json", "metrics.json", "graph.json"]);
        path.is_file() && (path.extension() == Some("jsonl") || names.into_iter().any(|known| *known == name))
    };
    let mut paths: Vec<Utf8PathBuf> =
        entries.filter_map(Result::ok).map(camino::Utf8DirEntry::into_path).filter(is_known).collect();
    paths.sort();
    paths
}

/// The recorded directory in which a file lies, the innermost of them.
pub(super) fn place_of(path: &Utf8Path, places: &Places, directories: &[RecordedDirectory]) -> Place {
    let mut best: Option<(usize, Utf8PathBuf, Option<String>)> = None;
    for recorded in directories {
        for (directory, folder) in ladder(places, recorded) {
            let depth = folder.components().count();
            // `/` is the worktree of all that is in no project.
            if folder.parent().is_some()
                && path.starts_with(&folder)
                && best.as_ref().is_none_or(|(known, ..)| *known < depth)
            {
                best = Some((depth, directory, recorded.project_id.clone()));
            }
        }
    }
    let (directory, project_id) =
        best.map_or((None, None), |(_, directory, project)| (Some(directory.into_string()), project));
    Place { path: path.to_owned(), project_id, directory, is_synthetic: false }
}
