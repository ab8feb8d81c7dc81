//! The text against the sixteen recorded outputs of the real program.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Row};

use super::super::numbers::{Filter, SessionRow, StatsNumbers, Tokens, compute, to_json};
use super::*;

const DAY_MS: i64 = 86_400_000;
/// 2026-11-22 12:00 UTC, the clock of the recording.
const NOW_MS: i64 = 1_795_348_800_000;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/opencode").join(name)
}

fn tokens_at(row: &Row<'_>, first: usize) -> rusqlite::Result<Tokens> {
    Ok(Tokens {
        input: row.get::<_, Option<i64>>(first)?.unwrap_or(0),
        output: row.get::<_, Option<i64>>(first + 1)?.unwrap_or(0),
        reasoning: row.get::<_, Option<i64>>(first + 2)?.unwrap_or(0),
        cache_read: row.get::<_, Option<i64>>(first + 3)?.unwrap_or(0),
        cache_write: row.get::<_, Option<i64>>(first + 4)?.unwrap_or(0),
    })
}

/// Reads a database of 1.18 in the order that the module `numbers` asks for.
fn read_sessions(path: &Path) -> rusqlite::Result<Vec<SessionRow>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut sessions: Vec<SessionRow> = Vec::new();
    let mut statement = connection.prepare(
        "select id, project_id, cost, time_created, time_updated, tokens_input, tokens_output, \
         tokens_reasoning, tokens_cache_read, tokens_cache_write from session order by rowid",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        index.insert(row.get(0)?, sessions.len());
        sessions.push(SessionRow {
            project_id: row.get(1)?,
            cost: row.get(2)?,
            time_created: row.get(3)?,
            time_updated: row.get(4)?,
            tokens: Some(tokens_at(row, 5)?),
            ..SessionRow::default()
        });
    }
    let mut statement = connection.prepare(
        "select session_id, data ->> '$.role', data ->> '$.providerID', data ->> '$.modelID', \
         data ->> '$.cost', data ->> '$.tokens.input', data ->> '$.tokens.output', \
         data ->> '$.tokens.reasoning', data ->> '$.tokens.cache.read', data ->> '$.tokens.cache.write' \
         from message order by time_created, id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(session) = index.get(&row.get::<_, String>(0)?).map(|at| &mut sessions[*at]) else { continue };
        session.message_count += 1;
        if row.get::<_, Option<String>>(1)?.as_deref() == Some("assistant") {
            let (provider, model): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
            let cost = row.get::<_, Option<f64>>(4)?.unwrap_or(0.0);
            session.count_model(provider.as_deref(), model.as_deref(), &tokens_at(row, 5)?, cost);
        }
    }
    let mut statement = connection.prepare(
        "select message.session_id, part.data ->> '$.tool' from part join message on message.id = part.message_id \
         where part.data ->> '$.type' = 'tool' order by message.time_created, message.id, part.id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let tool: Option<String> = row.get(1)?;
        if let (Some(at), Some(tool)) = (index.get(&row.get::<_, String>(0)?), tool) {
            sessions[*at].count_tools(&tool, 1);
        }
    }
    Ok(sessions)
}

/// Flags of `opencode stats` as the header line of a recorded run has them.
fn options_of(words: &[&str], current: &str) -> (Filter, TextOptions) {
    let mut filter = Filter { now_ms: NOW_MS, midnight_ms: NOW_MS / DAY_MS * DAY_MS, ..Filter::default() };
    let mut options = TextOptions::default();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let number = words.peek().and_then(|next| next.parse::<i32>().ok());
        match *word {
            "--models" => options.models = number.map_or(Rows::All, |count| Rows::First(count.into())),
            "--tools" => options.tools = number.map(i64::from),
            "--days" => filter.days = number.map(f64::from),
            "--project" => {
                let asked = words.peek().copied().copied().unwrap_or("''");
                filter.project = Some(if asked == "''" { current } else { asked }.to_owned());
            }
            _ => {}
        }
    }
    (filter, options)
}

#[test]
fn matches_the_sixteen_recorded_outputs() {
    let path = fixture("opencode-1.18.33.db");
    let sessions = read_sessions(&path).expect("readable fixture");
    let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("fixture");
    let recorded = std::fs::read_to_string(fixture("opencode-1.18.33.stats.txt")).expect("recorded outputs");
    let mut run_count = 0;
    for run in recorded.split("##### ").filter(|run| !run.is_empty()) {
        let (header, body) = run.split_once('\n').expect("header line");
        let cwd = header.strip_prefix("cwd=").and_then(|rest| rest.split(' ').next()).expect("cwd");
        let current: String = connection
            .query_row("select id from project where worktree = ?1", [cwd], |row| row.get(0))
            .unwrap_or_else(|_| "global".to_owned());
        let (_, flags) = header.split_once("opencode stats").expect("command");
        let (filter, options) = options_of(&flags.split_whitespace().collect::<Vec<_>>(), &current);
        let text = print_opencode(&compute(&sessions, &filter), &options);
        // The recording shows the escape sequence in letters and puts an empty line between two runs.
        let expected = body.strip_suffix('\n').expect("empty line");
        assert_eq!(text.replace(CURSOR_UP, "<ESC[1A>"), expected, "{header}");
        run_count += 1;
    }
    assert_eq!(run_count, 16);
}

#[test]
fn json_has_the_documented_keys() {
    let sessions = read_sessions(&fixture("opencode-1.18.33.db")).expect("readable fixture");
    let numbers = compute(&sessions, &Filter { now_ms: NOW_MS, ..Filter::default() });
    let json = to_json(&numbers, &numbers);
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["raw"]["sessions"], 48);
    assert_eq!(json["raw"]["days"], 39);
    assert_eq!(json["models"][0]["model"], "acme/acme-sonnet-4");
    assert_eq!(json["tools"][0]["tool"], "skill");
    let shares: f64 = numbers.tools.iter().enumerate().filter_map(|(at, _)| json["tools"][at]["share"].as_f64()).sum();
    assert!((shares - 1.0).abs() < 1e-9);
}

#[test]
fn rounds_like_javascript() {
    for (value, digits, expected) in [
        (0.125, 2, "0.13"),
        (2.25, 1, "2.3"),
        (2.35, 1, "2.4"),
        (1.005, 2, "1.00"),
        (8.345, 2, "8.35"),
        (-0.125, 2, "-0.13"),
        (-0.0, 2, "0.00"),
        (0.000_05, 4, "0.0001"),
        (0.031_25, 4, "0.0313"),
        (99.95, 1, "100.0"),
        (12.5, 1, "12.5"),
    ] {
        assert_eq!(fixed(value, digits), expected, "{value}");
    }
    assert_eq!(short(999_950.0), "1000.0K");
    assert_eq!(short(999.0), "999");
    assert_eq!(short(1_050_000.0), "1.1M");
    assert!((round(2.5) - 3.0).abs() < f64::EPSILON);
    assert_eq!(grouped(1_234_567), "1,234,567");
}

#[test]
fn large_datasets_long_names_and_odd_limits() {
    let mut row = SessionRow { project_id: "p".into(), ..SessionRow::default() };
    for tool in ["b", "12", "a_tool_with_a_very_long_name", "3"] {
        row.count_tools(tool, 1);
    }
    row.count_model(None, None, &Tokens::default(), 0.0);
    let numbers = compute(&vec![row; 1001], &Filter::default());
    let text = print_opencode(&numbers, &TextOptions { models: Rows::First(0), tools: Some(-1) });
    assert!(text.starts_with("Large dataset detected (1001 sessions). This may take a while...\n┌"));
    assert!(text.contains("│Sessions                                          1,001 │"));
    let order: Vec<usize> = [" 3 ", " 12 ", " b "].iter().filter_map(|tool| text.find(&format!("│{tool}"))).collect();
    assert!(order.len() == 3 && order.is_sorted(), "{text}");
    assert!(!text.contains("a_tool"), "the last row is left off");
    let all = print_opencode(&numbers, &TextOptions { models: Rows::All, tools: None });
    assert!(all.contains("│ a_tool_with_a_ve.. ████████████████████ 1001 (25.0%)   │"), "{all}");
    assert!(all.contains("│ undefined/undefined "));
    assert_eq!(print_opencode(&StatsNumbers::default(), &TextOptions::default()).lines().count(), 23);
}
