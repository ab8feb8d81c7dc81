//! `report`: the main job, on the demo, the real database and hostile text.

use crate::harness::{Place, Run, fixture, real};
use crate::pages::{folder, is_closed, read};
use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

#[test]
fn the_demo_needs_nothing_and_is_the_same_twice() {
    let first = Place::new();
    let second = Place::new();
    let folders: Vec<PathBuf> =
        [&first, &second].iter().map(|place| folder(place, &place.run(&["report", "--demo"]).ok())).collect();
    let mut files: Vec<_> =
        fs::read_dir(&folders[0]).expect("folder").flatten().map(|entry| entry.file_name()).collect();
    files.sort();
    assert!(files.iter().any(|name| name == "index.html") && files.iter().any(|name| name == "report.md"), "{files:?}");
    for file in &files {
        assert_eq!(
            fs::read(folders[0].join(file)).expect("first"),
            fs::read(folders[1].join(file)).expect("second"),
            "{file:?}"
        );
    }
    is_closed(&read(&folders[0].join("index.html")));
    let json: Value = serde_json::from_str(&read(&folders[0].join("report.json"))).expect("JSON");
    assert_eq!(json["schema_version"], 1);
    assert!(json["metrics"]["overview"][0]["sessions"].as_i64().expect("sessions") > 5);
    // Something of every part is in it.
    let families = [
        &["daily", "by_model", "by_project", "by_agent", "subagents", "by_session", "hours"][..],
        &["skill_usage", "skill_unused", "skill_unknown", "skill_transitions", "skill_pairs", "skill_outcomes"],
        &["edit_success", "edit_attempts", "edit_failures", "edit_files"],
        &["loops", "verdicts", "retries", "checks"],
        &["intent_confusion", "intent_scores", "intent_calibration", "intent_escalation", "rlm_runs", "rlm_modes"],
        &["tool_usage", "tool_errors", "by_tool", "slowest_calls"],
        &["weekly", "change_points"],
        &["coverage", "quarantine", "telemetry", "freshness", "schema"],
    ];
    for metric in families.concat() {
        assert!(
            json["metrics"][metric].as_array().is_some_and(|rows| !rows.is_empty()),
            "{metric} is empty in the demo"
        );
    }
    assert!(json["changes"]["cost"]["before"].as_f64().is_some_and(|cost| cost > 0.0));
    // A finding says the same everywhere, its numbers with separators.
    let findings = json["findings"].as_array().expect("findings");
    assert!(findings.len() > 5, "{} findings", findings.len());
    let (html, markdown) = (read(&folders[0].join("index.html")), read(&folders[0].join("report.md")));
    let ungrouped = regex::Regex::new(r"(?:^|[ ($])\d{4,}(?:[ ,;.)]|$)").expect("a pattern");
    for finding in findings {
        for part in ["sentence", "evidence"] {
            let text = finding[part].as_str().expect("a text");
            assert!(!ungrouped.is_match(text), "{text}");
        }
    }
    let sentences = findings.iter().filter_map(|finding| finding["sentence"].as_str());
    let large = regex::Regex::new(r"\d+,\d{3}[^;.]*").expect("a pattern");
    let grouped: Vec<&str> = sentences.filter_map(|text| Some(large.find(text)?.as_str())).collect();
    assert!(!grouped.is_empty(), "large numbers are told");
    for number in grouped {
        assert!(html.contains(number) && markdown.contains(number), "{number}");
    }
}

#[test]
fn the_real_database_gives_a_report_whose_numbers_agree_everywhere() {
    let place = Place::new();
    let home = fixture("home-dev").display().to_string();
    let map = format!("/home/dev={home}");
    let places = ["--home", &home, "--map", &map];
    let with = |more: &[&str]| -> Vec<String> { places.iter().chain(more).map(|word| (*word).to_owned()).collect() };
    let run = |more: &[&str]| {
        let args = with(more);
        place.on(&real(), &args.iter().map(String::as_str).collect::<Vec<_>>()).ok()
    };
    let folder = folder(&place, &run(&["report", "--all", "--out", "out"]));
    assert!(folder.ends_with("out/all"));
    let json: Value = serde_json::from_str(&read(&folder.join("report.json"))).expect("JSON");
    for metric in ["overview", "by_model", "tool_usage", "skill_usage", "skill_unused", "weekly"] {
        let measured: Value = serde_json::from_str(&run(&["metrics", "run", metric, "--json"]).out).expect("JSON");
        assert_eq!(json["metrics"][metric], measured, "{metric}");
    }
    assert_eq!(json["period"]["name"], "all");
    assert_eq!(json["period"]["timezone"], "UTC");
    let html = read(&folder.join("index.html"));
    is_closed(&html);
    for text in [&html, &read(&folder.join("report.md"))] {
        assert!(text.contains("$1.07"), "the fork-free cost is on the page");
        assert!(text.contains("pr-review") && text.contains("legacy-checkout"));
    }
}

#[test]
fn a_hostile_title_is_text() {
    let place = Place::new();
    let db = place.path("opencode.db");
    fs::copy(real(), &db).expect("copied");
    let hostile = "<script>alert(1)</script>{{ 7*7 }}{% raw %}\" onclick=\"x\u{202e}\u{1b}[2J|`|\n# H";
    let database = Connection::open(&db).expect("opened");
    database.execute("update session set title = ?1, directory = ?1", [hostile]).expect("planted");
    database
        .execute("update part set data = replace(data, '\"tool\":\"bash\"', '\"tool\":\"<b onmouseover=x>\"')", [])
        .expect("planted");
    drop(database);
    let folder = folder(&place, &place.on(&db, &["report", "--all", "--out", "out"]).ok());
    let html = read(&folder.join("index.html"));
    is_closed(&html);
    assert!(html.contains("&lt;script&gt;alert(1)"), "the title is shown as text");
    assert!(!html.contains("<b onmouseover"), "the tool's name is shown as text");
    assert!(!html.contains("49{% raw"), "template syntax in data is not run");
    let markdown = read(&folder.join("report.md"));
    assert!(!markdown.contains("<script>"));
    assert!(!markdown.lines().any(|line| line == "# H"));
    let json: Value = serde_json::from_str(&read(&folder.join("report.json"))).expect("JSON");
    assert!(json.to_string().contains("alert(1)"));
}

#[test]
fn an_empty_period_and_an_empty_database_give_a_page_that_says_so() {
    let place = Place::new();
    let folder_of = |run: Run| folder(&place, &run);
    let quiet = folder_of(place.on(&real(), &["report", "--week", "2026-W02", "--out", "out"]).ok());
    assert!(quiet.ends_with("out/2026-W02"));
    is_closed(&read(&quiet.join("index.html")));
    let db = place.path("empty.db");
    let database = Connection::open(&db).expect("opened");
    database.execute_batch(&read(&fixture("opencode/schema-1.18.33.sql"))).expect("made");
    drop(database);
    let empty = folder_of(place.on(&db, &["report", "--out", "out2"]).ok());
    let json: Value = serde_json::from_str(&read(&empty.join("report.json"))).expect("JSON");
    assert_eq!(json["metrics"]["overview"][0]["sessions"], 0);
}

#[test]
fn one_failing_metric_is_one_red_card() {
    let place = Place::new();
    fs::create_dir_all(place.path("queries/metrics/usage")).expect("folder");
    let header = "-- metric:    broken\n-- title:     Broken\n-- grain:     one row\n-- units:     none\n-- sources:   steps\n\
                  -- evidence:  observed\n-- better:    neutral\n-- chart:     none\n--\n-- It fails on purpose.\n";
    fs::write(place.path("queries/metrics/usage/broken.sql"), format!("{header}select no_such_column from steps\n"))
        .expect("written");
    let run = place.on(&real(), &["report", "--all", "--out", "out"]).ok();
    assert!(run.err.contains("no_such_column"), "{}", run.err);
    let html = read(&folder(&place, &run).join("index.html"));
    assert!(html.contains("no_such_column") && html.contains("$1.07"));
    place.on(&real(), &["metrics", "run", "broken"]).fails(5, &["broken.sql", "no_such_column"]);
}

#[test]
fn a_wrong_header_is_named_with_file_and_line() {
    for (header, line, says) in [
        ("-- metric:    mine\n-- titel:     Mine\n--\n-- Prose.\n", 2, "unknown key 'titel'"),
        ("-- metric:    other\n", 1, "is missing"),
        ("-- metric:    mine\n-- title:     A\n-- title:     B\n", 3, "stands already on line 2"),
    ] {
        let place = Place::new();
        fs::create_dir_all(place.path("queries/metrics/usage")).expect("folder");
        fs::write(place.path("queries/metrics/usage/mine.sql"), format!("{header}select 1 as one\n")).expect("written");
        place.on(&real(), &["metrics", "list"]).fails(2, &[&format!("mine.sql:{line}: "), says]);
    }
}

#[test]
fn a_report_that_cannot_be_written_leaves_the_old_one() {
    let place = Place::new();
    fs::write(place.path("file"), "not a folder").expect("written");
    place.on(&real(), &["report", "--all", "--out", "file/out"]).fails(6, &["file/out", "hint:"]);
    let run = place.on(&real(), &["report", "--all", "--out", "out", "--theme", "no-such-theme"]);
    assert_ne!(run.code, 0);
    assert!(!place.path("out/all").exists());
}
