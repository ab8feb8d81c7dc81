//! Series along an axis, from a table: what line and stacked charts draw.
//!
//! Input: a table, the columns named by the header's `chart:` line. Output: [`Grid`].

use std::collections::BTreeMap;

use super::axis::Axis;
use super::{Scene, needed};
use crate::engine::table::{Table, Unit, Value};
use crate::render::model::ChartSpec;

/// One series.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// Its name; empty where there is only one.
    pub name: String,
    /// A value for each step of the axis; `None` is a gap.
    pub values: Vec<Option<f64>>,
}

/// Series over a common axis.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    /// The x axis.
    pub axis: Axis,
    /// Name of the x column.
    pub x: String,
    /// Name of the y column.
    pub y: String,
    /// Unit of the values.
    pub unit: Unit,
    /// Series, largest first.
    pub series: Vec<Series>,
    /// Steps that are not over yet.
    pub is_unfinished: Vec<bool>,
    /// Series that are not drawn.
    pub left_out: usize,
}

impl Grid {
    /// Reads the columns that the header names.
    ///
    /// # Errors
    /// When a column is missing.
    pub(super) fn of(spec: &ChartSpec, table: &Table, scene: &Scene) -> Result<Self, String> {
        let (x, y) = (needed(spec.x.as_deref(), "x", table)?, needed(spec.y.as_deref(), "y", table)?);
        let by = spec.by.as_deref().map(|by| needed(Some(by), "by", table)).transpose()?;
        let axis = Axis::of(x, table.len()).widened(scene.days.as_ref());
        let steps = axis.labels.len();
        let mut sums: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
        let mut is_unfinished: Vec<bool> = axis.labels.iter().map(|label| scene.is_open(label)).collect();
        for row in 0..table.len() {
            let Some(step) = axis.step_of.get(row).copied().flatten() else { continue };
            let name = by.map_or_else(String::new, |column| match column.value(row) {
                Value::Null => "unknown".to_owned(),
                value => value.to_text(),
            });
            let values = sums.entry(name).or_insert_with(|| vec![None; steps]);
            if let (Some(slot), Some(number)) = (values.get_mut(step), y.value(row).as_f64()) {
                *slot = Some(slot.unwrap_or(0.0) + number);
            }
            if let (Value::Bool(true), Some(flag)) = (table.get(row, "is_unfinished"), is_unfinished.get_mut(step)) {
                *flag = true;
            }
        }
        let mut series: Vec<Series> = sums.into_iter().map(|(name, values)| Series { name, values }).collect();
        series.sort_by(|left, right| total(right).total_cmp(&total(left)).then_with(|| left.name.cmp(&right.name)));
        Ok(Self { axis, x: x.name.clone(), y: y.name.clone(), unit: y.unit, series, is_unfinished, left_out: 0 })
    }

    /// Keeps the largest series; the others are drawn as one or not at all.
    #[must_use]
    pub(super) fn largest(mut self, most: usize, adds_rest: bool) -> Self {
        if self.series.len() <= most {
            return self;
        }
        let keep = if adds_rest { most - 1 } else { most };
        let rest = self.series.split_off(keep);
        self.left_out = rest.len();
        if adds_rest {
            let steps = self.axis.labels.len();
            let values = (0..steps).map(|step| {
                let known: Vec<f64> =
                    rest.iter().filter_map(|series| series.values.get(step).copied().flatten()).collect();
                (!known.is_empty()).then(|| known.iter().sum())
            });
            self.series.push(Series { name: format!("{} others", rest.len()), values: values.collect() });
            self.left_out = 0;
        }
        self
    }

    /// Keeps the first series in the order in which the table names them: different quantities have no common size.
    #[must_use]
    pub(super) fn in_order(mut self, table: &Table, most: usize) -> Self {
        let mut order: Vec<String> = Vec::new();
        for row in 0..table.len() {
            let name = table.get(row, "series").to_text();
            if !order.contains(&name) {
                order.push(name);
            }
        }
        self.series.sort_by_key(|series| order.iter().position(|name| *name == series.name));
        self.left_out = self.series.len().saturating_sub(most);
        self.series.truncate(most);
        self
    }

    /// Largest value of a single series.
    #[must_use]
    pub(super) fn highest(&self) -> f64 {
        self.series.iter().flat_map(|series| &series.values).flatten().copied().fold(0.0, f64::max)
    }

    /// Largest sum over the series at one step.
    #[must_use]
    pub(super) fn highest_sum(&self) -> f64 {
        (0..self.axis.labels.len()).map(|step| self.sum_at(step)).fold(0.0, f64::max)
    }

    /// Sum over the series at one step.
    #[must_use]
    pub(super) fn sum_at(&self, step: usize) -> f64 {
        self.series.iter().filter_map(|series| series.values.get(step).copied().flatten()).sum()
    }
}

fn total(series: &Series) -> f64 {
    series.values.iter().flatten().map(|value| value.abs()).sum()
}
