//! Runs many metrics at once and gives the results in the order asked for.
//!
//! Input: metrics and a database with the views of a run. Output: one [`Measured`] a metric; a failure is a result too.
//! SQL goes over rayon's workers; polars has its own pool and runs on a plain thread beside them.

use super::duck::Duck;
use super::lazy;
use super::scope::Scope;
use super::table::Table;
use super::views::body;
use crate::error::EngineError;
use crate::metric::{EngineKind, QueryFile};
use crate::model::period::Period;
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// One metric's result.
#[derive(Debug)]
pub struct Measured<'a> {
    /// The metric.
    pub metric: &'a QueryFile,
    /// Its table, or why there is none.
    pub result: Result<Table, EngineError>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Computes one metric.
///
/// # Errors
/// Its SQL or its pipeline fails.
pub fn measure_one(duck: &Duck, metric: &QueryFile) -> Result<Table, EngineError> {
    let table = duck.query(&metric.path, body(metric), &[])?;
    let table = match metric.engine {
        EngineKind::Duckdb => table,
        EngineKind::Polars => lazy::run(&metric.name, table)?,
    };
    Ok(table.with_units(&metric.units))
}

fn timed<'a>(duck: &Duck, metric: &'a QueryFile) -> Measured<'a> {
    let started = Instant::now();
    let result = measure_one(duck, metric);
    let elapsed = started.elapsed();
    tracing::debug!(metric = metric.name, elapsed_ms = elapsed.as_millis(), "measured");
    Measured { metric, result, elapsed }
}

/// A metric over a period.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// What to compute.
    pub metric: &'a QueryFile,
    /// Over which period.
    pub period: &'a Period,
}

/// Computes metrics over one period.
///
/// # Errors
/// As [`measure_tasks`].
pub fn measure<'a>(duck: &Duck, metrics: &[&'a QueryFile], period: &Period) -> Result<Vec<Measured<'a>>, EngineError> {
    let tasks: Vec<Task<'_>> = metrics.iter().map(|metric| Task { metric, period }).collect();
    Ok(measure_tasks(duck, &tasks)?
        .into_iter()
        .zip(metrics)
        .map(|(measured, metric)| Measured { metric, result: measured.result, elapsed: measured.elapsed })
        .collect())
}

/// Computes all tasks side by side; the results are in the order of the tasks.
///
/// # Errors
/// A connection cannot be had. A metric that fails is in the results.
pub fn measure_tasks<'a>(duck: &Duck, tasks: &[Task<'a>]) -> Result<Vec<Measured<'a>>, EngineError> {
    let (polars, sql): (Vec<_>, Vec<_>) =
        tasks.iter().copied().enumerate().partition(|(_, task)| task.metric.engine == EngineKind::Polars);
    let connect = |task: &Task<'a>| -> Result<Duck, EngineError> {
        let connection = duck.again()?;
        connection.batch("period", &Scope::variables(task.period))?;
        Ok(connection)
    };
    let with_connections = |tasks: Vec<(usize, Task<'a>)>| {
        tasks
            .into_iter()
            .map(|(index, task)| Ok((index, task.metric, connect(&task)?)))
            .collect::<Result<Vec<_>, EngineError>>()
    };
    let (polars, sql) = (with_connections(polars)?, with_connections(sql)?);
    let mut results: Vec<(usize, Measured<'a>)> = std::thread::scope(|threads| {
        let beside = threads.spawn(move || {
            polars
                .into_iter()
                .map(|(index, metric, connection)| (index, timed(&connection, metric)))
                .collect::<Vec<_>>()
        });
        let mut results: Vec<_> = sql
            .into_par_iter()
            .with_max_len(1)
            .map(|(index, metric, connection)| (index, timed(&connection, metric)))
            .collect();
        if let Ok(more) = beside.join() {
            results.extend(more);
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(_, measured)| measured).collect())
}
