//! `logicoma doctor`: what was found, what can be read, what is wrong and what to do.

use super::queries::texts;
use crate::cli::context::Context;
use crate::cli::format;
use crate::cli::globals::OutputArgs;
use crate::engine::marts;
use crate::engine::table::Table;
use crate::error::{Hint, LocateError, StoreError};
use crate::extract::opencode::locate::Found;
use crate::extract::{catalog, disk, routes};
use crate::store::manifest::Manifest;
use crate::store::{Store, read};
use camino::Utf8Path;

/// Options of `doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exits with the code of the first thing that is wrong, so that scripts can ask it.

Examples:
  logicoma doctor
  logicoma doctor --db /backup/opencode.db --json")]
pub struct Args {
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Default)]
struct Findings {
    rows: Vec<[String; 4]>,
    worst: Option<anyhow::Error>,
}

impl Findings {
    fn say(&mut self, what: &str, status: &str, detail: impl ToString, todo: impl ToString) {
        self.rows.push([what.to_owned(), status.to_owned(), detail.to_string(), todo.to_string()]);
    }

    fn fail(&mut self, what: &str, error: impl Hint + std::error::Error + Send + Sync + 'static) {
        self.say(what, "error", &error, error.hint().unwrap_or_default());
        if self.worst.is_none() {
            self.worst = Some(error.into());
        }
    }
}

/// Runs the verb: prints a table, and exits with the code of the first error in it.
///
/// # Errors
/// What is wrong first.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let mut findings = Findings::default();
    findings.say(
        "logicoma",
        "ok",
        format!("{} (store schema {})", env!("CARGO_PKG_VERSION"), crate::store::schema::SCHEMA_VERSION),
        "",
    );
    findings.say("clock", "ok", format!("{} in {}", context.now, context.zone_name), "");
    let scratch = tempfile::tempdir()?;
    let scratch = Utf8Path::from_path(scratch.path()).unwrap_or(Utf8Path::new("."));
    match context.found() {
        Ok((found, missing)) => {
            for found in &found {
                database(&mut findings, found, scratch);
            }
            if let Some(error) = missing {
                findings.fail("database", error);
            }
        }
        Err(LocateError::NotFound { .. }) if is_snapshot(context) => {
            findings.say("database", "ok", "none was found, and a snapshot needs none", "");
        }
        Err(error) => findings.fail("database", error),
    }
    store(context, &mut findings);
    match context.registry() {
        Ok(registry) => {
            findings.say("queries", "ok", format!("{} metrics", registry.metrics().len()), "");
            let known = context.store().ok().and_then(|store| store.manifest().ok().map(|manifest| (store, manifest)));
            let broken = known.map(|(store, manifest)| marts::broken(&store, &manifest, &registry));
            for path in broken.into_iter().flatten() {
                findings.say(
                    "marts",
                    "warning",
                    format!("{path} is not what was built"),
                    "who needs it builds it anew",
                );
            }
        }
        Err(error) => match error.downcast::<crate::error::RegistryError>() {
            Ok(error) => findings.fail("queries", error),
            Err(error) => findings.say("queries", "error", &error, ""),
        },
    }
    let pick = |index: usize| {
        findings.rows.iter().map(|row| Some(row[index].clone()).filter(|text| !text.is_empty())).collect()
    };
    let table = Table {
        columns: vec![
            texts("what", pick(0)),
            texts("status", pick(1)),
            texts("detail", pick(2)),
            texts("todo", pick(3)),
        ],
    };
    format::print(&context.printer, &table, &args.output)?;
    findings.worst.map_or(Ok(()), Err)
}

fn is_snapshot(context: &Context) -> bool {
    context.store().is_ok_and(|store| Manifest::is_snapshot(store.root()))
}

fn database(findings: &mut Findings, found: &Found, scratch: &Utf8Path) {
    let source = match found.open(scratch) {
        Ok(source) => source,
        Err(error) => return findings.fail("database", error),
    };
    let size = source.fingerprint.size + source.fingerprint.wal_size;
    #[allow(clippy::cast_precision_loss, reason = "a size for people")]
    let megabytes = size as f64 / 1e6;
    let generation = match (source.has_v1(), source.has_v2()) {
        (true, true) => "both generations of schema",
        (_, true) => "second generation of schema",
        _ => "first generation of schema",
    };
    let detail = format!("{} ({megabytes:.1} MB, {generation}, {} migrations)", found.path, source.migrations());
    findings.say("database", "ok", detail, "");
    for table in ["session", "message", "part", "session_v2", "session_message", "todo", "project"] {
        if source.columns.contains_key(table) {
            match source
                .connection
                .query_row(&format!("select count(*) from \"{table}\""), [], |row| row.get::<_, i64>(0))
            {
                Ok(count) => findings.say(&format!("{}.{table}", found.name), "ok", format!("{count} rows"), ""),
                Err(error) => findings.say(
                    &format!("{}.{table}", found.name),
                    "error",
                    error,
                    "the table is damaged: `sqlite3 FILE .recover` may rescue it",
                ),
            }
        }
    }
}

/// What the store keeps of each source, what happened to them, and whether every file holds what was written.
fn kept(store: &Store, manifest: &Manifest, findings: &mut Findings) {
    let when = |moment: i64| jiff::Timestamp::from_millisecond(moment).map_or_else(|_| "?".into(), |at| at.to_string());
    for source in &manifest.sources {
        let rows: u64 = ["session", "message", "part"]
            .iter()
            .filter_map(|table| manifest.tables.get(*table))
            .flat_map(|table| &table.files)
            .filter(|file| file.source() == Some(&source.name))
            .map(|file| file.rows)
            .sum();
        let state = match source.last_seen_at {
            Some(moment) => format!("history: last seen {}", when(moment)),
            None => format!("read {}", when(source.read_at)),
        };
        let detail = format!("{} ({}, {rows} sessions, messages and parts, {state})", source.name, source.path);
        match &source.damage {
            Some(damage) => findings.say(
                "source",
                "warning",
                format!("{detail}; {damage}"),
                "`sqlite3 FILE .recover` may rescue it",
            ),
            None => findings.say("source", "ok", detail, ""),
        }
    }
    for notice in &manifest.notices {
        findings.say("notice", "warning", format!("{}: {}", when(notice.at), notice.text), "");
    }
    for file in manifest.files() {
        if let Err(error) = read::verify(store.root(), file) {
            findings.fail("store", error);
        }
    }
}

fn store(context: &Context, findings: &mut Findings) {
    let store = match context.store() {
        Ok(store) => store,
        Err(error) => match error.downcast::<StoreError>() {
            Ok(error) => return findings.fail("store", error),
            Err(error) => return findings.say("store", "error", error, "name one with --store DIR"),
        },
    };
    match store.manifest().and_then(|manifest| store.check(&manifest).map(|()| manifest)) {
        Ok(manifest) => {
            let rows: u64 = manifest.tables.values().map(|table| table.rows).sum();
            let content = if manifest.has_content { "with content" } else { "without content" };
            let detail = format!("{} ({rows} rows, {content}, written by {})", store.root(), manifest.logicoma_version);
            findings.say("store", "ok", detail, "");
            let events = manifest.rows("telemetry");
            let files = manifest.telemetry.len();
            findings.say("telemetry", "ok", format!("{events} events of {files} files and tables"), "");
            kept(&store, &manifest, findings);
            let quarantined = manifest.rows("quarantine");
            if quarantined > 0 {
                findings.say(
                    "quarantine",
                    "warning",
                    format!("{quarantined} rows and lines could not be decoded"),
                    "logicoma query -c 'select table_name, row_id, reason from quarantine'",
                );
            }
            let places = context.skill_places();
            let mut found = catalog::Catalog::default();
            for source in manifest.sources.iter().filter(|source| source.last_seen_at.is_none()) {
                let own = disk::discover(&places, source).skills;
                for skill in own.skills {
                    if !found.skills.contains(&skill) {
                        found.skills.push(skill);
                    }
                }
                for warning in own.warnings {
                    if !found.warnings.contains(&warning) {
                        found.warnings.push(warning);
                    }
                }
            }
            let valid = found.skills.iter().filter(|skill| skill.problem.is_none() && !skill.is_shadowed).count();
            findings.say("skills", "ok", format!("{valid} found on disk"), "");
            for skill in found.skills.iter().filter(|skill| skill.problem.is_some()) {
                let problem = skill.problem.clone().unwrap_or_default();
                findings.say("skill", "warning", format!("{}: {problem}", skill.path), "OpenCode skips this file");
            }
            for warning in &found.warnings {
                findings.say("skills", "warning", format!("{}: {}", warning.path, warning.message), "");
            }
            let tables = routes::discover(&places, &disk::recorded(&manifest));
            let own = tables.own_files();
            let detail = if own.is_empty() { "the tables that ship".to_owned() } else { own.join(", ") };
            findings.say("routes", "ok", detail, "");
            for warning in &tables.warnings {
                findings.say("routes", "warning", format!("{}: {}", warning.path, warning.message), "");
            }
        }
        Err(StoreError::Absent { path }) => {
            findings.say("store", "ok", format!("none at {path} yet"), "`logicoma extract` makes it");
        }
        Err(error) => findings.fail("store", error),
    }
}
