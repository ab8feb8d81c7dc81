//! What people and programs see of the real database, verb by verb, against files under `fixtures/golden/`.
//! `LOGICOMA_BLESS=1 cargo test --release --test it golden` writes them anew; read the difference before committing it.

use crate::harness::{Place, fixture, real};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// File and arguments. A family's tables stand in one file.
const CASES: &[(&str, &[&str])] = &[
    ("stats.txt", &["stats"]),
    ("stats.json", &["stats", "--json"]),
    ("stats-as-opencode.txt", &["stats", "--as-opencode", "--models", "--days", "30"]),
    ("skills.txt", &["skills"]),
    ("skills.json", &["skills", "--json"]),
    ("skills-unused.txt", &["skills", "--unused"]),
    ("skills-unknown.md", &["skills", "--unknown", "--format", "markdown"]),
    ("overview.json", &["metrics", "run", "overview", "--json"]),
    ("tool_usage.csv", &["metrics", "run", "tool_usage", "--format", "csv"]),
    ("tool_errors.jsonl", &["metrics", "run", "tool_errors", "--format", "jsonl"]),
    ("family-usage.txt", &["metrics", "run", "usage"]),
    ("family-tools.txt", &["metrics", "run", "tools"]),
    ("family-tokens.txt", &["metrics", "run", "tokens"]),
    ("family-skills.txt", &["metrics", "run", "skills"]),
    ("family-edits.txt", &["metrics", "run", "edits"]),
    ("family-verification.txt", &["metrics", "run", "verification"]),
    ("family-trends.txt", &["metrics", "run", "trends"]),
    ("family-health.txt", &["metrics", "run", "health"]),
    ("metrics-list.txt", &["metrics", "list"]),
    ("queries-list.txt", &["queries"]),
    ("schema.txt", &["schema"]),
    ("schema-part.txt", &["schema", "raw_part"]),
    ("findings.txt", &["findings"]),
    ("findings.json", &["findings", "--json"]),
    ("check.txt", &["check"]),
    ("doctor.txt", &["doctor"]),
    ("config.txt", &["config"]),
    ("help.txt", &["--help"]),
];

/// The skill folders of the real database at a place of the test's own, changed at a known time.
fn skill_folders(place: &Place) -> PathBuf {
    let home = place.path("dev");
    let changed = UNIX_EPOCH + Duration::from_secs(1_793_000_000);
    let mut folders = vec![(fixture("home-dev"), home.clone())];
    while let Some((from, to)) = folders.pop() {
        fs::create_dir_all(&to).expect("folder");
        for entry in fs::read_dir(&from).expect("folder").flatten() {
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push((entry.path(), target));
            } else {
                fs::write(&target, fs::read(entry.path()).expect("read")).expect("written");
                fs::File::options().write(true).open(&target).and_then(|file| file.set_modified(changed)).expect("set");
            }
        }
    }
    home
}

/// Places and versions of this machine and build by words.
fn normal(place: &Place, text: &str) -> String {
    let text = text
        .replace(&place.folder.path().display().to_string(), "<place>")
        .replace(env!("CARGO_PKG_VERSION"), "<version>");
    // The stamp covers every query's text: it changes with each of them, and says nothing that a reader sees.
    match text.split_once("<!-- logicoma-stamp") {
        Some((before, _)) => format!("{before}<!-- logicoma-stamp -->\n"),
        None => text,
    }
}

fn is_blessing() -> bool {
    std::env::var_os("LOGICOMA_BLESS").is_some_and(|value| value == "1")
}

/// The first line that differs, with what was expected.
fn first_difference(golden: &str, seen: &str) -> String {
    let lines = golden.lines().chain(std::iter::once("(end)")).zip(seen.lines().chain(std::iter::once("(end)")));
    lines
        .enumerate()
        .find(|(_, (golden, seen))| golden != seen)
        .map_or_else(String::new, |(at, (golden, seen))| format!("line {}:\n  - {golden}\n  + {seen}", at + 1))
}

fn hold(name: &str, seen: &str, wrong: &mut Vec<String>) {
    let path = fixture("golden").join(name);
    if is_blessing() {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("folder");
        fs::write(&path, seen).expect("written");
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    if golden != seen {
        wrong.push(format!("{name}, {}", first_difference(&golden, seen)));
    }
}

#[test]
fn golden_output_is_what_it_was() {
    // Columns are as wide as the paths in them, so these stand at a place of the same length on every machine.
    let place = Place { folder: tempfile::Builder::new().tempdir_in("/tmp").expect("temporary folder") };
    let db = place.path("opencode-1.18.33.db");
    fs::copy(real(), &db).expect("copied");
    let home = skill_folders(&place).display().to_string();
    let map = format!("/home/dev={home}");
    let mut wrong = Vec::new();
    for (name, args) in CASES {
        let all = [&["--home", &home, "--map", &map], *args].concat();
        let run = place.on(&db, &all).ok();
        hold(name, &normal(&place, &run.out), &mut wrong);
    }
    let report = ["--home", &home, "--map", &map, "report", "--all", "--format", "markdown", "--out", "reports"];
    place.on(&db, &report).ok();
    let text = fs::read_to_string(place.path("reports/all/report.md")).expect("a report");
    hold("report.md", &normal(&place, &text), &mut wrong);
    assert!(wrong.is_empty(), "LOGICOMA_BLESS=1 writes them anew\n{}", wrong.join("\n"));
}
