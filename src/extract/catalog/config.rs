//! What OpenCode's config files say about skills: further folders, and which skills are denied.
//!
//! Input: `opencode.json` and `opencode.jsonc` of the config folders and of the project. Output: [`Settings`].
//! Only `skills`, `permission`, `permissions` and `tools` are kept: these files also hold keys to providers.
//! Variables (`{env:…}`, `{file:…}`) are not replaced, and permissions of single agents are not looked at.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::places::{Generation, Places, Rungs, config_folders};
use super::scan::{MAX_FILE_BYTES, Scanner};

/// What the config files say, later files winning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// `skills.paths`.
    pub paths: Vec<String>,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// Pattern for the name of the permission, here of interest when it fits `skill`.
    permission: String,
    /// Pattern for the name of the skill.
    pattern: String,
    is_deny: bool,
}

/// The keys that are read. Everything else in the file is skipped while parsing.
#[derive(Deserialize, Default)]
struct Document {
    #[serde(default)]
    skills: Value,
    #[serde(default)]
    permission: Value,
    /// Version 2: a list of rules.
    #[serde(default)]
    permissions: Value,
    /// Deprecated: `{"skill": false}` denies the whole tool.
    #[serde(default)]
    tools: Value,
}

impl Settings {
    /// Reads the config files that count for a directory (no rungs: for every directory).
    pub(super) fn read(places: &Places, rungs: &Rungs, scanner: &mut Scanner) -> Self {
        let mut settings = Self::default();
        let (mut permission, mut tools) = (Map::new(), Map::new());
        let mut listed = Vec::new();
        for path in config_files(places, rungs) {
            let Some(document) = read_document(&path, scanner) else { continue };
            if let Some(paths) = skill_paths(&document.skills) {
                match places.generation {
                    Generation::V1 => settings.paths = paths,
                    Generation::V2 => settings.paths.extend(paths),
                }
            }
            merge(&mut permission, normalised(document.permission));
            merge(&mut tools, as_map(document.tools));
            listed.extend(listed_rules(&document.permissions));
        }
        // The deprecated switches count as permissions that any real permission overrides.
        let mut all = Map::new();
        for (tool, switch) in tools {
            let action = if switch == Value::Bool(false) { "deny" } else { "allow" };
            all.insert(tool, Value::from(action));
        }
        merge(&mut all, permission);
        settings.rules = all.iter().flat_map(|(name, value)| rules_of(name, value)).chain(listed).collect();
        settings
    }

    /// Whether the last rule that fits the skill denies it. Without a rule OpenCode allows.
    pub(super) fn is_denied(&self, skill_name: &str) -> bool {
        let fits = |rule: &&Rule| matches(&rule.permission, "skill") && matches(&rule.pattern, skill_name);
        self.rules.iter().rev().find(fits).is_some_and(|rule| rule.is_deny)
    }
}

/// The files in the order in which OpenCode merges them.
fn config_files(places: &Places, rungs: &Rungs) -> Vec<Utf8PathBuf> {
    let names = ["opencode.json", "opencode.jsonc"];
    let both = |folder: &Utf8Path| names.map(|name| folder.join(name));
    let global = places.config_root();
    let mut files: Vec<Utf8PathBuf> = Vec::new();
    if let Some(folder) = &global {
        files.push(folder.join("config.json"));
        files.extend(both(folder));
    }
    files.extend(rungs.folders.iter().rev().flat_map(|folder| both(folder)));
    let folders = config_folders(places, rungs).into_iter().map(|(folder, _)| folder);
    files.extend(folders.filter(|folder| Some(folder) != global.as_ref()).flat_map(|folder| both(&folder)));
    files
}

fn read_document(path: &Utf8Path, scanner: &mut Scanner) -> Option<Document> {
    // Most of the places have no such file; that is no reason for a warning.
    let size = fs_err::metadata(path).ok().filter(std::fs::Metadata::is_file)?.len();
    if size > MAX_FILE_BYTES {
        scanner.warn(path, "larger than 1 MiB: not read");
        return None;
    }
    let text = match fs_err::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => {
            scanner.warn(path, &format!("cannot be read: {}", error.kind()));
            return None;
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match jsonc_parser::parse_to_serde_value::<Option<Document>>(text, &jsonc_parser::ParseOptions::default()) {
        Ok(document) => document,
        Err(error) => {
            // The message of the parser may quote the file, and the file may hold keys: only the place is told.
            let line = text.get(..error.range().start).map_or(1, |before| before.matches('\n').count() + 1);
            scanner.warn(path, &format!("not valid JSON (line {line})"));
            None
        }
    }
}

/// `{"paths": […]}` in version 1, a plain list in version 2. URLs are not on this disk.
fn skill_paths(skills: &Value) -> Option<Vec<String>> {
    let list = match skills {
        Value::Object(keys) => keys.get("paths")?.as_array()?,
        Value::Array(list) => list,
        _ => return None,
    };
    let paths = list.iter().filter_map(Value::as_str).filter(|path| !path.contains("://"));
    Some(paths.map(str::to_owned).collect())
}

fn as_map(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}

/// `"permission": "ask"` is short for `{"*": "ask"}`.
fn normalised(permission: Value) -> Map<String, Value> {
    match permission {
        Value::String(action) => Map::from_iter([("*".to_owned(), Value::String(action))]),
        other => as_map(other),
    }
}

/// Deep merge: a key keeps its place, so that its rank among the rules stays that of its first appearance.
fn merge(target: &mut Map<String, Value>, source: Map<String, Value>) {
    for (key, value) in source {
        match (target.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (Some(place), value) => *place = value,
            (None, value) => {
                target.insert(key, value);
            }
        }
    }
}

fn rules_of(permission: &str, value: &Value) -> Vec<Rule> {
    let rule = |pattern: &str, action: &Value| Rule {
        permission: permission.to_owned(),
        pattern: pattern.to_owned(),
        is_deny: action.as_str() == Some("deny"),
    };
    match value {
        Value::Object(patterns) => patterns.iter().map(|(pattern, action)| rule(pattern, action)).collect(),
        Value::String(_) => vec![rule("*", value)],
        _ => Vec::new(),
    }
}

/// Version 2: `[{"action": "skill", "resource": "internal-*", "effect": "deny"}]`.
fn listed_rules(permissions: &Value) -> Vec<Rule> {
    let text = |rule: &Value, key: &str| Some(rule.get(key)?.as_str()?.to_owned());
    let rules = permissions.as_array().into_iter().flatten();
    rules
        .filter_map(|rule| {
            Some(Rule {
                permission: text(rule, "action")?,
                pattern: text(rule, "resource")?,
                is_deny: text(rule, "effect")? == "deny",
            })
        })
        .collect()
}

/// OpenCode's wildcards: `*` any characters, `?` one; a trailing ` *` may be missing altogether.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.replace('\\', "/").chars().collect();
    let name: Vec<char> = name.replace('\\', "/").chars().collect();
    if let Some(stem) = pattern.strip_suffix(&[' ', '*'])
        && glob(stem, &name)
    {
        return true;
    }
    glob(&pattern, &name)
}

/// Linear in the name for each star: on a mismatch only the last star is extended.
fn glob(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((star_at, star_read)) = star else { return false };
                star = Some((star_at, star_read + 1));
                at = star_at + 1;
                read = star_read + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_in_opencode() {
        for (pattern, name, expected) in [
            ("*", "x", true),
            ("internal-*", "internal-secrets", true),
            ("internal-*", "my-internal-x", false),
            ("git *", "git", true),
            ("git *", "git push", true),
            ("git *", "gitx", false),
            ("a?c", "abc", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
            ("a.c", "abc", false),
            ("", "", true),
            ("*-review", "pr-review", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn the_last_rule_that_fits_decides() {
        let settings = |text: &str| {
            let document: Document = serde_json::from_str(text).expect("JSON");
            let rules = normalised(document.permission);
            let rules = rules.iter().flat_map(|(name, value)| rules_of(name, value));
            Settings { paths: Vec::new(), rules: rules.chain(listed_rules(&document.permissions)).collect() }
        };
        let ordered = settings(r#"{"permission": {"*": "allow", "skill": {"*": "deny", "pr-*": "allow"}}}"#);
        assert!(ordered.is_denied("x") && !ordered.is_denied("pr-review"));
        let late_star = settings(r#"{"permission": {"skill": {"pr-*": "allow"}, "*": "deny"}}"#);
        assert!(late_star.is_denied("pr-review"));
        let short = settings(r#"{"permission": "deny"}"#);
        assert!(short.is_denied("x"));
        let listed = settings(r#"{"permissions": [{"action": "skill", "resource": "x*", "effect": "deny"}]}"#);
        assert!(listed.is_denied("x1") && !listed.is_denied("y"));
    }
}
