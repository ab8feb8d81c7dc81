//! `logicoma extract`: refresh the store, say what was read.

use crate::cli::context::Context;
use crate::cli::globals::OutputArgs;
use crate::cli::select::source_name;
use crate::cli::{Usage, format};
use crate::engine::marts;
use crate::engine::table::{Column, Data, Table, Unit};

/// Options of `extract`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Rows that a database no longer holds stay in the store, marked with when they were last seen. Several machines may share one
store: `logicoma extract --source NAME --store DIR` writes under the machine's own name and touches nothing of the others'.

Examples:
  logicoma extract                               what changed since the last time
  logicoma extract --no-content                  numbers alone: no text of yours is kept
  logicoma extract --db old.db --db ~/.local/share/opencode")]
pub struct Args {
    /// Read everything again, whether or not something changed, and drop what was measured; history stays
    #[arg(long)]
    full: bool,
    /// Leave the raw JSON out of the store: small and private, but ad-hoc SQL over `data` finds nothing
    #[arg(long)]
    no_content: bool,
    /// Keep the raw JSON (the default for a new store)
    #[arg(long, conflicts_with = "no_content")]
    content: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the verb.
///
/// # Errors
/// As [`Context::refresh`].
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let content = if args.no_content { Some(false) } else { args.content.then_some(true) };
    let store = match context.globals.source.as_slice() {
        [] => context.store()?,
        [name] => context.store()?.with_writer(source_name(name)?),
        _ => return Err(Usage("extract writes under one name: give --source once".into()).into()),
    };
    let refreshed = context.refresh(&store, content, args.full)?;
    if args.full {
        marts::forget(&store)?;
    }
    let seconds = refreshed.elapsed.as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = refreshed.bytes_read as f64 / 1e6 / seconds.max(1e-9);
    let int = |name: &str, unit: Unit, value: u64| Column {
        name: name.into(),
        unit,
        data: Data::Int(vec![i64::try_from(value).ok()]),
    };
    let written: u64 =
        if refreshed.changed { refreshed.manifest.tables.values().map(|table| table.rows).sum() } else { 0 };
    let table = Table {
        columns: vec![
            Column { name: "is_changed".into(), unit: Unit::Name, data: Data::Bool(vec![Some(refreshed.changed)]) },
            int("rows_read", Unit::Count, refreshed.rows_read),
            int("rows_written", Unit::Count, written),
            int("rows_quarantined", Unit::Count, refreshed.quarantined),
            int("files_written", Unit::Count, refreshed.files_written),
            int("bytes_read", Unit::Bytes, refreshed.bytes_read),
            Column {
                name: "elapsed_ms".into(),
                unit: Unit::Ms,
                data: Data::Float(vec![Some((seconds * 1e6).round() / 1e3)]),
            },
            Column {
                name: "mb_per_second".into(),
                unit: Unit::Score,
                data: Data::Float(vec![Some((rate * 10.0).round() / 10.0)]),
            },
        ],
    };
    if !refreshed.changed {
        context.printer.note(&format!("nothing has changed: the store {} is as it was", store.root()));
    }
    for source in &refreshed.manifest.sources {
        let rows: u64 = source.rows_read.values().sum();
        context.printer.note(&format!("{}  {}  {rows} rows  {}", source.name, source.generation, source.path));
    }
    let files = &refreshed.manifest.telemetry;
    if !files.is_empty() {
        let (events, bad) =
            (refreshed.manifest.rows("telemetry"), files.iter().map(|file| file.bad_lines).sum::<u64>());
        context.printer.note(&format!("telemetry  {events} events of {} files, {bad} bad lines", files.len()));
    }
    format::print(&context.printer, &table, &args.output)
}
