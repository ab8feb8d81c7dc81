//! Wounds: manifests that contradict themselves, databases of which pages are gone. What can be known is known, and what cannot is
//! said, never counted as nothing.

use crate::harness::{Place, real, tree};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn rows(place: &Place, sql: &str) -> Value {
    let run = place.run(&["--no-extract", "query", "-c", sql, "--json"]).ok();
    serde_json::from_str(&run.out).expect("JSON")
}

const COUNTS: &str = "select (select count(*) from session) as s, (select count(*) from message) as m,
    (select count(*) from part) as p, (select count(*) from todo) as t";

#[test]
fn a_manifest_that_contradicts_itself_is_damaged_and_rebuilt_whole() {
    let place = Place::new();
    place.on(&real(), &["extract"]).ok();
    let before = rows(&place, COUNTS);
    let path = place.path("store/manifest.json");
    let whole = fs::read_to_string(&path).expect("a manifest");
    let name = {
        let manifest: Value = serde_json::from_str(&whole).expect("JSON");
        manifest["sources"][0]["name"].as_str().expect("a name").to_owned()
    };
    let lose = |change: &dyn Fn(&mut Value)| {
        let mut manifest: Value = serde_json::from_str(&whole).expect("JSON");
        change(&mut manifest);
        serde_json::to_string_pretty(&manifest).expect("JSON")
    };
    let other = format!("x{}", &name[1..]);
    let wounds = [
        // A byte of the path of one file, and of the name of the source.
        whole.replacen(&format!("\"part/source={name}"), &format!("\"part/source={other}"), 1),
        whole.replacen(&format!("\"skill/source={name}"), &format!("\"skill/source={other}"), 1),
        whole.replacen(&format!("\"name\": \"{name}\""), &format!("\"name\": \"{other}\""), 1),
        lose(&|manifest| drop(manifest["tables"]["part"]["files"].as_array_mut().expect("files").pop())),
        lose(&|manifest| drop(manifest["tables"].as_object_mut().expect("tables").remove("part"))),
        lose(&|manifest| drop(manifest["sources"].as_array_mut().expect("sources").pop())),
        lose(&|manifest| manifest["tables"]["message"]["rows"] = 7.into()),
    ];
    for (index, wound) in wounds.iter().enumerate() {
        if *wound == whole {
            // There are no skills where this test runs.
            assert_eq!(index, 1);
            continue;
        }
        fs::write(&path, wound).expect("written");
        place.run(&["--no-extract", "stats"]).fails(6, &["damaged", "hint:", "--full"]);
        place.on(&real(), &["doctor"]).fails(6, &[]);
        place.on(&real(), &["extract"]).fails(6, &["damaged", "hint:", "--full"]);
        place.on(&real(), &["extract", "--full"]).ok();
        assert_eq!(rows(&place, COUNTS), before, "wound {index}");
        place.on(&real(), &["doctor"]).ok();
        place.on(&real(), &["extract"]).ok();
        fs::write(&path, &whole).expect("written");
        place.on(&real(), &["extract", "--full"]).ok();
    }
}

/// The leaf pages of a table, in their order.
fn leaves(bytes: &[u8], size: usize, page: usize) -> Vec<usize> {
    let start = (page - 1) * size;
    let head = if page == 1 { 100 } else { start };
    let short = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    let long = |at: usize| short(at) << 16 | short(at + 2);
    match bytes[head] {
        0x0d => vec![page],
        0x05 => {
            let cells = (0..short(head + 3)).map(|cell| long(start + short(head + 12 + 2 * cell)));
            cells.chain([long(head + 8)]).flat_map(|child| leaves(bytes, size, child)).collect()
        }
        other => panic!("page {page} is of kind {other}"),
    }
}

struct Patient {
    db: PathBuf,
    whole: Vec<u8>,
    size: usize,
}

impl Patient {
    fn new(place: &Place) -> Self {
        let db = place.path("opencode.db");
        fs::copy(real(), &db).expect("copied");
        let open = rusqlite::Connection::open(&db).expect("opened");
        open.execute_batch("delete from event; vacuum").expect("its copies of the parts are gone");
        drop(open);
        let whole = fs::read(&db).expect("read");
        let size = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
        Self { db, whole, size }
    }

    fn leaves(&self, table: &str) -> Vec<usize> {
        let open = rusqlite::Connection::open(&self.db).expect("opened");
        let root: i64 = open
            .query_row("select rootpage from sqlite_schema where name = ?1", [table], |row| row.get(0))
            .expect("a root");
        leaves(&self.whole, self.size, usize::try_from(root).expect("a page"))
    }

    /// Overwrites these pages, and nothing else of the whole file.
    fn lose(&self, pages: &[usize]) {
        let mut bytes = self.whole.clone();
        for page in pages {
            bytes[(page - 1) * self.size..page * self.size].fill(0);
        }
        fs::write(&self.db, bytes).expect("written");
    }

    /// Ids of the rows that lie on these pages, by their rowids, asked one by one: what SQLite itself can still find.
    fn readable(&self, table: &str) -> Vec<String> {
        let open = rusqlite::Connection::open(&self.db).expect("opened");
        let mut ask = open.prepare(&format!("select id, data from {table} where rowid = ?1")).expect("prepared");
        let mut ids: Vec<String> =
            (0..2_000).filter_map(|rowid| ask.query_row([rowid], |row| row.get(0)).ok()).collect();
        ids.sort();
        ids
    }
}

fn ids(place: &Place, table: &str) -> Vec<String> {
    let found = rows(place, &format!("select id from {table} order by id"));
    found.as_array().expect("rows").iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

fn fresh(place: &Place, db: &Path) -> String {
    let _ = fs::remove_dir_all(place.path("store"));
    place.on(db, &["extract"]).ok().err
}

#[test]
fn every_row_that_sqlite_finds_beside_lost_pages_is_read() {
    let place = Place::new();
    let patient = Patient::new(&place);
    for table in ["message", "part"] {
        let pages = patient.leaves(table);
        let last = pages.len() - 1;
        assert!(last > 6, "{table} has {} leaves", pages.len());
        // Alone, at both ends, side by side, and with one whole leaf between them.
        for lost in [vec![0], vec![last / 2], vec![last], vec![2, 3], vec![1, 3, 5], (0..last).step_by(2).collect()] {
            let lost: Vec<usize> = lost.into_iter().map(|leaf: usize| pages[leaf]).collect();
            patient.lose(&lost);
            let said = fresh(&place, &patient.db);
            assert!(said.contains("is damaged") && said.contains(&format!("{table} (")), "{said}");
            let readable = patient.readable(table);
            assert!(readable.len() > 3);
            assert_eq!(ids(&place, table), readable, "{table} without pages {lost:?}: {said}");
        }
    }
}

#[test]
fn a_rowid_from_far_ahead_does_not_hide_what_is_behind_the_damage() {
    let place = Place::new();
    let patient = Patient::new(&place);
    let pages = patient.leaves("part");
    let middle = pages.len() / 2;
    let (page, lost) = (pages[middle], pages[middle + 1]);
    patient.lose(&[lost]);
    let mut bytes = fs::read(&patient.db).expect("read");
    // The last cell of a leaf: its rowid, of two bytes, becomes one from far ahead; the next leaf is lost.
    let start = (page - 1) * patient.size;
    let short = |bytes: &[u8], at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    let cells = short(&bytes, start + 3);
    let mut at = start + short(&bytes, start + 8 + 2 * (cells - 1));
    while bytes[at] & 0x80 != 0 {
        at += 1;
    }
    assert!(bytes[at + 1] & 0x80 != 0 && bytes[at + 2] & 0x80 == 0, "a rowid of two bytes");
    bytes[at + 1] = 0xff;
    fs::write(&patient.db, bytes).expect("written");
    fresh(&place, &patient.db);
    let behind: Vec<String> = {
        let mut all = patient.readable("part");
        let read = ids(&place, "part");
        all.retain(|id| !read.contains(id));
        all
    };
    assert_eq!(behind, Vec::<String>::new(), "not read");
}

#[test]
fn a_database_of_which_no_session_message_or_part_can_be_read_is_no_empty_one() {
    let place = Place::new();
    let patient = Patient::new(&place);
    let all: Vec<usize> = ["session", "message", "part"].iter().flat_map(|table| patient.leaves(table)).collect();
    assert!(
        rusqlite::Connection::open(&patient.db)
            .and_then(|open| open.query_row("select count(*) from project", [], |row| row.get::<_, i64>(0)))
            .is_ok_and(|count| count > 0)
    );
    patient.lose(&all);
    for verb in ["extract", "report", "stats"] {
        place.on(&patient.db, &[verb]).fails(4, &["opencode.db is damaged", "hint:"]);
    }
    assert!(!tree(place.folder.path()).iter().any(|path| path.ends_with("manifest.json") || path.ends_with(".html")));
    // Beside one that can be read, it is told, and the other one counts.
    let both =
        |args: &[&str]| place.output(place.command().arg("--db").arg(&patient.db).arg("--db").arg(real()).args(args));
    assert!(both(&["extract"]).ok().err.contains("opencode.db is damaged"));
    // A part of it can be read: it counts, and whoever reads the store alone is told that this is not all.
    patient.lose(&all[all.len() - 2..]);
    fresh(&place, &patient.db);
    for args in [&["stats"][..], &["metrics", "run", "overview", "--all"], &["query", "-c", "select 1"]] {
        let said = place.run(&[&["--no-extract"], args].concat()).ok().err;
        assert!(said.contains("the database is damaged; not read: part ("), "{args:?}: {said}");
    }
}
