//! `--redact`: titles, paths, commands, error texts and project names become short hashes, the same for the same text, so
//! that a report can be shared and still be read. Names of tools, skills, models, agents and programs stay; counts stay.
//!
//! Input: a table or report. Output: the same with private texts replaced.

use std::collections::BTreeMap;

use super::model::{Finding, PastPeriod, Report};
use crate::engine::table::{Column, Data, Table};

/// Words that make a column private when its name has one of them, and what stands before the hash.
const PRIVATE: &[(&str, &str)] = &[
    ("title", "title"),
    ("path", "path"),
    ("file", "path"),
    ("directory", "path"),
    ("worktree", "path"),
    ("target", "path"),
    ("command", "command"),
    ("message", "text"),
    ("error", "text"),
    ("content", "text"),
    ("detail", "text"),
    ("details", "text"),
    ("description", "text"),
    ("prompt", "text"),
    ("query", "text"),
    ("text", "text"),
    ("excerpt", "text"),
    ("output", "text"),
    ("input", "text"),
    ("project", "project"),
    ("projects", "project"),
    ("slug", "title"),
    ("url", "url"),
];

/// Columns that have such a word and are not private: names and classes of ours, ids.
const PUBLIC: &[&str] = &["error_class", "error_name", "error_kind", "error_type", "message_id"];

/// Shortest text that is looked for inside sentences.
const SHORTEST: usize = 3;

/// What stands before the hash of a column's texts; `None` for columns that stay.
#[must_use]
pub fn private(column: &str) -> Option<&'static str> {
    if PUBLIC.contains(&column) {
        return None;
    }
    column.split('_').find_map(|word| PRIVATE.iter().find(|(private, _)| *private == word).map(|(_, kind)| *kind))
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
    let data = match (&column.data, private(&column.name)) {
        (Data::Text(values), Some(kind)) => {
            Data::Text(values.iter().map(|value| value.as_ref().map(|text| replaced(kind, text))).collect())
        }
        (data, _) => data.clone(),
    };
    Column { name: column.name.clone(), unit: column.unit, data }
}

fn replaced(kind: &str, text: &str) -> String {
    if text.is_empty() || text == "global" { text.to_owned() } else { hashed(kind, text) }
}

/// A report with all private texts hashed: in tables, findings, filters, sources and messages of failure.
#[must_use]
pub fn report(report: &Report) -> Report {
    let mut whole = report.clone();
    let mut known = BTreeMap::new();
    for metric in &report.metrics {
        if let Ok(found) = &metric.result {
            collect(found, &mut known);
        }
    }
    report.previous.values().for_each(|found| collect(found, &mut known));
    for metric in &mut whole.metrics {
        metric.result = match &metric.result {
            Ok(found) => Ok(table(found)),
            Err(message) => Err(format!("failed ({})", hashed("text", message))),
        };
    }
    whole.previous = all(&report.previous);
    whole.history =
        report.history.iter().map(|past| PastPeriod { metrics: all(&past.metrics), ..past.clone() }).collect();
    whole.findings = report.findings.iter().map(|finding| sentence(finding, &known)).collect();
    for values in [&mut whole.filters.project, &mut whole.filters.exclude_project] {
        *values = values.iter().map(|value| hashed("project", value)).collect();
    }
    for (index, source) in whole.provenance.sources.iter_mut().enumerate() {
        source.path = hashed("path", &source.path);
        source.name = format!("source {}", index + 1);
    }
    whole
}

fn all(tables: &BTreeMap<String, Table>) -> BTreeMap<String, Table> {
    tables.iter().map(|(name, found)| (name.clone(), table(found))).collect()
}

fn collect(table: &Table, known: &mut BTreeMap<String, String>) {
    for column in &table.columns {
        let (Data::Text(values), Some(kind)) = (&column.data, private(&column.name)) else { continue };
        for text in values.iter().flatten().filter(|text| text.chars().count() >= SHORTEST) {
            known.entry(text.clone()).or_insert_with(|| replaced(kind, text));
        }
    }
}

/// Findings are sentences of ours with names from the data in them: private texts that the tables know are replaced, and
/// so is everything in quotes that does not look like a name.
fn sentence(finding: &Finding, known: &BTreeMap<String, String>) -> Finding {
    let mut order: Vec<(&String, &String)> = known.iter().collect();
    order.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    let clean = |text: &str| {
        quoted(&order.iter().fold(text.to_owned(), |text, (private, hash)| text.replace(private.as_str(), hash)))
    };
    let is_name =
        |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ':' | ' '));
    let subject = known.get(&finding.subject).cloned();
    Finding {
        subject: subject.unwrap_or_else(|| {
            if is_name(&finding.subject) { finding.subject.clone() } else { hashed("text", &finding.subject) }
        }),
        sentence: clean(&finding.sentence),
        action: finding.action.as_deref().map(clean),
        evidence: finding.evidence.as_deref().map(clean),
        ..finding.clone()
    }
}

fn quoted(text: &str) -> String {
    let is_name = |text: &str| {
        text.chars().all(|letter| letter.is_alphanumeric() || "_-:./".contains(letter)) && !text.starts_with('/')
    };
    let pieces: Vec<&str> = text.split('\'').collect();
    let is_paired = pieces.len() % 2 == 1;
    let count = pieces.len();
    let hide = |(index, piece): (usize, &&str)| {
        let is_inside = is_paired && index % 2 == 1 && index + 1 < count;
        if is_inside && !is_name(piece) { hashed("text", piece) } else { (*piece).to_owned() }
    };
    pieces.iter().enumerate().map(hide).collect::<Vec<_>>().join("'")
}

#[cfg(test)]
mod tests {
    use super::{hashed, private, table};
    use crate::engine::table::{Column, Data, Table, Unit};

    #[test]
    fn private_columns_by_name() {
        let names = ["title", "target_path", "project_name", "error_message", "first_command", "directory", "message"];
        assert!(names.iter().all(|name| private(name).is_some()));
        let names = ["tool_name", "skill_name", "model", "agent", "program", "session_id", "error_class", "message_id"];
        assert!(names.iter().all(|name| private(name).is_none()));
    }

    #[test]
    fn counts_and_nulls_stay() {
        let texts = Data::Text(vec![Some("/secret".into()), None, Some("global".into())]);
        let numbers = Data::Int(vec![Some(1), None, Some(3)]);
        let column = |name: &str, data: &Data| Column { name: name.into(), unit: Unit::Name, data: data.clone() };
        let found = table(&Table { columns: vec![column("directory", &texts), column("message_count", &numbers)] });
        assert_eq!(
            found.columns[0].data,
            Data::Text(vec![Some(hashed("path", "/secret")), None, Some("global".into())])
        );
        assert_eq!(found.columns[1].data, numbers);
    }
}
