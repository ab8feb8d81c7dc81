//! Runs many metrics at once and gives the results in the order asked for.
//!
//! Input: metrics and a database with the views of a run. Output: one [`Measured`] a metric; a failure is a result too.
//! Each worker is a plain thread with a connection of its own, and runs one metric after another, SQL or polars: waiting for
//! polars' own pool from a worker of rayon could deadlock.

use super::duck::Duck;
use super::lazy;
use super::sandbox::Select;
use super::scope::Scope;
use super::table::Table;
use crate::error::EngineError;
use crate::metric::{EngineKind, QueryFile};
use crate::model::period::Period;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    let table = duck.answer(Select::of(duck, metric)?)?;
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

/// Computes all tasks side by side, those with the longest SQL first, since planning is most of the work and grows with it;
/// the results are in the order of the tasks.
///
/// # Errors
/// A connection cannot be had. A metric that fails is in the results.
pub fn measure_tasks<'a>(duck: &Duck, tasks: &[Task<'a>]) -> Result<Vec<Measured<'a>>, EngineError> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(tasks[*index].metric.text.len()));
    let next = AtomicUsize::new(0);
    let work = |duck: Duck| -> Result<Vec<(usize, Measured<'a>)>, EngineError> {
        let mut done = Vec::new();
        let mut period: Option<&Period> = None;
        while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let task = tasks[*index];
            if period != Some(task.period) {
                duck.batch("period", &Scope::variables(task.period))?;
                period = Some(task.period);
            }
            done.push((*index, timed(&duck, task.metric)));
        }
        Ok(done)
    };
    let count = std::thread::available_parallelism().map_or(2, usize::from).min(tasks.len());
    let workers: Vec<Duck> = (0..count).map(|_| duck.again()).collect::<Result<_, _>>()?;
    let mut results: Vec<(usize, Measured<'a>)> = std::thread::scope(|scope| {
        let running: Vec<_> = workers.into_iter().map(|worker| scope.spawn(|| work(worker))).collect();
        running
            .into_iter()
            .map(|thread| {
                thread.join().unwrap_or_else(|_| {
                    Err(EngineError::Start { message: "a thread that measures ended before its time".into() })
                })
            })
            .collect::<Result<Vec<_>, _>>()
            .map(|parts| parts.into_iter().flatten().collect())
    })?;
    results.sort_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(_, measured)| measured).collect())
}
