//! A refresh gives what reading everything anew gives, whatever happened to the database, and keeps what went.
//!
//! Random histories of inserts, updates in place, late finishes, deletes, forks, undos and moves from the first generation
//! of schema to the second. After each refresh, the store's present rows are those of a fresh store, row for row over every
//! table, and its history is exactly what was once seen and is gone.

use crate::changes::{DAY, DDL, START, Step, World, step};
use camino::{Utf8Path, Utf8PathBuf};
use logicoma::engine::{self, Wanted, duck::Duck};
use logicoma::extract::opencode::Progress;
use logicoma::extract::opencode::locate::Found;
use logicoma::extract::{self, Request, catalog};
use logicoma::registry::Registry;
use logicoma::store::Store;
use logicoma::store::schema::{self, Origin};
use proptest::prelude::*;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

struct Silent;

impl Progress for Silent {
    fn table(&self, _: &str, _: &str, _: u64) {}
    fn advance(&self, _: u64, _: u64) {}
}

/// Rows of a table as text, by key.
type Rows = BTreeMap<String, BTreeMap<String, String>>;

const TABLES: [&str; 6] = ["session", "message", "part", "todo", "project", "quarantine"];

fn key_of(table: &str, row: &BTreeMap<String, String>) -> String {
    match table {
        "todo" => format!("{} {}", row["session_id"], row["position"]),
        "quarantine" => format!("{} {} {}", row["table_name"], row["row_id"], row["session_id"]),
        _ => row["id"].clone(),
    }
}

/// Every row of every table.
fn read(store: &Store, registry: &Registry) -> BTreeMap<&'static str, Rows> {
    let manifest = store.manifest().expect("manifest");
    for file in manifest.files() {
        logicoma::store::read::verify(store.root(), file).expect("whole");
    }
    let duck = Duck::open(1, store.root()).expect("duckdb");
    let words = TABLES.map(|table| format!("raw_{table}")).join(" ");
    engine::tables(&duck, store, &manifest, registry, &Wanted::of([words.as_str()], registry), None).expect("views");
    TABLES
        .into_iter()
        .map(|table| {
            let columns: Vec<&str> = schema::table(table)
                .expect("a table")
                .columns
                .iter()
                .filter(|column| column.origin != Origin::Path)
                .map(|column| column.name)
                .collect();
            let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
            let found = duck.query(table, &format!("select {} from raw_{table}", names.join(", ")), &[]).expect("read");
            let mut rows = Rows::new();
            for row in 0..found.len() {
                let values: BTreeMap<String, String> = columns
                    .iter()
                    .enumerate()
                    .map(|(at, name)| ((*name).to_owned(), format!("{:?}", found.value(row, at))))
                    .collect();
                let key = key_of(table, &values);
                assert!(rows.insert(key.clone(), values).is_none(), "{table} {key} is there twice");
            }
            (table, rows)
        })
        .collect()
}

const PRESENT: &str = "Null";

fn refresh(store: &Store, db: &Utf8Path, now: i64) {
    let found = [Found::at("db", db)];
    let (places, zone) = (catalog::Places::default(), jiff::tz::TimeZone::UTC);
    let request = Request { found: &found, places: &places, content: Some(true), full: false, zone: &zone, now };
    extract::refresh(store, &request, &Silent).expect("refreshed");
}

fn is_history(table: &str, row: &BTreeMap<String, String>, now: &BTreeMap<&'static str, Rows>) -> bool {
    let session = row.get("session_id").cloned().unwrap_or_default();
    match table {
        // It goes with a row that went, but stays where nothing is left of its session.
        "quarantine" => {
            let names = |row: &BTreeMap<String, String>| row.get("session_id").is_some_and(|id| *id == session);
            let is_named = |table: &&str| now[*table].values().any(names);
            session != PRESENT
                && !now["session"].contains_key(&session)
                && !["message", "part", "todo", "quarantine"].iter().any(is_named)
        }
        "part" => {
            // Parts go with a message of the second generation that is still there.
            let message = now["message"].get(&row["message_id"]);
            !message.is_some_and(|message| message["generation"].contains("v2") || row["generation"].contains("v2"))
        }
        "todo" => {
            !now["session"].contains_key(&session) && !now["todo"].values().any(|todo| todo["session_id"] == session)
        }
        _ => true,
    }
}

fn hold(steps: &[Vec<Step>]) {
    let folder = tempfile::tempdir().expect("folder");
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("a readable name");
    let db = root.join("db.db");
    let database = Connection::open(&db).expect("opened");
    database.execute_batch(DDL).expect("made");
    let mut world = World { database, clock: START + 50 * DAY, next: 0 };
    let registry = Registry::load(&[]).expect("registry");
    let store = Store::at(&root.join("store"));
    let mut history: BTreeMap<&str, Rows> = TABLES.into_iter().map(|table| (table, Rows::new())).collect();
    let mut before: BTreeMap<&str, Rows> = history.clone();
    for (index, steps) in steps.iter().enumerate() {
        let now = 1_800_000_000_000 + i64::try_from(index).expect("few") * 1000;
        for step in steps {
            world.apply(step);
        }
        // A refresh that finds nothing changed writes nothing, and so remembers no time.
        world.run("update session set time_updated = time_updated + 1 where id = 'ses_anchor'", params![]);
        refresh(&store, &db, now);
        let fresh = Store::at(&root.join(format!("fresh-{index}")));
        refresh(&fresh, &db, now);
        let (mine, now_there) = (read(&store, &registry), read(&fresh, &registry));
        for table in TABLES {
            let (present, gone): (Rows, Rows) =
                mine[table].clone().into_iter().partition(|(key, row)| match row.get("last_seen_at") {
                    Some(seen) => seen == PRESENT,
                    // What could not be read has no such mark.
                    None => now_there[table].contains_key(key),
                });
            assert_eq!(present, now_there[table], "{table} after {index}: {steps:?}");
            let seen_at = format!("At({})", now - 1000);
            let mut expected = std::mem::take(history.get_mut(table).expect("a table"));
            for (key, row) in &before[table] {
                let mut row = row.clone();
                if let Some(seen) = row.get_mut("last_seen_at") {
                    seen.clone_from(&seen_at);
                }
                expected.insert(key.clone(), row);
            }
            expected.retain(|key, row| !now_there[table].contains_key(key) && is_history(table, row, &now_there));
            assert_eq!(gone, expected, "history of {table} after {index}: {steps:?}");
            history.insert(table, expected);
        }
        before = now_there;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_incremental_store_is_a_fresh_one_with_history(
        steps in proptest::collection::vec(proptest::collection::vec(step(), 1..12), 2..7)
    ) {
        hold(&steps);
    }
}
