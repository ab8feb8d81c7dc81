//! A live database: while a writer commits without pause, as OpenCode does, every refresh sees one committed state, whole,
//! and the writer never waits for it.

use crate::harness::{Place, fixture};
use logicoma::engine::duck::Duck;
use logicoma::engine::{Wanted, tables};
use logicoma::registry::Registry;
use logicoma::store::Store;
use rusqlite::{Connection, params};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const REFRESHES: usize = 200;
const SESSIONS: u64 = 12;
/// As OpenCode sets it.
const BUSY: Duration = Duration::from_secs(5);

/// What the writer saw.
#[derive(Default)]
struct Written {
    commits: u64,
    busy: u64,
    slowest: Duration,
    checkpoints: u64,
    whole_checkpoints: u64,
}

fn open(path: &Path) -> Connection {
    let database = Connection::open(path).expect("opened");
    database.busy_timeout(BUSY).expect("time-out");
    database.query_row("pragma journal_mode = wal", [], |_| Ok(())).expect("wal");
    database.execute_batch("pragma synchronous = normal; pragma foreign_keys = on;").expect("pragmas");
    database
}

/// One transaction: a message with its parts, updates of earlier ones, and the session's counters over all of them. A
/// session's `tokens_input` is its number of parts, `tokens_output` its number of messages, `cost` the sum over its messages,
/// and its title the number of the commit.
fn commit(database: &mut Connection, number: u64) -> rusqlite::Result<()> {
    let session = format!("ses_{:02}", number % SESSIONS);
    let now = i64::try_from(1_795_000_000_000 + number).expect("a time");
    let transaction = database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let message = format!("msg_{number:08}");
    let pending = format!(
        r#"{{"role":"assistant","modelID":"m","providerID":"p","cost":0.25,"tokens":{{"input":1,"output":1,"reasoning":0,"cache":{{"read":0,"write":0}}}},"time":{{"created":{now}}}}}"#
    );
    transaction.execute(
        "insert into message (id, session_id, time_created, time_updated, data) values (?, ?, ?, ?, ?)",
        params![message, session, now, now, pending],
    )?;
    for part in 0..=number % 3 {
        let data = format!(
            r#"{{"type":"tool","tool":"bash","callID":"c{number}_{part}","state":{{"status":"running","input":{{"command":"ls {number}"}},"time":{{"start":{now}}}}}}}"#
        );
        transaction.execute(
            "insert into part (id, message_id, session_id, time_created, time_updated, data) values (?, ?, ?, ?, ?, ?)",
            params![format!("prt_{number:08}_{part}"), message, session, now, now, data],
        )?;
    }
    // A call that was running is completed now, in place.
    transaction.execute(
        "update part set data = replace(data, '\"running\"', '\"completed\"'), time_updated = ?
         where session_id = ? and message_id < ? and data like '%\"running\"%'",
        params![now, session, message],
    )?;
    transaction.execute(
        "update session set time_updated = ?1, title = ?2,
             tokens_input = (select count(*) from part where session_id = ?3),
             tokens_output = (select count(*) from message where session_id = ?3),
             cost = (select sum(json_extract(data, '$.cost')) from message where session_id = ?3)
         where id = ?3",
        params![now, number.to_string(), session],
    )?;
    transaction.commit()
}

fn write(path: &Path, stop: &AtomicBool, committed: &AtomicU64) -> Written {
    let mut database = open(path);
    let mut written = Written::default();
    let mut number = 1;
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        match commit(&mut database, number) {
            Ok(()) => {
                written.commits += 1;
                written.slowest = written.slowest.max(started.elapsed());
                committed.store(number, Ordering::SeqCst);
                number += 1;
            }
            Err(error) => {
                assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy), "{error}");
                written.busy += 1;
            }
        }
        if number % 16 == 0 {
            let (log, done): (i64, i64) = database
                .query_row("pragma wal_checkpoint(passive)", [], |row| Ok((row.get(1)?, row.get(2)?)))
                .expect("a checkpoint");
            written.checkpoints += 1;
            written.whole_checkpoints += u64::from(log == done);
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    written
}

#[allow(clippy::float_cmp, reason = "counts, and multiples of a quarter")]
/// The newest commit that the store holds, after holding every session against its counters.
fn check(store: &Store, registry: &Registry) -> u64 {
    let manifest = store.manifest().expect("manifest");
    let scratch = camino::Utf8Path::from_path(Path::new("/tmp")).expect("UTF-8");
    let duck = Duck::open(1, scratch).expect("DuckDB");
    tables(&duck, store, &manifest, registry, &Wanted::of(["raw_session raw_message raw_part"], registry), None)
        .expect("views");
    let sql = "select session.id, title, tokens_input, tokens_output, session.cost,
            (select count(*) from raw_part where session_id = session.id) as parts,
            (select count(*) from raw_message where session_id = session.id) as messages,
            (select sum(cost) from raw_message where session_id = session.id) as message_cost,
            (select count(*) from raw_part where session_id = session.id and status = 'running') as running,
            (select max(tokens) from (select count(*) as tokens from raw_part where session_id = session.id group by message_id)) as most
        from raw_session as session order by session.id";
    let rows = duck.query("check", sql, &[]).expect("rows");
    let mut newest = 0;
    for row in 0..rows.len() {
        let number = |column: &str| rows.get(row, column).as_f64().unwrap_or(0.0);
        let session = rows.get(row, "id").to_text();
        assert_eq!(number("tokens_input"), number("parts"), "parts of {session}");
        assert_eq!(number("tokens_output"), number("messages"), "messages of {session}");
        assert_eq!(number("cost"), number("message_cost"), "cost of {session}");
        // Only the calls of the newest message run.
        assert!(number("running") <= 3.0, "{session} has {} calls running", number("running"));
        newest = newest.max(rows.get(row, "title").to_text().parse().unwrap_or(0));
    }
    // Of every commit up to the newest, the session is there.
    let total: f64 = (0..rows.len()).map(|row| rows.get(row, "messages").as_f64().unwrap_or(0.0)).sum();
    assert_eq!(total, newest as f64, "commits up to the newest, no more and no less");
    newest
}

#[test]
fn two_hundred_refreshes_beside_a_writer_see_whole_states_and_never_hold_it_up() {
    let place = Place::new();
    let path = place.path("opencode.db");
    let database = open(&path);
    database.execute_batch(&fs::read_to_string(fixture("opencode/schema-1.18.33.sql")).expect("schema")).expect("made");
    database
        .execute_batch("insert into project (id, worktree, time_created, time_updated, sandboxes) values ('global', '/', 1, 1, '[]')")
        .expect("a project");
    for session in 0..SESSIONS {
        // Over several weeks, so that there is more than one partition.
        let created = 1_793_000_000_000 + i64::try_from(session).expect("small") * 300_000_000;
        database
            .execute(
                "insert into session (id, project_id, slug, directory, title, version, time_created, time_updated)
                 values (?, 'global', 's', '/tmp', '0', '1.18.33', ?, ?)",
                params![format!("ses_{session:02}"), created, created],
            )
            .expect("a session");
    }
    drop(database);
    let registry = Registry::load(&[]).expect("queries");
    let store = Store::at(camino::Utf8Path::from_path(&place.path("store")).expect("UTF-8"));
    let (stop, committed) = (AtomicBool::new(false), AtomicU64::new(0));
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write(&path, &stop, &committed));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut last = 0;
            let mut advanced = 0;
            for _ in 0..REFRESHES {
                let before = committed.load(Ordering::SeqCst);
                place.on(&path, &["extract", "--no-content"]).ok();
                let after = committed.load(Ordering::SeqCst);
                let seen = check(&store, &registry);
                assert!(
                    seen >= before && seen >= last,
                    "saw {seen}, but {before} was committed before and {last} seen"
                );
                assert!(seen <= after + 1, "saw {seen}, but only {after} was committed");
                advanced += usize::from(seen > last);
                last = seen;
            }
            assert!(advanced > REFRESHES / 2, "the writer wrote between refreshes ({advanced})");
            (last, advanced)
        }));
        stop.store(true, Ordering::Relaxed);
        let written = writer.join().expect("the writer");
        let (last, advanced) = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        eprintln!(
            "{REFRESHES} refreshes, {advanced} of new states up to commit {last}; {} commits, slowest {} ms, {} busy; \
             {} of {} checkpoints whole",
            written.commits,
            written.slowest.as_millis(),
            written.busy,
            written.whole_checkpoints,
            written.checkpoints
        );
        written
    });
    assert_eq!(written.busy, 0, "the writer was told that the database is busy");
    assert!(written.slowest < BUSY, "the slowest commit took {:?}", written.slowest);
    assert!(written.whole_checkpoints * 4 > written.checkpoints, "the log was written back between reads");
}
