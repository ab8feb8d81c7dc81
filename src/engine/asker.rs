//! Asks the store, remembers the answers, and opens the database only when something is not known yet.
//!
//! Input: tasks and single questions. Output: tables, from [`Memo`] or from DuckDB.

use super::duck::Duck;
use super::fanout::{Measured, Task, measure_tasks};
use super::memo::Memo;
use super::sandbox::Select;
use super::table::Table;
use crate::model::period::Period;
use std::cell::OnceCell;
use std::time::Duration;

/// Opens the database with the views of the run.
pub type Opener<'a> = Box<dyn Fn() -> anyhow::Result<Duck> + 'a>;

/// A store under one scope.
pub struct Asker<'a> {
    opener: Opener<'a>,
    duck: OnceCell<Duck>,
    memo: Memo,
    period: Period,
}

impl<'a> Asker<'a> {
    /// `period` is what single questions are about.
    #[must_use]
    pub fn new(opener: Opener<'a>, memo: Memo, period: Period) -> Self {
        Self { opener, duck: OnceCell::new(), memo, period }
    }

    fn duck(&self) -> anyhow::Result<&Duck> {
        if self.duck.get().is_none() {
            let _ = self.duck.set((self.opener)()?);
        }
        self.duck.get().ok_or_else(|| anyhow::anyhow!("the query engine was not opened"))
    }

    /// One question of the program's own.
    ///
    /// # Errors
    /// The database cannot be opened, or the SQL fails.
    pub fn ask(&self, name: &str, sql: &str) -> anyhow::Result<Table> {
        if let Some(table) = self.memo.get(name, sql, &self.period) {
            return Ok(table);
        }
        let table = self.duck()?.answer(Select::own(name, sql))?;
        self.memo.put(name, sql, &self.period, &table);
        Ok(table)
    }

    /// All tasks, in their order; only what is not known is computed.
    ///
    /// # Errors
    /// The database cannot be opened. A metric that fails is in the results.
    pub fn measure<'m>(&self, tasks: &[Task<'m>]) -> anyhow::Result<Vec<Measured<'m>>> {
        let mut results: Vec<Option<Measured<'m>>> = tasks
            .iter()
            .map(|task| {
                let table = self.memo.get(&task.metric.name, &task.metric.text, task.period)?;
                Some(Measured { metric: task.metric, result: Ok(table), elapsed: Duration::ZERO })
            })
            .collect();
        let unknown: Vec<usize> = (0..tasks.len()).filter(|index| results[*index].is_none()).collect();
        if !unknown.is_empty() {
            let wanted: Vec<Task<'m>> = unknown.iter().map(|index| tasks[*index]).collect();
            for (index, measured) in unknown.into_iter().zip(measure_tasks(self.duck()?, &wanted)?) {
                if let Ok(table) = &measured.result {
                    let task = tasks[index];
                    self.memo.put(&task.metric.name, &task.metric.text, task.period, table);
                }
                results[index] = Some(measured);
            }
            self.memo.trim();
        }
        Ok(results.into_iter().flatten().collect())
    }
}
