//! Route tables and edit formats in YAML, in the shapes of the three eras. Input: paths. Output: what they say.

use super::{FormatRow, Found, RouteRow};
use crate::extract::catalog::Warning;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A file that is larger is no configuration.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Files of a folder that are looked at.
const MOST_FILES: usize = 64;
/// Folders below a place where Tachikoma keeps its configuration.
const FOLDERS: [&str; 3] = ["config", "agents/tachikoma/config/routing", "agents/tachikoma/config"];

type Object = Map<String, Value>;

/// What the files below a place say; a place without any says nothing.
pub(super) fn below(base: &Utf8Path, warnings: &mut BTreeSet<Warning>) -> Found {
    let mut found = Found::default();
    for folder in FOLDERS.map(|folder| base.join(folder)) {
        let mut paths: Vec<Utf8PathBuf> = folder
            .read_dir_utf8()
            .into_iter()
            .flatten()
            .flatten()
            .map(camino::Utf8DirEntry::into_path)
            .filter(|path| matches!(path.extension(), Some("yaml" | "yml")) && path.is_file())
            .collect();
        paths.sort();
        for path in paths.iter().take(MOST_FILES) {
            let own = read(path, warnings);
            found.routes.extend(own.routes);
            if found.formats.is_empty() {
                found.formats = own.formats;
            }
        }
    }
    found
}

/// What one file says; keys that are not known here are another program's.
pub(super) fn read(path: &Utf8Path, warnings: &mut BTreeSet<Warning>) -> Found {
    let mut warn = |message: &str| {
        warnings.insert(Warning { path: path.to_owned(), message: message.to_owned() });
        Found::default()
    };
    match fs_err::metadata(path) {
        Ok(metadata) if metadata.len() > MAX_FILE_BYTES => return warn("larger than 1 MiB: not read"),
        Ok(_) => {}
        Err(error) => return warn(&format!("cannot be read: {}", error.kind())),
    }
    let text = match fs_err::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return warn(&format!("cannot be read: {}", error.kind())),
    };
    if !["routes", "intents", "workflows", "skill_chains", "bulk", "composite", "model_formats", "user_models"]
        .iter()
        .any(|key| text.contains(key))
    {
        return Found::default();
    }
    // The parser's message may quote the file.
    match serde_saphyr::from_str::<Value>(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(document)) => of_document(&document, path.as_str()),
        Ok(_) => Found::default(),
        Err(_) => warn("not valid YAML"),
    }
}

fn objects<'a>(document: &'a Object, key: &str) -> impl Iterator<Item = (&'a String, &'a Object)> + use<'a> {
    let inner = document.get(key).and_then(Value::as_object);
    inner.into_iter().flatten().filter_map(|(name, value)| Some((name, value.as_object()?)))
}

fn of_document(document: &Object, origin: &str) -> Found {
    let mut routes = Vec::new();
    let is_third = objects(document, "routes").any(|(_, route)| {
        route.contains_key("patterns")
            || route.contains_key("skill_chain")
            || matches!(route.get("strategy").and_then(Value::as_str), Some("single_skill" | "skill_chain"))
    });
    routes.extend(
        objects(document, "routes").map(|(name, route)| intent(name, route, if is_third { "e3" } else { "e1" })),
    );
    routes.extend(objects(document, "intents").map(|(name, route)| intent(name, route, "e2")));
    let era = if is_third {
        "e3"
    } else if document.contains_key("routes") {
        "e1"
    } else {
        "e2"
    };
    for (key, kind) in
        [("workflows", "workflow"), ("skill_chains", "workflow"), ("skills_bulk", "bulk"), ("skills-bulk", "bulk")]
    {
        routes.extend(objects(document, key).map(|(name, chain)| RouteRow {
            era,
            kind: kind.to_owned(),
            name: name.to_ascii_lowercase(),
            skills: names(chain.get("skills").or_else(|| chain.get("chain"))),
            ..RouteRow::default()
        }));
    }
    routes.extend(composites(document, &routes, era));
    for row in &mut routes {
        origin.clone_into(&mut row.origin);
    }
    let mut formats = Vec::new();
    for (key, is_exact) in [("user_models", true), ("model_formats", false)] {
        let listed = document.get(key).and_then(Value::as_object).into_iter().flatten();
        formats.extend(listed.filter_map(|(name, format)| {
            let format = format.as_str().or_else(|| format.get("format")?.as_str())?;
            Some(FormatRow {
                name_part: name.to_ascii_lowercase(),
                is_exact,
                format: format.replace('-', "_").to_ascii_lowercase(),
                origin: origin.to_owned(),
                ..FormatRow::default()
            })
        }));
    }
    Found { routes, formats }
}

fn intent(name: &str, route: &Object, era: &'static str) -> RouteRow {
    let text = |key: &str| route.get(key).and_then(Value::as_str).map(str::to_owned);
    let skills =
        names(route.get("skill_chain")).or_else(|| names(route.get("skill"))).or_else(|| names(route.get("skills")));
    let subagent = names(route.get("subagent"));
    let invoke_via = match (&skills, &subagent) {
        (Some(_), _) => "skill",
        (None, Some(_)) => "subagent",
        (None, None) if name.eq_ignore_ascii_case("unclear") => "ask",
        (None, None) => "direct",
    };
    RouteRow {
        era,
        kind: "intent".to_owned(),
        name: name.to_ascii_lowercase(),
        skills: skills.or(subagent),
        invoke_via: Some(invoke_via.to_owned()),
        threshold: route
            .get("confidence_threshold")
            .and_then(Value::as_f64)
            .filter(|number| (0.0..=1.0).contains(number)),
        strategy: text("strategy"),
        ..RouteRow::default()
    }
}

/// A composite names intents: its skills are theirs.
fn composites(document: &Object, routes: &[RouteRow], era: &'static str) -> Vec<RouteRow> {
    let definitions =
        document.get("composite").and_then(|composite| composite.get("definitions")).and_then(Value::as_array);
    let of = |definition: &Value| {
        let components = names(definition.get("components"))?;
        let skills: Vec<&str> = components
            .split(',')
            .filter_map(|name| routes.iter().find(|row| row.kind == "intent" && row.name == name)?.skills.as_deref())
            .collect();
        Some(RouteRow {
            era,
            kind: "composite".to_owned(),
            name: definition.get("name")?.as_str()?.to_ascii_lowercase(),
            skills: (!skills.is_empty()).then(|| skills.join(",")),
            ..RouteRow::default()
        })
    };
    definitions.into_iter().flatten().filter_map(of).collect()
}

/// A name, or a list of names, comma-separated.
fn names(value: Option<&Value>) -> Option<String> {
    let is_name =
        |name: &&str| !name.is_empty() && !["none", "null", "n/a"].contains(&name.to_ascii_lowercase().as_str());
    let listed: Vec<&str> = match value? {
        Value::String(name) => vec![name.trim()],
        Value::Array(items) => items
            .iter()
            .filter_map(|item| {
                item.as_str().or_else(|| item.get("name")?.as_str()).or_else(|| item.get("skill")?.as_str())
            })
            .map(str::trim)
            .collect(),
        _ => Vec::new(),
    };
    let listed: Vec<&str> = listed.into_iter().filter(is_name).collect();
    (!listed.is_empty()).then(|| listed.join(","))
}
