//! What a report is made of: plain values that the caller fills in and the renderer only reads.
//!
//! Input: metrics' results with what their headers say, findings, provenance. No clock and no timing is in here, so
//! that the same store, `--now` and version give the same bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::engine::table::Table;

/// Version of `report.json`.
pub const REPORT_SCHEMA_VERSION: u32 = 1;

/// One report.
#[derive(Debug, Clone)]
pub struct Report {
    /// Shape of `report.json`: [`REPORT_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Title of the page, e.g. `OpenCode, week 2026-W47`.
    pub title: String,
    /// What the numbers are about.
    pub period: Period,
    /// The stretch before that they are compared with.
    pub compared_with: Option<Period>,
    /// What was left out or kept.
    pub filters: Filters,
    /// Name of a theme under `reports/themes/`.
    pub theme: String,
    /// `--now`, RFC 3339: when the report was made.
    pub now: String,
    /// What it was made from, in one word, for who asks whether it must be made again.
    pub stamp: Option<String>,
    /// Titles, paths, commands and error texts are hashed in everything that is written.
    pub is_redacted: bool,
    /// All measured metrics, in the order of the catalogue.
    pub metrics: Vec<MetricResult>,
    /// The same metrics over [`Report::compared_with`], by name; absent where they were not measured.
    pub previous: BTreeMap<String, Table>,
    /// Earlier periods of the same length, oldest first, the report's own last: for the head's sparklines. May be empty.
    pub history: Vec<PastPeriod>,
    /// What to do, most saving first. May be empty.
    pub findings: Vec<Finding>,
    /// Where the numbers come from.
    pub provenance: Provenance,
}

/// A stretch of time.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Period {
    /// `2026-W47`, `2026-11`, `last-7d-2026-11-22`, `all` …
    pub name: String,
    /// First day or moment; `None`: since the first row.
    pub since: Option<String>,
    /// Last day or moment (inclusive day, or exclusive RFC 3339); `None`: up to now.
    pub until: Option<String>,
    /// IANA name of the zone that days are cut in.
    pub timezone: String,
    /// The period is not over yet.
    pub is_unfinished: bool,
    /// Everything there is; not written to `report.json`, where the name says it.
    #[serde(skip)]
    pub is_all: bool,
}

impl Period {
    /// First and last day, where both are known. `until` as a day is inclusive, as a moment exclusive.
    #[must_use]
    pub fn days(&self) -> Option<(Date, Date)> {
        let zone = TimeZone::get(&self.timezone).unwrap_or(TimeZone::UTC);
        let day = |text: &str, back: i64| match text.parse::<Timestamp>() {
            Ok(moment) => {
                Some(Timestamp::from_millisecond(moment.as_millisecond() - back).ok()?.to_zoned(zone.clone()).date())
            }
            Err(_) => text.parse::<Date>().ok(),
        };
        Some((day(self.since.as_deref()?, 0)?, day(self.until.as_deref()?, 1)?))
    }
}

/// `--project`, `--model`, `--agent` and their opposites.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Filters {
    /// Substrings of projects kept.
    pub project: Vec<String>,
    /// Substrings of models kept.
    pub model: Vec<String>,
    /// Substrings of agents kept.
    pub agent: Vec<String>,
    /// Substrings of projects left out.
    pub exclude_project: Vec<String>,
    /// Substrings of models left out.
    pub exclude_model: Vec<String>,
    /// Substrings of agents left out.
    pub exclude_agent: Vec<String>,
    /// Fork copies are counted.
    pub count_forks: bool,
    /// Names of the sources kept; empty = all.
    pub source: Vec<String>,
    /// What is gone from the sources is left out.
    pub present_only: bool,
}

/// Which direction of change is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Neither.
    #[default]
    Neutral,
}

/// The `chart:` line of a metric's header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChartSpec {
    /// line, bar, stacked, heat, matrix, sankey, interval, calibration, or none.
    pub kind: String,
    /// Column along the x axis (the categories of a bar chart).
    pub x: Option<String>,
    /// Column of the values (heat, matrix, sankey: of the rows).
    pub y: Option<String>,
    /// Column that splits into series (heat, matrix, sankey: of the values).
    pub by: Option<String>,
}

/// One metric as measured.
#[derive(Debug, Clone)]
pub struct MetricResult {
    /// Name: `tool_usage`.
    pub name: String,
    /// Folder: `tools`.
    pub family: String,
    /// Title: `Tool use`.
    pub title: String,
    /// Why it is measured and what makes it wrong.
    pub prose: String,
    /// What a row is.
    pub grain: String,
    /// observed, derived or estimated.
    pub evidence: String,
    /// Good direction.
    pub better: Better,
    /// Chart of the header.
    pub chart: ChartSpec,
    /// Body of the metric, as `logicoma query` takes it.
    pub sql: String,
    /// The SQL selects what a pipeline works on; its rows are not the metric's.
    pub is_pipeline: bool,
    /// Rows, or why there are none.
    pub result: Result<Table, String>,
}

/// Metrics of one earlier period, as far as they were measured.
#[derive(Debug, Clone)]
pub struct PastPeriod {
    /// `2026-W46`.
    pub name: String,
    /// Not over yet.
    pub is_unfinished: bool,
    /// Metric → rows (`overview`, `skill_usage`, `edit_success` … as far as the head needs them).
    pub metrics: BTreeMap<String, Table>,
}

/// Something to do on Monday.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Finding {
    /// Name of the finding's file.
    pub name: String,
    /// high, medium, low or info.
    pub severity: String,
    /// What it is about: a skill, a tool, a model …
    pub subject: String,
    /// The sentence.
    pub sentence: String,
    /// What to do.
    pub action: Option<String>,
    /// Metric whose rows are the evidence; the link goes to its section.
    pub metric: Option<String>,
    /// Evidence in words.
    pub evidence: Option<String>,
    /// Number of observations behind it.
    pub n: Option<i64>,
    /// Lower end of the 95 % interval, in the unit that `evidence` names.
    pub ci_low: Option<f64>,
    /// Upper end.
    pub ci_high: Option<f64>,
    /// Estimated saving.
    pub saved_tokens_per_week: Option<f64>,
    /// Estimated saving.
    pub saved_usd_per_week: Option<f64>,
    /// Lower end of the saving's interval.
    pub saved_usd_low: Option<f64>,
    /// Upper end of the saving's interval.
    pub saved_usd_high: Option<f64>,
    /// 0 to 1, or a word: how sure.
    pub confidence: Option<String>,
    /// Body of the finding's file.
    #[serde(skip)]
    pub sql: String,
}

/// Where the numbers come from.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Provenance {
    /// Version of Logicoma.
    pub version: String,
    /// Version of the store's shape.
    pub schema_version: u32,
    /// Databases read.
    pub sources: Vec<Source>,
    /// How much of each table could be read.
    pub coverage: Vec<Coverage>,
    /// Rows that could not be decoded.
    pub quarantine_count: i64,
    /// Kinds of parts and tools never seen before.
    pub unknown_kinds: Vec<UnknownKind>,
    /// The youngest row, RFC 3339.
    pub data_fresh_at: Option<String>,
    /// What a reader of the numbers should know: databases replaced or gone, damage, telemetry that could not be read.
    pub notices: Vec<Notice>,
}

/// Something that happened to a source.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Notice {
    /// When, RFC 3339; `None`: it is so now.
    pub at: Option<String>,
    /// Name of the source, or path of the file.
    pub source: String,
    /// A sentence.
    pub text: String,
}

/// One database or telemetry file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Source {
    /// Short name.
    pub name: String,
    /// Where it was read.
    pub path: String,
    /// OpenCode that wrote it last, where known.
    pub opencode_version: Option<String>,
    /// v1, v2 or v1+v2.
    pub generation: String,
    /// Rows in the store.
    pub rows: i64,
    /// When the database was last there, RFC 3339, where it is gone or was replaced: its rows are history.
    pub last_seen_at: Option<String>,
}

/// How much of one table could be read.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Coverage {
    /// Table or mart.
    pub table_name: String,
    /// Rows there are.
    pub row_count: i64,
    /// Rows that could be read in full.
    pub readable_count: i64,
    /// SHA-256 over the checksums of the store's files of it; the same rows give the same.
    pub sha256: Option<String>,
}

/// Something the decoder does not know.
#[derive(Debug, Clone, Default, Serialize)]
pub struct UnknownKind {
    /// Part type or tool.
    pub kind: String,
    /// How often.
    pub count: i64,
}
