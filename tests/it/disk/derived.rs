//! What is derived from the store, marts and what was measured of them: damage in it is never believed and never in the way, and
//! trouble while it is made is told as what it is.

use super::{Tmpfs, fill};
use crate::harness::{Place, Run, real, tree};
use std::fs;
use std::path::{Path, PathBuf};

const ASK: &[&str] = &["--no-extract", "metrics", "run", "overview", "tools", "daily", "--all", "--json"];

fn forget_results(place: &Place) {
    for folder in fs::read_dir(place.path("store/marts")).expect("marts").flatten() {
        let memo = folder.path().join("memo");
        if memo.is_dir() {
            fs::remove_dir_all(memo).expect("removed");
        }
    }
}

/// The folder of the one state that there is.
fn state(place: &Place) -> PathBuf {
    let folders = fs::read_dir(place.path("store/marts")).expect("marts").flatten();
    folders.map(|entry| entry.path()).find(|path| path.is_dir()).expect("a state")
}

/// What damages a file.
type Fault<'f> = &'f dyn Fn(&Path);

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    tree(folder).into_iter().filter(|path| path.ends_with(ending)).map(|path| folder.join(path)).collect()
}

#[test]
fn a_result_in_which_a_digit_is_another_is_measured_again() {
    let place = Place::measured();
    let before = place.run(ASK).ok().out;
    let results = files(&state(&place), ".json");
    assert!(results.len() > 10, "{results:?}");
    for path in &results {
        let mut bytes = fs::read(path).expect("read");
        // In the values, so that it is JSON still.
        for at in 40..bytes.len() - 1 {
            if matches!(bytes[at - 1], b'[' | b',') && bytes[at].is_ascii_digit() {
                bytes[at] = if bytes[at] == b'9' { b'1' } else { bytes[at] + 1 };
            }
        }
        fs::write(path, bytes).expect("written");
    }
    assert_eq!(place.run(ASK).ok().out, before);
    // One result in another's place is no result either.
    let swapped: Vec<Vec<u8>> = results.iter().map(|path| fs::read(path).expect("read")).collect();
    for (path, other) in results.iter().zip(swapped.iter().rev()) {
        fs::write(path, other).expect("written");
    }
    assert_eq!(place.run(ASK).ok().out, before);
}

#[test]
fn a_mart_that_is_not_what_was_built_is_built_anew() {
    let place = Place::measured();
    let before = place.run(ASK).ok().out;
    let folder = state(&place);
    let query = ["--no-extract", "query", "-c", "select count(*) as n, sum(cost_usd) as cost from steps", "--json"];
    let asked = place.run(&query).ok().out;
    // Without rows a mart's file holds bytes of chance: lengths are compared.
    let length = |path: &Path| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|found| found.len());
    let whole: Vec<(PathBuf, Option<u64>)> =
        files(&folder, ".parquet").into_iter().map(|path| (path.clone(), length(&path))).collect();
    let steps = |path: &Path| path.to_string_lossy().contains("/steps");
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(path, bytes).expect("written");
    };
    let faults: [(&str, Fault<'_>); 5] = [
        ("cut off", &|path| fs::write(path, &fs::read(path).expect("read")[..500]).expect("written")),
        ("a flipped bit", &flip),
        ("gone", &|path| fs::remove_file(path).expect("removed")),
        ("empty", &|path| fs::write(path, "").expect("written")),
        ("a folder in its place", &|path| {
            fs::remove_file(path).expect("removed");
            fs::create_dir_all(path.join("x")).expect("made");
        }),
    ];
    for (name, fault) in faults {
        for (path, _) in whole.iter().filter(|(path, _)| steps(path)) {
            fault(path);
        }
        let told = place.run(&["doctor", "--db", &real().to_string_lossy()]);
        assert!(told.out.contains("is not what was built"), "{name}: {}", told.out);
        // Neither a query nor a metric believes it, nor what was measured meanwhile.
        assert_eq!(place.run(&query).ok().out, asked, "{name}");
        assert!(!folder.join("memo").exists(), "{name}: results of marts that were damaged were kept");
        assert_eq!(place.run(ASK).ok().out, before, "{name}");
        for (path, was) in &whole {
            assert_eq!(length(path), *was, "{name}: {}", path.display());
        }
    }
    // Without the list of what each file must hold, or with a wrong one, nothing is believed.
    for is_cut in [false, true] {
        let path = folder.join(".sums");
        let text = fs::read_to_string(&path).expect("a list");
        if is_cut {
            let less: Vec<&str> = text.lines().filter(|line| !line.ends_with("/0000.parquet")).collect();
            fs::write(&path, less.join("\n") + "\n").expect("written");
        } else {
            fs::remove_file(&path).expect("removed");
        }
        forget_results(&place);
        assert_eq!(place.run(ASK).ok().out, before);
        assert_eq!(fs::read_to_string(&path).expect("a list").lines().count(), text.lines().count());
    }
    // Whoever asks for everything anew gets everything anew.
    place.on(&real(), &["extract", "--full"]).ok();
    assert!(files(&place.path("store/marts"), ".parquet").is_empty() && !folder.exists());
    assert_eq!(place.run(ASK).ok().out, before);
}

/// Runs the program under limits of the shell's.
fn limited(place: &Place, limit: &str, args: &[&str]) -> Run {
    let whole = place.command();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("trap '' XFSZ; {limit}; exec \"$@\""), "sh"]).arg(whole.get_program());
    command.args(whole.get_args()).args(args).current_dir(place.folder.path()).env_clear();
    command.env("HOME", place.path("home")).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    place.output(&mut command)
}

#[test]
fn what_the_machine_lacks_while_marts_are_built_is_told_and_nothing_is_left() {
    let place = Place::new();
    place.on(&real(), &["extract"]).ok();
    for (limit, says) in [("ulimit -f 8", "free some space"), ("ulimit -n 12", "ulimit -n")] {
        let run = limited(&place, limit, ASK).fails(6, &["error:", "hint:", says]);
        assert!(!run.err.contains("logicoma schema"), "{}", run.err);
        assert!(!place.path("store/marts/.incoming").exists(), "{limit}: what was begun was left");
    }
    place.run(ASK).ok();
}

#[test]
fn a_full_disk_is_not_kept_full_by_marts() {
    let place = Place::new();
    let Some(disk) = Tmpfs::mount(&place.path("disk"), "8m") else { return };
    let store = disk.path.join("store");
    let on = |args: &[&str]| place.output(place.with_store(&store).arg("--db").arg(real()).args(args));
    on(&["extract"]).ok();
    for left in [0, 20, 120] {
        fill(&disk.path.join("filler"), left * 1024);
        on(&["metrics", "run", "--all", "--json"]).fails(6, &["error:", "hint:", "free some space"]);
        assert!(!store.join("marts/.incoming").exists(), "what was begun was left");
        fs::remove_file(disk.path.join("filler")).expect("removed");
    }
    // The same where the output goes: it is the disk, and not the data.
    on(ASK).ok();
    fill(&disk.path.join("filler"), 0);
    let out = disk.path.join("out.csv").display().to_string();
    on(&["metrics", "run", "daily", "--all", "--format", "csv", "-o", &out]).fails(6, &["hint:", "free some space"]);
    let events = disk.path.join("events.jsonl").display().to_string();
    place
        .run(&["emit", "verification", "--json", r#"{"session_id":"ses_1","iterations":2}"#, "--file", &events])
        .fails(6, &["hint:", "free some space"]);
}
