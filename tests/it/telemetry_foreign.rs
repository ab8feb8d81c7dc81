//! Telemetry of others: what a link of a project leads to outside of it, and what another writer of the store keeps.

use crate::harness::{Place, Run, real};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

fn event(id: &str) -> String {
    json!({"v": 1, "kind": "skill", "ts": 1_792_000_000_000_i64, "id": id, "data": {"skill": "dev"}}).to_string()
}

/// Runs the program on the real database, whose projects lie below `dev` now.
fn run(place: &Place, args: &[&str]) -> Run {
    let map = format!("/home/dev={}", place.path("dev").display());
    place.on(&real(), &[&["--map", &map], args].concat())
}

fn ids(place: &Place) -> Value {
    let asked = run(place, &["--no-extract", "query", "-c", "select id from raw_telemetry order by id", "--json"]).ok();
    serde_json::from_str(&asked.out).expect("JSON")
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
}

/// The `.opencode` of a project.
fn own(place: &Place) -> PathBuf {
    place.path("dev/webshop/.opencode")
}

#[test]
fn no_link_is_followed_out_of_a_project() {
    let place = Place::new();
    let (own, outside) = (own(&place), place.path("outside"));
    put(&own.join("telemetry/events.jsonl"), &event("mine"));
    let names = ["secret.jsonl", "metrics.json", "graph.json", "execution-traces.json", "telemetry/secret.jsonl"];
    for name in names {
        put(&outside.join(name), &format!("{}\nhush", event("theirs")));
    }
    symlink(outside.join("secret.jsonl"), own.join("telemetry/passwd.jsonl")).expect("linked");
    symlink(&outside, own.join("memory")).expect("linked");
    symlink(&outside, own.join("exports")).expect("linked");
    // Inside of the project a link is a file like any other.
    put(&place.path("dev/webshop/inside.jsonl"), &event("in"));
    symlink("../../inside.jsonl", own.join("telemetry/inside.jsonl")).expect("linked");
    let said = run(&place, &["extract"]).ok().err;
    for name in ["telemetry/passwd.jsonl", "memory/graph.json", "exports/execution-traces.json"] {
        assert!(said.contains(name) && said.contains("leads out of"), "{name}: {said}");
    }
    assert_eq!(ids(&place), json!([{"id": "in"}, {"id": "mine"}]));
    // A linked folder of telemetry, and a linked `.opencode`.
    for folder in [own.join("telemetry"), own.clone()] {
        fs::remove_dir_all(&folder).expect("removed");
        symlink(&outside, &folder).expect("linked");
        let said = run(&place, &["extract"]).ok().err;
        assert!(said.contains("secret.jsonl") && said.contains("leads out of"), "{said}");
        assert_eq!(ids(&place), json!([{"id": "in"}, {"id": "mine"}]));
        fs::remove_file(&folder).expect("removed");
    }
    let bad = run(
        &place,
        &[
            "--no-extract",
            "query",
            "-c",
            "select count(*) as n from quarantine where table_name = 'telemetry'",
            "--json",
        ],
    );
    assert_eq!(bad.ok().out.split_whitespace().collect::<String>(), "[{\"n\":0}]");
    // Whoever names it, wants it.
    let link = place.path("named.jsonl");
    symlink(outside.join("secret.jsonl"), &link).expect("linked");
    run(&place, &["ingest", link.to_str().expect("UTF-8")]).ok();
    assert_eq!(ids(&place).as_array().expect("rows").len(), 3);
}

#[test]
fn a_second_writer_takes_nothing_of_the_firsts() {
    let place = Place::new();
    put(&own(&place).join("telemetry/events.jsonl"), &format!("{}\nbroken\n", event("a")));
    run(&place, &["extract", "--source", "m1"]).ok();
    fs::remove_dir_all(own(&place)).expect("removed");
    let db = place.path("other.db");
    fs::copy(real(), &db).expect("copied");
    let second = |args: &[&str]| place.on(&db, args).ok();
    assert!(!second(&["extract", "--source", "m2"]).err.contains("carried over"));
    // What the first has is its own: nothing doubles when both go on.
    second(&["extract", "--source", "m2", "--full"]);
    put(&own(&place).join("telemetry/events.jsonl"), &format!("{}\nbroken\n{}\n", event("a"), event("b")));
    run(&place, &["extract", "--source", "m1"]).ok();
    assert_eq!(ids(&place), json!([{"id": "a"}, {"id": "b"}]));
    let manifest = fs::read_to_string(place.path("store/manifest-m2.json")).expect("read");
    assert!(!manifest.contains("\"telemetry/") && !manifest.contains("events.jsonl"), "{manifest}");
}
