//! `query`: OpenCode's SQL runs unchanged and gives what sqlite3 gives; nothing but reading the store is possible.

use crate::harness::{Place, real};
use serde_json::{Value, json};

const SESSION_SKILLS: &str = "
SELECT p.data, p.time_created
FROM part p
JOIN message m ON p.message_id = m.id
WHERE m.session_id = ?
AND json_valid(p.data) = 1
AND json_extract(p.data, '$.tool') = 'skill'
ORDER BY p.time_created DESC;";

const SKILL_FREQUENCY: &str = "
SELECT json_extract(p.data, '$.state.input.name') as skill_name,
       COUNT(*) as invocation_count
FROM part p
JOIN message m ON p.message_id = m.id
WHERE json_valid(p.data) = 1
AND json_extract(p.data, '$.tool') = 'skill'
GROUP BY skill_name
ORDER BY invocation_count DESC;";

fn sqlite(sql: &str, parameters: &[&str]) -> Vec<Value> {
    let database = rusqlite::Connection::open(real()).expect("opened");
    let mut statement = database.prepare(sql).expect("prepared");
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows = statement
        .query_map(rusqlite::params_from_iter(parameters), |row| {
            let mut object = serde_json::Map::new();
            for (index, name) in names.iter().enumerate() {
                let value = match row.get_ref(index)? {
                    rusqlite::types::ValueRef::Null => Value::Null,
                    rusqlite::types::ValueRef::Integer(number) => json!(number),
                    rusqlite::types::ValueRef::Real(number) => json!(number),
                    rusqlite::types::ValueRef::Text(text) | rusqlite::types::ValueRef::Blob(text) => {
                        json!(String::from_utf8_lossy(text))
                    }
                };
                object.insert(name.clone(), value);
            }
            Ok(Value::Object(object))
        })
        .expect("queried");
    rows.map(|row| row.expect("a row")).collect()
}

fn sorted(value: &Value) -> Vec<String> {
    let mut rows: Vec<String> = value.as_array().expect("rows").iter().map(ToString::to_string).collect();
    rows.sort();
    rows
}

#[test]
fn the_seeds_two_examples_give_what_sqlite_gives() {
    let place = Place::new();
    let ours = place.json(&real(), &["query", "-c", SKILL_FREQUENCY, "--json"]);
    let theirs = Value::Array(sqlite(SKILL_FREQUENCY, &[]));
    assert!(theirs.as_array().expect("rows").len() > 8);
    assert_eq!(sorted(&ours), sorted(&theirs));
    for session in sqlite("select distinct session_id from part where data like '%\"tool\":\"skill\"%'", &[]) {
        let id = session["session_id"].as_str().expect("an id").to_owned();
        let theirs = Value::Array(sqlite(SESSION_SKILLS, &[&id]));
        assert!(!theirs.as_array().expect("rows").is_empty());
        for bound in [id.clone(), format!("1={id}")] {
            let ours = place.json(&real(), &["query", "-c", SESSION_SKILLS, "--param", &bound, "--json"]);
            assert_eq!(sorted(&ours), sorted(&theirs));
        }
    }
}

#[test]
fn every_table_of_opencodes_has_its_own_columns_and_rows() {
    let place = Place::new();
    for (table, key) in
        [("session", "id"), ("message", "id"), ("part", "id"), ("todo", "session_id, position"), ("project", "id")]
    {
        let columns = place.json(&real(), &["schema", table, "--json"]);
        let database = rusqlite::Connection::open(real()).expect("opened");
        let theirs: Vec<String> = database
            .prepare(&format!("select name from pragma_table_info('{table}')"))
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .expect("columns");
        let shared: Vec<&str> = columns
            .as_array()
            .expect("rows")
            .iter()
            .filter_map(|row| row["column"].as_str())
            .inspect(|column| assert!(theirs.iter().any(|name| name == column), "{table}.{column} is not OpenCode's"))
            .collect();
        let sql = format!("select {} from {table} order by {key}", shared.join(", "));
        let ours = place.json(&real(), &["query", "-c", &sql, "--json"]);
        let theirs = sqlite(&sql, &[]);
        assert_eq!(ours.as_array().map(Vec::len), Some(theirs.len()), "{table}");
        for (ours, theirs) in ours.as_array().expect("rows").iter().zip(&theirs) {
            for column in &shared {
                let close =
                    ours[*column].as_f64().zip(theirs[*column].as_f64()).is_some_and(|(a, b)| (a - b).abs() < 1e-12);
                assert!(
                    close || ours[*column] == theirs[*column],
                    "{table}.{column}: {} {}",
                    ours[*column],
                    theirs[*column]
                );
            }
        }
    }
}

#[test]
fn nothing_but_one_select_runs() {
    let place = Place::new();
    place.on(&real(), &["extract"]).ok();
    let inside = place.path("store").join("evil.parquet").display().to_string();
    let attempts = [
        "create table t (a int)".to_owned(),
        "drop view part".to_owned(),
        "insert into part select * from part".to_owned(),
        "update part set id = 'x'".to_owned(),
        "delete from part".to_owned(),
        "copy part to '/tmp/logicoma-evil.csv'".to_owned(),
        format!("copy (select 1) to '{inside}'"),
        "attach '/tmp/logicoma-evil.db'".to_owned(),
        "install httpfs".to_owned(),
        "load httpfs".to_owned(),
        "pragma database_list".to_owned(),
        "set enable_external_access = true".to_owned(),
        "reset lock_configuration".to_owned(),
        "select 1; drop view part".to_owned(),
        "call pragma_version()".to_owned(),
        "explain select 1".to_owned(),
        "export database '/tmp/logicoma-evil'".to_owned(),
        "begin".to_owned(),
        "commit".to_owned(),
        "detach memory".to_owned(),
        "use memory".to_owned(),
        "vacuum".to_owned(),
        "checkpoint".to_owned(),
        "analyze".to_owned(),
        "force install httpfs".to_owned(),
        "update extensions".to_owned(),
        "create secret s (type s3)".to_owned(),
        "create macro f() as 1".to_owned(),
        "create temp table t as select 1".to_owned(),
        "create or replace view part as select 1".to_owned(),
        "alter view part rename to gone".to_owned(),
        "comment on view part is 'x'".to_owned(),
        "import database '/tmp/logicoma-evil'".to_owned(),
        "prepare p as select 1".to_owned(),
        "execute p".to_owned(),
        "merge into part using part as other on true when matched then delete".to_owned(),
        "truncate part".to_owned(),
        "pragma enable_external_access = true".to_owned(),
        "pragma temp_directory = '/tmp'".to_owned(),
        "set allowed_directories = ['/']".to_owned(),
        "set variable x = 1".to_owned(),
        "set home_directory = '/tmp'".to_owned(),
        "with gone as (delete from part returning *) select * from gone".to_owned(),
        "select * from part into outfile '/tmp/logicoma-evil.csv'".to_owned(),
        "describe part; drop view part".to_owned(),
        "/* select */ drop view part".to_owned(),
        " -- select\ndrop view part".to_owned(),
        "select * from register_external_resource('duckdb', 'evil', map{'path': '/tmp/logicoma-evil.db'})".to_owned(),
        "select * from json_execute_serialized_sql(json_serialize_sql('select 1'))".to_owned(),
        "select * from (select * from Enable_Logging())".to_owned(),
        "select write_log('x') from part".to_owned(),
        "with gone as (select * from truncate_duckdb_logs()) select * from gone".to_owned(),
        ";".to_owned(),
        String::new(),
    ];
    for attempt in &attempts {
        place.on(&real(), &["query", "-c", attempt]).fails(5, &["error:", "hint:"]);
    }
    let reads = [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from read_blob('/etc/hostname')",
        "select * from glob('/etc/*')",
        "select * from read_parquet('https://example.org/x.parquet')",
        "select * from read_json('/proc/self/environ')",
        "select * from read_text(getenv('HOME') || '/x')",
        "select getenv('HOME')",
        "select * from read_csv_auto('/etc/passwd')",
        "select * from sniff_csv('/etc/passwd')",
        "select * from read_csv('/dev/stdin')",
        "select * from read_json_auto('/etc/passwd')",
        "select * from read_ndjson('/etc/passwd')",
        "select * from read_json_objects('/etc/passwd')",
        "select * from read_parquet('/etc/passwd')",
        "select * from parquet_metadata('/etc/passwd')",
        "select * from parquet_schema('/etc/passwd')",
        "select * from parquet_file_metadata('/etc/passwd')",
        "select * from read_text('../opencode.db')",
        "select * from read_blob('store/../../etc/passwd')",
        "select * from 'file:///etc/passwd'",
        "select * from '../../etc/passwd'",
        "select * from glob('**')",
        "select * from query('copy (select 1) to ''/tmp/logicoma-evil.csv''')",
        "select * from query_table('/etc/passwd')",
        "select * from sqlite_scan('/tmp/x.db', 't')",
        "select * from duckdb_secrets()",
        "select * from which_secret('s3://x', 's3')",
        "select nextval('x')",
    ];
    for attempt in &reads {
        place.on(&real(), &["query", "-c", attempt]).fails(5, &["error:"]);
    }
    // The store's own folder is no exception: only its tables can be read, through their views.
    let (manifest, store) = (place.path("store/manifest.json"), place.path("store"));
    for attempt in [
        format!("select * from read_text('{}')", manifest.display()),
        format!("select * from read_json('{}')", manifest.display()),
        format!("select * from glob('{}/*')", store.display()),
    ] {
        place.on(&real(), &["query", "-c", &attempt]).fails(5, &["error:"]);
    }
    // What a setting is may be asked; it tells of no way out.
    for (setting, value) in [("enable_external_access", "false"), ("lock_configuration", "true")] {
        let sql = format!("select cast(current_setting('{setting}') as varchar) as value");
        assert_eq!(place.json(&real(), &["query", "-c", &sql, "--json"])[0]["value"], value);
    }
    eprintln!("{} attempts to do and {} to read something else: none succeeded", attempts.len(), reads.len());
    assert!(!place.path("store/evil.parquet").exists());
    assert!(!std::path::Path::new("/tmp/logicoma-evil.csv").exists());
    assert!(!std::path::Path::new("/tmp/logicoma-evil.db").exists());
}

#[test]
fn whole_numbers_of_any_size_come_out() {
    let place = Place::new();
    let sql = "select * from (values (9223372036854775807::hugeint), (9223372036854775807::hugeint * 10), (null)) as numbers(n)";
    let rows = place.json(&real(), &["query", "-c", sql, "--json"]);
    assert_eq!(rows[0]["n"].as_f64(), Some(9_223_372_036_854_775_807.0));
    assert_eq!(rows[1]["n"].as_f64(), Some(92_233_720_368_547_758_070.0));
    assert!(rows[2]["n"].is_null());
    let fits = place.json(&real(), &["query", "-c", "select 9223372036854775807::hugeint as n", "--json"]);
    assert_eq!(fits[0]["n"].as_i64(), Some(i64::MAX));
}

#[test]
fn every_named_query_runs_as_it_stands() {
    let place = Place::measured();
    let queries = place.json(&real(), &["queries", "--json"]);
    let mut count = 0;
    for query in queries.as_array().expect("rows") {
        let (name, layer) = (query["name"].as_str().expect("a name"), query["layer"].as_str().expect("a layer"));
        if layer == "metric" || layer == "check" {
            place.on(&real(), &["query", name, "--no-extract", "--json"]).ok();
            count += 1;
        }
    }
    assert!(count > 20, "{count} queries");
}

#[test]
fn formats_agree_and_nothing_is_cut_off_a_terminal() {
    let place = Place::new();
    let sql = "select title, time_created as seen_at, cost from session order by id";
    let json = place.json(&real(), &["query", "-c", sql, "--json"]);
    let lines = place.on(&real(), &["query", "-c", sql, "--format", "jsonl"]).ok().out;
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(Value::Array(rows), json);
    assert!(json[0]["seen_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{}", json[0]);
    let csv = place.on(&real(), &["query", "-c", sql, "--format", "csv"]).ok().out;
    assert_eq!(csv.lines().next(), Some("title,seen_at,cost"));
    assert_eq!(csv.lines().count(), 49);
    let table = place.on(&real(), &["query", "-c", sql]).ok().out;
    assert!(table.contains("Audit a directory in a subagent (@reviewer subagent)"));
    assert!(!table.contains('\u{1b}'), "no colour off a terminal");
    let markdown = place.on(&real(), &["query", "-c", sql, "--format", "markdown"]).ok().out;
    assert_eq!(markdown.lines().count(), 50);
    let file = place.path("out.parquet").display().to_string();
    place.on(&real(), &["query", "-c", sql, "--format", "parquet", "-o", &file]).ok();
    assert!(std::fs::read(file).expect("written").starts_with(b"PAR1"));
}

#[test]
fn a_users_own_query_needs_no_contract_and_is_found_by_name() {
    let place = Place::new();
    std::fs::create_dir(place.path("queries")).expect("folder");
    let sql = "-- long sessions, for me\nselect count(*) as n from session where title like $part;\n";
    std::fs::write(place.path("queries/mine.sql"), sql).expect("written");
    let rows = place.json(&real(), &["query", "mine", "--param", "part=Audit%", "--json"]);
    assert!(rows[0]["n"].as_i64().is_some_and(|n| n > 0), "{rows}");
}

#[test]
fn a_file_is_written_whole_and_never_over_a_database_or_a_store() {
    let place = Place::measured();
    let db = place.path("opencode.db");
    std::fs::copy(real(), &db).expect("copied");
    std::fs::write(place.path("opencode.db-wal"), "").expect("written");
    let link = place.path("link.csv");
    std::os::unix::fs::symlink(&db, &link).expect("linked");
    let marts = crate::harness::tree(&place.path("store"));
    let first = |start: &str| format!("store/{}", marts.iter().find(|path| path.starts_with(start)).expect("a file"));
    let names =
        ["opencode.db", "opencode.db-wal", "opencode.db-shm", "link.csv", "store/new.csv", "store/manifest.json"];
    let hash = |path: &std::path::Path| std::fs::read(path).ok().map(|bytes| logicoma::model::digest::sha256(&bytes));
    for name in names.iter().map(|name| (*name).to_owned()).chain([first("part/"), first("marts/")]) {
        let before = hash(&place.path(&name));
        for args in [
            &["query", "-c", "select 1 as n", "--format", "csv"][..],
            &["stats", "--json"],
            &["metrics", "run", "overview", "daily", "--json"],
        ] {
            let run = place.run(&[&["--no-extract"], args, &["-o", &name]].concat());
            run.fails(
                2,
                &["overwrite", "opencode.db"].map(|word| if name.starts_with("store") { "store" } else { word }),
            );
            assert_eq!(hash(&place.path(&name)), before, "{name}");
        }
    }
    // A link to a plain file stays one; nothing is left beside it.
    std::fs::write(place.path("old.csv"), "old").expect("written");
    std::fs::remove_file(&link).expect("removed");
    std::os::unix::fs::symlink(place.path("old.csv"), &link).expect("linked");
    place.run(&["--no-extract", "query", "-c", "select 1 as n", "--format", "csv", "-o", "link.csv"]).ok();
    place.run(&["--no-extract", "query", "-c", "select 1 as n", "--format", "csv", "-o", "new.csv"]).ok();
    place.run(&["--no-extract", "query", "-c", "select 1 as n", "--format", "csv", "-o", "/dev/null"]).ok();
    assert!(link.is_symlink());
    for name in ["old.csv", "new.csv"] {
        assert_eq!(std::fs::read_to_string(place.path(name)).expect("read"), "n\n1\n");
    }
    assert!(!crate::harness::tree(place.folder.path()).iter().any(|path| path.starts_with(".logicoma")));
}

#[test]
fn odd_names_and_values_stay_in_their_line() {
    let place = Place::measured();
    let ask = |sql: &str, format: &str| place.run(&["--no-extract", "query", "-c", sql, "--format", format]);
    for format in ["table", "markdown"] {
        let out = ask("select 1 as \"a\nb|c\", 2 as d_e", format).ok().out;
        assert_eq!(out.lines().count(), if format == "table" { 2 } else { 3 }, "{out}");
    }
    ask("pivot part on part_type using count(*)", "table").fails(5, &["PIVOT", "in ("]);
    ask("from test_all_types()", "table").fails(5, &["column '"]);
}
