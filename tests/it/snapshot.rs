//! `snapshot`: whole, immutable, shared, checkable by anyone; old weeks can be looked at, gone back to and taken away.

use crate::harness::{Place, Run, real, tree};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub(crate) fn rows(run: Run) -> Value {
    let run = run.ok();
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out))
}

pub(crate) fn copy_of_real(place: &Place) -> PathBuf {
    let path = place.path("opencode.db");
    fs::copy(real(), &path).expect("copied");
    path
}

pub(crate) fn create(place: &Place, db: &Path, now: &str, more: &[&str]) -> Value {
    let mut args = vec!["snapshot", "create", "--json", "--now", now];
    args.extend(more);
    rows(place.again(db, &args))[0].clone()
}

pub(crate) fn name(made: &Value) -> String {
    made["name"].as_str().expect("a name").to_owned()
}

/// A place with a database and two snapshots, between which a week's work was done.
pub(crate) fn two_weeks(place: &Place) -> (PathBuf, String, String) {
    let db = copy_of_real(place);
    let first = create(place, &db, "2026-11-15T06:00:00Z", &[]);
    let writer = rusqlite::Connection::open(&db).expect("opened");
    writer
        .execute_batch(
            "insert into session (id, project_id, slug, directory, title, version, time_created, time_updated, cost)
             values ('ses_new', 'global', 'new', '/tmp', 'New work', '1.18.33', 1795000000000, 1795000005000, 0.5);
             insert into message (id, session_id, time_created, time_updated, data) values
             ('msg_new1', 'ses_new', 1795000001000, 1795000001000, '{\"role\":\"user\",\"time\":{\"created\":1795000001000}}'),
             ('msg_new2', 'ses_new', 1795000002000, 1795000005000,
              '{\"role\":\"assistant\",\"modelID\":\"m\",\"providerID\":\"p\",\"cost\":0.5,\"tokens\":{\"input\":100,\"output\":10,\"reasoning\":0,\"cache\":{\"read\":0,\"write\":0}},\"time\":{\"created\":1795000002000,\"completed\":1795000005000}}');
             insert into part (id, message_id, session_id, time_created, time_updated, data) values
             ('prt_new1', 'msg_new2', 'ses_new', 1795000002000, 1795000005000,
              '{\"type\":\"tool\",\"tool\":\"skill\",\"callID\":\"c1\",\"state\":{\"status\":\"completed\",\"input\":{\"name\":\"git-commit\"},\"output\":\"x\",\"title\":\"Loaded skill: git-commit\",\"metadata\":{\"name\":\"git-commit\"},\"time\":{\"start\":1795000002000,\"end\":1795000003000}}}');
             update session set title = 'Renamed', time_updated = time_updated + 1000
             where id = (select id from session where title = 'Audit src');",
        )
        .expect("a week's work");
    drop(writer);
    let second = create(place, &db, "2026-11-22T06:00:00Z", &[]);
    (db, name(&first), name(&second))
}

#[test]
fn a_snapshot_is_a_store_that_sha256sum_can_check() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let made = create(&place, &db, "2026-11-22T12:00:00Z", &[]);
    assert_eq!(made["name"], "2026-11-22T120000Z");
    assert_eq!(made["shared_files"], 0);
    let folder = place.path("store/snapshots/2026-11-22T120000Z");
    assert_eq!(Path::new(made["path"].as_str().expect("a path")), folder);
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json")).expect("read")).expect("JSON");
    let section = &manifest["snapshot"];
    assert_eq!(section["name"], "2026-11-22T120000Z");
    assert_eq!(section["created_at"], 1_795_348_800_000_i64);
    assert!(section["first_at"].as_i64() < section["last_at"].as_i64(), "{section}");
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).expect("checksums");
    let files: Vec<String> = tree(&folder).into_iter().filter(|path| path != "SHA256SUMS").collect();
    assert_eq!(sums.lines().count(), files.len(), "every file but the list itself is in the list");
    assert!(files.len() > 10);
    for line in sums.lines() {
        let (sha256, path) = line.split_once("  ").expect("two columns");
        assert_eq!(sha256, logicoma::model::digest::sha256(&fs::read(folder.join(path)).expect("file")), "{path}");
    }
    if let Ok(output) = std::process::Command::new("sha256sum")
        .args(["-c", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(&folder)
        .output()
    {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // Nothing is shared with the live store.
    for path in files.iter().filter(|path| path.ends_with(".parquet")) {
        assert_eq!(fs::metadata(folder.join(path)).expect("file").nlink(), 1, "{path}");
    }
}

#[test]
fn an_unchanged_store_costs_a_second_snapshot_only_its_manifest() {
    let place = Place::new();
    let db = copy_of_real(&place);
    create(&place, &db, "2026-11-22T12:00:00Z", &[]);
    let run = place.again(&db, &["snapshot", "create", "--json"]);
    assert!(run.err.contains("nothing has changed since 2026-11-22T120000Z"), "{}", run.err);
    let made = rows(run)[0].clone();
    assert_eq!(made["name"], "2026-11-22T120000Z-2", "a taken name gets a number");
    assert_eq!(made["new_bytes"], 0);
    assert_eq!(made["shared_files"], made["files"]);
    assert_eq!(made["same_as"], "2026-11-22T120000Z");
    let [one, two] = ["", "-2"].map(|end| place.path(&format!("store/snapshots/2026-11-22T120000Z{end}")));
    for path in tree(&one).iter().filter(|path| path.ends_with(".parquet")) {
        let inode = |folder: &Path| fs::metadata(folder.join(path)).expect("file").ino();
        assert_eq!(inode(&one), inode(&two), "{path}");
    }
    let listed = rows(place.run(&["snapshot", "list", "--json"]));
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    assert_eq!(listed[0]["sessions"], 48);
    assert_eq!(listed[0]["parts"], 493);
    for format in ["table", "jsonl", "csv", "markdown"] {
        assert!(place.run(&["snapshot", "list", "--format", format]).ok().out.contains("2026-11-22T120000Z-2"));
    }
}

#[test]
fn a_week_costs_what_the_week_changed() {
    let place = Place::new();
    let (_, first, second) = two_weeks(&place);
    let listed = rows(place.run(&["snapshot", "list", "--json"]));
    assert_eq!(listed[0]["name"], json!(first));
    assert_eq!(listed[1]["name"], json!(second));
    let [one, two] = [&first, &second].map(|name| place.path("store/snapshots").join(name));
    let shared =
        tree(&two).iter().filter(|path| fs::metadata(two.join(path)).is_ok_and(|found| found.nlink() > 1)).count();
    assert!(shared > tree(&two).len() / 2, "{shared} of {} files are shared", tree(&two).len());
    assert!(one.exists());
}

#[test]
fn verify_finds_every_flipped_byte_and_every_missing_or_foreign_file() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let snapshot = name(&create(&place, &db, "2026-11-22T12:00:00Z", &[]));
    let folder = place.path("store/snapshots").join(&snapshot);
    let run = place.run(&["snapshot", "verify", "--json"]).ok();
    let verified: Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!(verified[0]["status"], "ok");
    assert_eq!(verified[0]["files"], tree(&folder).len());
    let mut random = fastrand::Rng::with_seed(5);
    let mut found = 0;
    for path in tree(&folder) {
        let file = folder.join(&path);
        let whole = fs::read(&file).expect("read");
        let mut bytes = whole.clone();
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u8(..8);
        fs::write(&file, &bytes).expect("written");
        // A flip in one of the two lists can be told only from the other: then either may be named.
        let names = if path.ends_with(".parquet") { path.as_str() } else { "damaged" };
        place.run(&["snapshot", "verify", &snapshot]).fails(6, &[names, &snapshot]);
        fs::write(&file, &whole[..whole.len() - 1]).expect("written");
        place.run(&["snapshot", "verify", &snapshot]).fails(6, &[names]);
        fs::remove_file(&file).expect("removed");
        let run = place.run(&["snapshot", "verify", &snapshot]);
        // Without manifest or list, the folder is still known as a snapshot by the other.
        assert_eq!(run.code, 6, "{path}: {}", run.err);
        fs::write(&file, &whole).expect("written");
        found += 3;
    }
    eprintln!("{found} of {found} injuries found");
    fs::write(folder.join("part/extra.parquet"), b"x").expect("written");
    place.run(&["snapshot", "verify"]).fails(6, &["part/extra.parquet", "does not belong"]);
    fs::remove_file(folder.join("part/extra.parquet")).expect("removed");
    let victim = tree(&folder).into_iter().find(|path| path.starts_with("part/")).expect("a file");
    let aside = place.path("aside.parquet");
    fs::rename(folder.join(&victim), &aside).expect("moved");
    std::os::unix::fs::symlink(&aside, folder.join(&victim)).expect("linked");
    place.run(&["snapshot", "verify"]).fails(6, &[&victim, "is not a plain file"]);
    fs::remove_file(folder.join(&victim)).expect("removed");
    fs::rename(&aside, folder.join(&victim)).expect("moved");
    place.run(&["snapshot", "verify"]).ok();
}

#[test]
fn damage_in_one_snapshot_or_in_the_store_does_not_spread() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let first = name(&create(&place, &db, "2026-11-15T12:00:00Z", &[]));
    let folder = place.path("store/snapshots").join(&first);
    let path = tree(&folder).into_iter().find(|path| path.starts_with("part/")).expect("a file");
    let mut bytes = fs::read(folder.join(&path)).expect("read");
    bytes[100] ^= 1;
    fs::write(folder.join(&path), &bytes).expect("written");
    let made = create(&place, &db, "2026-11-22T12:00:00Z", &[]);
    assert!(made["new_bytes"].as_i64() > Some(0), "the damaged file was copied anew: {made}");
    place.run(&["snapshot", "verify", &name(&made)]).ok();
    // A damaged store is not frozen.
    fs::write(place.path("store").join(&path), &bytes).expect("written");
    let other = place.path("other").display().to_string();
    place.run(&["--no-extract", "snapshot", "create", "--to", &other]).fails(6, &[&path]);
    assert!(rows(place.run(&["snapshot", "list", "--to", &other, "--json"])).as_array().is_some_and(Vec::is_empty));
    assert_eq!(rows(place.run(&["snapshot", "list", "--json"])).as_array().map(Vec::len), Some(2));
}

#[test]
fn lean_leaves_the_raw_json_out_and_every_metric_as_it_is() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let full = create(&place, &db, "2026-11-15T12:00:00Z", &[]);
    let lean = create(&place, &db, "2026-11-22T12:00:00Z", &["--lean"]);
    assert_eq!(lean["is_lean"], true);
    assert!(lean["bytes"].as_i64() < full["bytes"].as_i64(), "{lean} {full}");
    let again = create(&place, &db, "2026-11-22T13:00:00Z", &["--lean"]);
    assert_eq!(again["new_bytes"], 0, "leaving out is the same each time");
    place.run(&["snapshot", "verify"]).ok();
    let ask = |made: &Value, args: &[&str]| {
        let mut command = place.with_store(Path::new(made["path"].as_str().expect("a path")));
        rows(place.output(command.arg("--all").args(args)))
    };
    let counts = ["query", "-c", "select count(*) as n, count(data) as with_data from part", "--json"];
    assert_eq!(ask(&full, &counts)[0], json!({"n": 493, "with_data": 493}));
    assert_eq!(ask(&lean, &counts)[0], json!({"n": 493, "with_data": 0}));
    let families = ["metrics", "run", "usage", "tools", "skills", "edits", "verification", "--json"];
    let (whole, without) = (ask(&full, &families), ask(&lean, &families));
    assert!(whole.to_string().contains("git-commit"), "{whole}");
    assert_eq!(whole, without);
}

#[test]
fn diff_says_what_sessions_skills_cost_and_rows_changed() {
    let place = Place::new();
    let (_, first, second) = two_weeks(&place);
    let differing = rows(place.run(&["snapshot", "diff", &first, &second, "--json"]));
    let differing = differing.as_array().expect("rows");
    let one = |kind: &str, name: &str| {
        differing
            .iter()
            .find(|row| row["kind"] == kind && row["name"] == name)
            .unwrap_or_else(|| panic!("no {kind} {name}"))
            .clone()
    };
    let session = one("table", "session");
    assert_eq!(session["before"], 48.0);
    assert_eq!(session["after"], 49.0);
    assert_eq!(
        [&session["added_rows"], &session["removed_rows"], &session["changed_rows"]],
        [&json!(1), &json!(0), &json!(1)]
    );
    assert_eq!(one("table", "message")["added_rows"], 2);
    assert_eq!(one("table", "todo")["status"], "same");
    assert!((one("total", "cost_usd")["change"].as_f64().expect("a number") - 0.5).abs() < 1e-9);
    assert_eq!(one("total", "input_tokens")["change"], 100.0);
    assert_eq!(one("skill", "git-commit")["change"], 1.0);
    let new = one("session", "ses_new");
    assert_eq!((&new["status"], &new["title"], &new["after"]), (&json!("added"), &json!("New work"), &json!(0.5)));
    assert_eq!(new["added_rows"], 4);
    let sessions: Vec<_> = differing.iter().filter(|row| row["kind"] == "session").collect();
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    assert!(sessions.iter().any(|row| row["title"] == "Renamed" && row["status"] == "changed"));
    // The other way round, and with itself.
    let back = rows(place.run(&["snapshot", "diff", &second, &first, "--json"]));
    assert!(back.as_array().expect("rows").iter().any(|row| row["name"] == "ses_new" && row["status"] == "removed"));
    let same = rows(place.run(&["--no-extract", "snapshot", "diff", &second, "store", "--json"]));
    assert!(same.as_array().expect("rows").iter().all(|row| row["status"] == "same"), "{same}");
    let markdown = place.run(&["snapshot", "diff", &first, &second, "--format", "markdown"]).ok().out;
    assert!(markdown.replace('\\', "").contains("ses_new"));
}
