//! `logicoma stats`: what `opencode stats` says, byte for byte with `--as-opencode`, and the fork-free truth beside it.

mod lists;
mod numbers;
mod opencode_text;

use crate::cli::Usage;
use crate::cli::context::{Context, Ready, State};
use crate::cli::format;
use crate::cli::globals::{Format, OutputArgs};
use crate::engine::Wanted;
use crate::engine::duck::Duck;
use crate::engine::table::{Table, Value};
use crate::model::period::PeriodSpec;
use camino::Utf8PathBuf;
use numbers::{Filter, SessionRow, Tokens};
use opencode_text::{Rows, TextOptions};
use std::collections::HashMap;

/// Options of `stats`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
--project takes a project's id here, as `opencode stats` does; --project '' is the project of the working directory.
`raw` counts as OpenCode does: what its database holds now, fork copies included. `distinct` counts every message once, also
those that are gone from the database and kept in the store (unless --present-only).

Examples:
  logicoma stats                             both ways of counting, side by side
  logicoma stats --days 7 --models --tools 5 with lists of models and tools
  logicoma stats --as-opencode --models      what the program itself prints
  logicoma stats --json                      for programs: raw, distinct, models, tools")]
pub struct Args {
    /// Sessions updated in the last N days; 0 = since midnight
    #[arg(long, value_name = "N")]
    days: Option<f64>,
    /// Tools to list; without a number, or with 0, all of them
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "0")]
    tools: Option<i64>,
    /// Models to list; without a number all of them
    #[arg(long, value_name = "N", num_args = 0..=1)]
    models: Option<Option<i64>>,
    /// Print exactly what `opencode stats` prints
    #[arg(long)]
    as_opencode: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the verb.
///
/// # Errors
/// No store, or more than one project is named.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    refuse(context)?;
    let mut everything = context.globals.project.clone();
    let project = match everything.len() {
        0 | 1 => everything.pop(),
        _ => return Err(Usage("stats takes one --project, by its id".into()).into()),
    };
    let ready = all_projects(context)?;
    let duck = &ready.duck;
    let project = match project.as_deref() {
        Some("") => Some(current_project(context, duck)?),
        Some(id) => Some(id.to_owned()),
        None => None,
    };
    let midnight = context.zone.to_datetime(context.now).date().to_zoned(context.zone.clone())?;
    let filter = Filter {
        days: args.days,
        project,
        now_ms: context.now.as_millisecond(),
        midnight_ms: midnight.timestamp().as_millisecond(),
    };
    let raw = numbers::compute(&sessions(duck, false)?, &filter);
    if args.as_opencode {
        let models = match args.models {
            None => Rows::Hidden,
            Some(None) => Rows::All,
            Some(Some(count)) => Rows::First(count),
        };
        let text = opencode_text::print_opencode(&raw, &TextOptions { models, tools: args.tools });
        return context.printer.raw(text.as_bytes());
    }
    let distinct = numbers::compute(&sessions(duck, true)?, &filter);
    if args.output.format() == Format::Json {
        let mut bytes = serde_json::to_vec_pretty(&numbers::to_json(&raw, &distinct))?;
        bytes.push(b'\n');
        return match &args.output.output {
            Some(path) => crate::cli::write::to_file(path, &bytes),
            None => context.printer.data(&bytes),
        };
    }
    format::print(&context.printer, &lists::beside(&raw, &distinct), &args.output)?;
    let is_for_people =
        args.output.output.is_none() && matches!(args.output.format(), Format::Table | Format::Markdown);
    let lists = [
        args.models.map(|limit| lists::models_table(&raw, limit)),
        args.tools.map(|limit| lists::tools_table(&raw, limit)),
    ];
    for list in lists.into_iter().flatten().filter(|_| is_for_people) {
        context.printer.data(b"\n")?;
        format::print(&context.printer, &list, &args.output)?;
    }
    Ok(())
}

/// `stats` counts whole sessions as OpenCode does: what cuts them in another way is not for it.
fn refuse(context: &Context) -> anyhow::Result<()> {
    let globals = &context.globals;
    let has_period = [&globals.since, &globals.until, &globals.last, &globals.week, &globals.month]
        .iter()
        .any(|given| given.is_some());
    if has_period {
        let text = "stats counts whole sessions, as `opencode stats` does: give it --days N, or ask \
                    `logicoma metrics run overview` with a period";
        return Err(Usage(text.into()).into());
    }
    let lists =
        [&globals.model, &globals.agent, &globals.exclude_project, &globals.exclude_model, &globals.exclude_agent];
    if lists.iter().any(|list| !list.is_empty()) {
        let text = "stats filters by --project ID alone: ask `logicoma metrics run overview` with other filters";
        return Err(Usage(text.into()).into());
    }
    Ok(())
}

/// The whole store: `--project` means an id here and must not filter views.
fn all_projects(context: &Context) -> anyhow::Result<Ready> {
    let mut globals = context.globals.clone();
    globals.project.clear();
    let scope = crate::engine::scope::Scope {
        project: crate::engine::scope::Filter::default(),
        ..context.scope(PeriodSpec::All)?
    };
    let registry = context.registry()?;
    let State { store, manifest, refreshed, reading } = context.state(None)?;
    let duck = {
        let wanted = Wanted::of(["raw_session raw_message raw_part raw_project mart_messages"], &registry);
        crate::cli::context::open(&store, &manifest, &registry, &wanted)?
    };
    Ok(Ready { store, manifest, registry, duck, scope, refreshed, reading })
}

/// The project whose working tree holds the working directory (by its recorded name, where `--map` knows one).
fn current_project(context: &Context, duck: &Duck) -> anyhow::Result<String> {
    let current = context.environment.current.clone().unwrap_or_default();
    let recorded = context
        .skill_places()
        .map
        .iter()
        .find_map(|(from, to)| {
            let to = to.canonicalize_utf8().unwrap_or_else(|_| to.clone());
            current.strip_prefix(&to).ok().map(|rest| from.join(rest))
        })
        .unwrap_or(current);
    let projects = duck.query("projects", "select id, worktree from raw_project", &[])?;
    let mut best: Option<(usize, String)> = None;
    for row in 0..projects.len() {
        let worktree = Utf8PathBuf::from(projects.get(row, "worktree").to_text());
        let length = worktree.as_str().len();
        if length > 1 && recorded.starts_with(&worktree) && best.as_ref().is_none_or(|(known, _)| *known < length) {
            best = Some((length, projects.get(row, "id").to_text()));
        }
    }
    Ok(best.map_or_else(|| "global".to_owned(), |(_, id)| id))
}

const SESSIONS: &str = "
select id, project_id, cost, tokens_input, tokens_output, tokens_reasoning, tokens_cache_read, tokens_cache_write,
    time_created, time_updated
from raw_session";

/// The real program knows only what its database holds now.
fn present(distinct: bool, tables: &[&str]) -> String {
    if distinct {
        return "true".to_owned();
    }
    tables.iter().map(|table| format!("{table}.last_seen_at is null")).collect::<Vec<_>>().join(" and ")
}

fn messages_sql(distinct: bool) -> String {
    let (relation, condition) = if distinct {
        (
            "raw_message as message inner join mart_messages as place on place.message_id = message.id",
            "not place.is_fork_copy and ",
        )
    } else {
        ("raw_message as message", "")
    };
    format!(
        "select message.session_id, message.role, message.provider_id, message.model_id, message.cost, message.tokens_input,
            message.tokens_output, message.tokens_reasoning, message.tokens_cache_read, message.tokens_cache_write
         from {relation}
         where {condition}message.role is not null and {}
         order by message.session_id, message.time_created, message.id",
        present(distinct, &["message"])
    )
}

fn tools_sql(distinct: bool) -> String {
    let (join, condition) = if distinct {
        ("inner join mart_messages as place on place.message_id = part.message_id", " and not place.is_fork_copy")
    } else {
        ("", "")
    };
    format!(
        "with calls as (
            select part.session_id, part.tool,
                row_number() over (partition by part.session_id order by message.time_created, message.id, part.id) as place_no
            from raw_part as part
            inner join raw_message as message on message.id = part.message_id
            {join}
            where part.type = 'tool' and part.tool is not null{condition} and {}
        )
        select session_id, tool, count(*) as call_count
        from calls
        group by session_id, tool
        order by session_id, min(place_no)",
        present(distinct, &["part", "message"])
    )
}

fn count(value: Value<'_>) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn tokens(table: &Table, row: usize) -> Tokens {
    let get = |name: &str| count(table.get(row, name));
    Tokens {
        input: get("tokens_input"),
        output: get("tokens_output"),
        reasoning: get("tokens_reasoning"),
        cache_read: get("tokens_cache_read"),
        cache_write: get("tokens_cache_write"),
    }
}

/// Sessions with the sums of what is in them, in the order in which the real program meets them.
fn sessions(duck: &Duck, distinct: bool) -> anyhow::Result<Vec<SessionRow>> {
    let sql = format!("{SESSIONS} where {} order by source, source_row, id", present(distinct, &["raw_session"]));
    let table = duck.query("stats", &sql, &[])?;
    let mut rows = Vec::with_capacity(table.len());
    let mut index = HashMap::with_capacity(table.len());
    for row in 0..table.len() {
        let recorded = table.get(row, "cost").as_f64().filter(|_| !distinct);
        index.insert(table.get(row, "id").to_text(), rows.len());
        rows.push(SessionRow {
            project_id: table.get(row, "project_id").to_text(),
            cost: recorded,
            tokens: recorded.map(|_| tokens(&table, row)),
            time_created: count(table.get(row, "time_created")),
            time_updated: count(table.get(row, "time_updated")),
            ..SessionRow::default()
        });
    }
    let messages = duck.query("stats", &messages_sql(distinct), &[])?;
    for row in 0..messages.len() {
        let Value::Text(session) = messages.get(row, "session_id") else { continue };
        let Some(session) = index.get(session).and_then(|at| rows.get_mut(*at)) else { continue };
        session.message_count += 1;
        if messages.get(row, "role") == Value::Text("assistant") {
            let name = |column: &str| match messages.get(row, column) {
                Value::Text(text) => Some(text.to_owned()),
                _ => None,
            };
            session.count_model(
                name("provider_id").as_deref(),
                name("model_id").as_deref(),
                &tokens(&messages, row),
                messages.get(row, "cost").as_f64().unwrap_or(0.0),
            );
        }
    }
    let tools = duck.query("stats", &tools_sql(distinct), &[])?;
    for row in 0..tools.len() {
        let (Value::Text(session), Value::Text(tool)) = (tools.get(row, "session_id"), tools.get(row, "tool")) else {
            continue;
        };
        let Some(session) = index.get(session).and_then(|at| rows.get_mut(*at)) else { continue };
        let call_count = u64::try_from(count(tools.get(row, "call_count"))).unwrap_or(0);
        session.count_tools(tool, call_count);
    }
    Ok(rows)
}
