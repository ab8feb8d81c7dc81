//! Every metric of usage, tools and skills against the oracle: all rows, all columns that have a meaning, over everything
//! and in periods, zones and filters.

use super::World;
use crate::generator::oracle::{Oracle, Row, Scope};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, UNIX_EPOCH};

const FAMILIES: [&str; 3] = ["usage", "tools", "skills"];

fn now_ms() -> i64 {
    crate::generator::plan::DEFAULT_NOW_MS
}

/// Moments as numbers, so that both sides read alike.
fn moment(name: &str, value: &Value) -> Value {
    match value.as_str().filter(|_| name.ends_with("_at")).map(str::parse::<Timestamp>) {
        Some(Ok(stamp)) => stamp.as_millisecond().into(),
        _ => value.clone(),
    }
}

/// How far apart two numbers may be: sums of doubles, halves of nano-dollars, an approximated quantile of t.
fn room(column: &str, planted: f64) -> f64 {
    match column {
        _ if column.starts_with("slope_ci") => 0.01 * planted.abs().max(0.1),
        _ if column.contains("ci_low") || column.contains("ci_high") => 1e-6,
        _ if column.ends_with("_usd") => 2e-8 * planted.abs().max(1.0),
        _ => 1e-9 * planted.abs().max(1.0),
    }
}

fn is_same(column: &str, ours: &Value, planted: &Value) -> bool {
    match (ours.as_f64(), planted.as_f64()) {
        (Some(ours), Some(planted)) => (ours - planted).abs() <= room(column, planted),
        _ => ours == planted,
    }
}

fn key_of(keys: &[&str], pick: impl Fn(&str) -> Value) -> String {
    keys.iter().map(|key| pick(key).to_string()).collect::<Vec<_>>().join(" · ")
}

/// What a metric says otherwise than the oracle.
fn differences(metric: &str, ours: &[Value], planted: &[Row], keys: &[&str]) -> Vec<String> {
    let our_key = |row: &Value| key_of(keys, |key| moment(key, &row[key]));
    let mut left: BTreeMap<String, &Value> = ours.iter().map(|row| (our_key(row), row)).collect();
    let mut wrong = Vec::new();
    if left.len() != ours.len() {
        wrong.push(format!("{metric}: {} rows for {} keys", ours.len(), left.len()));
    }
    for row in planted {
        let key = key_of(keys, |name| row.get(name).cloned().unwrap_or_default());
        let Some(own) = left.remove(&key) else {
            wrong.push(format!("{metric} [{key}] is missing"));
            continue;
        };
        for (column, planted) in row {
            let own = moment(column, &own[column.as_str()]);
            if !is_same(column, &own, planted) {
                wrong.push(format!("{metric} [{key}] {column}: {own} instead of {planted}"));
            }
        }
    }
    wrong.extend(left.keys().map(|key| format!("{metric} [{key}] was never planted")));
    wrong
}

/// One difference of each metric and column, with how many there are.
fn summary(wrong: &[String]) -> String {
    let mut kinds: BTreeMap<String, (usize, &String)> = BTreeMap::new();
    for line in wrong {
        let (metric, rest) = line.split_once(" [").unwrap_or((line, ""));
        let what = rest.rsplit_once("] ").map_or("", |(_, what)| what.split(':').next().unwrap_or(what));
        kinds.entry(format!("{metric} {what}")).or_insert((0, line)).0 += 1;
    }
    kinds.values().map(|(count, line)| format!("{count} × {line}")).collect::<Vec<_>>().join("\n")
}

/// All metrics of the three families under a scope; `args` must mean the same scope.
fn hold(world: &World, scope: &Scope, args: &[&str]) {
    let mut all = vec!["metrics", "run"];
    all.extend(FAMILIES);
    all.extend(["--json"]);
    all.extend(args);
    let found = world.json(&all);
    let oracle = Oracle::new(&world.stories, scope);
    let mut wrong = Vec::new();
    let mut unheld = BTreeSet::new();
    for (metric, rows) in found.as_object().expect("metrics") {
        let Some((mut planted, keys)) = oracle.rows(metric) else {
            unheld.insert(metric.as_str());
            continue;
        };
        let mut rows = rows.as_array().expect("rows").clone();
        // Which skills a permission hides stands in a configuration that the generator does not write.
        if metric == "skill_unused" {
            planted.retain(|row| row["skill_name"] != "internal-secrets");
            rows.retain(|row| row["skill_name"] != "internal-secrets");
            // Without front matter a file is a skill to the second generation alone.
            rows.retain(|row| row["skill_name"] != "no-frontmatter");
        }
        // The second generation keeps no todos.
        let may_be_empty = !args.is_empty() || metric == "todos";
        assert!(!planted.is_empty() || may_be_empty, "{metric}: nothing was planted");
        wrong.extend(differences(metric, &rows, &planted, keys));
    }
    // skill_versions needs dates of files: see `versions`.
    assert_eq!(unheld, BTreeSet::from(["skill_versions"]), "metrics that nothing holds");
    assert!(wrong.is_empty(), "{args:?}: {} differences\n{}", wrong.len(), summary(&wrong));
}

/// Over all time.
pub(super) fn everything(world: &World) {
    hold(world, &Scope::all(now_ms()), &[]);
}

/// From the start of one day to the end of another, in a zone.
fn days(zone: &str, first: &str, last: &str) -> Scope {
    let zone = TimeZone::get(zone).expect("a zone");
    let start = |date: Date| date.to_zoned(zone.clone()).expect("a day").timestamp().as_millisecond();
    let (first, last): (Date, Date) = (first.parse().expect("a day"), last.parse().expect("a day"));
    let end = start(last.tomorrow().expect("a day"));
    Scope { period: Some((start(first), end)), zone, ..Scope::all(now_ms()) }
}

/// Across midnight, across changes of clocks, by week and month, and with filters.
pub(super) fn periods_and_filters(world: &World) {
    let berlin = "Europe/Berlin";
    let new_york = "America/New_York";
    // The day before and after midnight in New York: 05:00 UTC.
    let scope = days(new_york, "2026-11-13", "2026-11-13");
    hold(world, &scope, &["--timezone", new_york, "--since", "2026-11-13", "--until", "20261113"]);
    // A day of 25 hours.
    hold(
        world,
        &days(berlin, "2026-10-25", "2026-10-25"),
        &["-z", berlin, "--since", "20261025", "--until", "2026-10-25"],
    );
    // Its week; what lies after it is unknown to histories.
    hold(world, &days(berlin, "2026-10-19", "2026-10-25"), &["--timezone", berlin, "--week", "2026-W43"]);
    hold(world, &days(new_york, "2026-11-01", "2026-11-22"), &["--timezone", new_york, "--month", "this"]);
    hold(world, &days("UTC", "2026-11-16", "2026-11-22"), &["--last", "7d"]);
    let mut scope = Scope::all(now_ms());
    scope.count_forks = true;
    scope.projects.with = vec!["STORE", "ledger"];
    scope.agents.without = vec!["plan"];
    let filters = ["--count-forks", "--project", "STORE", "--project", "ledger", "--exclude-agent", "plan"];
    hold(world, &scope, &filters);
    let mut scope = days("UTC", "2026-11-02", "2026-11-22");
    scope.models.with = vec!["acme"];
    scope.projects.without = vec!["notes"];
    scope.agents.with = vec!["build", "explore"];
    let filters = ["--since", "2026-11-02", "--until", "2026-11-22", "--model", "acme", "--exclude-project", "notes"];
    hold(world, &scope, &[&filters[..], &["--agent", "build", "--agent", "explore"]].concat());
}

/// One period with a filter: the second generation's rows name less.
pub(super) fn a_week_and_a_project(world: &World) {
    let mut scope = days("Europe/Berlin", "2026-11-09", "2026-11-15");
    scope.projects.with = vec!["storefront"];
    hold(world, &scope, &["--timezone", "Europe/Berlin", "--week", "2026-W46", "--project", "storefront"]);
}

/// Files that were changed at known times.
pub(super) fn versions(world: &World) {
    let changed = |name: &str| {
        let days = i64::try_from(name.len()).unwrap_or(1) * 2;
        now_ms() - days * 86_400_000
    };
    for skill in &crate::generator::skills::SKILLS {
        let file =
            fs::File::options().write(true).open(world.home.join(skill.folder).join("SKILL.md")).expect("a skill");
        let at = Duration::from_millis(u64::try_from(changed(skill.name)).expect("a time"));
        file.set_modified(UNIX_EPOCH + at).expect("set");
    }
    let scope = Scope::all(now_ms());
    let planted = Oracle::new(&world.stories, &scope).skill_versions(changed);
    let wrong = differences("skill_versions", &world.metric("skill_versions", &[]), &planted, &["skill_name"]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
