//! `logicoma skills`: installed skills with their use; the unused and what they cost; the unknown.

use crate::cli::context::{Context, texts_of};
use crate::cli::format;
use crate::cli::globals::OutputArgs;
use crate::engine::fanout::measure_one;
use crate::model::period::PeriodSpec;

/// Options of `skills`.
#[derive(Debug, clap::Args)]
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
    let names = [name.to_owned()];
    let ready = context.ready(default, None, |registry| Ok(texts_of(&registry.select(&names)?)))?;
    let metrics = ready.registry.select(&names)?;
    for metric in metrics {
        let table = measure_one(&ready.duck, metric)?;
        format::print(&context.printer, &table, &args.output)?;
    }
    Ok(())
}
