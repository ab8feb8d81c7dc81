//! Copies: an older one, another database in the place of a known one, and two that take turns.

use super::{ask, at, change, copy, extract_at, overview};
use crate::harness::{Place, fixture, tree};
use serde_json::json;
use std::fs;
use std::path::Path;

/// What a refresh says on standard error.
fn said(place: &Place, db: &Path) -> String {
    place.on(db, &["extract"]).ok().err
}

fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in {text}");
    }
}

const STATE: &str =
    "update part set data = json_set(data, '$.state.status', 'STATUS'), time_updated = time_updated + STEP
     where id = (select min(id) from part where json_extract(data, '$.type') = 'tool');";

fn state(status: &str, step: i64) -> String {
    STATE.replace("STATUS", status).replace("STEP", &step.to_string())
}

#[test]
fn an_older_copy_that_lacks_no_row_says_how_many_were_newer() {
    let place = Place::new();
    let db = copy(&place);
    change(&db, &state("running", 0));
    let old = fs::read(&db).expect("read");
    extract_at(&place, &db, 1, &[]);
    // A call that ends is everyday life.
    change(&db, &state("completed", 5));
    let run = said(&place, &db);
    assert!(!run.contains("warning"), "{run}");
    fs::write(&db, old).expect("restored");
    let newer = "1 rows were newer in the store: what it says of them now counts; nothing is missing";
    holds(&said(&place, &db), &["is another copy than was read before, and older as it seems", newer]);
    let running = "select count(*) as n from raw_part where status = 'running' and last_seen_at is null";
    assert_eq!(ask(&place, &db, running)[0]["n"], 1);
    // It is remembered, and said once.
    holds(&place.on(&db, &["doctor", "--json"]).ok().out, &[newer]);
    assert!(!said(&place, &db).contains("newer"));
    // Rows tell it, too, where no counter does: a copy that went on before it was put back.
    change(&db, &state("completed", 5));
    said(&place, &db);
    change(&db, &state("running", -5));
    change(&db, "update session set time_updated = time_updated - 1 where id = (select min(id) from session)");
    let run = said(&place, &db);
    holds(&run, &["is an older copy, as it seems: 2 rows were newer in the store"]);
    // All of it read again is no older than it was.
    let run = place.on(&db, &["extract", "--full"]).ok().err;
    assert!(!run.contains("newer") && !run.contains("copy"), "{run}");
}

#[test]
fn a_copy_with_fewer_changes_is_told_although_no_row_is_older() {
    let place = Place::new();
    let db = copy(&place);
    let old = fs::read(&db).expect("read");
    change(&db, "update session set title = 'Quietly' where id = (select min(id) from session)");
    extract_at(&place, &db, 1, &[]);
    fs::write(&db, old).expect("restored");
    let run = said(&place, &db);
    holds(&run, &["is another copy than was read before: SQLite counts", "nothing is missing"]);
    assert!(!run.contains("older"), "{run}");
}

#[test]
fn who_deletes_the_newest_session_has_no_older_copy() {
    let newest =
        "pragma foreign_keys = on; delete from session where time_updated = (select max(time_updated) from session)";
    let place = Place::new();
    let db = copy(&place);
    extract_at(&place, &db, 1, &[]);
    change(&db, newest);
    let run = said(&place, &db);
    holds(&run, &["what was newest in it was deleted, as it seems", "1 sessions,", "stay in the store as history"]);
    assert!(!run.contains("older"), "{run}");
    // With a log the counter need not grow: both may be.
    let place = Place::new();
    let db = copy(&place);
    change(&db, "pragma journal_mode = wal");
    extract_at(&place, &db, 1, &[]);
    let open = rusqlite::Connection::open(&db).expect("opened");
    open.execute_batch(newest).expect("deleted");
    holds(&said(&place, &db), &["is older than what was read before, or what was newest in it was deleted"]);
}

#[test]
fn a_database_that_was_emptied_is_not_merged_with_the_next_one() {
    let place = Place::new();
    let db = copy(&place);
    extract_at(&place, &db, 1, &[]);
    change(&db, "delete from part; delete from message; delete from todo; delete from session;");
    holds(&said(&place, &db), &["holds no session any more"]);
    fs::copy(fixture("opencode/opencode-1.2.27.db"), &db).expect("replaced");
    holds(&said(&place, &db), &["is another database than before", "source 'opencode-2'"]);
    let run = place.run(&[
        "--no-extract",
        "query",
        "-c",
        "select source, count(*) as n from raw_session group by 1 order by 1",
        "--json",
    ]);
    let rows: serde_json::Value = serde_json::from_str(&run.ok().out).expect("JSON");
    assert_eq!(rows, json!([{"source": "opencode", "n": 48}, {"source": "opencode-2", "n": 6}]));
}

#[test]
fn two_databases_that_take_turns_at_a_path_are_two_sources_and_no_more() {
    let place = Place::new();
    let db = copy(&place);
    let (one, two) = (fs::read(&db).expect("read"), fs::read(fixture("opencode/opencode-1.2.27.db")).expect("read"));
    extract_at(&place, &db, 1, &[]);
    fs::write(&db, &two).expect("replaced");
    extract_at(&place, &db, 2, &[]);
    let sources = || -> Vec<(String, Option<i64>)> {
        let bytes = fs::read(place.path("store/manifest.json")).expect("manifest");
        let manifest: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        let sources = manifest["sources"].as_array().expect("sources").clone();
        let entry = |source: &serde_json::Value| {
            (source["name"].as_str().expect("a name").to_owned(), source["last_seen_at"].as_i64())
        };
        sources.iter().map(entry).collect()
    };
    let moment = |hour: i64| Some(1_795_305_600_000 + hour * 3_600_000);
    let files =
        || -> Vec<String> { tree(&place.path("store")).into_iter().filter(|path| path.contains("source=")).collect() };
    let before = files();
    for (turn, hour) in (3..7).enumerate() {
        let (bytes, name, sessions) = if turn % 2 == 0 { (&one, "opencode", 48) } else { (&two, "opencode-2", 6) };
        fs::write(&db, bytes).expect("replaced");
        let now = format!("2026-11-22T{hour:02}:00:00Z");
        let run = place.again(&db, &["--now", &now, "extract"]).ok();
        holds(&run.err, &[&format!("is not the database that was there last, but source '{name}' again")]);
        assert_eq!(run.err.matches("warning").count(), 1, "{}", run.err);
        assert!(!run.out.contains("nothing has changed"), "{}", run.out);
        assert_eq!(files(), before, "nothing is copied");
        let present = |name: &str| sources().into_iter().find(|source| source.0 == name).expect("a source").1;
        assert_eq!(sources().len(), 2);
        let other = if turn % 2 == 0 { "opencode-2" } else { "opencode" };
        assert_eq!((present(name), present(other)), (None, moment(i64::from(hour) - 1)));
        if turn == 0 {
            // Its own rows, although it is not the newest source of its path.
            assert_eq!(overview(&place, &db, &["--no-extract"])["present_sessions"], sessions);
        }
    }
    // One that went on while it was away comes with what is new.
    fs::write(&db, &one).expect("replaced");
    change(
        &db,
        "update session set title = 'Meanwhile', time_updated = 1795300000000 where id = (select min(id) from session)",
    );
    extract_at(&place, &db, 8, &[]);
    assert_eq!(ask(&place, &db, "select count(*) as n from session where title = 'Meanwhile'")[0]["n"], 1);
    assert_eq!(sources().len(), 2);
    // It was away, and is unchanged: that is told, too.
    let aside = place.path("aside.db");
    fs::rename(&db, &aside).expect("moved");
    fs::copy(fixture("opencode/opencode-1.2.27.db"), place.path("data/opencode-beta.db")).expect("copied");
    let folder = place.path("data");
    holds(&said(&place, &folder), &["opencode.db is gone"]);
    fs::rename(&aside, &db).expect("moved back");
    let run = place.on(&folder, &["extract"]).ok();
    holds(&run.err, &["opencode.db is back"]);
    assert!(!run.out.contains("nothing has changed"), "{}", run.out);
}

#[test]
fn what_could_not_be_decoded_stays_when_its_session_goes() {
    let place = Place::new();
    let db = copy(&place);
    let session = "(select id from session where title = 'Audit src')";
    change(
        &db,
        &format!(
            "insert into part (id, message_id, session_id, time_created, time_updated, data)
                 select 'prt_bad', min(id), session_id, 1795000000000, 1795000000000, '{{torn' from message where session_id = {session};
             create table kept_session as select * from session where id = {session};
             create table kept_message as select * from message where session_id = {session};
             create table kept_part as select * from part where session_id = {session};"
        ),
    );
    let bad = |place: &Place| ask(place, &db, "select row_id, reason is not null as why from quarantine");
    let expected = json!([{"row_id": "prt_bad", "why": true}]);
    extract_at(&place, &db, 1, &[]);
    assert_eq!(bad(&place), expected);
    change(&db, &format!("pragma foreign_keys = on; delete from session where id = {session}"));
    for (hour, args) in [(2, &[][..]), (3, &["--full"])] {
        extract_at(&place, &db, hour, args);
        assert_eq!(bad(&place), expected);
        assert_eq!(
            ask(&place, &db, "select distinct last_seen_at from raw_session where title = 'Audit src'"),
            json!([{"last_seen_at": at(1)}])
        );
    }
    // It comes back with its session, once; and goes when it can be read.
    change(
        &db,
        "insert into session select * from kept_session; insert into message select * from kept_message;
         insert into part select * from kept_part;",
    );
    extract_at(&place, &db, 4, &[]);
    assert_eq!(bad(&place), expected);
    change(
        &db,
        "update part set data = '{\"type\":\"text\",\"text\":\"mended\"}', time_updated = time_updated + 1 where id = 'prt_bad'",
    );
    extract_at(&place, &db, 5, &[]);
    assert_eq!(bad(&place), json!([]));
}
