//! `kill -9` at random moments: what is left is the old state or the new one, whole, and the next run is fine.

use crate::harness::{Place, real, tree};
use camino::Utf8Path;
use logicoma::engine::duck::Duck;
use logicoma::engine::{Wanted, tables};
use logicoma::registry::Registry;
use logicoma::store::Store;
use logicoma::store::snapshot::Archive;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Kills of each verb: 200 together.
const ROUNDS: u64 = 50;
/// Kills of restores.
const RESTORES: u64 = 30;
/// Of those of reports, the ones that measure everything anew.
const MEASURED: u64 = 15;

fn utf8(path: &Path) -> &Utf8Path {
    Utf8Path::from_path(path).expect("UTF-8")
}

/// Starts programs and kills them.
struct Killer {
    verb: &'static str,
    random: fastrand::Rng,
    /// How long a whole run takes.
    whole: Duration,
    killed: u64,
    finished: u64,
    old: u64,
    new: u64,
}

impl Killer {
    fn new(verb: &'static str, seed: u64) -> Self {
        Self {
            verb,
            random: fastrand::Rng::with_seed(seed),
            whole: Duration::ZERO,
            killed: 0,
            finished: 0,
            old: 0,
            new: 0,
        }
    }

    /// A run to its end, which must succeed: what the moments of killing are drawn from.
    fn finish(&mut self, place: &Place, command: &mut Command) {
        let started = Instant::now();
        place.output(command).ok();
        self.whole = if self.whole.is_zero() { started.elapsed() } else { (self.whole + started.elapsed()) / 2 };
    }

    fn kill(&mut self, command: &mut Command) {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        std::thread::sleep(self.whole.mul_f64(self.random.f64()));
        let over = child.try_wait().expect("a status").is_some();
        child.kill().expect("killed");
        child.wait().expect("ended");
        *(if over { &mut self.finished } else { &mut self.killed }) += 1;
    }

    fn saw(&mut self, new: bool) {
        *(if new { &mut self.new } else { &mut self.old }) += 1;
    }
}

impl Drop for Killer {
    fn drop(&mut self) {
        let Self { verb, killed, finished, old, new, .. } = self;
        eprintln!("{verb}: {killed} killed, {finished} had ended; {old} left the old state, {new} the new one");
    }
}

/// Every file of the manifest is what the manifest says.
fn check_whole(store: &Store) {
    let manifest = store.manifest().expect("a manifest");
    for file in manifest.files() {
        let bytes = fs::read(store.root().join(&file.path)).unwrap_or_else(|error| panic!("{}: {error}", file.path));
        assert_eq!(logicoma::model::digest::sha256(&bytes), file.sha256, "{}", file.path);
    }
}

fn titles(store: &Store, registry: &Registry) -> Vec<String> {
    let manifest = store.manifest().expect("a manifest");
    let duck = Duck::open(1, Utf8Path::new("/tmp")).expect("DuckDB");
    tables(&duck, store, &manifest, registry, &Wanted::of(["raw_session"], registry), None).expect("views");
    let rows =
        duck.query("titles", "select distinct title from raw_session where title like 'Round %'", &[]).expect("rows");
    (0..rows.len()).map(|row| rows.get(row, "title").to_text()).collect()
}

/// All sessions get a new title, and one more part: two partitions or more change.
fn next_round(db: &Path, round: u64) {
    let database = rusqlite::Connection::open(db).expect("opened");
    database
        .execute_batch(&format!(
            "update session set title = 'Round {round}', time_updated = time_updated + 1;
             insert into part select 'prt_round{round}', message_id, session_id, time_created, time_updated, data
             from part where id = (select min(id) from part);"
        ))
        .expect("changed");
}

fn database(place: &Place) -> PathBuf {
    let path = place.path("opencode.db");
    fs::copy(real(), &path).expect("copied");
    path
}

#[test]
fn a_killed_extract_leaves_the_old_state_or_the_new_one() {
    let place = Place::new();
    let db = database(&place);
    let registry = Registry::load(&[]).expect("queries");
    let store = Store::at(utf8(&place.path("store")));
    let extract = || {
        let mut command = place.command();
        command.arg("--db").arg(&db).arg("extract");
        command
    };
    let mut killer = Killer::new("extract", 11);
    next_round(&db, 0);
    killer.finish(&place, &mut extract());
    for round in 1..=ROUNDS {
        next_round(&db, round);
        killer.kill(&mut extract());
        check_whole(&store);
        let found = titles(&store, &registry);
        assert_eq!(found.len(), 1, "two states at once: {found:?}");
        let is_new = found[0] == format!("Round {round}");
        assert!(is_new || found[0] == format!("Round {}", round - 1), "{found:?} in round {round}");
        killer.saw(is_new);
        killer.finish(&place, &mut extract());
        check_whole(&store);
        assert_eq!(titles(&store, &registry), [format!("Round {round}")]);
    }
    // Nothing of the killed runs is left.
    let manifest = store.manifest().expect("a manifest");
    let parquet =
        tree(&place.path("store")).into_iter().filter(|path| path.ends_with(".parquet") && !path.starts_with("marts"));
    assert_eq!(parquet.count(), manifest.files().count(), "no file without a place in the manifest");
    assert!(!place.path("store/.incoming").exists());
}

#[test]
fn a_killed_snapshot_is_there_or_not() {
    let place = Place::new();
    let db = database(&place);
    place.on(&db, &["extract"]).ok();
    let archive = Archive::at(utf8(&place.path("store/snapshots")));
    // Without links every file is written anew: more moments to be killed in.
    let create = |round: u64| {
        let mut command = place.command();
        command.args(["--no-extract", "snapshot", "create"]).args(if round.is_multiple_of(2) {
            &["--lean"][..]
        } else {
            &[]
        });
        command
    };
    let mut killer = Killer::new("snapshot create", 12);
    killer.finish(&place, &mut create(1));
    let mut count = 1;
    for round in 1..=ROUNDS {
        if round % 5 == 0 {
            next_round(&db, round);
            place.on(&db, &["extract"]).ok();
        }
        killer.kill(&mut create(round));
        let verified = archive.verify(None).expect("an archive");
        assert!(verified.iter().all(|one| one.problems.is_empty()), "{verified:?}");
        assert!(verified.len() == count || verified.len() == count + 1, "{} after {count}", verified.len());
        killer.saw(verified.len() > count);
        count = verified.len();
        killer.finish(&place, &mut create(round));
        count += 1;
        assert_eq!(archive.verify(None).expect("an archive").len(), count);
        if count > 12 {
            place.run(&["snapshot", "prune", "--keep-last", "1"]).ok();
            count = 1;
        }
    }
    let left: Vec<String> =
        tree(&place.path("store/snapshots")).into_iter().filter(|path| path.starts_with(".incoming")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_killed_prune_leaves_whole_snapshots() {
    let place = Place::new();
    let db = database(&place);
    place.on(&db, &["extract"]).ok();
    let archive = Archive::at(utf8(&place.path("store/snapshots")));
    let names = || -> Vec<String> { archive.list().expect("an archive").into_iter().map(|one| one.name).collect() };
    let prune = || {
        let mut command = place.command();
        command.args(["snapshot", "prune", "--keep-last", "1"]);
        command
    };
    let fill = || {
        while names().len() < 4 {
            place.run(&["--no-extract", "snapshot", "create"]).ok();
        }
    };
    let mut killer = Killer::new("snapshot prune", 13);
    fill();
    killer.finish(&place, &mut prune());
    for _ in 1..=ROUNDS {
        fill();
        let before = names();
        killer.kill(&mut prune());
        let verified = archive.verify(None).expect("an archive");
        assert!(verified.iter().all(|one| one.problems.is_empty()), "{verified:?}");
        let after = names();
        assert!(
            after.iter().all(|name| before.contains(name)) && after.last() == before.last(),
            "{before:?} {after:?}"
        );
        killer.saw(after.len() < before.len());
        killer.finish(&place, &mut prune());
        assert_eq!(names(), before[before.len() - 1..]);
    }
    let left: Vec<_> = fs::read_dir(archive.root())
        .expect("archive")
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().starts_with(".removed"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_killed_restore_leaves_the_old_state_of_all_writers_or_the_new_one() {
    let place = Place::new();
    let registry = Registry::load(&[]).expect("queries");
    let store = Store::at(utf8(&place.path("store")));
    let other = place.path("other.db");
    fs::copy(crate::harness::fixture("opencode/opencode-1.2.27.db"), &other).expect("copied");
    let dbs = [("desk", database(&place)), ("laptop", other)];
    for round in [1, 2] {
        for (writer, db) in &dbs {
            next_round(db, round);
            place.on(db, &["extract", "--source", writer]).ok();
        }
        place.run(&["--no-extract", "snapshot", "create"]).ok();
    }
    let names = ["2026-11-22T120000Z", "2026-11-22T120000Z-2"];
    let restore = |index: usize| {
        let mut command = place.command();
        command.args(["snapshot", "restore", names[index]]);
        command
    };
    let mut killer = Killer::new("snapshot restore", 16);
    killer.finish(&place, &mut restore(0));
    killer.finish(&place, &mut restore(1));
    let mut now = 1;
    for _ in 0..RESTORES {
        killer.kill(&mut restore(1 - now));
        check_whole(&store);
        let found = titles(&store, &registry);
        assert_eq!(found.len(), 1, "one machine in the old state, one in the new: {found:?}");
        let is_new = found[0] == format!("Round {}", 2 - now);
        killer.saw(is_new);
        now = if is_new { 1 - now } else { now };
        assert_eq!(found[0], format!("Round {}", now + 1));
    }
    killer.finish(&place, &mut restore(1 - now));
    for (writer, db) in &dbs {
        place.on(db, &["extract", "--source", writer]).ok();
    }
    assert_eq!(titles(&store, &registry), ["Round 2"]);
    let left: Vec<String> = fs::read_dir(store.root())
        .expect("store")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".incoming") || name.starts_with(".restored"))
        .collect();
    assert_eq!(left, [""; 0], "left behind");
}

/// Where reports go, as a test that kills them looks at it.
struct Reports<'a> {
    place: &'a Place,
    name: String,
}

impl<'a> Reports<'a> {
    /// The only report that there is.
    fn of(place: &'a Place) -> Self {
        let mut folders = fs::read_dir(place.path("out")).expect("reports").flatten();
        let folder = folders.find(|entry| entry.path().is_dir()).expect("a report");
        Self { place, name: folder.file_name().to_string_lossy().into_owned() }
    }

    /// Page and numbers, which must be whole.
    fn read(&self) -> (String, Value) {
        let read = |file: &str| fs::read_to_string(self.place.path(&format!("out/{}/{file}", self.name)));
        let html = read("index.html").expect("a report stands");
        assert!(html.trim_end().ends_with("</html>"), "a torn page");
        let json: Value = serde_json::from_str(&read("report.json").expect("a report stands")).expect("whole JSON");
        (html, json["metrics"]["overview"].clone())
    }

    fn left(&self) -> Vec<String> {
        let names = fs::read_dir(self.place.path("out")).expect("reports").flatten();
        names
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with('.'))
            .collect()
    }
}

#[test]
fn a_killed_report_leaves_the_old_report_or_the_new_one() {
    let place = Place::new();
    let db = database(&place);
    let store = Store::at(utf8(&place.path("store")));
    let report = |theme: &str| {
        let mut command = place.command();
        command.arg("--db").arg(&db).args(["report", "--all", "--no-content", "--out", "out", "--theme", theme]);
        command
    };
    // All of it: refresh, marts, metrics, pages.
    let mut killer = Killer::new("report", 14);
    next_round(&db, 0);
    killer.finish(&place, &mut report("section9"));
    let reports = Reports::of(&place);
    let (_, mut known) = reports.read();
    for round in 1..=MEASURED {
        next_round(&db, round);
        killer.kill(&mut report("section9"));
        check_whole(&store);
        let (_, found) = reports.read();
        killer.saw(found != known);
        // The next run starts from whatever this one left; one in five runs to its end.
        if round % 5 == 0 {
            killer.finish(&place, &mut report("section9"));
            known = reports.read().1;
        }
    }
    killer.finish(&place, &mut report("section9"));
    drop(killer);
    // Only the pages, in another dress: most of these moments fall into rendering and writing.
    let mut killer = Killer::new("report, pages alone", 15);
    let looks = ["contrast", "section9"].map(|theme| {
        killer.finish(&place, &mut report(theme));
        reports.read().0
    });
    assert_ne!(looks[0], looks[1]);
    let mut last = 1;
    for round in 0..ROUNDS - MEASURED {
        let next = 1 - last;
        killer.kill(&mut report(["contrast", "section9"][next]));
        let (html, numbers) = reports.read();
        let is_new = html == looks[next];
        assert!(is_new || html == looks[last], "neither the old page nor the new one in round {round}");
        assert!(numbers != Value::Null);
        killer.saw(is_new);
        last = if is_new { next } else { last };
    }
    killer.finish(&place, &mut report("section9"));
    assert_eq!(reports.left(), [""; 0], "left behind");
}
