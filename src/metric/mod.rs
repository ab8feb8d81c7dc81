//! The contract of a query file: a header of `-- key: value` lines, prose, one SELECT.
//!
//! Input: a file's text. Output: [`QueryFile`], or an error with file and line. `queries/README.md` documents the keys.

pub mod header;

use crate::error::RegistryError;
use crate::model::unit::Unit;
use header::Header;
use std::collections::BTreeMap;

/// What a file is, by its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// `staging/`: renames and casts one table.
    Staging,
    /// `marts/`: one entity.
    Mart,
    /// `metrics/<family>/`.
    Metric,
    /// `findings/`.
    Finding,
    /// `checks/`: rows are offenders.
    Check,
    /// A user's own query, without contract.
    Free,
}

/// How sure a metric's figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Stored as such.
    Observed,
    /// Inferred by a stated rule.
    Derived,
    /// From a model.
    Estimated,
}

/// Which direction is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Neither.
    Neutral,
}

/// Which engine computes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// The SQL is the result.
    Duckdb,
    /// The SQL is the input of a polars pipeline of the same name.
    Polars,
}

/// How a metric likes to be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartSpec {
    /// line, bar, stacked, heat, matrix, interval or none.
    pub kind: String,
    /// Column along the x axis.
    pub x: Option<String>,
    /// Column along the y axis.
    pub y: Option<String>,
    /// Column that splits series.
    pub by: Option<String>,
}

/// One file of `queries/`.
#[derive(Debug, Clone)]
pub struct QueryFile {
    /// Name: the file's stem.
    pub name: String,
    /// Path below `queries/`, or the user's path.
    pub path: String,
    /// What it is.
    pub layer: Layer,
    /// Family of a metric: its folder.
    pub family: Option<String>,
    /// Title in sentence case.
    pub title: String,
    /// What a row is.
    pub grain: String,
    /// Units of the columns that have one.
    pub units: BTreeMap<String, Unit>,
    /// Views that it reads.
    pub sources: Vec<String>,
    /// How sure.
    pub evidence: Evidence,
    /// Good direction.
    pub better: Better,
    /// How to draw it.
    pub chart: ChartSpec,
    /// Engine.
    pub engine: EngineKind,
    /// Mart: the column by which a row belongs to a period.
    pub time: Option<String>,
    /// Mart: a row depends on rows of its own session alone, so that sessions can be taken a part at a time.
    pub is_by_session: bool,
    /// Mart: kept in the store; others are steps on the way, built again when somebody asks for them.
    pub is_stored: bool,
    /// Why it is measured and what makes it wrong.
    pub prose: String,
    /// The whole file.
    pub text: String,
    /// Part of the program; what a user wrote is checked before it runs.
    pub is_embedded: bool,
    /// Line of the file on which the SELECT begins, from 1.
    pub first_line: usize,
}

const KEYS: &[(Layer, &[&str], &[&str])] = &[
    (Layer::Staging, &["staging", "sources"], &["grain"]),
    (Layer::Mart, &["mart", "grain", "sources", "time"], &["reach", "stored"]),
    (Layer::Metric, &["metric", "title", "grain", "units", "sources", "evidence", "better", "chart"], &["engine"]),
    (Layer::Finding, &["finding", "title", "sources", "evidence"], &["grain", "units"]),
    (Layer::Check, &["check", "title", "sources"], &["grain", "units"]),
];

const CHARTS: &[&str] = &["none", "line", "bar", "stacked", "heat", "matrix", "interval", "calibration", "sankey"];

impl QueryFile {
    /// Parses a file whose place in `queries/` says what it is.
    ///
    /// # Errors
    /// A missing, unknown or repeated key, or a value that the key does not take: with file and line.
    pub fn parse(path: &str, layer: Layer, text: &str) -> Result<Self, RegistryError> {
        let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".sql").to_owned();
        // A user's own query has no contract: its comments may say anything.
        let header = if layer == Layer::Free { Header::empty(path) } else { Header::read(path, text)? };
        let family = match layer {
            Layer::Metric => path.rsplit('/').nth(1).map(str::to_owned),
            _ => None,
        };
        let mut file = Self {
            title: name.replace('_', " "),
            name,
            path: path.to_owned(),
            layer,
            family,
            grain: String::new(),
            units: BTreeMap::new(),
            sources: Vec::new(),
            evidence: Evidence::Observed,
            better: Better::Neutral,
            chart: ChartSpec { kind: "none".into(), ..ChartSpec::default() },
            engine: EngineKind::Duckdb,
            time: None,
            is_by_session: false,
            is_stored: true,
            prose: header.prose.clone(),
            text: text.to_owned(),
            is_embedded: false,
            first_line: header.body_line,
        };
        if matches!(layer, Layer::Staging | Layer::Mart) && !is_identifier(&file.name) {
            return Err(header.error(1, "a view is called like its file: letters, digits and _ alone"));
        }
        if let Some((_, needed, optional)) = KEYS.iter().find(|(of, ..)| *of == layer) {
            header.check_keys(needed, optional)?;
            if file.prose.is_empty() {
                return Err(header.error(1, "the header has no prose: say why it is measured and what makes it wrong"));
            }
        }
        for entry in &header.entries {
            let fail = |problem: String| header.error(entry.line, &problem);
            match entry.key.as_str() {
                "metric" | "mart" | "staging" | "finding" | "check" if entry.value != file.name => {
                    return Err(fail(format!(
                        "{} is '{}', but the file is called '{}'",
                        entry.key, entry.value, file.name
                    )));
                }
                "title" => file.title.clone_from(&entry.value),
                "grain" => file.grain.clone_from(&entry.value),
                "sources" => file.sources = header::list(&entry.value),
                "time" if !is_identifier(&entry.value) => {
                    return Err(fail(format!("time is '{}': the name of a column, or none", entry.value)));
                }
                "time" => file.time = Some(entry.value.clone()).filter(|value| value != "none"),
                "reach" => {
                    file.is_by_session = match entry.value.as_str() {
                        "session" => true,
                        "all" => false,
                        other => return Err(fail(format!("reach is '{other}': session or all"))),
                    };
                }
                "stored" => {
                    file.is_stored = match entry.value.as_str() {
                        "yes" => true,
                        "no" => false,
                        other => return Err(fail(format!("stored is '{other}': yes or no"))),
                    };
                }
                "units" => file.units = parse_units(&entry.value).map_err(fail)?,
                "evidence" => {
                    file.evidence = Evidence::parse(&entry.value).ok_or_else(|| {
                        fail(format!("evidence is '{}': observed, derived or estimated", entry.value))
                    })?;
                }
                "better" => {
                    file.better = Better::parse(&entry.value)
                        .ok_or_else(|| fail(format!("better is '{}': higher, lower or neutral", entry.value)))?;
                }
                "engine" => {
                    file.engine = match entry.value.as_str() {
                        "duckdb" => EngineKind::Duckdb,
                        "polars" => EngineKind::Polars,
                        other => return Err(fail(format!("engine is '{other}': duckdb or polars"))),
                    };
                }
                "chart" => file.chart = parse_chart(&entry.value).map_err(fail)?,
                _ => {}
            }
        }
        Ok(file)
    }
}

/// What may stand in SQL as a name without changing its meaning.
fn is_identifier(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Evidence {
    fn parse(word: &str) -> Option<Self> {
        [Self::Observed, Self::Derived, Self::Estimated].into_iter().find(|evidence| evidence.word() == word)
    }

    /// As written in headers and on the page.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Derived => "derived",
            Self::Estimated => "estimated",
        }
    }
}

impl Better {
    fn parse(word: &str) -> Option<Self> {
        [Self::Higher, Self::Lower, Self::Neutral].into_iter().find(|better| better.word() == word)
    }

    /// As written in headers and on the page.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Neutral => "neutral",
        }
    }
}

fn parse_units(text: &str) -> Result<BTreeMap<String, Unit>, String> {
    let mut units = BTreeMap::new();
    for item in header::list(text).iter().filter(|item| *item != "none") {
        let (column, word) = item.split_once('=').ok_or_else(|| format!("unit '{item}' is not column=unit"))?;
        let unit = Unit::parse(word.trim()).ok_or_else(|| {
            let known: Vec<&str> = Unit::ALL.iter().map(|(name, _)| *name).collect();
            format!("unit '{}' of {} is not one of {}", word.trim(), column.trim(), known.join(", "))
        })?;
        units.insert(column.trim().to_owned(), unit);
    }
    Ok(units)
}

fn parse_chart(text: &str) -> Result<ChartSpec, String> {
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or_default();
    if !CHARTS.contains(&kind) {
        return Err(format!("chart is '{kind}': one of {}", CHARTS.join(", ")));
    }
    let mut chart = ChartSpec { kind: kind.to_owned(), ..ChartSpec::default() };
    for word in words {
        match word.split_once('=') {
            Some(("x", column)) => chart.x = Some(column.to_owned()),
            Some(("y", column)) => chart.y = Some(column.to_owned()),
            Some(("by", column)) => chart.by = Some(column.to_owned()),
            _ => return Err(format!("chart has '{word}': x=, y= or by= a column")),
        }
    }
    Ok(chart)
}
