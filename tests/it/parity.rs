//! polars against SQL: where a slow query says the same as a pipeline, both must agree.

use crate::generator::plan::Schema;
use crate::truth::{World, same};
use serde_json::Value;

/// Each row of the query has its counterpart in the metric, in the same order, with the same values.
fn hold_equal(world: &World, metric: &str, keep: impl Fn(&Value) -> bool) {
    let ours: Vec<Value> = world.metric(metric, &["--all"]).into_iter().filter(|row| keep(row)).collect();
    let file = format!("{}/tests/it/oracle/{metric}.sql", env!("CARGO_MANIFEST_DIR"));
    let oracle = world.json(&["query", &file, "--all", "--json"]);
    let oracle = oracle.as_array().expect("rows");
    assert!(!oracle.is_empty(), "{metric}: nothing to compare");
    assert_eq!(ours.len(), oracle.len(), "{metric}: rows");
    for (own, other) in ours.iter().zip(oracle) {
        for (column, value) in other.as_object().expect("a row") {
            assert!(same(&own[column], value), "{metric}.{column}: {} instead of {value} in {other}", own[column]);
        }
    }
}

#[test]
fn pipelines_say_what_slow_sql_says() {
    for (schema, seed) in [(Schema::V1, 31), (Schema::V2, 32)] {
        let world = World::new(|plan| {
            plan.schema = schema;
            plan.seed = seed;
        });
        hold_equal(&world, "intent_confusion", |_| true);
        hold_equal(&world, "intent_calibration", |_| true);
        hold_equal(&world, "intent_scores", |row| row["level"] == "intent");
        hold_equal(&world, "retries", |_| true);
    }
}
