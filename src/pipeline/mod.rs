//! polars metrics: one file each, from the frame that the metric's SQL selects to the metric's rows.
//!
//! A pipeline is a pure function of its frame. SQL narrows and buckets (the same period, filters and zone as all other
//! metrics); polars does what SQL does badly: robust statistics, state machines over ordered rows, pivots.

pub mod anomalies;
pub mod change_points;
pub mod intent_calibration;
pub mod intent_confusion;
pub mod intent_scores;
pub mod patterns;
pub mod retries;
pub mod statistics;
pub mod weekly;

use polars::prelude::{LazyFrame, PolarsResult};

/// From the selected frame to the metric's rows.
pub type Pipeline = fn(LazyFrame) -> PolarsResult<LazyFrame>;

/// Every pipeline by the name of its metric.
pub const PIPELINES: &[(&str, Pipeline)] = &[
    ("anomalies", anomalies::pipeline),
    ("change_points", change_points::pipeline),
    ("intent_calibration", intent_calibration::pipeline),
    ("intent_confusion", intent_confusion::pipeline),
    ("intent_scores", intent_scores::pipeline),
    ("patterns", patterns::pipeline),
    ("retries", retries::pipeline),
    ("weekly", weekly::pipeline),
];
