//! Telemetry out: one valid event as one line, safe with many writers at once.
//!
//! Input: a kind and what is to be said, as JSON. Output: the event, checked against the schema, appended to a file. No
//! store is touched.

use super::discover::is_inside;
use super::event::EventKind;
use super::fields::{self, ENVELOPE};
use super::{lines, schema};
use crate::error::ExtractError;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};
use std::io::{Read, Seek, SeekFrom, Write};

/// Where events go, below the root of a project.
pub const FILE: &str = ".opencode/telemetry/events.jsonl";

/// Keys, each with the nearest known one.
pub type Unknown = Vec<(String, Option<String>)>;

/// An event that is complete and valid.
#[derive(Debug)]
pub struct Ready {
    /// The event.
    pub event: Value,
    /// Keys of `data` that the schema does not know, each with the nearest that it does.
    pub unknown: Unknown,
}

/// Completes what was given with version, time, id and source. Keys of the envelope (session_id, call_id …) may stand
/// beside the measured ones; `data` may be given as such.
///
/// # Errors
/// One sentence for each thing that is not as the schema wants it.
pub fn complete(kind: EventKind, given: Value, now: i64, id: &str) -> Result<Ready, Vec<String>> {
    let Value::Object(given) = given else {
        return Err(vec![format!("the event must be a JSON object, such as {}", example(kind))]);
    };
    let mut problems = Vec::new();
    let mut event = Map::new();
    event.insert("v".into(), json!(1));
    event.insert("kind".into(), json!(kind.name()));
    event.insert("ts".into(), json!(now));
    event.insert("id".into(), json!(id));
    let mut data = Map::new();
    for (key, value) in given {
        match (key.as_str(), value) {
            ("kind", Value::String(other)) if other == kind.name() => {}
            ("kind", other) => problems.push(format!("kind is {other} in the JSON, but {} was asked for", kind.name())),
            ("v" | "ts" | "id" | "source", value) => {
                event.insert(key.clone(), value);
            }
            ("data", Value::Object(measured)) => data.extend(measured),
            ("data", Value::Null) => {}
            ("data", other) => problems.push(format!("data is {other}: it must be an object")),
            (_, value) => match fields::find(ENVELOPE, &key) {
                Some(field) => {
                    event.insert(field.key.to_owned(), value);
                }
                None => {
                    data.insert(key.clone(), value);
                }
            },
        }
    }
    event.entry("source").or_insert_with(|| json!("jsonl"));
    let (data, unknown) = spelt(kind, data);
    event.insert("data".into(), Value::Object(data));
    let event = Value::Object(event);
    problems.extend(schema::problems(&event));
    if problems.is_empty() { Ok(Ready { event, unknown }) } else { Err(problems) }
}

/// Known values under their own names, and the keys that are not known.
fn spelt(kind: EventKind, given: Map<String, Value>) -> (Map<String, Value>, Unknown) {
    let known = fields::of(kind);
    let mut data = Map::new();
    let mut unknown = Vec::new();
    for (key, value) in given {
        match fields::find(known, &key) {
            Some(field) if !data.contains_key(field.key) => {
                data.insert(field.key.to_owned(), value);
            }
            Some(_) => {
                data.insert(key, value);
            }
            None => {
                let near = known
                    .iter()
                    .map(|field| (strsim::damerau_levenshtein(field.key, &key), field.key))
                    .min()
                    .filter(|(distance, _)| *distance <= 3)
                    .map(|(_, near)| near.to_owned());
                unknown.push((key.clone(), near));
                data.insert(key, value);
            }
        }
    }
    (data, unknown)
}

/// What an event of this kind may say.
#[must_use]
pub fn example(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Skill => r#"{"skill":"dev","duration_ms":52000,"success":true,"iterations":2}"#,
        EventKind::Edit => r#"{"file":"src/a.rs","format":"hashline","attempt_no":2,"outcome":"applied"}"#,
        EventKind::Rlm => r#"{"run_id":"r1","grain":"chunk","chunk_id":"chunk_001","tokens":1200,"duration_ms":900}"#,
        EventKind::Intent => r#"{"predicted_intent":"debug","confidence":0.9,"predicted_skills":["dev"]}"#,
        EventKind::Verification => r#"{"skill":"dev","iterations":2,"verified":true}"#,
        EventKind::ToolError => r#"{"tool":"bash","error":"command not found"}"#,
    }
}

/// The file of the project in which a folder lies: the nearest folder upwards that has `.opencode` or `.git`, else the
/// folder itself. The home directory's own `.opencode` is OpenCode's installation, no project.
#[must_use]
pub fn file_of(folder: &Utf8Path, home: Option<&Utf8Path>) -> Utf8PathBuf {
    let is_root = |candidate: &&Utf8Path| {
        candidate.join(".git").exists() || (candidate.join(".opencode").is_dir() && home != Some(*candidate))
    };
    folder.ancestors().find(is_root).unwrap_or(folder).join(FILE)
}

/// The folder of [`FILE`] in a project that a link leads out of it.
fn led_out(path: &Utf8Path) -> Option<&Utf8Path> {
    let root = path.ancestors().nth(Utf8Path::new(FILE).components().count())?;
    let mut folders = path.ancestors().skip(1).take_while(|folder| *folder != root);
    folders.find(|folder| folder.symlink_metadata().is_ok() && !is_inside(folder, root))
}

/// Appends the event as one line, by one write, while nobody else does. A file whose last line was left unfinished is
/// mended first; when the write fails, nothing of it stays. Only a plain file of events is written to: no device, no database
/// that was named by mistake, and, where the user did not name the file (`is_named`), nothing that a link points to, and
/// nothing outside of the project.
///
/// # Errors
/// The event is too large to be read again, or the file cannot be written or is no file of events.
pub fn append(path: &Utf8Path, event: &Value, is_named: bool) -> Result<(), ExtractError> {
    let io = |source| ExtractError::Io { path: path.to_owned(), source };
    let refuse = |problem: String| Err(ExtractError::Telemetry { path: path.to_owned(), problem });
    let line = event.to_string();
    if line.len() > lines::MOST_BYTES {
        return refuse(format!("would get a line of {} bytes; at most {} can be read", line.len(), lines::MOST_BYTES));
    }
    if !is_named && std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return refuse("is a link: name the file that it points to with --file".into());
    }
    if let Some(folder) = led_out(path).filter(|_| !is_named) {
        return refuse(format!(
            "is not written to, since {folder} leads out of the project: name the file with --file"
        ));
    }
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return refuse("is no plain file".into());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(io)?;
    }
    let mut file = std::fs::File::options().read(true).append(true).create(true).open(path).map_err(io)?;
    file.lock().map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut bytes = Vec::with_capacity(line.len() + 2);
    if length > 0 {
        let (mut first, mut last) = ([0_u8], [0_u8]);
        file.read_exact(&mut first).map_err(io)?;
        // An object, a blank line, or the mark of its encoding: other files are not for events.
        if !matches!(first[0], b'{' | b' ' | b'\t' | b'\r' | b'\n' | 0xef) {
            return refuse("holds no events: it was left as it is".into());
        }
        file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(io)?;
        if last != *b"\n" {
            bytes.push(b'\n');
        }
    }
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
    let failure = match file.write(&bytes) {
        Ok(written) if written == bytes.len() => return Ok(()),
        Ok(_) => std::io::Error::from(std::io::ErrorKind::StorageFull),
        Err(error) => error,
    };
    // Half a line would be a bad line for ever.
    let _ = file.set_len(length);
    Err(io(failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_sorted_into_envelope_and_data() {
        let given = json!({"sessionID": "ses_a", "callID": "c1", "model": "m", "skillName": "dev", "succes": true});
        let ready = complete(EventKind::Skill, given, 1_772_000_000_000, "e1").expect("valid");
        assert_eq!(
            ready.event,
            json!({"v": 1, "kind": "skill", "ts": 1_772_000_000_000_i64, "id": "e1", "session_id": "ses_a",
                "call_id": "c1", "model": "m", "source": "jsonl", "data": {"skill": "dev", "succes": true}})
        );
        assert_eq!(ready.unknown, [("succes".to_owned(), Some("success".to_owned()))]);
        let ready =
            complete(EventKind::Edit, json!({"ts": 1_772_000_000_001_i64, "id": "mine", "data": {"path": "a"}}), 0, "");
        assert_eq!(ready.expect("valid").event["data"], json!({"file": "a"}));
    }

    #[test]
    fn every_problem_is_told() {
        let given = json!({"kind": "edit", "ts": 17, "confidence": 90, "correct": "yes"});
        let problems = complete(EventKind::Intent, given, 0, "e").expect_err("four problems");
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(complete(EventKind::Intent, json!([]), 0, "e").is_err());
        for kind in EventKind::ALL {
            let given: Value = serde_json::from_str(example(kind)).expect("JSON");
            let ready = complete(kind, given, 1_772_000_000_000, "e").expect("the example is valid");
            assert_eq!(ready.unknown, [], "{}", kind.name());
        }
    }

    #[test]
    fn the_nearest_project_upwards_is_taken_and_never_the_home() {
        let folder = tempfile::tempdir().expect("folder");
        let home = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let deep = home.join("work/app/src/deep");
        std::fs::create_dir_all(&deep).expect("made");
        std::fs::create_dir_all(home.join(".opencode")).expect("made");
        assert_eq!(file_of(&deep, Some(home)), deep.join(FILE));
        std::fs::create_dir_all(home.join("work/.git")).expect("made");
        assert_eq!(file_of(&deep, Some(home)), home.join("work").join(FILE));
        std::fs::create_dir_all(home.join("work/app/.opencode")).expect("made");
        assert_eq!(file_of(&deep, Some(home)), home.join("work/app").join(FILE));
    }

    #[test]
    fn an_unfinished_line_is_mended() {
        let folder = tempfile::tempdir().expect("folder");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").join("new/events.jsonl");
        append(&path, &json!({"a": 1}), true).expect("appended");
        std::fs::write(&path, "{\"cut\":").expect("written");
        append(&path, &json!({"b": "x\ny"}), true).expect("appended");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "{\"cut\":\n{\"b\":\"x\\ny\"}\n");
    }
}
