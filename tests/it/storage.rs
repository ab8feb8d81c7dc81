//! The JSON files of OpenCode before 1.2.0, in both layouts: what they say is what the database says into which the real
//! program moved the same sessions.

use crate::harness::{Place, copy_folder, fixture};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

fn database() -> PathBuf {
    fixture("opencode/opencode-1.2.27.db")
}

fn ask(place: &Place, db: &Path, sql: &str) -> Value {
    place.json(db, &["query", "-c", sql, "--json"])
}

/// A data folder with both layouts.
fn data_folder(place: &Place) -> PathBuf {
    let folder = place.path("data");
    copy_folder(&fixture("storage/new"), &folder);
    copy_folder(&fixture("storage/old"), &folder);
    folder
}

/// The session file of a title.
fn file_of(folder: &Path, title: &str) -> PathBuf {
    let mut found = crate::harness::tree(folder).into_iter().filter(|path| path.contains("/ses_")).filter(|path| {
        fs::read_to_string(folder.join(path)).is_ok_and(|text| text.contains(&format!("\"title\": \"{title}\"")))
    });
    folder.join(found.next().expect("a session"))
}

#[test]
fn both_layouts_say_what_the_database_says() {
    let (json_place, db_place) = (Place::new(), Place::new());
    let folder = data_folder(&json_place);
    for sql in [
        "select id, parent_id, title, version, time_created, time_updated, directory from session order by id",
        "select id, session_id, time_created, json_extract(data, '$.role') as role, json_extract(data, '$.cost') as cost,
            json_extract(data, '$.modelID') as model from message order by id",
        "select id, message_id, session_id, json_extract(data, '$.type') as type, json_extract(data, '$.state.output') as output
            from part order by id",
    ] {
        let (ours, theirs) = (ask(&json_place, &folder, sql), ask(&db_place, &database(), sql));
        assert!(theirs.as_array().is_some_and(|rows| rows.len() >= 6));
        assert_eq!(ours, theirs);
    }
    for metric in ["tool_usage", "skill_usage", "by_model", "edit_success"] {
        let args = ["metrics", "run", metric, "--all", "--json"];
        let (ours, theirs) = (json_place.json(&folder, &args), db_place.json(&database(), &args));
        assert!(!theirs.as_array().expect("rows").is_empty(), "{metric}");
        assert_eq!(ours, theirs, "{metric}");
    }
    // No index and no object's own ids in the data, as in the database.
    let ids = "select count(*) as n from part where json_extract(data, '$.sessionID') is not null";
    assert_eq!(ask(&json_place, &folder, ids)[0]["n"], 0);
    let todos = ask(&json_place, &folder, "select content, status from todo order by position");
    assert_eq!(todos[1], json!({"content": "Run it", "status": "pending"}));
    let sources = ask(&json_place, &folder, "select distinct source from raw_session");
    assert_eq!(sources, json!([{"source": "storage"}]));
    // The older layout knows neither project nor directory: its messages do.
    let projects = ask(&json_place, &folder, "select worktree from project order by worktree");
    assert_eq!(projects, json!([{"worktree": "/home/dev/courier-api"}, {"worktree": "/home/dev/webshop"}]));
}

#[test]
fn a_storage_folder_can_be_named_itself_and_is_found_beside_the_databases() {
    let place = Place::new();
    let folder = data_folder(&place);
    let count = "select count(*) as n from session";
    assert_eq!(ask(&place, &folder.join("storage"), count)[0]["n"], 4);
    let place = Place::new();
    let folder = place.path("home/.local/share/opencode");
    copy_folder(&fixture("storage/new"), &folder);
    let run = place.run(&["query", "-c", count, "--json"]).ok();
    assert!(run.out.contains('4'), "{}", run.out);
    fs::copy(crate::harness::real(), folder.join("opencode.db")).expect("copied");
    let run = place.run(&[
        "query",
        "-c",
        "select source, count(*) as n from raw_session group by source order by source",
        "--json",
    ]);
    let rows: Value = serde_json::from_str(&run.ok().out).expect("JSON");
    assert_eq!(rows, json!([{"source": "opencode", "n": 48}, {"source": "storage", "n": 4}]));
}

#[test]
fn leftovers_of_a_migration_are_one_with_the_database_by_id() {
    let place = Place::new();
    let folder = data_folder(&place);
    fs::copy(database(), folder.join("opencode.db")).expect("copied");
    let rows = ask(&place, &folder, "select source, count(*) as n from raw_session group by source order by source");
    assert_eq!(rows, json!([{"source": "opencode", "n": 6}]), "the database wins");
    for table in ["message", "part"] {
        let counted = ask(&place, &folder, &format!("select count(*) as n, count(distinct id) as ids from {table}"));
        assert_eq!(counted[0]["n"], counted[0]["ids"], "{table}");
    }
    // Unless it is older.
    let file = file_of(&folder, "Old: migration skill");
    let mut session: Value = serde_json::from_slice(&fs::read(&file).expect("read")).expect("JSON");
    session["title"] = json!("Carried on");
    session["time"]["updated"] = json!(1_772_999_999_999_i64);
    fs::write(&file, session.to_string()).expect("written");
    let rows = ask(
        &place,
        &folder,
        "select title, source from raw_session where title in ('Old: migration skill', 'Carried on')",
    );
    assert_eq!(rows, json!([{"title": "Carried on", "source": "storage"}]));
}

#[test]
fn a_data_folder_without_json_sessions_has_none() {
    let place = Place::new();
    let folder = place.path("data");
    fs::create_dir_all(folder.join("storage/session_diff")).expect("folder");
    fs::write(folder.join("storage/session_diff/ses_1.json"), "[]").expect("written");
    fs::write(folder.join("storage/migration"), "2").expect("written");
    place.on(&folder, &["extract"]).fails(3, &["opencode*.db"]);
    fs::copy(database(), folder.join("opencode.db")).expect("copied");
    assert_eq!(ask(&place, &folder, "select distinct source from raw_session"), json!([{"source": "opencode"}]));
}

#[test]
fn bad_files_are_quarantined_and_links_are_not_followed() {
    let place = Place::new();
    let folder = data_folder(&place);
    let base = folder.join("storage");
    let outside = place.path("outside");
    fs::create_dir_all(outside.join("ses_evil")).expect("folder");
    fs::write(outside.join("ses_evil/msg_evil.json"), r#"{"role":"user","time":{"created":1}}"#).expect("written");
    fs::write(outside.join("secret.json"), r#"{"id":"ses_secret","title":"Secret","time":{"created":1772442009874}}"#)
        .expect("written");
    let project = fs::read_dir(base.join("session")).expect("folder").flatten().next().expect("a project").path();
    std::os::unix::fs::symlink(outside.join("secret.json"), project.join("ses_secret.json")).expect("linked");
    std::os::unix::fs::symlink(outside.join("ses_evil"), base.join("message/ses_evil")).expect("linked");
    fs::write(project.join("ses_torn.json"), r#"{"id":"ses_torn","title":"Torn"#).expect("written");
    fs::write(project.join("ses_list.json"), "[]").expect("written");
    fs::write(project.join("ses_empty.json"), "").expect("written");
    fs::write(project.join("notes.txt"), "not OpenCode's").expect("written");
    let messages = fs::read_dir(base.join("message"))
        .expect("folder")
        .flatten()
        .find(|entry| entry.path().is_dir() && !entry.path().is_symlink())
        .expect("a session")
        .path();
    fs::write(messages.join("msg_torn.json"), r#"{"role":"assis"#).expect("written");
    fs::write(messages.join("msg_bytes.json"), b"{\"role\":\"us\xff\xfeer\"}").expect("written");
    fs::create_dir_all(base.join("part/msg_nowhere")).expect("folder");
    fs::write(base.join("part/msg_nowhere/prt_orphan.json"), r#"{"type":"text","text":"orphan"}"#).expect("written");
    fs::write(base.join("part/msg_nowhere/prt_torn.json"), "{").expect("written");
    fs::write(base.join("todo/ses_torn.json"), "{}").expect("written");
    let run = place.on(&folder, &["extract", "--json"]).ok();
    let counted: Value = serde_json::from_str(&run.out).expect("JSON");
    let found = place
        .run(&["--no-extract", "query", "-c", "select table_name, row_id from quarantine order by 1, 2", "--json"])
        .ok()
        .out;
    let found: Value = serde_json::from_str(&found).expect("JSON");
    let row = |table: &str, id: &str| json!({"table_name": table, "row_id": id});
    let expected = json!([
        row("message", "msg_bytes"),
        row("message", "msg_torn"),
        row("message", "session/ses_empty.json"),
        row("message", "session/ses_list.json"),
        row("message", "session/ses_torn.json"),
        row("message", "todo/ses_torn.json"),
        row("part", "prt_orphan"),
        row("part", "prt_torn"),
    ]);
    assert_eq!(found, expected);
    assert_eq!(counted[0]["rows_quarantined"], 8);
    let sessions = ask(&place, &folder, "select count(*) as n from session");
    assert_eq!(sessions[0]["n"], 6, "neither links nor torn files are sessions");
    // Nothing was written in the folder.
    assert!(!folder.join("opencode.db").exists());
}

#[test]
fn an_unchanged_folder_is_not_read_again_and_a_changed_one_is() {
    let place = Place::new();
    let folder = data_folder(&place);
    place.on(&folder, &["extract"]).ok();
    assert_eq!(place.json(&folder, &["extract", "--json"])[0]["is_changed"], false);
    let file = file_of(&folder, "Old: migration skill");
    let text = fs::read_to_string(&file).expect("read").replace("Old: migration skill", "Renamed by hand");
    fs::write(&file, text).expect("written");
    assert_eq!(place.json(&folder, &["extract", "--json"])[0]["is_changed"], true);
    let rows = ask(&place, &folder, "select count(*) as n from session where title = 'Renamed by hand'");
    assert_eq!(rows[0]["n"], 1);
    // A file that goes is a row that goes, and no sign of an older copy.
    let gone = file_of(&folder, "Renamed by hand");
    fs::remove_file(&gone).expect("removed");
    let run = place.on(&folder, &["extract"]).ok();
    assert!(!run.err.contains("copy"), "{}", run.err);
    assert_eq!(ask(&place, &folder, "select count(last_seen_at) as n from raw_session")[0]["n"], 1);
}

#[test]
fn json_files_that_are_deleted_leave_their_sessions_as_history() {
    let place = Place::new();
    let folder = data_folder(&place);
    fs::copy(crate::harness::real(), folder.join("opencode.db")).expect("copied");
    let counts = || {
        let sql = "select source, count(*) as n, count(last_seen_at) as gone from raw_session group by 1 order by 1";
        place.json(&folder, &["query", "-c", sql, "--json"])
    };
    assert_eq!(counts()[1], json!({"source": "storage", "n": 6, "gone": 0}));
    fs::remove_dir_all(folder.join("storage")).expect("removed");
    fs::remove_dir_all(folder.join("project")).expect("removed");
    let run = place.on(&folder, &["extract"]).ok();
    assert!(run.err.contains("data is gone: what was read of it stays as history"), "{}", run.err);
    assert_eq!(counts()[1], json!({"source": "storage", "n": 6, "gone": 6}));
    assert_eq!(counts()[0], json!({"source": "opencode", "n": 48, "gone": 0}));
}
