//! Planted changes in whole databases: found on their day, and nothing in what stays as it is.
//!
//! The many seeds are in `src/pipeline/change_points_tests.rs`, on series; here the way from rows to series is held.

use crate::generator::plan::{ChangePoint, DAY_MS, DEFAULT_NOW_MS};
use crate::truth::World;
use serde_json::Value;

/// Eight weeks of everyday work with some twenty attempts to edit a day; `weeks_ago` they begin to fail.
fn world(seed: u64, weeks_ago: Option<i64>) -> World {
    World::new(|plan| {
        (plan.seed, plan.sessions, plan.messages, plan.parts) = (seed, 330, 5_500, 20_000);
        (plan.part_bytes, plan.weeks, plan.edit_share) = (100_000, 8, 0.3);
        (plan.planted, plan.hostile, plan.keeps_stories) = (false, false, false);
        plan.change_point = weeks_ago
            .map(|weeks| ChangePoint { at_ms: (DEFAULT_NOW_MS - weeks * 7 * DAY_MS) / DAY_MS * DAY_MS, factor: 0.6 });
    })
}

fn found(world: &World) -> Vec<Value> {
    let mut rows = world.metric("change_points", &["--all"]);
    rows.retain(|row| row["series"] == "edit_success_ratio");
    rows
}

#[test]
fn a_planted_change_is_found_within_two_days_with_its_levels() {
    for (seed, weeks) in [(1, 3), (2, 5)] {
        let world = world(seed, Some(weeks));
        let planted = &world.truth["edit_change_point"];
        let found = found(&world);
        assert_eq!(found.len(), 1, "{found:?} instead of {planted}");
        let day = |row: &Value| row["date"].as_str().expect("a date").parse::<jiff::civil::Date>().expect("a date");
        let away = (day(&found[0]) - day(planted)).get_days();
        assert!(away.abs() <= 2, "{found:?} instead of {planted}");
        for side in ["before", "after"] {
            let (own, truth) = (found[0][side].as_f64().expect("a ratio"), planted[side].as_f64().expect("a ratio"));
            assert!(
                (own - truth).abs() < if away == 0 { 1e-9 } else { 0.04 },
                "{side}: {found:?} instead of {planted}"
            );
        }
        assert!(found[0]["confidence"].as_f64() >= Some(0.99), "{found:?}");
    }
}

#[test]
fn what_does_not_change_has_no_change() {
    let world = world(3, None);
    assert!(found(&world).is_empty(), "{:?}", found(&world));
}
