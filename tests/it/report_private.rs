//! `--redact`: nothing that a person wrote survives, every number does. And hostile texts: they are shown, and do nothing.

use crate::generator::Plan;
use crate::generator::plan::DEFAULT_NOW_MS;
use crate::generator::taint::{Taint, hostile};
use crate::harness::{Place, fixture, real};
use crate::pages::{files_of, folder, is_closed, json_of, read, report_of};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const MARKER: &str = "Qz7Marker9x";

fn copied(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().flatten() {
        let target = to.join(entry.path().strip_prefix(from).expect("inside"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).expect("folder");
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// A database in a folder whose names are marked, with a marker in every field that a person or a program wrote.
fn marked(place: &Place, make: impl FnOnce(&Path)) -> (PathBuf, PathBuf) {
    let folder = place.path(MARKER);
    fs::create_dir_all(&folder).expect("folder");
    let (db, home) = (folder.join(format!("{MARKER}.db")), folder.join("home"));
    make(&db);
    copied(&fixture("home-dev"), &home);
    let taint = Taint { texts: &[MARKER.to_owned(), format!("{MARKER} --secret /etc/{MARKER}")], has_names: false };
    assert!(taint.put(&db).expect("marked") > 1_000);
    let telemetry = home.join("webshop/.opencode/telemetry");
    fs::create_dir_all(&telemetry).expect("folder");
    let event = |kind: &str, data: &str| {
        format!(
            r#"{{"v":1,"kind":"{kind}","ts":1795000000000,"id":"{kind}-{MARKER}","source":"{MARKER}","data":{{{data},"query":"{MARKER}","error":"{MARKER}","more":"{MARKER}"}}}}"#
        )
    };
    let lines = [
        event("skill", r#""skill":"standup","success":false"#),
        event("edit", &format!(r#""file":"/home/{MARKER}/a.rs","format":"str_replace","outcome":"format_error""#)),
        event("rlm", r#""run_id":"run-1","grain":"run","mode":"parallel","chunk_count":3"#),
        event("intent", &format!(r#""predicted_intent":"debug","confidence":0.7,"query_hash":"{MARKER}""#)),
        event("verification", &format!(r#""skill":"standup","iterations":2,"failed_criteria":["{MARKER}"]"#)),
        event("tool_error", r#""tool":"bash""#),
        format!("{{broken {MARKER}"),
    ];
    fs::write(telemetry.join("events.jsonl"), lines.join("\n") + "\n").expect("written");
    fs::write(telemetry.join(format!("{MARKER}.jsonl")), format!("{{\"kind\":\"{MARKER}\"}}\n")).expect("written");
    (db, home)
}

/// Files that hold the marker, in any spelling.
fn leaks(folder: &Path) -> Vec<String> {
    let needle = MARKER.to_lowercase();
    files_of(folder)
        .into_iter()
        .filter_map(|file| {
            let text = String::from_utf8_lossy(&fs::read(&file).expect("bytes")).to_lowercase();
            let at = text.find(&needle)?;
            let around: String = text[..at].chars().rev().take(90).collect::<Vec<_>>().into_iter().rev().collect();
            Some(format!("{}: …{around}{}", file.display(), text[at..].chars().take(60).collect::<String>()))
        })
        .collect()
}

/// All that is no text, with the shape around it.
fn numbers(value: &Value) -> Value {
    match value {
        Value::String(_) => Value::Null,
        Value::Array(items) => items.iter().map(numbers).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), numbers(value))).collect(),
        other => other.clone(),
    }
}

fn nothing_private_survives(make: impl FnOnce(&Path)) {
    let place = Place::new();
    // What was there before is told in a notice that names the place.
    let (db, home) = marked(&place, |db| {
        fs::copy(fixture("opencode/opencode-1.2.27.db"), db).expect("copied");
        place.on(db, &["--quiet", "extract"]).ok();
        fs::remove_file(db).expect("removed");
        make(db);
    });
    let plain = json_of(&report_of(&place, &db, &home, &[]));
    assert!(plain.to_string().contains(MARKER), "the markers are in what is not redacted");
    let told = plain["provenance"]["notices"].to_string();
    assert!(told.contains(MARKER), "a notice names the database: {told}");
    let redact = ["--redact", "--exclude-project", "no-Qz7Marker9x", "--data", "csv,parquet", "--out", "shared"];
    let out = folder(&place, &{
        let (home, map) = (home.display().to_string(), format!("/home/dev={}", home.display()));
        let args = [&["--home", &home, "--map", &map, "report", "--all"][..], &redact].concat();
        place.on(&db, &args).ok()
    });
    assert_eq!(leaks(&place.path("shared")), Vec::<String>::new());
    let shared = json_of(&out);
    for (name, rows) in plain["metrics"].as_object().expect("metrics") {
        assert_eq!(numbers(&shared["metrics"][name]), numbers(rows), "{name}: counts stay");
    }
    assert_eq!(numbers(&shared["headline"]), numbers(&plain["headline"]));
    assert_eq!(shared["findings"].as_array().map(Vec::len), plain["findings"].as_array().map(Vec::len));
    assert_eq!(numbers(&shared["provenance"]), numbers(&plain["provenance"]));
    // A name stays the same name: as many projects as there were, in the same order.
    let names = |report: &Value| -> Vec<String> {
        let rows = report["metrics"]["by_project"].as_array().expect("rows");
        rows.iter().map(|row| row["project_name"].to_string()).collect()
    };
    let (before, after) = (names(&plain), names(&shared));
    for (one, two) in (0..before.len()).flat_map(|one| (0..one).map(move |two| (one, two))) {
        assert_eq!(before[one] == before[two], after[one] == after[two], "hashes are stable and apart");
    }
    // Names of tools, skills and models can be read.
    let text = shared.to_string();
    assert!(text.contains("\"bash\"") && text.contains("\"read\""));
}

#[test]
fn no_marker_survives_in_the_real_database() {
    nothing_private_survives(|db| {
        fs::copy(real(), db).expect("copied");
    });
}

#[test]
fn no_marker_survives_in_the_generated_database() {
    nothing_private_survives(|db| {
        let plan = Plan::preset("tiny", DEFAULT_NOW_MS).expect("a plan");
        crate::generator::generate(&plan, db).expect("generated");
    });
}

#[test]
fn redacted_twice_is_the_same() {
    let texts = || {
        let place = Place::new();
        let out = report_of(&place, &real(), &fixture("home-dev"), &["--redact"]);
        read(&out.join("report.md"))
    };
    assert_eq!(texts(), texts());
}

#[test]
fn hostile_text_in_every_field_is_text() {
    let place = Place::new();
    let db = place.path("opencode.db");
    fs::copy(real(), &db).expect("copied");
    let texts = hostile();
    Taint { texts: &texts, has_names: true }.put(&db).expect("tainted");
    let out = report_of(&place, &db, &fixture("home-dev"), &[]);
    let html = read(&out.join("index.html"));
    is_closed(&html);
    assert!(html.trim_end().ends_with("</html>"));
    for part in
        ["findings", "changes", "part-spend", "part-skills", "part-edits", "part-tools", "part-trends", "part-trust"]
    {
        assert_eq!(html.matches(&format!("<section class=\"part\" id=\"{part}\"")).count(), 1, "{part}");
    }
    for tag in ["section", "article", "table", "details", "svg", "main", "figure"] {
        let (open, close) = (html.matches(&format!("<{tag}")).count(), html.matches(&format!("</{tag}>")).count());
        assert_eq!(open, close, "<{tag}> is closed as often as opened");
    }
    assert!(!html.contains("49 {% include") && html.contains("{{ 7*7 }}"), "templates in data are not run");
    assert!(html.len() < 1_500_000, "{} bytes: long texts are cut", html.len());
    let unsafe_letters = |text: &str| {
        text.chars().find(|letter| {
            (letter.is_control() && !matches!(letter, '\n')) || ('\u{202a}'..='\u{202e}').contains(letter)
        })
    };
    let markdown = read(&out.join("report.md"));
    assert_eq!(unsafe_letters(&html), None);
    assert_eq!(unsafe_letters(&markdown), None);
    let link = regex::Regex::new(r"[^\\]\]\((http|javascript)|<(script|img)").expect("a pattern");
    assert_eq!(link.find(&markdown).map(|found| found.as_str()), None);
    assert!(markdown.len() < 1_500_000);
    for file in files_of(&out).iter().filter(|file| file.extension().is_some_and(|kind| kind == "svg")) {
        let svg = read(file);
        assert!(svg.trim_end().ends_with("</svg>") && !svg.contains("<script") && unsafe_letters(&svg).is_none());
    }
    // Nothing is lost from the JSON: titles stand there whole, letter by letter.
    let json = json_of(&out);
    let database = rusqlite::Connection::open(&db).expect("opened");
    let sessions = json["metrics"]["by_session"].as_array().expect("sessions");
    assert!(!sessions.is_empty());
    for row in sessions {
        let id = row["session_id"].as_str().expect("an id");
        let title: String =
            database.query_row("select title from session where id = ?1", [id], |row| row.get(0)).expect("a title");
        assert_eq!(row["title"], title, "{id}");
    }
}
