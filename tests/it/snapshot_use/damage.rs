//! Snapshots that are not what they were, and folders that are none: said as what they are, never waited for.

use crate::harness::{Place, Run, real, tree};
use crate::snapshot::{create, name, rows};
use camino::Utf8Path;
use logicoma::store::Store;
use logicoma::store::snapshot::{Archive, Keep, Order};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A run that must come to an end.
fn ends(command: &mut Command) -> Run {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let started = Instant::now();
    while child.try_wait().expect("a status").is_none() {
        if started.elapsed() > Duration::from_mins(1) {
            child.kill().expect("killed");
            panic!("it waits for ever: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("output");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Run { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// A place with one snapshot.
fn one() -> (Place, String, std::path::PathBuf) {
    let place = Place::new();
    let made = name(&create(&place, &real(), "2026-11-22T12:00:00Z", &[]));
    let folder = place.path("store/snapshots").join(&made);
    (place, made, folder)
}

fn change(path: &Path, edit: impl FnOnce(&mut Value)) {
    let mut manifest: Value = serde_json::from_slice(&fs::read(path).expect("read")).expect("JSON");
    edit(&mut manifest);
    fs::write(path, manifest.to_string()).expect("written");
}

#[test]
fn a_pipe_or_a_link_in_the_place_of_a_file_is_told_and_not_waited_for() {
    let (place, snapshot, folder) = one();
    let pipe = |path: &Path| {
        let made = Command::new("mkfifo").arg(path).status().expect("mkfifo");
        assert!(made.success());
    };
    for file in ["manifest.json", "SHA256SUMS"] {
        let (path, aside) = (folder.join(file), place.path("aside"));
        fs::rename(&path, &aside).expect("moved");
        for is_pipe in [true, false] {
            if is_pipe {
                pipe(&path);
            } else {
                std::os::unix::fs::symlink(&aside, &path).expect("linked");
            }
            for args in [&["snapshot", "verify"][..], &["snapshot", "verify", &snapshot]] {
                ends(place.command().args(args)).fails(6, &[file, "is not a plain file"]);
            }
            ends(place.command().args(["snapshot", "list"])).ok();
            ends(place.command().args(["snapshot", "prune", "--keep-last", "99"])).ok();
            ends(place.command().args(["--no-extract", "snapshot", "create", "--now", "2026-11-23T12:00:00Z"]));
            ends(place.with_store(&folder).args(["stats"]));
            fs::remove_file(&path).expect("removed");
        }
        fs::rename(&aside, &path).expect("moved");
    }
    // The live store's own.
    for file in ["manifest.json", ".reading", ".checked"] {
        let path = place.path("store").join(file);
        let aside = place.path("aside");
        fs::rename(&path, &aside).expect("moved");
        pipe(&path);
        let run = ends(place.command().args(["--no-extract", "stats"]));
        assert_eq!(run.code, if file == "manifest.json" { 6 } else { 0 }, "{file}: {}", run.err);
        // What is only remembered is written anew.
        let _ = fs::remove_file(&path);
        fs::rename(&aside, &path).expect("moved");
    }
}

#[test]
fn a_snapshot_of_a_newer_version_is_not_called_damaged_unless_it_is() {
    let (place, snapshot, folder) = one();
    let manifest = folder.join("manifest.json");
    change(&manifest, |manifest| {
        manifest["schema_version"] = json!(99);
        manifest["tables"] = json!(["in", "another", "shape"]);
    });
    let sha256 = logicoma::model::digest::sha256(&fs::read(&manifest).expect("read"));
    let sums = folder.join("SHA256SUMS");
    let text = fs::read_to_string(&sums).expect("read");
    let lines = text.lines().map(|line| {
        if line.ends_with("  manifest.json") { format!("{sha256}  manifest.json\n") } else { format!("{line}\n") }
    });
    fs::write(&sums, lines.collect::<String>()).expect("written");
    let run = place.run(&["snapshot", "verify", "--json"]);
    assert_eq!(run.code, 4, "{}", run.err);
    assert!(
        run.err.contains("newer Logicoma") && !run.err.contains("damaged") && !run.err.contains("remove"),
        "{}",
        run.err
    );
    let verified: Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!((&verified[0]["status"], &verified[0]["problems"]), (&json!("newer"), &json!(0)));
    let listed = rows(place.run(&["snapshot", "list", "--json"]));
    assert!(listed[0]["problem"].as_str().is_some_and(|problem| problem.contains("newer Logicoma")), "{listed}");
    place.output(place.with_store(&folder).arg("stats")).fails(4, &["newer Logicoma", "hint:"]);
    for args in [&["snapshot", "restore", &snapshot][..], &["--no-extract", "snapshot", "diff", &snapshot, "store"]] {
        place.run(args).fails(4, &["newer Logicoma"]);
    }
    assert_eq!(rows(place.run(&["snapshot", "prune", "--keep-last", "1", "--json"]))[0]["status"], "kept");
    let victim = tree(&folder).into_iter().find(|path| path.starts_with("part/")).expect("a file");
    fs::write(folder.join(&victim), b"x").expect("written");
    place.run(&["snapshot", "verify"]).fails(6, &[&victim, "damaged"]);
}

#[test]
fn what_is_left_of_a_snapshot_is_not_silently_nothing() {
    let (place, snapshot, folder) = one();
    fs::remove_file(folder.join("SHA256SUMS")).expect("removed");
    let manifest = folder.join("manifest.json");
    fs::write(&manifest, "no JSON").expect("written");
    let store = place.path("store/snapshots").display().to_string();
    for (to, args) in [("", &["snapshot", "verify"][..]), (store.as_str(), &["snapshot", "verify"])] {
        let to = if to.is_empty() { vec![] } else { vec!["--to", to] };
        place.run(&[args, &to].concat()).fails(6, &[&snapshot, "manifest.json", "SHA256SUMS is missing"]);
    }
    fs::remove_file(&manifest).expect("removed");
    place.run(&["snapshot", "verify"]).fails(6, &["manifest.json is missing", "SHA256SUMS is missing"]);
    assert!(place.run(&["snapshot", "list", "--json"]).ok().out.contains("is missing"));
    for verb in [&["verify"][..], &["list"], &["prune", "--keep-last", "1"], &["restore", &snapshot]] {
        for to in ["nowhere", "opencode.db"] {
            fs::write(place.path("opencode.db"), b"x").expect("written");
            place.run(&[&["snapshot"], verb, &["--to", to]].concat()).fails(2, &[to, "is no folder", "--to"]);
        }
    }
    place.run(&["snapshot", "create", "--to", "nowhere", "--no-extract"]).ok();
    // A link to a snapshot is not one, and not a damaged one either.
    std::os::unix::fs::symlink(&folder, place.path("nowhere/2026-11-01T120000Z")).expect("linked");
    place
        .run(&["snapshot", "verify", "2026-11-01T120000Z", "--to", "nowhere"])
        .fails(6, &["2026-11-01T120000Z is a symbolic link"]);
}

#[test]
fn hints_about_a_damaged_snapshot_do_not_promise_to_rebuild_it() {
    let (place, snapshot, folder) = one();
    let victim = tree(&folder).into_iter().find(|path| path.starts_with("session/")).expect("a file");
    let whole = fs::read(folder.join(&victim)).expect("read");
    let cannot = "a damaged snapshot cannot be mended";
    let check = |code: i32, says: &str| {
        for run in [
            place.run(&["--no-extract", "snapshot", "diff", &snapshot, "store"]),
            place.run(&["snapshot", "restore", &snapshot]),
            place.output(place.with_store(&folder).args(["stats"])),
        ] {
            let run = run.fails(code, &[says, cannot]);
            assert!(!run.err.contains("--full"), "{}", run.err);
        }
        let run = place.output(place.with_store(&folder).args(["doctor"]));
        assert_eq!(run.code, 6, "{} {}", run.out, run.err);
        assert!(!run.out.contains("--full") && run.out.contains("a snapshot needs none"), "{}", run.out);
    };
    fs::write(folder.join(&victim), &whole[1..]).expect("written");
    check(6, &victim);
    fs::write(folder.join(&victim), &whole).expect("written");
    let manifest = folder.join("manifest.json");
    let text = fs::read(&manifest).expect("read");
    fs::write(&manifest, &text[..text.len() / 2]).expect("written");
    check(6, "manifest.json");
    // A name in a manifest that would lead elsewhere.
    fs::write(&manifest, &text).expect("written");
    change(&manifest, |manifest| manifest["snapshot"]["writers"] = json!({"../../evil": ["opencode"]}));
    place.run(&["snapshot", "restore", &snapshot, "--force"]).fails(6, &["../../evil", "is no name"]);
    // The live store's hint is what it was.
    fs::remove_file(place.path("store").join(&victim)).expect("removed");
    place.run(&["--no-extract", "stats"]).fails(6, &["extract --full"]);
}

#[test]
fn a_snapshot_that_is_pruned_while_it_is_verified_is_not_damaged() {
    let (place, ..) = one();
    let root = place.path("store");
    let store = Store::at(Utf8Path::from_path(&root).expect("UTF-8"));
    let (archive, manifest) = (Archive::of(&store), store.manifest().expect("a manifest"));
    let keep = Keep { last: 1, weekly: 0, zone: jiff::tz::TimeZone::UTC };
    for round in 0..8 {
        for number in 0..6 {
            let order = Order { now: 1_795_400_000_000 + round * 100_000 + number * 1_000, lean: false, source: None };
            archive.create(&store, &manifest, &order).expect("made");
        }
        let verified = std::thread::scope(|scope| {
            let checking = scope.spawn(|| archive.verify(None));
            std::thread::sleep(Duration::from_millis(3));
            archive.prune(&keep, false).expect("pruned");
            checking.join().expect("ended")
        });
        let verified = verified.expect("no error");
        assert!(verified.iter().all(|one| one.problems.is_empty()), "{verified:?}");
        assert_eq!(verified.last().map(|one| &one.name), archive.list().expect("a list").last().map(|one| &one.name));
    }
}
