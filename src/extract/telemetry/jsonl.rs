//! `events.jsonl`: one event a line, in the envelope of `events.schema.json`.
//!
//! Input: a reader of lines. Output: events into the sink; a line that is none goes into the quarantine with its reason.

use super::clock;
use super::event::{Event, EventKind};
use super::fields::{self, ENVELOPE, Strictness};
use super::lines::{self, Line};
use super::sink::Sink;
use serde_json::{Map, Value};
use std::io::{self, BufRead};

/// The version of the envelope that is understood.
const VERSION: f64 = 1.0;

/// Reads all lines.
///
/// # Errors
/// As the system says.
pub(super) fn read(reader: &mut impl BufRead, sink: &mut Sink<'_>) -> io::Result<()> {
    each_line(reader, sink, |object, number, text, sink| match event(object, number, text) {
        Ok(event) => sink.event(event, text),
        Err(reason) => sink.bad(Some(number), &reason, text.as_bytes()),
    })
}

/// Events as items of one JSON document.
pub(super) fn document(items: &[Value], sink: &mut Sink<'_>) {
    for (number, item) in (1..).zip(items) {
        let text = item.to_string();
        let read = item.as_object().ok_or_else(|| "item is not an object".to_owned());
        match read.and_then(|object| event(object, number, &text)) {
            Ok(event) => sink.event(event, &text),
            Err(reason) => sink.bad(Some(number), &reason, text.as_bytes()),
        }
    }
}

/// Hands over every line that holds a JSON object, and puts the others into the quarantine; blank lines are nothing.
///
/// # Errors
/// As the system says.
pub(super) fn each_line(
    reader: &mut impl BufRead,
    sink: &mut Sink<'_>,
    mut take: impl FnMut(&Map<String, Value>, i64, &str, &mut Sink<'_>),
) -> io::Result<()> {
    let mut number = 0;
    while let Some(line) = lines::next(reader)? {
        number += 1;
        match line {
            Line::TooLong { bytes, start } => {
                let reason = format!("line of {bytes} bytes; longer than {} is no event", lines::MOST_BYTES);
                sink.bad(Some(number), &reason, &start);
            }
            Line::Whole(bytes) => {
                let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").filter(|_| number == 1).unwrap_or(&bytes);
                if bytes.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                match object(bytes) {
                    Ok((object, text)) => take(&object, number, text, sink),
                    Err(reason) => sink.bad(Some(number), &reason, bytes),
                }
            }
        }
    }
    Ok(())
}

fn object(bytes: &[u8]) -> Result<(Map<String, Value>, &str), String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("line is not valid UTF-8 at byte {}", error.valid_up_to()))?;
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok((object, text)),
        Ok(_) => Err("line is JSON but not an object".to_owned()),
        Err(error) => Err(format!("line is not valid JSON at byte {}", error.column())),
    }
}

/// One event of the envelope. `number` is its place in the file, `text` the line.
///
/// # Errors
/// Why it is none.
pub(super) fn event(object: &Map<String, Value>, number: i64, text: &str) -> Result<Event, String> {
    let kind = match object.get("kind") {
        None | Some(Value::Null) => return Err("event has no kind".to_owned()),
        Some(Value::String(name)) => EventKind::parse(&name.trim().to_lowercase())
            .ok_or_else(|| format!("kind is '{}', which is not known", name.chars().take(40).collect::<String>()))?,
        Some(_) => return Err("kind is not text".to_owned()),
    };
    let mut event = Event::new(kind, "jsonl", "explicit", number);
    match object.get("v") {
        None | Some(Value::Null) => event.problem("v is missing, read as 1"),
        Some(version) if version.as_f64() == Some(VERSION) => {}
        Some(Value::String(version)) if version == "1" => event.problem("v is text"),
        Some(version) => {
            return Err(format!(
                "v is {}, not 1: a version that is not known",
                version.to_string().chars().take(40).collect::<String>()
            ));
        }
    }
    for (key, value) in object {
        if let Some(field) = fields::find(ENVELOPE, key) {
            event.take(field, "", value, Strictness::Json);
        }
    }
    time(&mut event, object);
    match object.get("data") {
        Some(Value::Object(data)) => event.take_all("data.", data, Strictness::Json),
        None | Some(Value::Null) => event.problem("data is missing"),
        Some(_) => event.problem("data is not an object"),
    }
    match object.get("id") {
        Some(Value::String(id)) if !id.trim().is_empty() => event.set("id", id.as_str()),
        Some(Value::Number(id)) => event.set("id", id.to_string()),
        _ => {
            event.problem("id is missing");
            event.identify(&[text]);
        }
    }
    Ok(event)
}

fn time(event: &mut Event, object: &Map<String, Value>) {
    let recorded =
        ["ts", "ts_ms", "timestamp"].iter().find_map(|key| object.get(*key)).filter(|value| !value.is_null());
    match recorded.map(|value| (value, clock::moment(value, None))) {
        None => event.problem("ts is missing"),
        Some((_, None)) => event.problem("ts is no time"),
        Some((_, Some(time))) => {
            event.set("ts", time);
            if !clock::is_plausible(time) {
                event.problem(format!("ts is {time}, no time in milliseconds since 1970 between 2001 and 2100"));
            }
        }
    }
}
