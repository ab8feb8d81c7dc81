//! The command line: parse, resolve, run one verb, say what went wrong.

pub mod config;
pub mod context;
pub mod environment;
pub mod format;
mod frozen;
pub mod globals;
pub mod printer;
mod progress;
mod select;
pub mod stats;
pub mod verbs;
mod write;

use crate::error::{
    EngineError, Exit, ExtractError, Hint, Lack, LocateError, RegistryError, SnapshotError, StoreError,
};
use crate::render::RenderError;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use context::Context;
use environment::Environment;
use globals::Globals;
use printer::{Closed, Printer};
use std::process::ExitCode;

/// Wrong use: said, with exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// A gate or check that failed: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);

const EXAMPLES: &str = "\
Examples:
  logicoma report                                  the last 7 days, as HTML and Markdown
  logicoma report --week last                      what a Monday timer runs
  logicoma skills --unused                         skills that cost context and are never loaded
  logicoma metrics run tool_usage --last 30d       one metric
  logicoma query -c 'select model, sum(cost_usd) from steps group by model'
  logicoma stats --json                            what `opencode stats` counts, and without fork copies

Exit codes: 0 ok · 1 a gate or check failed · 2 wrong use · 3 no database found · 4 a database or file is
unreadable, corrupt or of a schema too new · 5 SQL rejected or failed · 6 store locked or damaged";

/// Columnar analytics and offline reports for people who run coding agents under OpenCode.
///
/// Reads OpenCode's database (read-only), keeps a typed Parquet copy, measures it with DuckDB and polars, and writes
/// HTML and Markdown reports. Nothing ever leaves this machine.
#[derive(Debug, Parser)]
#[command(name = "logicoma", version, after_help = EXAMPLES, max_term_width = 110, disable_help_subcommand = true)]
pub struct Cli {
    /// Options of every verb.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Refresh the store, measure, and write a report
    Report(verbs::report::Args),
    /// Refresh the store from every database
    Extract(verbs::extract::Args),
    /// Run SQL over the store, read-only
    Query(verbs::query::Args),
    /// What can be asked: named queries
    Queries(verbs::queries::Args),
    /// What can be asked: views and their columns
    Schema(verbs::schema::Args),
    /// The catalogue of metrics; run some
    Metrics(verbs::metrics::Args),
    /// What `opencode stats` says, and without fork copies
    Stats(stats::Args),
    /// Installed skills with their use; unused and unknown ones
    Skills(verbs::skills::Args),
    /// What to do, most saving first
    Findings(verbs::findings::Args),
    /// Dated, verifiable copies of the store
    Snapshot(verbs::snapshot::Args),
    /// Take telemetry files that `extract` does not find by itself
    Ingest(verbs::ingest::Args),
    /// Append one telemetry event to a project's events.jsonl
    Emit(verbs::emit::Args),
    /// Gates for scripts: exit code 1 when one fails; do the data keep their contracts?
    Check(verbs::check::Args),
    /// What was found, what can be read, what is wrong and what to do
    Doctor(verbs::doctor::Args),
    /// Each setting and where it came from
    Config(globals::OutputArgs),
    /// Shell completions on standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The manual page on standard output
    Man,
}

fn run(cli: Cli, printer: Printer) -> anyhow::Result<()> {
    match cli.verb {
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "logicoma", &mut script);
            return printer.raw(&script);
        }
        Verb::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            return printer.raw(&page);
        }
        // A hook calls it after every tool: it must not read what other verbs need.
        Verb::Emit(ref args) => return verbs::emit::run(&cli.globals, &printer, args),
        _ => {}
    }
    let context = Context::new(cli.globals, printer, Environment::read())?;
    match cli.verb {
        Verb::Report(args) => verbs::report::run(context, &args),
        Verb::Extract(args) => verbs::extract::run(&context, &args),
        Verb::Query(args) => verbs::query::run(&context, &args),
        Verb::Queries(args) => verbs::queries::run(&context, &args),
        Verb::Schema(args) => verbs::schema::run(&context, &args),
        Verb::Metrics(args) => verbs::metrics::run(&context, &args),
        Verb::Stats(args) => stats::run(&context, &args),
        Verb::Skills(args) => verbs::skills::run(&context, &args),
        Verb::Findings(args) => verbs::findings::run(&context, &args),
        Verb::Snapshot(args) => verbs::snapshot::run(&context, &args),
        Verb::Check(args) => verbs::check::run(&context, &args),
        Verb::Doctor(args) => verbs::doctor::run(&context, &args),
        Verb::Config(output) => verbs::config::run(&context, &output),
        Verb::Ingest(args) => verbs::ingest::run(&context, &args),
        Verb::Completions { .. } | Verb::Man | Verb::Emit(_) => Ok(()),
    }
}

/// The exit code and hint of an error, from the first cause that has one.
fn classify(error: &anyhow::Error) -> (Exit, Option<String>) {
    for cause in error.chain() {
        let known: Option<&dyn Hint> = None
            .or_else(|| cause.downcast_ref::<LocateError>().map(|error| error as &dyn Hint))
            .or_else(|| cause.downcast_ref::<ExtractError>().map(|error| error as &dyn Hint))
            .or_else(|| cause.downcast_ref::<SnapshotError>().map(|error| error as &dyn Hint))
            .or_else(|| cause.downcast_ref::<StoreError>().map(|error| error as &dyn Hint))
            .or_else(|| cause.downcast_ref::<EngineError>().map(|error| error as &dyn Hint))
            .or_else(|| cause.downcast_ref::<RegistryError>().map(|error| error as &dyn Hint));
        if let Some(known) = known {
            return (known.exit(), known.hint());
        }
        if let Some(error) = cause.downcast_ref::<RenderError>() {
            let exit = if matches!(error, RenderError::Theme { .. }) { Exit::Usage } else { Exit::Unreadable };
            return (exit, error.hint());
        }
        // A file that was to be written: a report's, or one of --output.
        if let Some(lack) = cause.downcast_ref::<std::io::Error>().and_then(Lack::of) {
            return (Exit::Store, Some(lack.hint().into()));
        }
        if cause.is::<Usage>() {
            return (Exit::Usage, Some("`logicoma --help`, and `logicoma VERB --help`, say what there is".into()));
        }
        if cause.is::<Failed>() {
            return (Exit::Gate, None);
        }
    }
    (Exit::Unreadable, None)
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            // A closed pipe while printing help is no error.
            let _ = error.print();
            return ExitCode::from(code as u8);
        }
    };
    let globals = &cli.globals;
    let printer = || Printer::new(globals.color, globals.quiet, !globals.no_progress);
    trace(globals.verbose, globals.quiet);
    let errors = printer();
    let own = printer();
    match run(cli, own) {
        Ok(()) => ExitCode::from(Exit::Ok as u8),
        Err(error) if error.is::<Closed>() => ExitCode::from(Exit::Ok as u8),
        Err(error) => {
            let (exit, hint) = classify(&error);
            errors.error(&error, hint.as_deref());
            ExitCode::from(exit as u8)
        }
    }
}

fn trace(verbose: u8, quiet: bool) {
    let level = match verbose {
        _ if quiet => tracing::Level::ERROR,
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        2 => tracing::Level::DEBUG,
        _ => tracing::Level::TRACE,
    };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(format!("logicoma={level}")))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .init();
}
