//! Trouble with the disk: full, read-only, vanishing, two at once, damaged. Old state or new state, whole; a clear sentence; the
//! right exit code.

mod derived;

use crate::harness::{Place, Run, real, tree};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A small file system of its own, where mounting one is permitted.
struct Tmpfs {
    path: PathBuf,
}

impl Tmpfs {
    fn mount(path: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(path).expect("folder");
        let options = format!("size={size}");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        if done.is_ok_and(|status| status.success()) {
            return Some(Self { path: path.to_owned() });
        }
        eprintln!("no tmpfs can be mounted here: that part is left out");
        None
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let done = Command::new("mount").args(["-o", &options]).arg(&self.path).status().expect("mount runs");
        assert!(done.success());
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

fn copy_of_real(place: &Place) -> PathBuf {
    let path = place.path("opencode.db");
    fs::copy(real(), &path).expect("copied");
    path
}

fn count(place: &Place, store: &Path) -> i64 {
    let run = place.output(place.with_store(store).args([
        "--no-extract",
        "query",
        "-c",
        "select count(*) as n from session",
        "--json",
    ]));
    let rows: Value = serde_json::from_str(&run.ok().out).expect("JSON");
    rows[0]["n"].as_i64().expect("a count")
}

fn one_more_session(db: &Path, number: usize) {
    let database = rusqlite::Connection::open(db).expect("opened");
    database
        .execute_batch(&format!(
            "insert into session (id, project_id, slug, directory, title, version, time_created, time_updated)
             values ('ses_more{number}', 'global', 's', '/tmp', 'More', '1.18.33', 1795000000000, 1795000000000);
             insert into message (id, session_id, time_created, time_updated, data) select 'msg_more{number}', 'ses_more{number}',
                1795000000000, 1795000000000, '{{\"role\":\"user\",\"time\":{{\"created\":1795000000000}}}}';
             insert into part (id, message_id, session_id, time_created, time_updated, data)
             select 'prt_more{number}', 'msg_more{number}', 'ses_more{number}', 1795000000000, 1795000000000,
                '{{\"type\":\"text\",\"text\":\"' || hex(randomblob(40000)) || '\"}}';"
        ))
        .expect("inserted");
}

/// Runs the program with files limited to so many blocks of 512 bytes, as a full disk or a quota would.
fn limited(place: &Place, store: &Path, db: &Path, blocks: u32, args: &[&str]) -> Run {
    let whole = place.with_store(store);
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""))
        .arg("sh")
        .arg(whole.get_program())
        .args(whole.get_args())
        .arg("--db")
        .arg(db)
        .args(args)
        .current_dir(place.folder.path())
        .env_clear()
        .env("HOME", place.path("home"))
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    place.output(&mut command)
}

#[test]
fn a_quota_leaves_the_old_state_whole() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let store = place.path("store");
    place.on(&db, &["extract"]).ok();
    one_more_session(&db, 0);
    let mut refused = 0;
    for blocks in [1, 8, 32] {
        let run = limited(&place, &store, &db, blocks, &["extract"]);
        if run.code != 0 {
            run.fails(6, &["cannot write", "hint:", "old state is untouched"]);
            assert_eq!(count(&place, &store), 48);
            refused += 1;
        }
    }
    assert!(refused > 0, "no limit was small enough");
    for args in [&["--no-extract", "snapshot", "create"][..], &["--no-extract", "snapshot", "create", "--lean"]] {
        limited(&place, &store, &db, 1, args).fails(6, &["cannot write", "hint:"]);
    }
    assert_eq!(
        tree(&store).iter().filter(|path| path.starts_with("snapshots/") && path.ends_with(".parquet")).count(),
        0
    );
    place.on(&db, &["extract"]).ok();
    assert_eq!(count(&place, &store), 49);
    place.on(&db, &["snapshot", "create"]).ok();
    place.run(&["snapshot", "verify"]).ok();
}

#[test]
fn a_full_disk_leaves_the_old_state_whole() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let Some(disk) = Tmpfs::mount(&place.path("disk"), "8m") else { return };
    let store = disk.path.join("store");
    let on = |args: &[&str]| place.output(place.with_store(&store).arg("--db").arg(&db).args(args));
    on(&["extract"]).ok();
    assert_eq!(count(&place, &store), 48);
    // Fill the disk up but for a little, then try what needs more.
    let (mut refused, mut done) = (0, 0);
    for (number, left) in [0_usize, 4, 12, 40, 90, 200].into_iter().enumerate() {
        one_more_session(&db, number);
        let filler = disk.path.join("filler");
        fill(&filler, left * 1024);
        let before = count_quietly(&place, &store);
        let run = on(&["extract"]);
        if run.code == 0 {
            done += 1;
        } else {
            run.fails(6, &["cannot write", "hint:", "free some space"]);
            refused += 1;
            fs::remove_file(&filler).expect("removed");
            if let Some(before) = before {
                assert_eq!(count(&place, &store), before, "the old state stands");
            }
            fill(&filler, left * 1024);
        }
        let run = on(&["--no-extract", "snapshot", "create"]);
        assert!(run.code == 0 || run.code == 6, "{}: {}", run.code, run.err);
        fs::remove_file(&filler).expect("removed");
        on(&["--no-extract", "snapshot", "verify"]).ok();
        on(&["extract"]).ok();
        assert_eq!(count(&place, &store), 49 + i64::try_from(number).expect("small"));
    }
    eprintln!("full disk: {refused} refreshes refused, {done} done; every state whole");
    assert!(refused > 0);
}

fn count_quietly(place: &Place, store: &Path) -> Option<i64> {
    let run = place.output(place.with_store(store).args([
        "--no-extract",
        "query",
        "-c",
        "select count(*) as n from session",
        "--json",
    ]));
    serde_json::from_str::<Value>(&run.out).ok()?[0]["n"].as_i64()
}

/// Fills the disk until `left` bytes are left.
fn fill(path: &Path, left: usize) {
    use std::io::Write;
    let mut file = fs::File::create(path).expect("created");
    let block = vec![7_u8; 4096];
    let mut size = 0;
    while file.write_all(&block).is_ok() {
        size += block.len();
    }
    file.set_len(u64::try_from(size.saturating_sub(left)).expect("a size")).expect("shortened");
}

#[test]
fn a_read_only_store_is_read_and_never_written() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let Some(disk) = Tmpfs::mount(&place.path("disk"), "8m") else { return };
    let store = disk.path.join("store");
    let on = |args: &[&str]| place.output(place.with_store(&store).arg("--db").arg(&db).args(args));
    on(&["extract"]).ok();
    on(&["snapshot", "create"]).ok();
    disk.remount("ro");
    for args in
        [&["extract"][..], &["extract", "--full"], &["snapshot", "create"], &["snapshot", "prune", "--keep-last", "1"]]
    {
        on(args).fails(6, &["cannot", "hint:"]);
    }
    for args in [&["stats"][..], &["metrics", "run", "overview"], &["query", "-c", "select count(*) from session"]] {
        on(&[&["--no-extract"], args].concat()).ok();
    }
    on(&["snapshot", "verify"]).ok();
    on(&["snapshot", "list"]).ok();
    // Reports go where reports go, not into the store.
    on(&["--no-extract", "report", "--all", "--out", "out"]).ok();
    let out = disk.path.join("out").display().to_string();
    on(&["--no-extract", "report", "--week", "2026-W02", "--out", &out]).fails(6, &["cannot create", "hint:"]);
    disk.remount("rw");
    on(&["extract"]).ok();
}

#[test]
fn a_folder_that_vanishes_is_no_panic_and_the_next_run_is_fine() {
    let place = Place::new();
    let mut random = fastrand::Rng::with_seed(21);
    let (mut failed, mut done) = (0, 0);
    for round in 0..20 {
        let db = copy_of_real(&place);
        let mut child = place.command();
        let child = child
            .arg("--db")
            .arg(&db)
            .arg("extract")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        std::thread::sleep(std::time::Duration::from_millis(random.u64(..120)));
        if round % 2 == 0 {
            let _ = fs::remove_dir_all(place.path("store"));
        } else {
            let _ = fs::remove_file(&db);
        }
        let output = child.wait_with_output().expect("ended");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code().unwrap_or(-1);
        assert!([0, 3, 4, 6].contains(&code), "{code}: {text}");
        assert!(!text.contains("panicked"), "{text}");
        if code == 0 {
            done += 1;
        } else {
            assert!(text.contains("error:"), "{text}");
            failed += 1;
        }
        let db = copy_of_real(&place);
        place.on(&db, &["extract"]).ok();
        assert_eq!(count(&place, &place.path("store")), 48);
    }
    eprintln!("vanishing folders: {failed} runs failed with a sentence, {done} had read enough");
}

#[test]
fn a_half_removed_store_goes_on_and_a_folder_of_somebody_else_is_left_alone() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let store = place.path("store");
    place.on(&db, &["extract"]).ok();
    rusqlite::Connection::open(&db)
        .and_then(|database| {
            database.execute_batch("pragma foreign_keys = on; delete from session where title = 'Audit src'")
        })
        .expect("deleted");
    place.on(&db, &["extract"]).ok();
    let hidden = || fs::read_dir(&store).expect("store").flatten().filter(|entry| !entry.path().is_dir());
    // All that says that this is a store is gone, and a table with it.
    let lose = || {
        for entry in hidden() {
            fs::remove_file(entry.path()).expect("removed");
        }
        fs::remove_dir_all(store.join("todo")).expect("removed");
    };
    lose();
    let run = place.on(&db, &["extract"]).ok();
    assert!(run.err.contains("has files but no manifest"), "{}", run.err);
    assert_eq!(count(&place, &store), 48, "the session that the database no longer holds is history still");
    // One file that is not ours: nothing in this folder is taken for a store, and nothing is touched.
    lose();
    fs::write(store.join("session/notes.txt"), "mine").expect("written");
    let before = tree(&store);
    place.on(&db, &["extract"]).fails(6, &["hint:", "empty folder"]);
    assert_eq!(tree(&store), before);
    // In a store that says what it is, it stays where it was put.
    fs::rename(store.join("session/notes.txt"), place.path("notes.txt")).expect("moved");
    place.on(&db, &["extract"]).ok();
    fs::rename(place.path("notes.txt"), store.join("session/notes.txt")).expect("moved");
    one_more_session(&db, 1);
    place.on(&db, &["extract"]).ok();
    assert_eq!(count(&place, &store), 49);
    assert!(store.join("session/notes.txt").exists());
}

#[test]
fn refreshes_at_once_wait_for_each_other() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let children: Vec<_> = (0..6)
        .map(|_| {
            place
                .command()
                .arg("--db")
                .arg(&db)
                .arg("extract")
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("started")
        })
        .collect();
    let mut waited = 0;
    for child in children {
        let output = child.wait_with_output().expect("ended");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{text}");
        waited += usize::from(text.contains("waiting for it"));
    }
    eprintln!("six refreshes at once: {waited} waited and said so");
    assert_eq!(count(&place, &place.path("store")), 48);
}

#[test]
fn a_flipped_byte_in_the_store_is_noticed_and_never_counted() {
    let place = Place::new();
    let db = copy_of_real(&place);
    place.on(&db, &["extract"]).ok();
    let store = place.path("store");
    let files: Vec<String> =
        tree(&store).into_iter().filter(|path| path.ends_with(".parquet") && !path.starts_with("marts")).collect();
    let mut random = fastrand::Rng::with_seed(31);
    for round in 0..12 {
        let path = &files[random.usize(..files.len())];
        let whole = fs::read(store.join(path)).expect("read");
        let mut bytes = whole.clone();
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u8(..8);
        fs::write(store.join(path), &bytes).expect("written");
        for args in [&["query", "-c", "select count(*) from session"][..], &["stats"]] {
            place.run(&[&["--no-extract"], args].concat()).fails(6, &[path, "hint:"]);
        }
        if round % 3 == 0 {
            // The database still has the rows: the next refresh mends the store.
            place.on(&db, &["extract"]).ok();
            assert_eq!(count(&place, &store), 48);
        }
        fs::write(store.join(path), &whole).expect("written");
        place.on(&db, &["extract"]).ok();
        place.run(&["--no-extract", "stats"]).ok();
    }
}

#[test]
fn a_clock_set_back_hides_nothing() {
    let place = Place::new();
    let db = copy_of_real(&place);
    let at = |now: &str, args: &[&str]| place.again(&db, &[args, &["--now", now]].concat());
    at("2026-11-22T12:00:00Z", &["extract"]).ok();
    at("2026-11-22T12:00:00Z", &["snapshot", "create"]).ok();
    let modified = fs::metadata(&db).and_then(|found| found.modified()).expect("a time");
    let database = rusqlite::Connection::open(&db).expect("opened");
    database.execute_batch("update session set title = 'Later', time_updated = time_updated - 1000 where id = (select min(id) from session)").expect("updated");
    drop(database);
    // Same size, same time: as after a clock that was set back.
    fs::File::options().write(true).open(&db).and_then(|file| file.set_modified(modified)).expect("set");
    at("2026-11-01T12:00:00Z", &["extract"]).ok();
    let run = at(
        "2026-11-01T12:00:00Z",
        &["--no-extract", "query", "-c", "select count(*) as n from session where title = 'Later'", "--json"],
    );
    let rows: Value = serde_json::from_str(&run.ok().out).expect("JSON");
    assert_eq!(rows[0]["n"], 1);
    at("2026-11-01T12:00:00Z", &["snapshot", "create"]).ok();
    at("2026-11-01T12:00:00Z", &["snapshot", "verify"]).ok();
    at("2026-11-01T12:00:00Z", &["report", "--all", "--out", "out"]).ok();
}
