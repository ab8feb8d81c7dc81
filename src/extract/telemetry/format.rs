//! What kind of telemetry a file holds, by its contents, and its reading.
//!
//! Input: a file, and a format where one is forced. Output: its events into the sink. A pickle is never read.

use super::sink::Sink;
use super::{exports, jsonl, metrics_json};
use crate::error::ExtractError;
use camino::Utf8Path;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufReader, Read};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Events, one a line (or as one JSON document).
    Jsonl,
    /// Aggregates of the telemetry logger.
    MetricsJson,
    /// Execution traces.
    Traces,
    /// Competence models.
    Competence,
    /// Routing decisions.
    Routing,
    /// Agent metrics, whose figures are invented.
    Agents,
    /// Graph memory.
    Graph,
    /// Samples of the production monitor.
    Samples,
    /// Settings and statistics of tracking: no events.
    Learning,
}

/// A larger JSON document is not read.
const MOST_BYTES: u64 = 64 << 20;

impl Format {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Jsonl,
        Self::MetricsJson,
        Self::Traces,
        Self::Competence,
        Self::Routing,
        Self::Agents,
        Self::Graph,
        Self::Samples,
        Self::Learning,
    ];

    /// As written in the store and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::MetricsJson => "metrics-json",
            Self::Traces => "traces",
            Self::Competence => "competence",
            Self::Routing => "routing",
            Self::Agents => "agents",
            Self::Graph => "graph",
            Self::Samples => "samples",
            Self::Learning => "learning",
        }
    }

    /// By its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    fn is_lines(self) -> bool {
        matches!(self, Self::Jsonl | Self::Samples)
    }
}

fn io(path: &Utf8Path) -> impl FnOnce(std::io::Error) -> ExtractError {
    let path = path.to_owned();
    move |source| ExtractError::Io { path, source }
}

fn refuse(path: &Utf8Path, problem: &str) -> ExtractError {
    ExtractError::Telemetry { path: path.to_owned(), problem: problem.to_owned() }
}

/// Reads a file into the sink and says what it was. `is_strict` refuses a file that is not known for what it is; without
/// it such a file goes into the quarantine as a whole.
///
/// # Errors
/// The file cannot be read, is a pickle, or (strict) holds something else.
pub(super) fn read(
    path: &Utf8Path,
    forced: Option<Format>,
    is_strict: bool,
    zone: &TimeZone,
    sink: &mut Sink<'_>,
) -> Result<Option<Format>, ExtractError> {
    let mut file = File::open(path).map_err(io(path))?;
    let mut head = [0_u8; 4096];
    let mut length = 0;
    while length < head.len() {
        match file.read(&mut head[length..]).map_err(io(path))? {
            0 => break,
            read => length += read,
        }
    }
    let head = &head[..length];
    if is_pickle(path, head) {
        return Err(refuse(path, "is a pickle, which can run code when it is read: it never is"));
    }
    let rest = std::io::Cursor::new(head.to_vec()).chain(file);
    if let Some(format) = forced.or_else(|| by_name(path, head)).filter(|format| format.is_lines()) {
        let mut reader = BufReader::with_capacity(1 << 16, rest);
        let read = match format {
            Format::Samples => exports::samples(&mut reader, sink),
            _ => jsonl::read(&mut reader, sink),
        };
        read.map_err(io(path))?;
        return Ok(Some(format));
    }
    let mut bytes = Vec::new();
    rest.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(io(path))?;
    let kept = |bytes: &[u8]| bytes[..bytes.len().min(1_000)].to_vec();
    let problem = if bytes.len() as u64 > MOST_BYTES {
        "file is larger than 64 MiB: not read".to_owned()
    } else {
        match serde_json::from_slice::<Value>(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)) {
            Ok(value) => match forced.or_else(|| shape(path, &value)) {
                Some(format) if take(format, &value, zone, sink) => return Ok(Some(format)),
                Some(format) => format!("file does not hold {}", format.name()),
                None => "file is JSON, but no telemetry that is known".to_owned(),
            },
            Err(error) => format!("file is not valid JSON at line {} byte {}", error.line(), error.column()),
        }
    };
    if is_strict {
        return Err(refuse(path, &problem.replacen("file ", "", 1)));
    }
    sink.bad(None, &problem, &kept(&bytes));
    Ok(None)
}

fn is_pickle(path: &Utf8Path, head: &[u8]) -> bool {
    let is_named = matches!(path.extension(), Some("pkl" | "pickle"));
    is_named || matches!(head, [0x80, protocol, ..] if *protocol <= 5)
}

/// Lines are told by the file's name or its first line.
fn by_name(path: &Utf8Path, head: &[u8]) -> Option<Format> {
    let first = head.split(|byte| *byte == b'\n').find(|line| !line.iter().all(u8::is_ascii_whitespace));
    let object = first.and_then(|line| serde_json::from_slice::<Map<String, Value>>(line).ok());
    if let Some(object) = &object {
        if object.contains_key("kind") {
            return Some(Format::Jsonl);
        }
        if object.contains_key("passed") && object.contains_key("score") {
            return Some(Format::Samples);
        }
    }
    match path.extension() {
        Some("jsonl" | "ndjson") if path.file_name() == Some("samples.jsonl") => Some(Format::Samples),
        Some("jsonl" | "ndjson") => Some(Format::Jsonl),
        _ => None,
    }
}

fn shape(path: &Utf8Path, value: &Value) -> Option<Format> {
    match value {
        Value::Object(object) => {
            let has = |key: &str| object.contains_key(key);
            Some(match () {
                () if has("kind") => Format::Jsonl,
                () if has("nodes") => Format::Graph,
                () if has("agents") && has("tasks") => Format::Agents,
                () if has("recentDecisions") || has("totalRoutings") => Format::Routing,
                () if has("trackingConfig") || has("statistics") || has("totalTraces") => Format::Learning,
                () if ["skills", "edits", "rlm", "intents"].iter().any(|key| has(key)) => Format::MetricsJson,
                () if path.file_name() == Some("learning-metrics.json") => Format::Learning,
                () => return None,
            })
        }
        Value::Array(items) => match items.first() {
            None if path.file_name() == Some("competence-models.json") => Some(Format::Competence),
            None => Some(Format::Traces),
            Some(Value::Array(_)) => Some(Format::Competence),
            Some(Value::Object(item)) if item.contains_key("skillId") => Some(Format::Traces),
            Some(Value::Object(item)) if item.contains_key("kind") => Some(Format::Jsonl),
            Some(_) => None,
        },
        _ => None,
    }
}

/// Reads a document of this format; false when it is none.
fn take(format: Format, value: &Value, zone: &TimeZone, sink: &mut Sink<'_>) -> bool {
    let needed: &[&str] = match format {
        Format::MetricsJson => &["skills", "edits", "rlm", "intents"],
        Format::Routing => &["recentDecisions", "totalRoutings"],
        Format::Agents => &["tasks"],
        Format::Graph => &["nodes"],
        _ => &[],
    };
    if !needed.is_empty() && !needed.iter().any(|key| value.get(key).is_some()) {
        return false;
    }
    match (format, value) {
        (Format::MetricsJson, Value::Object(file)) => metrics_json::read(file, zone, sink),
        (Format::Routing, Value::Object(file)) => exports::routing(file, sink),
        (Format::Agents, Value::Object(file)) => exports::agents(file, sink),
        (Format::Graph, Value::Object(file)) => exports::graph(file, sink),
        (Format::Learning, Value::Object(_)) => {}
        (Format::Traces, Value::Array(items)) => exports::traces(items, sink),
        (Format::Competence, Value::Array(items)) => exports::competence(items, sink),
        (Format::Jsonl, Value::Object(_)) => jsonl::document(std::slice::from_ref(value), sink),
        (Format::Jsonl, Value::Array(items)) => jsonl::document(items, sink),
        _ => return false,
    }
    true
}
