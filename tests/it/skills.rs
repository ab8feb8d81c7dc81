//! Skills on disk against skills used, on the database of the real OpenCode and its skill folders.

use crate::harness::{Place, fixture, real};
use serde_json::Value;

fn skills(place: &Place, args: &[&str]) -> Value {
    let home = fixture("home-dev");
    let map = format!("/home/dev={}", home.display());
    let home = home.display().to_string();
    let mut all = vec!["--home", &home, "--map", &map];
    all.extend(args);
    all.push("--json");
    place.json(&real(), &all)
}

fn names(rows: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        rows.as_array().expect("rows").iter().map(|row| row["skill_name"].as_str().expect("a name")).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_unused_are_those_that_nobody_loaded_read_or_slash_invoked() {
    let place = Place::new();
    let unused = skills(&place, &["skills", "--unused"]);
    let names = names(&unused);
    // The spec of the recorded database: never used at all. internal-secrets is denied by permission, perf-audit is only
    // read, no-frontmatter is no skill, customize-opencode is built in.
    for expected in ["i18n-sync", "legacy-checkout", "load-test", "standup"] {
        assert!(names.contains(&expected), "{expected} is not in {names:?}");
    }
    for used in [
        "db-migrations",
        "git-commit",
        "pr-review",
        "perf-audit",
        "release-notes",
        "no-frontmatter",
        "customize-opencode",
    ] {
        assert!(!names.contains(&used), "{used} is in {names:?}");
    }
    for row in unused.as_array().expect("rows") {
        assert_eq!(row["load_count"], 0);
        assert!(row["description_tokens"].as_i64().expect("tokens") > 0, "{row}");
        assert!(row["path"].as_str().expect("a path").ends_with("SKILL.md"));
    }
}

#[test]
fn use_is_counted_once_over_forks_and_children() {
    let place = Place::new();
    let usage = skills(&place, &["metrics", "run", "skill_usage"]);
    let find = |name: &str| {
        usage
            .as_array()
            .expect("rows")
            .iter()
            .find(|row| row["skill_name"] == name)
            .unwrap_or_else(|| panic!("no {name}"))
            .clone()
    };
    // Counts of the spec's section 10; one of three git-commit loads is a fork's copy.
    for (name, loads, sessions) in [
        ("db-migrations", 4, 3),
        ("pr-review", 3, 2),
        ("git-commit", 2, 2),
        ("api-contract", 2, 2),
        ("translate", 1, 1),
    ] {
        assert_eq!(find(name)["load_count"], loads, "{name}");
        assert_eq!(find(name)["session_count"], sessions, "{name}");
    }
    let raw = skills(&place, &["metrics", "run", "skill_usage", "--count-forks"]);
    let git = raw.as_array().expect("rows").iter().find(|row| row["skill_name"] == "git-commit").expect("git-commit");
    assert_eq!(git["load_count"], 3);
}

#[test]
fn the_unknown_are_asked_for_but_not_installed() {
    let place = Place::new();
    let unknown = skills(&place, &["skills", "--unknown"]);
    let names = names(&unknown);
    assert!(names.contains(&"pr_review") && names.contains(&"deploy-to-prod"), "{names:?}");
    assert!(!names.contains(&"internal-secrets"), "denied is not unknown: {names:?}");
    let row = |name: &str| {
        unknown.as_array().expect("rows").iter().find(|row| row["skill_name"] == name).expect("a row").clone()
    };
    assert_eq!(row("pr_review")["nearest_name"], "pr-review");
    assert_eq!(row("pr_review")["recovered_count"], 1);
    assert_eq!(row("deploy-to-prod")["recovered_count"], 0);
}

#[test]
fn the_list_holds_the_installed_ones_without_use_too() {
    let place = Place::new();
    let list = skills(&place, &["skills"]);
    let names = names(&list);
    assert!(names.contains(&"git-commit") && names.contains(&"legacy-checkout"), "{names:?}");
    let row = |name: &str| {
        list.as_array().expect("rows").iter().find(|row| row["skill_name"] == name).expect("a row").clone()
    };
    assert_eq!((&row("legacy-checkout")["load_count"], &row("git-commit")["load_count"]), (&0.into(), &2.into()));
    assert!(row("legacy-checkout")["last_used_at"].is_null() && row("legacy-checkout")["success_ratio"].is_null());
    let mut sorted = names.clone();
    sorted.dedup();
    assert_eq!(sorted, names, "a name stands twice");
}
