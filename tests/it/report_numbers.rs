//! The numbers of a report agree: what stands in HTML, Markdown and JSON is what `metrics run` gives, as far as it is rounded.

use crate::harness::{Place, fixture, real};
use crate::pages::{json_of, read, report_of};
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;

/// A cell: what it shows, and the exact value beside it.
struct Cell {
    text: String,
    title: Option<String>,
}

/// Columns by name with the cells of each row.
struct Shown {
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

fn plain(html: &str) -> String {
    let bare = pattern("(?s)<span class=\"(?:ci|vh)\">.*?</span>|<svg.*?</svg>").replace_all(html, "");
    let bare = pattern("<[^>]*>").replace_all(&bare, "");
    bare.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

/// The first table of every metric on the page.
fn tables_of(html: &str) -> BTreeMap<String, Shown> {
    let (heads, rows) = (pattern(r#"<th scope="col"[^>]*? title="([^"]*)""#), pattern("(?s)<tr>(.*?)</tr>"));
    let cells = pattern(r#"(?s)<(?:td|th scope="row")([^>]*)>(.*?)</(?:td|th)>"#);
    let title = pattern(r#"title="([^"]*)""#);
    let mut tables = BTreeMap::new();
    for article in html.split("<article class=\"metric\" id=\"").skip(1) {
        let article = article.split("</article>").next().expect("an article");
        let name = article.split('"').next().expect("a name").to_owned();
        let Some((head, body)) = article.split_once("<tbody>") else { continue };
        let columns: Vec<String> = heads.captures_iter(head).map(|found| found[1].to_owned()).collect();
        let body = body.split("</tbody>").next().expect("a body");
        let row = |row: &str| {
            let cell = |found: regex::Captures<'_>| Cell {
                text: plain(&found[2]),
                title: title.captures(&found[1]).map(|title| plain(&title[1])),
            };
            cells.captures_iter(row).map(cell).collect()
        };
        tables.insert(name, Shown { columns, rows: rows.captures_iter(body).map(|found| row(&found[1])).collect() });
    }
    tables
}

/// What a number on the page may stand for: the smallest and the largest value that are written so.
fn meant(text: &str) -> Option<(f64, f64)> {
    let text = text.replace('\u{a0}', " ").replace(',', "").replace('−', "-").replace('$', "");
    let text = text.trim();
    if let Some(small) = text.strip_prefix('<') {
        let (low, high) = meant(small)?;
        return Some((low.min(0.0), high));
    }
    let times: &[(&str, f64)] = &[("d", 86_400e3), ("h", 3_600e3), ("m", 60e3), ("s", 1e3), ("ms", 1.0)];
    let words: Vec<&str> = text.split(' ').collect();
    if words.len() >= 2
        && words.len().is_multiple_of(2)
        && words.chunks(2).all(|pair| times.iter().any(|(unit, _)| *unit == pair[1]))
    {
        let unit = |name: &str| times.iter().find(|(unit, _)| *unit == name).map(|(_, size)| *size);
        let mut sum = 0.0;
        for pair in words.chunks(2) {
            sum += pair[0].parse::<f64>().ok()? * unit(pair[1])?;
        }
        let smallest = unit(words.last()?)? * if words[words.len() - 2].contains('.') { 0.1 } else { 1.0 };
        return Some((sum - smallest, sum + smallest));
    }
    let (number, factor) = match words.as_slice() {
        [number] | [number, "B"] => (*number, 1.0),
        [number, "%"] => (*number, 0.01),
        [number, "k" | "kB"] => (*number, 1e3),
        [number, "M" | "MB"] => (*number, 1e6),
        [number, "G" | "GB"] => (*number, 1e9),
        _ => return None,
    };
    let value: f64 = number.parse().ok()?;
    let places = number.split_once('.').map_or(0, |(_, digits)| digits.len());
    // Digits that are zero at the end may have been left out, but not of large percentages.
    let digits = if factor < 1.0 && value.abs() < 100.0 { places.max(1) } else { places };
    let step = 10_f64.powi(-i32::try_from(digits).expect("few"));
    Some(((value - step * 0.51) * factor, (value + step * 0.51) * factor))
}

fn agrees(place: &str, cell: &Cell, value: &Value) -> bool {
    match value {
        Value::Null => cell.text == "–",
        Value::Number(number) => {
            let exact = number.as_f64().expect("a number");
            if let Some(title) = cell.title.as_deref().and_then(|title| title.split(' ').next()) {
                let said: f64 = title.replace(',', "").replace('−', "-").parse().unwrap_or(f64::NAN);
                assert!((said - exact).abs() <= exact.abs() * 1e-12, "{place}: the exact value {title} is not {exact}");
            }
            // Weekdays and the like are words.
            let Some((low, high)) = meant(&cell.text) else { return cell.text.len() == 3 };
            low <= exact + 1e-9 && exact <= high + 1e-9
        }
        Value::Bool(flag) => cell.text == if *flag { "yes" } else { "no" },
        Value::String(text) if text.len() == 24 && text.ends_with('Z') => {
            cell.text == text[..16].replace('T', " ") && cell.title.as_deref() == Some(text)
        }
        // Paths keep their end, and a series is called in words: the whole stands beside it.
        Value::String(text) if cell.title.as_ref() == Some(text) && cell.text.starts_with('…') => {
            text.ends_with(cell.text.trim_start_matches('…'))
        }
        Value::String(text) if place.contains(".series[") => {
            cell.title.as_ref() == Some(text) || cell.text == text.replace('_', " ")
        }
        Value::String(text) => {
            let seen = cell.text.trim_end_matches('…');
            text.replace(['\n', '\t'], " ").starts_with(seen.trim_end())
                || (text.trim().is_empty() && seen == "(empty)")
        }
        _ => false,
    }
}

#[test]
fn every_number_on_the_page_is_the_metrics() {
    let place = Place::new();
    let home = fixture("home-dev");
    let out = report_of(&place, &real(), &home, &[]);
    let json = json_of(&out);
    let map = format!("/home/dev={}", home.display());
    let args = ["--home", &home.display().to_string(), "--map", &map, "metrics", "run"].map(str::to_owned);
    let names: Vec<String> = json["metrics"].as_object().expect("metrics").keys().cloned().collect();
    for name in &names {
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        args.extend([name.as_str(), "--json"]);
        assert_eq!(json["metrics"][name], place.json(&real(), &args), "{name} in report.json");
    }
    let html = read(&out.join("index.html"));
    let markdown = read(&out.join("report.md"));
    let (mut checked, mut tables) = (0, 0);
    for (name, shown) in tables_of(&html) {
        let Some(rows) = json["metrics"][&name].as_array() else { continue };
        if name == "overview" {
            continue;
        }
        tables += 1;
        assert!(
            !shown.rows.is_empty() && shown.rows.len() <= rows.len(),
            "{name}: {} of {} rows",
            shown.rows.len(),
            rows.len()
        );
        for (row, cells) in shown.rows.iter().enumerate() {
            for (column, cell) in shown.columns.iter().zip(cells) {
                let value = &rows[row][column];
                if rows[row].get(column).is_none() {
                    continue;
                }
                // Values of mixed units are read by their series.
                assert!(
                    agrees(&format!("{name}.{column}[{row}]"), cell, value),
                    "{name}.{column}[{row}] shows '{}', the metric has {value}",
                    cell.text
                );
                checked += 1;
            }
        }
        // The Markdown has the same texts in the same order.
        let section = markdown
            .split(&format!("How {name} is measured"))
            .next()
            .expect("before")
            .rsplit("\n### ")
            .next()
            .expect("its section");
        for cells in shown.rows.iter().take(10) {
            let numbers =
                cells.iter().map(|cell| cell.text.as_str()).filter(|text| meant(text).is_some() && !text.contains('<'));
            for text in numbers {
                assert!(
                    section.contains(text),
                    "{name}: '{text}' stands in the HTML and not in the Markdown:\n{section}"
                );
            }
        }
    }
    assert!(tables > 25 && checked > 1_000, "{tables} tables, {checked} cells");
}

#[test]
fn the_headline_is_the_overviews() {
    let place = Place::new();
    let out = report_of(&place, &real(), &fixture("home-dev"), &[]);
    let json = json_of(&out);
    let overview = &json["metrics"]["overview"][0];
    let (html, markdown) = (read(&out.join("index.html")), read(&out.join("report.md")));
    let number = pattern(r#"(?s)<dt>([^<]*)</dt>\s*<dd class="big[^"]*"(?: title="([^"]*)")?>([^<]*)</dd>"#);
    let headline = json["headline"].as_array().expect("headline");
    let shown: Vec<_> = number.captures_iter(&html).collect();
    assert_eq!(shown.len(), 8);
    for (found, number) in shown.iter().zip(headline) {
        let name = number["name"].as_str().expect("a name");
        assert_eq!(number["value"].as_f64(), overview[name].as_f64(), "{name}");
        let cell = Cell { text: plain(&found[3]), title: found.get(2).map(|title| plain(title.as_str())) };
        assert!(agrees(name, &cell, &overview[name]), "{name} shows '{}', not {}", cell.text, overview[name]);
        assert!(markdown.contains(&format!("| {} | **{}** |", &found[1], cell.text)), "{name} in the Markdown");
    }
}

#[test]
fn numbers_are_read_as_they_are_written() {
    for (text, value) in [
        ("1.2 M", 1_234_567.0),
        ("$3.41", 3.411),
        ("2 m 10 s", 130_400.0),
        ("12.3 %", 0.1234),
        ("−0.5", -0.5),
        ("<$0.0001", 0.000_02),
        ("1,235", 1_234.6),
    ] {
        let (low, high) = meant(&text.replace(' ', "\u{a0}")).expect("a number");
        assert!(low <= value && value <= high, "{text}: {low} to {high}, not {value}");
    }
    assert_eq!(meant("pr-review"), None);
}
