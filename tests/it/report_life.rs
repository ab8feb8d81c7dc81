//! A report's life from week to week: run again, compared, listed, themed, overridden, interrupted.

use crate::generator::taint::Taint;
use crate::harness::{Place, fixture, real};
use crate::pages::{files_of, folder, is_closed, json_of, read};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

type State = Vec<(std::path::PathBuf, Vec<u8>, SystemTime)>;

/// Bytes and times of everything in a folder.
fn state(path: &Path) -> State {
    files_of(path)
        .into_iter()
        .map(|file| {
            let written = fs::metadata(&file).and_then(|about| about.modified()).expect("a time");
            let bytes = fs::read(&file).expect("bytes");
            (file, bytes, written)
        })
        .collect()
}

#[test]
fn a_finished_week_made_again_later_changes_nothing() {
    let place = Place::new();
    let week = |now: &str| {
        let run = place
            .output(
                std::process::Command::new(env!("CARGO_BIN_EXE_logicoma"))
                    .current_dir(place.folder.path())
                    .env_clear()
                    .env("HOME", place.path("home"))
                    .args(["--timezone", "UTC", "--now", now, "--store", "store", "--db"])
                    .arg(real())
                    .args(["report", "--week", "last", "--out", "out"]),
            )
            .ok();
        assert!(run.out.trim().ends_with("out/2026-W46/index.html"), "{}", run.out);
        run
    };
    week("2026-11-16T06:00:00Z");
    let first = state(&place.path("out"));
    let again = week("2026-11-18T21:30:00Z");
    assert!(again.err.contains("nothing changed"), "{}", again.err);
    assert_eq!(state(&place.path("out")), first, "not one byte and not one time");
    // What was damaged is mended.
    fs::write(place.path("out/2026-W46/report.md"), "damaged").expect("written");
    week("2026-11-18T21:31:00Z");
    assert!(read(&place.path("out/2026-W46/report.md")).starts_with("# OpenCode, week 46 of 2026"));
}

#[test]
fn if_changed_renders_only_when_something_did() {
    let place = Place::new();
    let db = place.path("opencode.db");
    fs::copy(real(), &db).expect("copied");
    let report =
        |more: &[&str]| place.on(&db, &[&["report", "--all", "--out", "out", "--if-changed"], more].concat()).ok();
    let fresh = report(&[]);
    assert!(!fresh.err.contains("nothing changed"), "{}", fresh.err);
    let first = state(&place.path("out"));
    let unchanged = report(&[]);
    assert!(unchanged.err.contains("nothing changed since 2026-11-22T12:00:00Z"), "{}", unchanged.err);
    assert_eq!(unchanged.out, fresh.out, "it still says where the report is");
    assert_eq!(state(&place.path("out")), first);
    let is_made = |more: &[&str], why: &str| {
        let run = report(more);
        assert!(!run.err.contains("nothing changed"), "{why}: {}", run.err);
        assert!(report(more).err.contains("nothing changed"), "{why}, again");
    };
    is_made(&["--theme", "section9"], "another theme");
    is_made(&["--redact"], "redaction");
    is_made(&["--model", "acme"], "a filter");
    is_made(&["--data", "csv"], "data");
    let data = Taint { texts: &["changed".to_owned()], has_names: false };
    data.put(&db).expect("changed");
    is_made(&[], "the database");
    fs::create_dir_all(place.path("reports/partials")).expect("folder");
    fs::write(place.path("reports/partials/limits.txt"), "Mine.").expect("written");
    is_made(&[], "a template");
    fs::create_dir_all(place.path("queries/metrics/usage")).expect("folder");
    let header = "-- metric:    mine\n-- title:     Mine\n-- grain:     one row\n-- units:     none\n-- sources:   steps\n\
                  -- evidence:  observed\n-- better:    neutral\n-- chart:     none\n--\n-- Mine.\n";
    fs::write(place.path("queries/metrics/usage/mine.sql"), format!("{header}select 1 as one\norder by one\n"))
        .expect("written");
    is_made(&[], "a query");
}

#[test]
fn the_list_has_every_report_newest_first_with_its_numbers() {
    let place = Place::new();
    for period in
        [&["--week", "2026-W46"][..], &["--week", "2026-W44"], &["--month", "2026-10"], &["--last", "7d"], &["--all"]]
    {
        place.on(&real(), &[&["report", "--out", "out"], period].concat()).ok();
    }
    place.on(&real(), &["report", "--week", "2026-W45", "--out", "out", "--format", "html"]).ok();
    fs::create_dir_all(place.path("out/not-a-report")).expect("folder");
    let html = read(&place.path("out/index.html"));
    is_closed(&html);
    let markdown = read(&place.path("out/index.md"));
    let order = |text: &str, names: &[&str]| -> Vec<usize> {
        names.iter().map(|name| text.find(name).unwrap_or_else(|| panic!("{name} is not in the list"))).collect()
    };
    for (text, page) in [(&html, "index.html"), (&markdown, "report.md")] {
        let names = ["last-7d-2026-11-22", "2026-W46", "2026-W44", "2026-10"].map(|name| format!("{name}/{page}"));
        let places = order(text, &names.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(places.is_sorted(), "{places:?}");
        assert!(text.contains("2026-W45/index.html"), "a report without Markdown is listed by its page");
        assert!(text.contains(&format!("all/{page}")) && !text.contains("not-a-report"));
        assert!(text.contains("$1.07"), "the numbers of all time");
        assert!(text.contains("unfinished"), "the last seven days are not over");
    }
    assert!(html.matches("class=\"sparkline\"").count() >= 4);
}

#[test]
fn compare_takes_none_and_other_periods() {
    let place = Place::new();
    let compared = |with: &str| {
        let out = folder(
            &place,
            &place.on(&real(), &["report", "--week", "2026-W46", "--compare", with, "--out", "out"]).ok(),
        );
        (json_of(&out), read(&out.join("index.html")))
    };
    let (json, html) = compared("none");
    assert!(json["compared_with"].is_null() && json["changes"].is_null());
    assert!(html.contains("not compared with another period"));
    for (with, name, shown, since) in [
        ("previous", "2026-W45", "2026-W45", "2026-11-02"),
        ("2026-W43", "2026-W43", "2026-W43", "2026-10-19"),
        ("2026-10", "2026-10", "2026-10", "2026-10-01"),
        ("2026-10-05..2026-10-11", "2026-10-05..2026-10-11", "5–11 Oct 2026", "2026-10-05"),
    ] {
        let (json, html) = compared(with);
        assert_eq!(json["compared_with"]["name"], name);
        assert_eq!(json["compared_with"]["since"], since);
        assert!(html.contains(&format!("compared with {shown}")), "{with}");
        let (cost, number) =
            (&json["changes"]["cost"], |key: &str| json["changes"]["cost"][key].as_f64().expect("a number"));
        let sum = ["volume", "mix", "price", "size"].iter().map(|part| number(part)).sum::<f64>();
        assert!((sum - (number("after") - number("before"))).abs() < 1e-9, "{cost}");
        let now = &json["metrics"]["overview"][0]["cost_usd"];
        assert!((number("after") - now.as_f64().expect("cost")).abs() < 1e-9);
        let tokens = |key: &str| json["changes"]["tokens"][key].as_f64().expect("a number");
        let parts = ["volume", "mix", "price", "size"].iter().map(|part| tokens(part)).sum::<f64>();
        assert!((parts - (tokens("after") - tokens("before"))).abs() < 1e-6);
    }
    place.on(&real(), &["report", "--compare", "soon"]).fails(2, &["--compare 'soon'"]);
}

#[test]
fn what_happened_to_the_data_is_told_in_every_format() {
    let place = Place::new();
    let db = place.path("opencode.db");
    fs::copy(real(), &db).expect("copied");
    let report = |out: &str| {
        let out = folder(&place, &place.on(&db, &["report", "--all", "--out", out]).ok());
        (json_of(&out), read(&out.join("index.html")), read(&out.join("report.md")))
    };
    let (json, html, markdown) = report("quiet");
    assert_eq!(json["provenance"]["notices"].as_array().map(Vec::len), Some(0));
    assert!(!html.contains("notices\"") && !markdown.contains("### Notices"), "nothing happened, nothing is said");
    // Another database in its place.
    fs::remove_file(&db).expect("removed");
    fs::copy(fixture("opencode/opencode-1.2.27.db"), &db).expect("copied");
    let (json, html, markdown) = report("told");
    let notices = json["provenance"]["notices"].as_array().expect("notices");
    assert!(!notices.is_empty());
    for notice in notices {
        let text = notice["text"].as_str().expect("a text");
        assert!(notice["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{notice}");
        let first = text.split(['\'', '_', '`']).next().expect("words");
        assert!(html.contains(first) && markdown.contains(first), "{text}");
        let told = place.on(&db, &["doctor"]);
        assert!(told.out.contains(text.get(..40).unwrap_or(text)), "doctor says the same: {text}\n{}", told.out);
    }
    assert!(
        html.contains("<a href=\"#notices\">") && html.contains("id=\"notices\"") && markdown.contains("### Notices")
    );
}

#[test]
fn the_data_is_had_as_csv_and_parquet() {
    let place = Place::new();
    let out = folder(&place, &place.on(&real(), &["report", "--all", "--out", "out", "--data", "csv,parquet"]).ok());
    let json = json_of(&out);
    let metrics = json["metrics"].as_object().expect("metrics");
    for (name, rows) in metrics {
        let csv = read(&out.join(format!("data/{name}.csv")));
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        assert_eq!(reader.records().count(), rows.as_array().expect("rows").len(), "{name}");
        let parquet = fs::read(out.join(format!("data/{name}.parquet"))).expect("parquet");
        assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"), "{name}");
    }
    let plain = folder(&place, &place.on(&real(), &["report", "--all", "--out", "plain"]).ok());
    assert!(!plain.join("data").exists(), "only on demand");
}

#[test]
fn a_users_template_wins_and_a_broken_one_is_named_with_its_line() {
    let place = Place::new();
    fs::create_dir_all(place.path("reports/partials")).expect("folder");
    fs::write(place.path("reports/partials/limits.txt"), "Ours costs nothing at night.").expect("written");
    fs::create_dir_all(place.path("reports/themes")).expect("folder");
    fs::write(place.path("reports/themes/mine.css"), ":root { --paper: #123456; }").expect("written");
    let out = folder(&place, &place.on(&real(), &["report", "--all", "--out", "out", "--theme", "mine"]).ok());
    let html = read(&out.join("index.html"));
    assert!(html.contains("Ours costs nothing at night.") && html.contains("#123456"));
    let before = state(&out);
    for (name, text, line, says) in [
        ("partials/head.html", "<header>\n{{ title }}\n{% if %}\n</header>", 3, "syntax"),
        ("partials/findings.html", "\n\n\n{{ no_such_value }}", 4, "undefined"),
        (
            "macros/table.html",
            "{% macro table(metric, is_folded) %}\n{{ metric.name|no_such_filter }}\n{% endmacro %}",
            2,
            "filter",
        ),
        ("layout.toml", "[[part]]\nid = 1\n", 2, ""),
    ] {
        let path = place.path(&format!("reports/{name}"));
        fs::create_dir_all(path.parent().expect("folder")).expect("folder");
        fs::write(&path, text).expect("written");
        let run = place.on(&real(), &["report", "--all", "--out", "out"]);
        assert_ne!(run.code, 0, "{name}");
        assert!(run.err.contains(&format!("reports/{name}:{line}")) && run.err.contains(says), "{name}: {}", run.err);
        assert!(run.err.contains("hint:"), "{}", run.err);
        fs::remove_file(&path).expect("removed");
    }
    assert_eq!(state(&out), before, "the old report is whole");
    let run = place.on(&real(), &["report", "--all", "--out", "out", "--theme", "../../etc/passwd"]);
    assert!(run.code != 0 && run.err.contains("section9"), "{}", run.err);
}

#[test]
fn templates_and_themes_read_nothing_outside_of_their_folder() {
    let place = Place::measured();
    fs::write(place.path("secret.txt"), "hush").expect("written");
    fs::create_dir_all(place.path("reports/partials")).expect("folder");
    fs::create_dir_all(place.path("reports/themes")).expect("folder");
    let secret = place.path("secret.txt").display().to_string();
    let report = || place.run(&["--no-extract", "report", "--all", "--out", "out"]);
    let limits = place.path("reports/partials/limits.txt");
    for name in [secret.as_str(), "../secret.txt", "../../secret.txt", "partials/../../secret.txt", "./../secret.txt"] {
        fs::write(&limits, format!("{{% include '{name}' %}}")).expect("written");
        let run = report();
        assert!(run.code != 0 && run.err.contains("reports/partials/limits.txt:1"), "{name}: {}", run.err);
    }
    fs::write(&limits, "{% include 'partials/other.txt' %}").expect("written");
    for (link, target) in [("partials/other.txt", "../../secret.txt"), ("themes/mine.css", secret.as_str())] {
        std::os::unix::fs::symlink(target, place.path("reports").join(link)).expect("linked");
        let run = report();
        assert!(run.code != 0 && run.err.contains(link) && run.err.contains("leads out"), "{link}: {}", run.err);
        fs::remove_file(place.path("reports").join(link)).expect("removed");
        fs::write(place.path("reports").join(link), "inside").expect("written");
    }
    assert!(!place.path("out").exists());
    report().ok();
}

#[test]
fn what_a_crash_left_behind_is_no_report_and_is_put_in_order() {
    let place = Place::new();
    let out = folder(&place, &place.on(&real(), &["report", "--week", "2026-W46", "--out", "out"]).ok());
    let whole = state(&out);
    // Killed while writing: a half-written folder beside the whole one. Killed between two renames: the whole one aside.
    fs::create_dir_all(place.path("out/.2026-W46.incoming-999999999")).expect("folder");
    fs::write(place.path("out/.2026-W46.incoming-999999999/index.html"), "half").expect("written");
    fs::rename(&out, place.path("out/.2026-W46.incoming-999999998.old")).expect("moved");
    place.on(&real(), &["report", "--week", "2026-W46", "--out", "out"]).ok();
    assert_eq!(
        state(&out).into_iter().map(|(path, bytes, _)| (path, bytes)).collect::<Vec<_>>(),
        whole.into_iter().map(|(path, bytes, _)| (path, bytes)).collect::<Vec<_>>()
    );
    let left: Vec<_> = fs::read_dir(place.path("out"))
        .expect("out")
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn nothing_but_an_older_report_is_ever_replaced() {
    let place = Place::measured();
    let report = |out: &str| place.run(&["--no-extract", "report", "--month", "2026-11", "--out", out]);
    let put = |path: &str, text: &str| {
        fs::create_dir_all(place.path(path).parent().expect("a folder")).expect("folder");
        fs::write(place.path(path), text).expect("written");
    };
    for (path, text, says) in [
        ("photos/2026-11/img1.jpg", "jpg", "holds img1.jpg"),
        ("photos/2026-11/data/img1.jpg", "jpg", "holds data/img1.jpg"),
        ("photos/2026-11/deep/er/report.md", "mine", "holds deep"),
        ("photos/2026-11/index.html", "<h1>my holidays</h1>", "2026-11 holds"),
        ("photos/2026-11/report.json", "{}", "2026-11 holds"),
        ("photos/2026-11/logo.svg", "<svg></svg>", "holds logo.svg"),
        ("photos/2026-11/data/weather.csv", "day,rain", "2026-11 holds"),
        ("photos/2026-11", "a file", "is a file"),
        ("photos/index.html", "<h1>my site</h1>", "photos holds index.html"),
        ("photos/index.md", "# My site", "photos holds index.md"),
    ] {
        put(path, text);
        let before = state(&place.path("photos"));
        report("photos").fails(2, &["--out", says]);
        assert_eq!(state(&place.path("photos")), before, "{path}");
        fs::remove_dir_all(place.path("photos")).expect("removed");
    }
    fs::create_dir(place.path("photos")).expect("folder");
    std::os::unix::fs::symlink(place.folder.path(), place.path("photos/2026-11")).expect("linked");
    report("photos").fails(2, &["is a link"]);
    // What lies beside it is nobody's business, and an empty folder is a place like any other.
    put("out/mine.txt", "mine");
    put("out/2026-10/mine.txt", "mine");
    fs::create_dir(place.path("out/2026-11")).expect("folder");
    report("out").ok();
    // A file that was put into a report stays, and so does the report.
    put("out/2026-11/notes.txt", "mine");
    let before = state(&place.path("out"));
    report("out").fails(2, &["notes.txt"]);
    assert_eq!(state(&place.path("out")), before);
    fs::remove_file(place.path("out/2026-11/notes.txt")).expect("removed");
    put("out/index.md", "# Reports\n\nas versions before this one wrote it");
    put("out/2026-11/index.html", "damaged");
    report("out").ok();
    assert!(read(&place.path("out/2026-11/index.html")).contains("Logicoma"));
    assert_eq!(
        (read(&place.path("out/mine.txt")), read(&place.path("out/2026-10/mine.txt"))),
        ("mine".into(), "mine".into())
    );
}
