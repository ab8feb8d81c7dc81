//! `logicoma findings`: what to do, most saving first.

use crate::cli::context::{Context, texts_of};
use crate::cli::format;
use crate::cli::globals::OutputArgs;
use crate::engine::findings;
use crate::metric::Layer;
use crate::model::period::PeriodSpec;

/// Options of `findings`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every finding stands on a metric, with its n and interval; `logicoma check --fail-on FINDING` makes it a gate.

Examples:
  logicoma findings                              over everything
  logicoma findings --last 30d --json            of a month, for programs")]
pub struct Args {
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the verb.
///
/// # Errors
/// No store.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let known = context.known(PeriodSpec::All, None)?;
    context.say_period(&known.scope);
    let asker = known.asker(texts_of(&known.registry.layer(Layer::Finding).collect::<Vec<_>>()));
    let found = findings::find(&asker, &known.registry, &known.scope.period)?;
    for failure in &found.failures {
        context.printer.warn(&failure.to_string());
    }
    format::print(&context.printer, &found.table, &args.output)
}
