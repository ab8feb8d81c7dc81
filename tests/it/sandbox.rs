//! Of a user's SQL nothing but a SELECT is ever run, wherever it stands, and it reaches no file outside of the store.

use crate::harness::{Place, Run, tree};
use logicoma::engine::duck::Duck;
use logicoma::engine::sandbox::check;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Statements that change something.
const ACTS: [&str; 5] = [
    "copy (select 1 as x) to 'pwned.csv' (format csv)",
    "insert into t values (1)",
    "update t set a = 1",
    "delete from t",
    "copy t to 'pwned.parquet' (format parquet, use_tmp_file false)",
];

/// Where a query may stand in a query.
const PLACES: [&str; 21] = [
    "with a as ({}) select 1",
    "with a as materialized ({}) select 1",
    "with b as (select 2), a as not materialized ({}) select 1",
    "with a as (with b as (with c as ({}) select 1) select 1) select 1",
    "select * from (with a as ({}) select 1)",
    "from (with a as ({}) select 1)",
    "select (with a as ({}) select 1)",
    "select 1 where exists (with a as ({}) select 1)",
    "select 1 where 1 in (with a as ({}) select 1)",
    "select case when 1 = (with a as ({}) select 1) then 1 end",
    "select 1 union all (with a as ({}) select 1)",
    "(with a as ({}) select 1) except select 2",
    "select * from range(3) as r(n), lateral (with a as ({}) select n)",
    "select * from range(3) join (with a as ({}) select 1 as range) using (range)",
    "select 1 order by (with a as ({}) select 1)",
    "select 1 limit (with a as ({}) select 1)",
    "select count(*) over (order by (with a as ({}) select 1)) from range(3)",
    "select list_transform([1], x -> x + (with a as ({}) select 1))",
    "values ((with a as ({}) select 1))",
    "select * from (describe (with a as ({}) select 1))",
    "select * from (pivot (with a as ({}) select 1 as k, 2 as v) on k in (1) using sum(v))",
];

#[test]
fn a_query_that_acts_is_refused_wherever_it_stands() {
    let duck = Duck::open(1, camino::Utf8Path::new("/nowhere")).expect("DuckDB");
    let check = |sql: &str| check(&duck, "-c", sql, &[]);
    for place in PLACES {
        for harmless in ["select 1", "values (1)", "select 1 union select 2"] {
            check(&place.replace("{}", harmless)).unwrap_or_else(|error| panic!("{place}: {error}"));
        }
        for act in ACTS {
            let refused = check(&place.replace("{}", act)).expect_err(place).to_string();
            assert!(refused.contains("does more than read"), "{place} {act}: {refused}");
        }
    }
    let others =
        ["attach 'x.db'", "set threads = 1", "create table x as select 1", "pragma version", "call f()", "load x"];
    for other in ACTS.iter().chain(&others) {
        for sql in [
            (*other).to_owned(),
            format!("select 1; {other}"),
            format!("{other}; select 1"),
            format!("/* x */ {other}"),
            format!("with a as (select 1) {other}"),
            format!("select 1) to 'x'; {other}; copy (select 1"),
        ] {
            assert!(check(&sql).is_err(), "{sql}");
        }
    }
    for sql in [
        "",
        " ; ",
        "-- nothing",
        "select 1; select 2",
        "from query('select 1')",
        "from main.\"QUERY\"('x')",
        "from arrow_scan()",
    ] {
        assert!(check(sql).is_err(), "{sql}");
    }
    // Text inside of strings and names is no statement, and depth is no danger.
    for sql in [
        r#"select '"type":"COPY_QUERY_NODE"', '"function_name":"query"' as "type"":""COPY_QUERY_NODE""#.to_owned(),
        "select 'copy (select 1) to x; delete from t' as copy -- insert".to_owned(),
        format!("select {}1", "1 + ".repeat(200)),
    ] {
        check(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

#[test]
fn a_parameter_changes_no_statement() {
    let duck = Duck::open(1, camino::Utf8Path::new("/nowhere")).expect("DuckDB");
    let sql = "select $a$ as x, 'b'; copy (select 1) to 'pwned' -- $a$ as y";
    for parameters in [&["a=1"][..], &[]] {
        let parameters: Vec<String> = parameters.iter().map(|text| (*text).to_owned()).collect();
        let allowed = check(&duck, "-c", sql, &parameters).is_ok_and(|checked| checked.sql != sql);
        assert!(!allowed, "{parameters:?}");
    }
}

/// The store's tables and what lies outside of the store, with what each file holds.
fn all(place: &Place) -> BTreeMap<String, String> {
    let root = place.folder.path();
    let is_kept = |path: &String| !path.starts_with("store/.") && !path.starts_with("store/marts/");
    let digest = |path: &str| logicoma::model::digest::sha256(&fs::read(root.join(path)).expect("read"));
    tree(root).into_iter().filter(is_kept).map(|path| (path.clone(), digest(&path))).collect()
}

#[test]
fn query_writes_nothing() {
    let place = Place::measured();
    let target = place
        .path("store")
        .join(tree(&place.path("store")).iter().find(|path| path.starts_with("part/")).expect("a file"));
    let before = all(&place);
    let copy = format!("copy (select 'x' as x) to '{}' (format parquet, use_tmp_file false)", target.display());
    let with = format!("with a as ({copy}) select 1");
    let mut stdin = place.command();
    stdin.args(["--no-extract", "query", "-"]).stdin(std::process::Stdio::piped());
    fs::write(place.path("own.sql"), &with).expect("written");
    stdin.stdin(fs::File::open(place.path("own.sql")).expect("opened"));
    place.output(&mut stdin).fails(5, &["SELECT", "COPY"]);
    place.run(&["--no-extract", "query", "own.sql"]).fails(5, &["own.sql", "SELECT", "COPY"]);
    fs::remove_file(place.path("own.sql")).expect("removed");
    for sql in
        [with.clone(), format!("select 1 as n; {copy}; select 2"), copy.clone(), format!("select * from ({with})")]
    {
        place.run(&["--no-extract", "query", "-c", &sql]).fails(5, &[]);
    }
    assert_eq!(all(&place), before);
}

fn header(layer: &str, name: &str) -> String {
    match layer {
        "staging" => format!("-- staging: {name}\n-- sources: raw_todo\n--\n-- Own.\n"),
        "marts" => {
            format!("-- mart: {name}\n-- grain: one row\n-- sources: stg_sessions\n-- time: none\n--\n-- Own.\n")
        }
        "metrics" => format!(
            "-- metric: {name}\n-- title: Own\n-- grain: one row\n-- units: none\n-- sources: steps\n-- evidence: observed\n\
             -- better: neutral\n-- chart: none\n--\n-- Own.\n"
        ),
        "findings" => {
            format!("-- finding: {name}\n-- title: Own\n-- sources: steps\n-- evidence: derived\n--\n-- Own.\n")
        }
        _ => format!("-- check: {name}\n-- title: Own\n-- sources: steps\n--\n-- Own.\n"),
    }
}

/// Puts a file of the user's own into `queries/`.
fn own(place: &Place, layer: &str, name: &str, sql: &str) -> std::path::PathBuf {
    let folder = place.path("queries").join(if layer == "metrics" { "metrics/usage" } else { layer });
    fs::create_dir_all(&folder).expect("folder");
    let path = folder.join(format!("{name}.sql"));
    let header = if layer.is_empty() { String::new() } else { header(layer, name) };
    fs::write(&path, format!("{header}{sql}")).expect("written");
    path
}

/// What runs a file of a layer.
fn runs(layer: &str) -> Vec<Vec<&'static str>> {
    match layer {
        "staging" => vec![vec!["query", "-c", "select count(*) from stg_todos"], vec!["metrics", "run", "todos"]],
        "marts" => {
            vec![vec!["metrics", "run", "overview"], vec!["query", "-c", "from mart_own"]]
        }
        "metrics" => vec![vec!["metrics", "run", "own"], vec!["query", "own"]],
        "findings" => vec![vec!["findings"], vec!["query", "own"]],
        "checks" => vec![vec!["check"], vec!["query", "own"]],
        _ => vec![vec!["query", "own"]],
    }
}

#[test]
fn files_of_the_users_own_hold_one_select_each() {
    let place = Place::measured();
    let outside = place.path("outside");
    fs::create_dir(&outside).expect("folder");
    let target = place
        .path("store")
        .join(tree(&place.path("store")).iter().find(|path| path.starts_with("todo/")).expect("a file"));
    let pwned = |name: &str| outside.join(name).display().to_string();
    let bodies = [
        format!("select 1 as a) to '{}' (format csv); copy (select 1 as a", pwned("1.csv")),
        format!(
            "select 1 as a; copy (select 1) to '{}' (format parquet, use_tmp_file false); select 2 as a",
            target.display()
        ),
        format!("select 1 as a; copy (select 1) to '{}' (format csv)", pwned("2.csv")),
        format!("with w as (copy (select 1) to '{}' (format csv)) select 1 as a", pwned("3.csv")),
        format!("select 1 as a; attach '{}' as pwned; create table pwned.t as select 1; select 1 as a", pwned("4.db")),
    ];
    let before = all(&place);
    for layer in ["staging", "marts", "metrics", "findings", "checks", ""] {
        let name = if layer == "staging" { "stg_todos" } else { "own" };
        for (number, body) in bodies.iter().enumerate() {
            let path = own(&place, layer, name, body);
            for run in runs(layer).iter().take(if number == 0 { 2 } else { 1 }) {
                let said = place.run(&[&["--no-extract"], run.as_slice()].concat());
                refuses(&said, &path, run[0]);
            }
            fs::remove_file(path).expect("removed");
        }
    }
    assert_eq!(tree(&outside), [""; 0]);
    fs::remove_dir_all(place.path("queries")).expect("removed");
    assert_eq!(all(&place), before);
}

/// Findings go on without the one that failed; everything else stops.
fn refuses(said: &Run, file: &Path, verb: &str) {
    let name = file.file_name().expect("a name").to_str().expect("UTF-8");
    assert!(said.code == 5 || (verb == "findings" && said.code == 0), "{verb} {name}: {} {}", said.code, said.err);
    assert!(said.err.contains(name), "{verb} {name}: {}", said.err);
}

#[test]
fn files_of_the_users_own_reach_nothing_outside_and_are_seen_inside() {
    let place = Place::measured();
    let secret = place.path("secret.csv");
    fs::write(&secret, "word\nhush\n").expect("written");
    for (layer, name) in
        [("staging", "stg_todos"), ("marts", "own"), ("metrics", "own"), ("checks", "own"), ("", "own")]
    {
        for read in ["read_text", "read_csv"] {
            let path = own(&place, layer, name, &format!("select * from {read}('{}')", secret.display()));
            for run in runs(layer) {
                let said = place.run(&[&["--no-extract"], run.as_slice()].concat());
                refuses(&said, &path, run[0]);
                assert!(!said.out.contains("hush") && said.err.contains("Permission"), "{layer} {}", said.err);
            }
            fs::remove_file(path).expect("removed");
        }
    }
    let marts = tree(&place.path("store/marts"));
    assert!(!marts.iter().any(|path| path.contains("own")), "{marts:?}");
    // What is right is taken.
    let staged =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/staging/stg_todos.sql")).expect("read");
    fs::write(own(&place, "staging", "stg_todos", ""), format!("{staged} -- mine\n;\n")).expect("written");
    own(&place, "marts", "own", "with two as (select 2 as n) select n from two -- two");
    own(&place, "metrics", "mine", "select n as own_count from mart_own");
    let said = place.run(&["--no-extract", "metrics", "run", "mine", "--json"]).ok();
    assert_eq!(said.out.split_whitespace().collect::<String>(), "[{\"own_count\":2}]");
}

#[test]
fn names_of_the_users_own_are_names() {
    let place = Place::measured();
    let evil = "x\" as select 1; copy (select 1) to 'pwned.csv'; create view \"y";
    let path = own(&place, "staging", evil, "select 1 as a");
    place.run(&["--no-extract", "query", "-c", "select 1"]).fails(2, &["letters, digits"]);
    fs::remove_file(path).expect("removed");
    let path = own(&place, "marts", "own", "select 1 as a");
    let text =
        fs::read_to_string(&path).expect("read").replace("time: none", "time: a\"; attach 'pwned.db'; select \"");
    fs::write(&path, text).expect("written");
    place.run(&["--no-extract", "query", "-c", "from own"]).fails(2, &["own.sql:4", "time"]);
    assert!(!tree(place.folder.path()).iter().any(|path| path.contains("pwned")));
}
