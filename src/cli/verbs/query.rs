//! `logicoma query`: SQL over the store's views; a SELECT and nothing else.

use crate::cli::context::Context;
use crate::cli::globals::OutputArgs;
use crate::cli::{Usage, format};
use crate::engine::{lazy, sandbox};
use crate::metric::EngineKind;
use crate::model::period::PeriodSpec;
use crate::model::unit::Unit;
use crate::registry::Registry;
use std::collections::BTreeMap;
use std::io::Read;

/// Options of `query`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  logicoma query tool_usage --week last
  logicoma query -c 'select * from part where session_id = ?' --param ses_123
  logicoma query report.sql --param since=2026-11-01 --json
  echo 'select count(*) from session' | logicoma query -

Without a period option, queries see everything. `logicoma schema` lists views and columns.")]
pub struct Args {
    /// A named query, a file ending in .sql, or - for standard input
    #[arg(value_name = "NAME|FILE.sql|-", required_unless_present = "command", conflicts_with = "command")]
    what: Option<String>,
    /// The SQL itself
    #[arg(short = 'c', long = "command", value_name = "SQL")]
    command: Option<String>,
    /// Bind a parameter: VALUE (or k=VALUE) for each `?` in order, name=VALUE for `$name`
    #[arg(long, short = 'p', value_name = "[k=]v", allow_hyphen_values = true)]
    param: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// What is asked.
struct Asked {
    file: String,
    sql: String,
    pipeline: Option<String>,
    units: Option<BTreeMap<String, Unit>>,
}

fn find(registry: &Registry, args: &Args) -> anyhow::Result<Asked> {
    let plain = |file: &str, sql: String| Asked { file: file.to_owned(), sql, pipeline: None, units: None };
    Ok(match (&args.command, args.what.as_deref()) {
        (Some(sql), _) => plain("-c", sql.clone()),
        (None, Some("-")) => {
            let mut sql = String::new();
            std::io::stdin().read_to_string(&mut sql)?;
            plain("standard input", sql)
        }
        (None, Some(path)) if std::path::Path::new(path).extension().is_some_and(|extension| extension == "sql") => {
            plain(path, fs_err::read_to_string(path)?)
        }
        (None, Some(name)) => {
            let query = registry.query(name)?;
            Asked {
                file: query.path.clone(),
                sql: query.text.clone(),
                pipeline: (query.engine == EngineKind::Polars).then(|| query.name.clone()),
                units: Some(query.units.clone()),
            }
        }
        (None, None) => return Err(Usage("name a query, a file, - or -c SQL".into()).into()),
    })
}

/// Runs the verb.
///
/// # Errors
/// The SQL is no SELECT or fails; no store.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let mut asked = None;
    let ready = context.ready(PeriodSpec::All, None, |registry| {
        let found = find(registry, args)?;
        let texts = vec![found.sql.clone()];
        asked = Some(found);
        Ok(texts)
    })?;
    if !ready.scope.period.is_all {
        context.say_period(&ready.scope);
    }
    let Some(Asked { file, sql, pipeline, units }) = asked else { return Ok(()) };
    let checked = sandbox::check(&ready.duck, &file, &sql, &args.param)?;
    let mut table = ready.duck.query(&file, &checked.sql, &checked.values)?;
    if let Some(name) = pipeline {
        table = lazy::run(&name, table)?;
    }
    if let Some(units) = units {
        table = table.with_units(&units);
    }
    format::print(&context.printer, &table, &args.output)
}
