//! `logicoma metrics`: the catalogue, and running some of it.

use super::queries::texts;
use crate::cli::context::{Context, texts_of};
use crate::cli::globals::{Format, OutputArgs};
use crate::cli::{Failed, format};
use crate::engine::fanout::Task;
use crate::engine::table::Table;
use crate::error::{Exit, Hint};
use crate::metric::{Layer, QueryFile};
use crate::model::period::PeriodSpec;
use crate::registry::{Registry, unknown};

/// Options of `metrics`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  logicoma metrics                               the catalogue
  logicoma metrics show tool_usage               what one means, what makes it wrong, and its SQL
  logicoma metrics run tool_usage --last 30d     one metric over 30 days
  logicoma metrics run tools skills --json       two families, for programs")]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    output: OutputArgs,
}

/// What to do with metrics.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// All metrics with family, evidence and grain
    List(OutputArgs),
    /// What one metric means, and its SQL
    Show {
        /// Its name
        name: String,
    },
    /// Compute metrics, by name or family; without a period option, over everything
    Run {
        /// Names of metrics or families; none = all
        names: Vec<String>,
        /// How to print
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// A name is unknown; no store; a metric fails (the others are printed first).
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.action {
        None => list(context, &args.output),
        Some(Action::List(output)) => list(context, output),
        Some(Action::Show { name }) => show(context, name),
        Some(Action::Run { names, output }) => measure(context, names, output),
    }
}

fn list(context: &Context, output: &OutputArgs) -> anyhow::Result<()> {
    let registry = context.registry()?;
    let metrics = registry.metrics();
    let pick =
        |text: &dyn Fn(&crate::metric::QueryFile) -> Option<String>| metrics.iter().map(|file| text(file)).collect();
    let table = Table {
        columns: vec![
            texts("family", pick(&|file| file.family.clone())),
            texts("metric", pick(&|file| Some(file.name.clone()))),
            texts("title", pick(&|file| Some(file.title.clone()))),
            texts("evidence", pick(&|file| Some(file.evidence.word().to_owned()))),
            texts("better", pick(&|file| Some(file.better.word().to_owned()))),
            texts("grain", pick(&|file| Some(file.grain.clone()))),
        ],
    };
    format::print(&context.printer, &table, output)
}

fn show(context: &Context, name: &str) -> anyhow::Result<()> {
    let registry = context.registry()?;
    let Some(file) = registry.get(Layer::Metric, name) else {
        return Err(unknown("metric", name, registry.layer(Layer::Metric).map(|file| file.name.as_str())).into());
    };
    context.printer.data(file.text.as_bytes())
}

/// The metrics of these names and families; all without names.
fn choose<'a>(registry: &'a Registry, names: &[String]) -> anyhow::Result<Vec<&'a QueryFile>> {
    Ok(if names.is_empty() { registry.metrics() } else { registry.select(names)? })
}

fn measure(context: &Context, names: &[String], output: &OutputArgs) -> anyhow::Result<()> {
    // A wrong name should be told before the store is brought up to date.
    choose(&context.registry()?, names)?;
    let known = context.known(PeriodSpec::All, None)?;
    context.say_period(&known.scope);
    let metrics = choose(&known.registry, names)?;
    let asker = known.asker(texts_of(&metrics));
    let tasks: Vec<Task<'_>> = metrics.iter().map(|metric| Task { metric, period: &known.scope.period }).collect();
    let measured = asker.measure(&tasks)?;
    let single = measured.len() == 1;
    let mut failures = Vec::new();
    let mut together = serde_json::Map::new();
    for one in measured {
        match one.result {
            // What the machine lacks the other metrics will lack too.
            Err(error) if single || error.exit() == Exit::Store => return Err(error.into()),
            Err(error) => failures.push(format!("{}: {error}", one.metric.name)),
            Ok(table) if single => format::print(&context.printer, &table, output)?,
            Ok(table) if output.format() == Format::Json => {
                together.insert(one.metric.name.clone(), table.to_json());
            }
            Ok(table) => {
                let heading = match output.format() {
                    Format::Markdown => format!("## {}\n\n", one.metric.title),
                    Format::Table => format!("{} ({})\n", one.metric.title, one.metric.name),
                    _ => anyhow::bail!(crate::cli::Usage("name one metric for this format, or use --json".into())),
                };
                context.printer.data(heading.as_bytes())?;
                format::print(&context.printer, &table, output)?;
                context.printer.data(b"\n")?;
            }
        }
    }
    if !single && output.format() == Format::Json {
        let mut bytes = serde_json::to_vec_pretty(&together)?;
        bytes.push(b'\n');
        match &output.output {
            Some(path) => crate::cli::write::to_file(path, &bytes)?,
            None => context.printer.data(&bytes)?,
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Failed(failures.join("\n")).into()) }
}
