//! `logicoma skills`: installed skills with their use; the unused and what they cost; the unknown.

use crate::cli::context::{Context, texts_of};
use crate::cli::format;
use crate::cli::globals::OutputArgs;
use crate::engine::fanout::measure_one;
use crate::engine::table::{Data, Table};
use crate::model::period::PeriodSpec;

/// Without a window nothing was counted in it.
const COUNTED_IN_WINDOWS: &[&str] = &["tool_call_count", "tool_error_count", "iteration_count", "retry_count"];

/// Options of `skills`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  logicoma skills                                installed skills with their use and what it cost
  logicoma skills --unused                       installed, never used: what listing them costs
  logicoma skills --unused --days 30             also those not used for 30 days
  logicoma skills --unknown                      asked for, but not installed, with the nearest name")]
pub struct Args {
    /// Installed skills that were never loaded, with what listing them costs
    #[arg(long)]
    unused: bool,
    /// With --unused: also those not loaded for so many days
    #[arg(long, value_name = "N", requires = "unused")]
    days: Option<u32>,
    /// Skills that were asked for but are not installed
    #[arg(long, conflicts_with = "unused")]
    unknown: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the verb.
///
/// # Errors
/// No store, or the metric fails.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let default = match args.days {
        // "Not for N days" is a period: the last N days up to now.
        Some(days) => PeriodSpec::Last(format!("{}d", days.max(1))),
        None => PeriodSpec::All,
    };
    let name = match (args.unused, args.unknown) {
        (true, _) => "skill_unused",
        (_, true) => "skill_unknown",
        _ => "skill_usage",
    };
    let is_list = !args.unused && !args.unknown;
    let names = if is_list { vec![name.to_owned(), "skill_unused".to_owned()] } else { vec![name.to_owned()] };
    let ready = context.ready(default, None, |registry| Ok(texts_of(&registry.select(&names)?)))?;
    context.say_period(&ready.scope);
    let mut tables = Vec::new();
    for name in &names {
        for metric in ready.registry.select(std::slice::from_ref(name))? {
            tables.push(measure_one(&ready.duck, metric)?);
        }
    }
    let mut tables = tables.into_iter();
    let (Some(mut table), unused) = (tables.next(), tables.next()) else { return Ok(()) };
    if let Some(unused) = unused {
        add_unused(&mut table, &unused);
    }
    format::print(&context.printer, &table, &args.output)
}

/// Installed skills that nobody asked for, below those with use: counts of them are 0, all else is unknown.
fn add_unused(table: &mut Table, unused: &Table) {
    let names = |table: &Table| (0..table.len()).map(|row| table.get(row, "skill_name").to_text()).collect::<Vec<_>>();
    let known = names(table);
    let mut missing = names(unused);
    missing.retain(|name| !known.contains(name));
    missing.sort_unstable();
    missing.dedup();
    for column in &mut table.columns {
        let is_count = column.name.ends_with("_count") && !COUNTED_IN_WINDOWS.contains(&column.name.as_str());
        match &mut column.data {
            Data::Text(values) if column.name == "skill_name" => values.extend(missing.iter().cloned().map(Some)),
            Data::Text(values) => values.extend(missing.iter().map(|_| None)),
            Data::Int(values) => values.extend(missing.iter().map(|_| is_count.then_some(0))),
            Data::Float(values) => values.extend(missing.iter().map(|_| None)),
            Data::Bool(values) => values.extend(missing.iter().map(|_| None)),
            Data::Date(values) => values.extend(missing.iter().map(|_| None)),
        }
    }
}
