//! `emit`: valid events only, appended whole, by as many writers as there are.

use crate::harness::{Place, Run};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

const FILE: &str = ".opencode/telemetry/events.jsonl";

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a file");
    assert!(text.ends_with('\n'), "the last line is finished");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn an_event_is_completed_and_appended_to_the_nearest_project() {
    let place = Place::new();
    fs::create_dir_all(place.path("project/.git")).expect("made");
    fs::create_dir_all(place.path("project/src/deep")).expect("made");
    let event = r#"{"session_id":"ses_a","call_id":"call_9","model":"glm-4.7","file":"a.rs","format":"hashline","attempt_no":2,"outcome":"applied","mine":[1]}"#;
    let mut command = place.command();
    command.current_dir(place.path("project/src/deep")).args(["emit", "edit", "--json", event]);
    let run = place.output(&mut command).ok();
    assert_eq!(run.out, "", "quiet, so that a hook can call it");
    assert!(run.err.contains("'mine' is kept"), "{}", run.err);
    let found = lines(&place.path("project").join(FILE));
    assert_eq!(found.len(), 1);
    let id = found[0]["id"].as_str().expect("an id");
    assert!(id.len() > 20, "{id}");
    assert_eq!(
        found[0],
        json!({"v": 1, "kind": "edit", "ts": 1_795_348_800_000_i64, "id": id, "session_id": "ses_a", "call_id": "call_9",
            "model": "glm-4.7", "source": "jsonl", "data": {"file": "a.rs", "format": "hashline", "attempt_no": 2,
            "outcome": "applied", "mine": [1]}})
    );
    assert!(!place.path("store").exists(), "no store is touched");
}

fn from_input(place: &Place, args: &[&str], text: &str) -> Run {
    let mut command = place.command();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("started");
    child.stdin.take().expect("input").write_all(text.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("ended");
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn the_event_may_come_from_standard_input_and_its_envelope_may_be_given() {
    let place = Place::new();
    let given = r#"{"id":"mine","ts":1772000000000,"sessionID":"ses_a","data":{"iterations":4,"verified":false}}"#;
    let run = from_input(&place, &["emit", "verification", "--file", "here/events.jsonl", "--print"], given).ok();
    let event: Value = serde_json::from_str(&run.out).expect("the event");
    assert_eq!(
        event,
        json!({"v": 1, "kind": "verification", "ts": 1_772_000_000_000_i64, "id": "mine", "session_id": "ses_a",
            "source": "jsonl", "data": {"iterations": 4, "verified": false}})
    );
    assert_eq!(lines(&place.path("here/events.jsonl")), [event]);
}

#[test]
fn what_is_not_valid_is_refused_with_a_sentence_for_each_problem() {
    let place = Place::new();
    let emit = |kind: &str, json: &str| place.run(&["emit", kind, "--file", "events.jsonl", "--json", json]);
    emit("intent", r#"{"confidence":90,"correct":"yes","ts":1772000000}"#).fails(
        2,
        &[
            "ts is 1772000000: it must be 1000000000000 or more",
            "data.confidence is 90: it must be 1 or less",
            "data.correct is 'yes': it must be true or false",
        ],
    );
    emit("edit", r#"{"outcome":"done"}"#)
        .fails(2, &["data.outcome is 'done': it must be one of applied, format_error"]);
    emit("edit", r#"{"v":2}"#).fails(2, &["v is 2: it must be 1"]);
    emit("edit", r#"{"kind":"skill"}"#).fails(2, &["kind is \"skill\" in the JSON, but edit was asked for"]);
    emit("edit", "[1]").fails(2, &["must be a JSON object"]);
    emit("edit", r#"{"data":[1]}"#).fails(2, &["data is [1]: it must be an object"]);
    emit("edit", "{not json").fails(2, &["not valid JSON", "\"outcome\":\"applied\""]);
    emit("dance", "{}").fails(2, &["dance", "skill, edit, rlm, intent, verification, tool_error"]);
    let huge = format!("{{\"error\":\"{}\"}}", "x".repeat(100_000));
    emit("skill", &huge).ok();
    assert_eq!(lines(&place.path("events.jsonl")).len(), 1, "nothing of the bad ones was written");
    fs::create_dir(place.path("folder")).expect("made");
    place.run(&["emit", "skill", "--json", "{}", "--file", "folder"]).fails(4, &["folder", "hint:"]);
    from_input(&place, &["emit", "skill", "--file", "big.jsonl"], &format!("{{\"x\":\"{}\"}}", "x".repeat(5 << 20)))
        .fails(4, &["at most"]);
    assert!(!place.path("big.jsonl").exists());
}

#[test]
fn a_file_whose_last_line_is_unfinished_is_mended() {
    let place = Place::new();
    let path = place.path("events.jsonl");
    fs::write(&path, "{\"v\":1,\"kind\":\"skill\",\"ts\":1772000000000,\"id\":\"cut\",\"data\":{}}").expect("written");
    place.run(&["emit", "skill", "--json", "{\"skill\":\"dev\"}", "--file", "events.jsonl"]).ok();
    let found = lines(&path);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["id"], "cut");
}

#[test]
fn many_writers_at_once_lose_and_mix_nothing() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for writer in 0..50 {
            let place = &place;
            scope.spawn(move || {
                for round in 0..20 {
                    let event = format!(
                        "{{\"skill\":\"dev\",\"writer\":{writer},\"round\":{round},\"error\":\"{}\"}}",
                        "é".repeat(writer * 40)
                    );
                    place.run(&["-q", "emit", "skill", "--file", "events.jsonl", "--json", &event]).ok();
                }
            });
        }
    });
    let found = lines(&place.path("events.jsonl"));
    let ids: BTreeSet<&str> = found.iter().filter_map(|event| event["id"].as_str()).collect();
    let written: BTreeSet<(u64, u64)> = found
        .iter()
        .filter_map(|event| Some((event["data"]["writer"].as_u64()?, event["data"]["round"].as_u64()?)))
        .collect();
    assert_eq!((found.len(), ids.len(), written.len()), (1000, 1000, 1000));
    // And all of them can be read.
    let taken: Value =
        serde_json::from_str(&place.run(&["ingest", "events.jsonl", "--json"]).ok().out).expect("a table");
    assert_eq!(taken[0]["added_count"], 1000);
    assert_eq!(taken[0]["bad_line_count"], 0);
}

#[test]
fn the_schema_that_ships_is_the_one_that_is_printed() {
    let place = Place::new();
    let printed = place.run(&["emit", "--schema"]).ok().out;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/extract/telemetry/events.schema.json");
    assert_eq!(printed, fs::read_to_string(path).expect("schema"));
    place.run(&["emit"]).fails(2, &["KIND"]);
    assert_eq!(fs::read_dir(place.folder.path()).expect("folder").count(), 0, "nothing was written");
}

#[cfg(unix)]
#[test]
fn only_a_plain_file_of_events_is_written_to() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::new();
    fs::create_dir_all(place.path("project/.opencode/telemetry")).expect("made");
    let emit = |more: &[&str]| {
        let mut command = place.command();
        command.current_dir(place.path("project")).args(["emit", "skill", "--json", "{\"skill\":\"dev\"}"]).args(more);
        place.output(&mut command)
    };
    // A link that lay in the project: what it points to is not touched, unless the user says so.
    let (link, target) = (place.path("project").join(FILE), place.path("target.jsonl"));
    fs::write(&target, "").expect("written");
    symlink(&target, &link).expect("linked");
    emit(&[]).fails(4, &["events.jsonl", "is a link", "--file"]);
    assert_eq!(fs::read(&target).expect("read"), b"");
    emit(&["--file", link.to_str().expect("UTF-8")]).ok();
    assert_eq!(lines(&target).len(), 1);
    fs::remove_file(&link).expect("removed");
    emit(&[]).ok();
    // A folder that is linked inside of the project is an arrangement of the project's.
    fs::rename(place.path("project/.opencode/telemetry"), place.path("project/telemetry")).expect("moved");
    symlink("../telemetry", place.path("project/.opencode/telemetry")).expect("linked");
    emit(&[]).ok();
    assert_eq!(lines(&link).len(), 2);
    // One that leads out of it is not followed, nor is a link to nowhere.
    for folder in [".opencode/telemetry", ".opencode"] {
        let folder = place.path("project").join(folder);
        for target in [place.path("elsewhere"), place.path("nowhere")] {
            let _ = fs::create_dir(place.path("elsewhere"));
            let _ = fs::remove_file(&folder).or_else(|_| fs::remove_dir_all(&folder));
            symlink(target, &folder).expect("linked");
            emit(&[]).fails(4, &["leads out of the project", "--file"]);
        }
    }
    assert!(fs::read_dir(place.path("elsewhere")).expect("folder").next().is_none() && !place.path("nowhere").exists());
    // Files of others stay as they are, byte by byte.
    for (name, bytes) in
        [("opencode.db", &b"SQLite format 3\0\x10"[..]), ("notes.md", &b"# Notes"[..]), ("list.json", &b"[1]"[..])]
    {
        fs::write(place.path(name), bytes).expect("written");
        emit(&["--file", place.path(name).to_str().expect("UTF-8")]).fails(4, &["holds no events"]);
        assert_eq!(fs::read(place.path(name)).expect("read"), bytes, "{name}");
    }
    emit(&["--file", "/dev/null"]).fails(4, &["no plain file"]);
    // Where nothing may be written: an error with the path, and nothing else (root may write everywhere).
    fs::create_dir(place.path("locked")).expect("made");
    fs::set_permissions(place.path("locked"), fs::Permissions::from_mode(0o500)).expect("locked");
    if fs::write(place.path("locked/probe"), "").is_err() {
        emit(&["--file", place.path("locked/events.jsonl").to_str().expect("UTF-8")])
            .fails(4, &["locked/events.jsonl", "hint:"]);
        assert_eq!(fs::read_dir(place.path("locked")).expect("folder").count(), 0);
    }
    fs::set_permissions(place.path("locked"), fs::Permissions::from_mode(0o700)).expect("unlocked");
}
