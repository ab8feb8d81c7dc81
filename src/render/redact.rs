//! `--redact`: titles, paths, commands, error texts, prompts and project names become short hashes, the same for the same
//! text, so that a report can be shared and still be read. Names of tools, skills, models and agents stay; numbers stay.
//!
//! Input: a table or report. Output: the same with private texts replaced. What is not known to be public is private, so
//! that a column that somebody adds is hashed until this file says otherwise.

mod sentence;

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Notice, PastPeriod, Report};
use crate::engine::table::{Column, Data, Table};

/// Columns whose texts stay: names that a program or a list gave, classes of ours, ids, calendar names.
const PUBLIC: &[&str] = &[
    "actual",
    "actual_skill",
    "chunk_unit",
    "content_hash",
    "escalated_by",
    "level",
    "models",
    "predicted_skill",
    "recommended_by",
    "vias",
    "actual_intent",
    "agent",
    "best_format",
    "check_kind",
    "complexity",
    "confidence",
    "confidence_scale",
    "date",
    "entity",
    "error_class",
    "evidence",
    "family",
    "field",
    "finding",
    "finish",
    "format",
    "from_skill",
    "generation",
    "grain",
    "intent",
    "item",
    "kind",
    "label_rule",
    "main_error_class",
    "metric",
    "mode",
    "model",
    "month",
    "name",
    "nearest_name",
    "outcome",
    "pattern",
    "predicted",
    "predicted_intent",
    "priority",
    "program",
    "provider",
    "reason",
    "recommended_format",
    "rule",
    "scale",
    "scope",
    "series",
    "server_name",
    "severity",
    "skill",
    "skill_a",
    "skill_b",
    "skill_name",
    "status",
    "strategy",
    "subagent_model",
    "subagent_type",
    "table_name",
    "to_skill",
    "tool",
    "tool_class",
    "tool_name",
    "tools",
    "unit",
    "used_by",
    "verdict",
    "version",
    "versions",
    "via",
    "waste_kind",
    "week",
    "weekday",
];

/// Words of a column's name, and what stands before the hash of its texts.
const KINDS: &[(&str, &str)] = &[
    ("title", "title"),
    ("slug", "title"),
    ("path", "path"),
    ("file", "path"),
    ("directory", "path"),
    ("worktree", "path"),
    ("target", "path"),
    ("dir", "path"),
    ("command", "command"),
    ("project", "project"),
    ("projects", "project"),
    ("branch", "branch"),
    ("source", "source"),
    ("machine", "machine"),
    ("host", "machine"),
    ("url", "url"),
];

/// Programs that say nothing about anybody; others may be a script of one's own.
const PROGRAMS: &str = "\
    unknown apt apt-get awk az aws bash biome black brew bun bunx bundle cargo cat cd chmod clang clippy cmake \
    composer cp ctest curl cut date deno df diff docker dotnet du echo env esbuild eslint export false fd find \
    flake8 gcc gh git gleam go gofmt golangci-lint gradle grep head helm java javac jest jq just kill kubectl ln ls \
    make mise mix mkdir mocha mv mvn mypy next ninja node npm npx nx php phpunit pip pip3 playwright pnpm poetry \
    prettier printf ps psql pwd pylint pyright pytest python python3 rails rake rg rm rspec rsync rubocop ruby ruff \
    rustc rustfmt sed sh sleep sort source sqlite3 ssh sudo swift tail tar tee terraform test touch tox tr tree \
    true tsc turbo uniq unzip uv uvx vite vitest wc wget which xargs yarn zig zip zsh";

/// What stands before the hash of a column's texts; `None` for columns that stay.
#[must_use]
pub fn private(column: &str) -> Option<&'static str> {
    if PUBLIC.contains(&column) || column.ends_with("_id") || column.ends_with("_date") || column.starts_with("is_") {
        return None;
    }
    let known = column.split('_').find_map(|word| KINDS.iter().find(|(part, _)| *part == word));
    Some(known.map_or("text", |(_, kind)| kind))
}

/// A short stable hash of a text.
#[must_use]
pub fn hashed(kind: &str, text: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(text.as_bytes());
    let hex = crate::model::digest::hex(&digest[..4]);
    format!("{kind}-{hex}")
}

/// A table with its private columns hashed. `global`, the project of all that is in no repository, stays.
#[must_use]
pub fn table(table: &Table) -> Table {
    Table { columns: table.columns.iter().map(column).collect() }
}

fn column(column: &Column) -> Column {
    let data = match &column.data {
        Data::Text(values) => {
            Data::Text(values.iter().map(|value| value.as_ref().map(|text| shown(&column.name, text))).collect())
        }
        data => data.clone(),
    };
    Column { name: column.name.clone(), unit: column.unit, data }
}

/// A text of a column as a redacted report shows it.
fn shown(column: &str, text: &str) -> String {
    match private(column) {
        _ if text.is_empty() => String::new(),
        None if column == "program" && !PROGRAMS.split(' ').any(|known| known == text) => hashed("program", text),
        // A name with a slash at its front or with spaces all over is none, whatever the column is called.
        None if text.starts_with(['/', '~', '.']) => hashed("text", text),
        None if column.ends_with("_id") && text.contains('/') => hashed("text", text),
        // Reasons are ours, with what was found in quotes.
        None if column == "reason" && text.contains(['\'', '"', '`', '/']) => hashed("text", text),
        None => text.to_owned(),
        Some("project") if text == "global" => text.to_owned(),
        Some(kind) => hashed(kind, text),
    }
}

/// A report with all private texts hashed: in tables, findings, filters, sources and messages of failure.
#[must_use]
pub fn report(report: &Report) -> Report {
    let mut whole = report.clone();
    let tables: Vec<&Table> = report
        .metrics
        .iter()
        .filter_map(|metric| metric.result.as_ref().ok())
        .chain(report.previous.values())
        .collect();
    let known = Known::of(&tables);
    for metric in &mut whole.metrics {
        metric.result = match &metric.result {
            Ok(found) => Ok(table(found)),
            Err(message) => Err(format!("failed ({})", hashed("text", message))),
        };
    }
    whole.previous = all(&report.previous);
    whole.history =
        report.history.iter().map(|past| PastPeriod { metrics: all(&past.metrics), ..past.clone() }).collect();
    whole.findings = report.findings.iter().map(|finding| sentence::finding(finding, &known)).collect();
    for values in [&mut whole.filters.project, &mut whole.filters.exclude_project] {
        *values = values.iter().map(|value| hashed("project", value)).collect();
    }
    whole.filters.source = report.filters.source.iter().map(|name| hashed("source", name)).collect();
    let paths: Vec<&str> = report.provenance.sources.iter().map(|source| source.path.as_str()).collect();
    whole.provenance.notices = report.provenance.notices.iter().map(|told| notice(told, &paths)).collect();
    for source in &mut whole.provenance.sources {
        source.path = hashed("path", &source.path);
        source.name = hashed("source", &source.name);
    }
    whole
}

/// A notice without paths and names: words of ours are plain and small, all else is hashed.
fn notice(notice: &Notice, paths: &[&str]) -> Notice {
    let kind = if notice.source.contains('/') { "path" } else { "source" };
    let mut text = notice.text.clone();
    for path in paths.iter().filter(|path| !path.is_empty()) {
        text = text.replace(path, &hashed("path", path));
    }
    let word = |word: &str| {
        let bare = word.trim_matches([',', ';', ':', '.', '(', ')']);
        let is_hash = bare
            .strip_prefix("path-")
            .is_some_and(|hex| hex.len() == 8 && hex.bytes().all(|hex| hex.is_ascii_hexdigit()));
        let is_plain =
            bare.bytes().all(|letter| letter.is_ascii_lowercase()) || bare.bytes().all(|digit| digit.is_ascii_digit());
        if is_plain || is_hash || NOUNS.contains(&bare) {
            word.to_owned()
        } else {
            word.replace(bare, &hashed("text", bare))
        }
    };
    // What stands in quotes is from the data.
    let pieces = text.split('\'').enumerate().map(|(index, piece)| match (index % 2 == 1, piece) {
        (_, "") => String::new(),
        (true, quoted) => format!("'{}'", hashed("text", quoted)),
        (false, words) => words.split(' ').map(word).collect::<Vec<_>>().join(" "),
    });
    Notice { at: notice.at.clone(), source: hashed(kind, &notice.source), text: pieces.collect() }
}

/// Words of notices that are not small letters only.
const NOUNS: &[&str] =
    &["JSON", "JSONL", "OpenCode", "OpenCode's", "SQLite", "SHA-256", "session_message", "metrics.json"];

fn all(tables: &BTreeMap<String, Table>) -> BTreeMap<String, Table> {
    tables.iter().map(|(name, found)| (name.clone(), table(found))).collect()
}

/// Texts of the tables: what is public, and what stands for what is not.
struct Known {
    public: BTreeSet<String>,
    private: BTreeMap<String, String>,
}

impl Known {
    fn of(tables: &[&Table]) -> Self {
        let mut known = Self { public: BTreeSet::new(), private: BTreeMap::new() };
        for column in tables.iter().flat_map(|table| &table.columns) {
            let Data::Text(values) = &column.data else { continue };
            for text in values.iter().flatten().filter(|text| !text.is_empty()) {
                let seen = shown(&column.name, text);
                if seen == *text {
                    known.public.insert(seen);
                } else {
                    known.private.entry(text.clone()).or_insert(seen);
                }
            }
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::{Notice, hashed, notice, private, table};
    use crate::engine::table::{Column, Data, Table, Unit};

    #[test]
    fn what_is_not_known_to_be_public_is_private() {
        let names = ["title", "target_path", "project_name", "error_message", "first_command", "directory", "message"];
        assert!(names.iter().chain(&["branch", "query", "excerpt", "anything"]).all(|name| private(name).is_some()));
        let names = ["tool_name", "skill_name", "model", "agent", "program", "session_id", "error_class", "message_id"];
        assert!(names.iter().all(|name| private(name).is_none()));
    }

    #[test]
    fn notices_keep_our_words() {
        let told = notice(
            &Notice {
                at: None,
                source: "work".to_owned(),
                text: "/home/My Name/x.db is gone: 12 rows of 'Acme' stay, see /etc/other".to_owned(),
            },
            &["/home/My Name/x.db"],
        );
        let wanted = format!(
            "{} is gone: 12 rows of '{}' stay, see {}",
            hashed("path", "/home/My Name/x.db"),
            hashed("text", "Acme"),
            hashed("text", "/etc/other")
        );
        assert_eq!((told.text, told.source), (wanted, hashed("source", "work")));
    }

    #[test]
    fn counts_and_nulls_stay() {
        let texts = |values: &[Option<&str>]| Data::Text(values.iter().map(|text| text.map(str::to_owned)).collect());
        let numbers = Data::Int(vec![Some(1), None, Some(3)]);
        let column = |name: &str, data: Data| Column { name: name.into(), unit: Unit::Name, data };
        let found = table(&Table {
            columns: vec![
                column("project_name", texts(&[Some("secret"), None, Some("global")])),
                column("message_count", numbers.clone()),
                column("program", texts(&[Some("git"), Some("./deploy-acme.sh"), Some("deploy-acme")])),
            ],
        });
        let wanted = texts(&[Some(&hashed("project", "secret")), None, Some("global")]);
        assert_eq!(found.columns[0].data, wanted);
        assert_eq!(found.columns[1].data, numbers);
        let hidden = |text: &str| hashed("program", text);
        let wanted = [Some("git".to_owned()), Some(hidden("./deploy-acme.sh")), Some(hidden("deploy-acme"))];
        assert_eq!(found.columns[2].data, Data::Text(wanted.to_vec()));
    }
}
