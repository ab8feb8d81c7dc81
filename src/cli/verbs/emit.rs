//! `logicoma emit`: append one telemetry event, so that skills, hooks and scripts can record what OpenCode does not.
//!
//! It opens neither a store nor a database and reads no configuration: a hook calls it after every tool.

use crate::cli::Usage;
use crate::cli::environment::Start;
use crate::cli::globals::Globals;
use crate::cli::printer::Printer;
use crate::extract::telemetry::{EventKind, emit, schema};
use anyhow::Context as _;
use camino::Utf8PathBuf;
use clap::builder::PossibleValuesParser;
use std::io::{IsTerminal, Read};

const EXAMPLES: &str = "\
Keys of the envelope (session_id, message_id, part_id, call_id, agent, provider, model, ts, id) may stand beside the measured
values. With part_id, or session_id and call_id, the event joins the part of OpenCode's database; what it says then counts
instead of what would be inferred. null, or a key left out, means not known.

Examples:
  logicoma emit verification --json '{\"session_id\":\"ses_…\",\"skill\":\"dev\",\"iterations\":2,\"verified\":true}'
  logicoma emit intent --json '{\"predicted_intent\":\"debug\",\"confidence\":0.9,\"predicted_skills\":[\"dev\"]}'
  my-script | logicoma emit rlm
  logicoma emit --schema                     the format as JSON Schema";

/// Options of `emit`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What the event tells of
    #[arg(value_name = "KIND", required_unless_present = "schema",
        value_parser = PossibleValuesParser::new(EventKind::ALL.map(EventKind::name)))]
    kind: Option<String>,
    /// What it says, as a JSON object [default: standard input]
    #[arg(long, value_name = "JSON")]
    json: Option<String>,
    /// File to append to [default: .opencode/telemetry/events.jsonl in the nearest project upwards]
    #[arg(long, value_name = "PATH")]
    file: Option<Utf8PathBuf>,
    /// Print the event on standard output, too
    #[arg(long)]
    print: bool,
    /// Print the format of events as JSON Schema, and append nothing
    #[arg(long, conflicts_with_all = ["json", "file", "print", "kind"])]
    schema: bool,
}

/// Runs the verb.
///
/// # Errors
/// The event is not valid, or the file cannot be written.
pub fn run(globals: &Globals, printer: &Printer, args: &Args) -> anyhow::Result<()> {
    let Some(kind) = args.kind.as_deref().and_then(EventKind::parse).filter(|_| !args.schema) else {
        return printer.raw(schema::TEXT.as_bytes());
    };
    let start = Start::read();
    let now = match globals.now.as_deref() {
        Some(text) => text
            .parse::<jiff::Timestamp>()
            .map_err(|_| Usage(format!("--now '{text}' is not RFC 3339: write 2026-11-22T12:00:00Z")))?,
        None => start.now,
    };
    let text = match args.json.as_deref() {
        Some(text) if text != "-" => text.to_owned(),
        _ => from_input(kind)?,
    };
    let given = serde_json::from_str(&text)
        .map_err(|error| Usage(format!("the event is not valid JSON: {error}; write {}", emit::example(kind))))?;
    let ready = emit::complete(kind, given, now.as_millisecond(), &start.unique_id())
        .map_err(|problems| Usage(format!("this is no valid {} event: {}", kind.name(), problems.join("; "))))?;
    for (key, near) in &ready.unknown {
        let near = near.as_ref().map(|near| format!(" (did you mean '{near}'?)")).unwrap_or_default();
        printer.warn(&format!("'{key}' is kept, but {} events have no such value{near}", kind.name()));
    }
    let file = match (&args.file, &start.current) {
        (Some(file), _) => file.clone(),
        (None, Some(current)) => emit::file_of(current, start.home.as_deref()),
        (None, None) => return Err(Usage("the working directory is not known: name a file with --file".into()).into()),
    };
    emit::append(&file, &ready.event, args.file.is_some())?;
    if args.print {
        printer.raw(format!("{}\n", ready.event).as_bytes())?;
    }
    Ok(())
}

fn from_input(kind: EventKind) -> anyhow::Result<String> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        return Err(Usage(format!("give the event with --json '{}', or on standard input", emit::example(kind))).into());
    }
    let mut text = String::new();
    input.read_to_string(&mut text).context("cannot read standard input")?;
    Ok(text)
}
