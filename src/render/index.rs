//! The list of all reports: `reports/out/index.html` and `index.md`, newest first.
//!
//! Input: the `report.json` of each report (the caller reads them). Output: both pages.

use serde::Serialize;
use serde_json::Value as Json;

use super::env::Templates;
use super::error::RenderError;
use super::head::Past;
use super::{RenderOptions, chart, format, style};
use crate::engine::table::Unit;

/// One report in the list.
#[derive(Debug, Clone, Serialize)]
pub struct IndexEntry {
    /// Its folder: the period's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// First day.
    pub since: Option<String>,
    /// Last day.
    pub until: Option<String>,
    /// The period was not over.
    pub is_unfinished: bool,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// Headline numbers: name, text.
    pub numbers: Vec<IndexNumber>,
    /// Number of findings; `None` where it is not known.
    pub findings: Option<usize>,
    /// Its page, in its folder.
    pub page: String,
    /// The page that the Markdown list links to.
    pub markdown_page: String,
}

/// A headline number of one report.
#[derive(Debug, Clone, Serialize)]
pub struct IndexNumber {
    /// Column of `overview`.
    pub name: String,
    /// As people read it.
    pub text: String,
    /// Exact.
    pub value: Option<f64>,
    /// Its last periods.
    pub sparkline: Option<String>,
    /// The same as blocks.
    pub blocks: String,
}

impl IndexEntry {
    /// Reads a `report.json`; `None` where it is none. `folder` is the name of the folder that it stands in.
    #[must_use]
    pub fn from_json(folder: &str, report: &Json) -> Option<Self> {
        let period = report.get("period")?;
        let text = |value: &Json, key: &str| value.get(key).and_then(Json::as_str).map(str::to_owned);
        let numbers = report.get("headline")?.as_array()?.iter().filter_map(number).collect();
        Some(Self {
            title: text(report, "title").unwrap_or_else(|| folder.to_owned()),
            since: text(period, "since"),
            until: text(period, "until"),
            is_unfinished: period.get("is_unfinished").and_then(Json::as_bool).unwrap_or(false),
            made_at: text(report, "now").unwrap_or_default(),
            numbers,
            findings: report.get("findings").and_then(Json::as_array).map(Vec::len),
            ..Self::bare(folder)
        })
    }

    /// A report of which only the folder's name is known.
    #[must_use]
    pub fn bare(folder: &str) -> Self {
        Self {
            name: folder.to_owned(),
            title: format!("OpenCode, {folder}"),
            since: None,
            until: None,
            is_unfinished: false,
            made_at: String::new(),
            numbers: Vec::new(),
            findings: None,
            page: "index.html".to_owned(),
            markdown_page: "report.md".to_owned(),
        }
    }
}

fn number(headline: &Json) -> Option<IndexNumber> {
    let unit = headline.get("unit").and_then(Json::as_str).and_then(Unit::parse).unwrap_or(Unit::Count);
    let value = headline.get("value").and_then(Json::as_f64);
    let words =
        |value: Option<f64>| value.map_or_else(|| format::UNKNOWN.to_owned(), |value| format::number(value, unit));
    let history: Vec<Past> = headline
        .get("history")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .map(|past| {
            let value = past.get("value").and_then(Json::as_f64);
            Past {
                period: past.get("period").and_then(Json::as_str).unwrap_or_default().to_owned(),
                value,
                text: words(value),
                is_unfinished: false,
            }
        })
        .collect();
    Some(IndexNumber {
        name: headline.get("name")?.as_str()?.to_owned(),
        text: words(value),
        value,
        sparkline: chart::spark::draw(&history),
        blocks: chart::spark::blocks(&history),
    })
}

/// Renders the list: HTML and Markdown.
///
/// # Errors
/// When a template or the theme is wrong; the error names the file and the line.
pub fn render_index(
    entries: &[IndexEntry],
    theme: &str,
    options: &RenderOptions,
) -> Result<(String, String), RenderError> {
    #[derive(Serialize)]
    struct Context<'a> {
        style: String,
        style_hash: String,
        columns: Vec<(String, &'static str)>,
        entries: Vec<&'a IndexEntry>,
    }
    const COLUMNS: &[(&str, &str)] = &[
        ("cost_usd", "Cost"),
        ("sessions", "Sessions"),
        ("total_tokens", "Tokens"),
        ("cache_hit_ratio", "Cache hits"),
        ("tool_error_ratio", "Tool errors"),
        ("edit_success_ratio", "Edit success"),
        ("skills_used", "Skills used"),
    ];
    let templates = Templates::new(options.folders.clone());
    let css = style::page_css(&templates, theme)?;
    let mut newest: Vec<&IndexEntry> = entries.iter().collect();
    newest
        .sort_by(|left, right| (&right.until, &right.since, &right.name).cmp(&(&left.until, &left.since, &left.name)));
    let context = minijinja::Value::from(minijinja::value::Serde(Context {
        style_hash: style::csp_hash(&css),
        style: css,
        columns: COLUMNS.iter().map(|(key, label)| ((*key).to_owned(), *label)).collect(),
        entries: newest,
    }));
    let html = templates.render("pages/index.html", &context)?;
    let markdown = style::tidy_markdown(&templates.render("pages/index.md", &context)?);
    Ok((html, markdown))
}
