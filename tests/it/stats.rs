//! `stats` against the sixteen outputs that the real program printed for the same database.

use crate::harness::{Place, fixture, real};
use std::fs;

struct Recorded {
    cwd: String,
    now: String,
    zone: String,
    args: Vec<String>,
    text: String,
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(|word| if word == "''" { String::new() } else { word.to_owned() }).collect()
}

fn recorded() -> Vec<Recorded> {
    let text = fs::read_to_string(fixture("opencode/opencode-1.18.33.stats.txt")).expect("recorded outputs");
    let mut outputs = Vec::new();
    for block in text.split("##### ").skip(1) {
        let (header, body) = block.split_once('\n').expect("a header line");
        let (about, command) = header.split_once(" : opencode stats").expect("a command");
        let field = |name: &str, stop: &str| {
            let rest = about.split_once(&format!("{name}=")).expect("a field").1;
            rest.split(stop).next().unwrap_or(rest).trim_matches('\'').to_owned()
        };
        outputs.push(Recorded {
            cwd: field("cwd", " now="),
            now: field("now", " TZ=").replace(' ', "T").replace('\'', "") + "Z",
            zone: field("TZ", " "),
            args: words(command),
            text: body.replace("<ESC[1A>", "\u{1b}[1A"),
        });
    }
    outputs
}

#[test]
fn as_opencode_is_byte_for_byte_what_the_real_program_printed() {
    let recorded = recorded();
    assert_eq!(recorded.len(), 16);
    let place = Place::new();
    place.on(&real(), &["extract"]).ok();
    for output in recorded {
        // The recorded working directories live under fixtures/home-dev now.
        let home = fixture("home-dev");
        let cwd = home.join(output.cwd.trim_start_matches("/home/dev/"));
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_logicoma"));
        command
            .env_clear()
            .env("HOME", place.path("home"))
            .current_dir(if cwd.is_dir() { cwd } else { place.folder.path().to_path_buf() })
            .arg("--store")
            .arg(place.path("store"))
            .arg("--db")
            .arg(real())
            .arg("--map")
            .arg(format!("/home/dev={}", home.display()))
            .args(["--timezone", &output.zone, "--now", &output.now, "stats", "--as-opencode"])
            .args(&output.args);
        let run = place.output(&mut command).ok();
        let trimmed = run.out.trim_end_matches('\n');
        assert_eq!(trimmed, output.text.trim_end_matches('\n'), "stats {:?}", output.args);
    }
}

#[test]
fn distinct_totals_leave_the_copies_of_forks_out() {
    let place = Place::new();
    let stats = place.json(&real(), &["stats", "--json"]);
    let cost = |side: &str| stats[side]["cost"].as_f64().expect("a cost");
    assert!((cost("raw") - 1.09733).abs() < 1e-9, "{}", cost("raw"));
    assert!((cost("distinct") - 1.069_812_5).abs() < 1e-9, "{}", cost("distinct"));
    assert_eq!(stats["schema_version"], 1);
    assert_eq!(stats["raw"]["messages"], 193);
    assert_eq!(stats["distinct"]["messages"], 189);
    assert_eq!(stats["raw"]["sessions"], 48);
    assert_eq!(stats["tools"][0]["tool"], "skill");
    assert_eq!(stats["tools"][0]["count"], 22);
}

#[test]
fn a_database_without_session_totals_sums_its_messages() {
    let place = Place::new();
    let stats = place.json(&fixture("opencode/opencode-1.2.27.db"), &["stats", "--json"]);
    assert_eq!(stats["raw"]["sessions"], 6);
    let cost = |side: &str| stats[side]["cost"].as_f64().expect("a cost");
    assert!((cost("raw") - 0.105_948_5).abs() < 1e-9, "{}", cost("raw"));
    // One of its sessions is a fork.
    assert!((cost("distinct") - 0.096_935_5).abs() < 1e-9, "{}", cost("distinct"));
}
