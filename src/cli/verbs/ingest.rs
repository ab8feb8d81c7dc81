//! `logicoma ingest`: take telemetry files that `extract` does not find by itself.

use super::queries::texts;
use crate::cli::context::Context;
use crate::cli::format;
use crate::cli::globals::OutputArgs;
use crate::engine::table::{Column, Data, Table, Unit};
use crate::extract::telemetry::{self, ByHand, Format, Ingested};
use camino::Utf8PathBuf;
use clap::builder::PossibleValuesParser;

const FORMATS: &str = "\
Formats, told by what a file holds unless --as names one:
  jsonl         events, one a line (`logicoma emit --schema` prints the format)
  metrics-json  metrics.json of Tachikoma's telemetry logger; its times are read in --timezone
  traces, competence, routing, learning   exports of the tracking modules
  agents        agent-metrics.json: its figures are invented, and taken only with --synthetic
  graph         graph.json of the graph memory: tools that failed
  samples       samples.jsonl of the production monitor
A file is remembered: `extract` looks at it again. What was read stays when the file shrinks or goes. Pickles are never read.";

/// Options of `ingest`.
#[derive(Debug, clap::Args)]
#[command(after_help = FORMATS)]
pub struct Args {
    /// Telemetry files, or folders of them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<Utf8PathBuf>,
    /// What the files hold, instead of looking
    #[arg(long = "as", value_name = "FORMAT", value_parser = PossibleValuesParser::new(Format::ALL.map(Format::name)))]
    forced: Option<String>,
    /// Also take figures that the source invents
    #[arg(long)]
    synthetic: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the verb.
///
/// # Errors
/// A file cannot be read or is no telemetry (then none is taken), or the store cannot be written.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let store = context.store()?;
    let mut files = Vec::new();
    for named in &args.files {
        for path in telemetry::named(named)? {
            files.push(ByHand {
                path,
                format: args.forced.as_deref().and_then(Format::parse),
                is_synthetic: args.synthetic,
            });
        }
    }
    let places = context.skill_places();
    let taken = telemetry::ingest(&store, &files, &places, &context.zone, context.now.as_millisecond())?;
    let bad: u64 = taken.iter().map(|file| file.entry.bad_lines).sum();
    if bad > 0 {
        context.printer.warn(&format!(
            "{bad} lines are no events; logicoma query -c \"select row_id, reason from quarantine where table_name = 'telemetry'\""
        ));
    }
    for file in taken.iter().filter_map(|file| Some((&file.entry.path, file.entry.note.as_ref()?))) {
        context.printer.note(&format!("{}: {}", file.0, file.1));
    }
    format::print(&context.printer, &table(&taken), &args.output)
}

fn table(taken: &[Ingested]) -> Table {
    let count = |name: &str, value: fn(&Ingested) -> u64| Column {
        name: name.into(),
        unit: Unit::Count,
        data: Data::Int(taken.iter().map(|file| i64::try_from(value(file)).ok()).collect()),
    };
    Table {
        columns: vec![
            texts("path", taken.iter().map(|file| Some(file.entry.path.clone())).collect()),
            texts("format", taken.iter().map(|file| Some(file.entry.format.clone())).collect()),
            count("added_count", |file| file.added),
            count("duplicate_count", |file| file.entry.events + file.entry.duplicates - file.added),
            count("bad_line_count", |file| file.entry.bad_lines),
            count("problem_count", |file| file.problems),
            count("total_count", |file| file.entry.totals),
            Column {
                name: "is_changed".into(),
                unit: Unit::Name,
                data: Data::Bool(taken.iter().map(|file| Some(file.is_changed)).collect()),
            },
        ],
    }
}
