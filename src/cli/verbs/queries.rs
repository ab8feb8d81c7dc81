//! `logicoma queries`: what can be asked by name.

use crate::cli::context::Context;
use crate::cli::format;
use crate::cli::globals::OutputArgs;
use crate::engine::table::{Column, Data, Table, Unit};
use crate::metric::Layer;
use crate::registry::unknown;

/// Options of `queries`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  logicoma queries                               all names that `logicoma query` takes
  logicoma queries show by_model                 the SQL of one, to copy into ./queries and change")]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    output: OutputArgs,
}

/// What to do with queries.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// All named queries
    List(OutputArgs),
    /// The SQL of one
    Show {
        /// Its name
        name: String,
    },
}

const LAYERS: &[(Layer, &str)] = &[
    (Layer::Free, "query"),
    (Layer::Metric, "metric"),
    (Layer::Finding, "finding"),
    (Layer::Check, "check"),
    (Layer::Mart, "mart"),
    (Layer::Staging, "staging"),
];

/// A column of texts.
pub(super) fn texts(name: &str, values: Vec<Option<String>>) -> Column {
    Column { name: name.to_owned(), unit: Unit::Name, data: Data::Text(values) }
}

/// Runs the verb.
///
/// # Errors
/// A query file is wrong, or there is none of that name.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry()?;
    let output = match &args.action {
        Some(Action::Show { name }) => {
            let found = LAYERS.iter().find_map(|(layer, _)| registry.get(*layer, name));
            let Some(file) = found else {
                let names = LAYERS.iter().flat_map(|(layer, _)| registry.layer(*layer)).map(|file| file.name.as_str());
                return Err(unknown("query", name, names).into());
            };
            return context.printer.data(file.text.as_bytes());
        }
        Some(Action::List(output)) => output,
        None => &args.output,
    };
    let files: Vec<_> =
        LAYERS.iter().flat_map(|(layer, word)| registry.layer(*layer).map(move |file| (*word, file))).collect();
    let table = Table {
        columns: vec![
            texts("name", files.iter().map(|(_, file)| Some(file.name.clone())).collect()),
            texts("layer", files.iter().map(|(word, _)| Some((*word).to_owned())).collect()),
            texts("family", files.iter().map(|(_, file)| file.family.clone()).collect()),
            texts("title", files.iter().map(|(_, file)| Some(file.title.clone())).collect()),
            texts("path", files.iter().map(|(_, file)| Some(file.path.clone())).collect()),
        ],
    };
    format::print(&context.printer, &table, output)
}
