//! The command line as a contract: formats and files, colours, periods, configuration, where data is looked for.

use crate::harness::{Place, Run, fixture, real};
use serde_json::Value;
use std::fs;
use std::process::Command;

/// Verbs that print a table.
const TABLES: &[&[&str]] = &[
    &["metrics", "list"],
    &["metrics", "run", "overview"],
    &["queries", "list"],
    &["schema"],
    &["schema", "steps"],
    &["skills"],
    &["skills", "--unused"],
    &["skills", "--unknown"],
    &["findings"],
    &["check"],
    &["doctor"],
    &["config"],
    &["stats"],
    &["extract"],
    &["query", "-c", "select id, time_created as seen_at, cost from session order by id"],
];

fn objects(text: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(text).expect("JSON").as_array().expect("an array of rows").clone()
}

#[test]
fn every_table_can_be_had_as_json_and_as_a_parquet_file() {
    let place = Place::measured();
    for verb in TABLES {
        let run = place.on(&real(), &[verb, &["--json"][..]].concat()).ok();
        if *verb != ["stats"] {
            assert!(objects(&run.out).iter().all(Value::is_object), "{verb:?}");
        }
        assert!(run.out.ends_with('\n') && !run.out.contains('\u{1b}'), "{verb:?}");
        let file = place.path("out.parquet");
        let name = file.display().to_string();
        let run = place.on(&real(), &[verb, &["--format", "parquet", "-o", &name][..]].concat()).ok();
        assert!(run.out.is_empty(), "{verb:?} prints and writes");
        assert!(fs::read(&file).expect("written").starts_with(b"PAR1"), "{verb:?}");
        fs::remove_file(file).expect("removed");
        place.on(&real(), &[verb, &["--format", "parquet"][..]].concat()).fails(2, &["-o FILE"]);
    }
}

#[test]
fn formats_hold_the_same_rows_and_a_file_takes_them_all() {
    let place = Place::new();
    let sql = "select title, project_id, time_updated as changed_at, cost, revert from session order by id";
    let ask = |more: &[&str]| place.on(&real(), &[&["query", "-c", sql][..], more].concat()).ok();
    let json = ask(&["--json"]);
    let rows = objects(&json.out);
    assert_eq!(rows.len(), 48);
    assert!(rows.iter().any(|row| row["revert"].is_null()) && rows[0]["changed_at"].as_str().is_some());
    let lines: Vec<Value> =
        ask(&["-f", "jsonl"]).out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines, rows);
    // CSV: full precision, NULL is empty, quotes where they are needed.
    let csv = ask(&["--format", "csv"]).out;
    assert_eq!(csv.lines().next(), Some("title,project_id,changed_at,cost,revert"));
    // As it is written: a reader of JSON may round the last bit.
    let costs = json.out.lines().filter_map(|line| line.trim().strip_prefix("\"cost\": "));
    for cost in costs.map(|cost| cost.trim_end_matches(',')).filter(|cost| cost.len() > 6) {
        assert!(csv.contains(&format!(",{cost},")), "{cost} is not in the CSV");
    }
    for (name, format) in
        [("a.json", "json"), ("a.csv", "csv"), ("a.md", "markdown"), ("a.txt", "table"), ("a.jsonl", "jsonl")]
    {
        let path = place.path(name).display().to_string();
        let run = ask(&["--format", format, "-o", &path]);
        assert!(run.out.is_empty());
        assert_eq!(fs::read_to_string(&path).expect("written"), ask(&["--format", format]).out, "{format}");
    }
    // The header stands above its columns.
    let table = ask(&[]).out;
    let header = table.lines().next().expect("a header");
    let at = header.find("project_id").expect("its column");
    assert!(
        table.lines().skip(1).all(|line| line.len() > at && !line[..at].ends_with(|letter: char| letter != ' ')),
        "{header}"
    );
    assert_eq!(objects(&ask(&["--json", "--limit", "3"]).out).len(), 3);
    let run = ask(&["--json", "--limit", "0"]);
    assert!(objects(&run.out).is_empty());
    // A folder that is not there is said, and nothing is printed instead.
    place.on(&real(), &["query", "-c", sql, "-o", "nowhere/a.csv"]).fails(4, &["nowhere/a.csv"]);
}

#[test]
fn colours_are_for_terminals_or_for_those_who_ask() {
    let place = Place::measured();
    let run = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = place.command();
        command.envs(variables.iter().copied()).arg("--db").arg(real()).args(args);
        place.output(&mut command)
    };
    let is_coloured = |run: &Run| run.out.contains("\u{1b}[");
    assert!(!is_coloured(&run(&[], &["skills"])));
    assert!(is_coloured(&run(&[("CLICOLOR_FORCE", "1")], &["skills"])));
    assert!(is_coloured(&run(&[], &["skills", "--color", "always"])));
    assert!(!is_coloured(&run(&[("NO_COLOR", "1")], &["skills"])));
    assert!(!is_coloured(&run(&[("CLICOLOR_FORCE", "1")], &["skills", "--color", "never"])));
    assert!(!is_coloured(&run(&[("CLICOLOR_FORCE", "1")], &["skills", "--json"])), "JSON has no colours");
    // Quiet: nothing but results and errors.
    let quiet = run(&[], &["skills", "-q"]);
    assert!(quiet.err.is_empty() && !quiet.out.is_empty(), "{}", quiet.err);
    let failed = run(&[], &["query", "-q", "-c", "select nothing"]);
    assert!(failed.code == 5 && failed.err.contains("error:") && failed.out.is_empty());
}

#[test]
fn periods_are_said_as_they_were_understood() {
    let place = Place::measured();
    // The clock says Sunday, 2026-11-22 12:00 UTC.
    for (args, says) in [
        (&["--since", "7d"][..], "period: 2026-11-15 to now; days of UTC"),
        (&["--since", "2w", "--until", "20261120"], "period: 2026-11-08 to 2026-11-20; days of UTC"),
        (&["--until", "2026-11-02"], "period: the beginning to 2026-11-02; days of UTC"),
        (&["--since", "20261102", "--until", "20261102"], "period: 2026-11-02; days of UTC"),
        (&["--last", "7d"], "period: 2026-11-16 to 2026-11-22, not over yet; days of UTC"),
        (&["--last", "3m"], "period: 2026-08-23 to 2026-11-22, not over yet; days of UTC"),
        (&["--week", "this"], "period: 2026-11-16 to 2026-11-22, not over yet; days of UTC"),
        (&["--week", "last"], "period: 2026-11-09 to 2026-11-15; days of UTC"),
        (&["--week", "2026-W47"], "period: 2026-11-16 to 2026-11-22, not over yet; days of UTC"),
        (&["--month", "last"], "period: 2026-10-01 to 2026-10-31; days of UTC"),
        (&["--month", "2026-11"], "period: 2026-11-01 to 2026-11-30, not over yet; days of UTC"),
        (&["--all", "-z", "Asia/Kolkata"], "period: everything recorded; days of Asia/Kolkata"),
    ] {
        let run = place.on(&real(), &[&["metrics", "run", "overview", "--no-extract"][..], args].concat()).ok();
        assert!(run.err.contains(says), "{args:?}: '{says}' is not in {}", run.err);
    }
    // The last day belongs to the period: what happened on it is in it, the day after is not.
    let count = |args: &[&str]| {
        let all = [&["metrics", "run", "overview", "--no-extract", "--json"][..], args].concat();
        objects(&place.on(&real(), &all).ok().out)[0]["messages"].as_i64().expect("a count")
    };
    let days = place.json(
        &real(),
        &[
            "query",
            "-c",
            "select cast(local_date as varchar) as day, count(*) as n from messages group by 1 order by 1",
            "--json",
        ],
    );
    for day in days.as_array().expect("days") {
        let date = day["day"].as_str().expect("a day");
        assert_eq!(count(&["--since", date, "--until", date]), day["n"].as_i64().expect("a count"), "{date}");
    }
    for (args, hint) in [
        (&["--last", "7"][..], "write 7d, 2w or 3m"),
        (&["--month", "2026-13"], "write 2026-11, this or last"),
        (&["--since", "02.11.2026"], "write 2026-11-02, 20261102"),
        (&["--week", "last", "--all"], "cannot be used with"),
        (&["--timezone", "Mars/Olympus"], "write an IANA name"),
        (&["--now", "noon"], "write 2026-11-22T12:00:00Z"),
    ] {
        place.on(&real(), &[&["metrics", "run", "overview"][..], args].concat()).fails(2, &[hint]);
    }
}

/// The program without any option of the harness.
fn bare(place: &Place) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logicoma"));
    command.env_clear().env("HOME", place.path("home")).current_dir(place.folder.path());
    command
}

fn setting(run: &Run, key: &str) -> (String, String) {
    let rows = objects(&run.out);
    let row = rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("no {key}"));
    let text = |column: &str| row[column].as_str().unwrap_or_default().to_owned();
    (text("value"), text("origin"))
}

#[test]
fn config_prints_each_value_and_where_it_came_from() {
    let place = Place::new();
    let folder = place.path("home/.config/logicoma");
    fs::create_dir_all(&folder).expect("folder");
    fs::write(folder.join("config.toml"), "timezone = 'Asia/Tokyo'\ntheme = 'section9'\n").expect("written");
    fs::write(place.path("logicoma.toml"), "timezone = 'Europe/Berlin'\nout = 'weekly'\n").expect("written");
    let run = place.output(bare(&place).args(["config", "--json"])).ok();
    assert_eq!(setting(&run, "timezone"), ("Europe/Berlin".into(), "logicoma.toml".into()));
    assert_eq!(setting(&run, "out").0, "weekly");
    let theme = setting(&run, "theme");
    assert!(theme.0 == "section9" && theme.1.ends_with(".config/logicoma/config.toml"), "{theme:?}");
    assert_eq!(setting(&run, "store").1, "default");
    let run = place.output(bare(&place).env("LOGICOMA_STORE", "/s").args(["-z", "UTC", "config", "--json"])).ok();
    assert_eq!(setting(&run, "timezone"), ("UTC".into(), "command line".into()));
    assert_eq!(setting(&run, "store"), ("/s".into(), "LOGICOMA_STORE".into()));
    fs::write(place.path("logicoma.toml"), "colour = 'red'\n").expect("written");
    place.output(bare(&place).arg("config")).fails(2, &["logicoma.toml", "unknown key 'colour'"]);
    fs::write(place.path("logicoma.toml"), "timezone = \n").expect("written");
    place.output(bare(&place).arg("config")).fails(2, &["logicoma.toml"]);
}

#[test]
fn data_is_looked_for_in_the_order_that_the_manual_says() {
    let place = Place::new();
    let old = fixture("opencode/opencode-1.2.27.db");
    let (data, other) = (place.path("xdg/opencode"), place.path("other"));
    for folder in [&data, &other, &place.path("home/.local/share/opencode")] {
        fs::create_dir_all(folder).expect("folder");
    }
    fs::copy(&old, place.path("home/.local/share/opencode/opencode.db")).expect("copied");
    fs::copy(real(), data.join("opencode-dev.db")).expect("copied");
    fs::copy(real(), other.join("opencode.db")).expect("copied");
    let sessions = |set: &dyn Fn(&mut Command)| {
        let mut command = bare(&place);
        set(&mut command);
        command.args(["--store", "store", "stats", "--json"]);
        let run = place.output(&mut command).ok();
        fs::remove_dir_all(place.path("store")).expect("removed");
        serde_json::from_str::<Value>(&run.out).expect("JSON")["raw"]["sessions"].as_i64().expect("a count")
    };
    let xdg = place.path("xdg");
    assert_eq!(sessions(&|_| {}), 6);
    assert_eq!(
        sessions(&|command| {
            command.env("XDG_DATA_HOME", &xdg);
        }),
        48
    );
    let both = format!("{},{}", other.display(), place.path("home/.local/share/opencode").display());
    assert_eq!(
        sessions(&|command| {
            command.env("OPENCODE_DATA_DIR", &both);
        }),
        54
    );
    // OpenCode's own variable: absolute, or relative to the data folder.
    assert_eq!(
        sessions(&|command| {
            command.env("OPENCODE_DATA_DIR", &both).env("OPENCODE_DB", other.join("opencode.db"));
        }),
        48
    );
    assert_eq!(
        sessions(&|command| {
            command.env("XDG_DATA_HOME", &xdg).env("OPENCODE_DB", "opencode-dev.db");
        }),
        48
    );
    assert_eq!(
        sessions(&|command| {
            command.env("OPENCODE_DB", real()).arg("--db").arg(&old);
        }),
        6
    );
    let pattern = format!("{}/*/opencode*.db", place.folder.path().display());
    assert_eq!(
        sessions(&|command| {
            command.args(["--db", &pattern]);
        }),
        48
    );
}

#[test]
fn stats_says_what_it_cannot_cut() {
    let place = Place::measured();
    place.on(&real(), &["stats", "--last", "7d"]).fails(2, &["whole sessions", "--days N"]);
    place.on(&real(), &["stats", "--model", "acme"]).fails(2, &["--project ID alone"]);
    let run = place.on(&real(), &["stats", "--models", "2", "--tools"]).ok();
    assert!(run.out.contains("without_fork_copies") && run.out.contains("cache_write") && run.out.contains("share"));
    let none = place.on(&real(), &["stats", "--project", "nobody", "--json"]).ok();
    assert_eq!(serde_json::from_str::<Value>(&none.out).expect("JSON")["raw"]["sessions"], 0);
}

#[test]
fn every_verb_explains_itself() {
    let place = Place::new();
    let help = place.run(&["--help"]).ok().out;
    let verbs: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(verbs.len() >= 13, "{verbs:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.run(&["completions", shell]).ok().out;
        for verb in &verbs {
            assert!(script.contains(verb), "{verb} is not in the completions of {shell}");
        }
    }
    let manual = place.run(&["man"]).ok().out;
    for verb in verbs {
        let text = place.run(&[verb, "--help"]).ok().out;
        assert!(text.contains("Usage:") && text.lines().next().is_some_and(|line| line.len() > 10), "{verb}");
        assert!(manual.contains(verb), "{verb} is not in the manual");
    }
    place.run(&[]).fails(2, &["Usage:"]);
}

#[test]
fn off_a_terminal_no_text_is_cut() {
    let place = Place::measured();
    let long = "x".repeat(400);
    let sql = format!("select '{long}' as text");
    let run = place.run(&["--no-extract", "query", "-c", &sql]).ok();
    assert!(run.out.contains(&long) && !run.out.contains('…'), "{}", run.out);
}
