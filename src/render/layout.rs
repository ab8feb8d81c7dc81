//! `reports/layout.toml`: which part of the report shows which metric, with which columns, in which order.
//!
//! Input: the file's text (the user's wins over the embedded one). Output: [`Layout`], and the metrics of each part.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::RenderError;
use super::model::{ChartSpec, MetricResult};

/// Name of the file.
pub(super) const FILE: &str = "layout.toml";

/// The order of the report.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    /// Parts in order.
    pub part: Vec<Part>,
    /// What would have to be recorded, by family.
    pub nothing: BTreeMap<String, String>,
    /// What the words mean, in alphabetical order.
    #[serde(default)]
    pub terms: BTreeMap<String, String>,
    /// How a metric is shown, where the rule is not good enough.
    #[serde(default)]
    pub metric: BTreeMap<String, View>,
}

/// One part of the report.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// Anchor.
    pub id: String,
    /// Heading.
    pub title: String,
    /// One sentence under it.
    #[serde(default)]
    pub intro: String,
    /// Metrics in order.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// Metrics that are folded, for those who want to know more.
    #[serde(default)]
    pub more: Vec<String>,
    /// All other metrics of these families follow.
    #[serde(default)]
    pub families: Vec<String>,
    /// Metrics that no other part shows are here.
    #[serde(default)]
    pub is_rest: bool,
}

/// How a metric is shown.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct View {
    /// Title, where the metric's own does not fit its place.
    pub title: Option<String>,
    /// Chart in place of the header's, in its words: `bar x=… y=… by=…`, or `none`.
    pub chart: Option<String>,
    /// Columns of the table; empty: the first ones.
    pub columns: Vec<String>,
    /// A last column with a small chart of each row's past.
    pub trend: Option<Trend>,
    /// Rows before the fold; 0: the usual number.
    pub rows: usize,
    /// The whole table is folded: the chart says it.
    pub is_folded: bool,
    /// Half as wide on a wide screen.
    pub is_half: bool,
}

/// Where a row's past stands: in a metric by time and the row's first name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trend {
    /// The metric.
    pub metric: String,
    /// Column that both tables have: the row's name.
    pub key: String,
    /// Column of time, a week.
    pub x: String,
    /// Column of the values.
    pub y: String,
}

impl View {
    /// The chart that the layout wants, if it wants one.
    #[must_use]
    pub(super) fn chart_spec(&self) -> Option<ChartSpec> {
        let mut words = self.chart.as_deref()?.split_whitespace();
        let kind = words.next()?.to_owned();
        let keys: BTreeMap<&str, &str> = words.filter_map(|word| word.split_once('=')).collect();
        let key = |name: &str| keys.get(name).map(|value| (*value).to_owned());
        Some(ChartSpec { kind, x: key("x"), y: key("y"), by: key("by") })
    }
}

impl Layout {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not TOML of this shape; the error names the line.
    pub(super) fn parse(text: &str) -> Result<Self, RenderError> {
        toml::from_str(text).map_err(|error| RenderError::Layout {
            line: error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1),
            message: error.message().to_owned(),
        })
    }

    /// Position of the part that shows a metric.
    #[must_use]
    pub(super) fn part_of(&self, metric: &MetricResult) -> Option<usize> {
        let named =
            self.part.iter().position(|part| part.metrics.contains(&metric.name) || part.more.contains(&metric.name));
        let family = || self.part.iter().position(|part| part.families.contains(&metric.family));
        let rest = || self.part.iter().position(|part| part.is_rest);
        named.or_else(family).or_else(rest)
    }

    /// The metrics of a part, in its order.
    #[must_use]
    pub(super) fn metrics_of<'a>(&self, part: usize, metrics: &'a [MetricResult]) -> Vec<&'a MetricResult> {
        let mut here: Vec<&MetricResult> = metrics.iter().filter(|metric| self.part_of(metric) == Some(part)).collect();
        let Some(part) = self.part.get(part) else { return here };
        let place = |names: &[String], metric: &MetricResult| names.iter().position(|name| *name == metric.name);
        here.sort_by_key(|metric| {
            (place(&part.more, metric), place(&part.metrics, metric).unwrap_or(part.metrics.len()))
        });
        here
    }

    /// How a metric is shown.
    #[must_use]
    pub(super) fn view(&self, metric: &str) -> View {
        self.metric.get(metric).cloned().unwrap_or_default()
    }
}
