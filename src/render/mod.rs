//! Rendering: a measured [`Report`] becomes pages.
//!
//! Input: [`model::Report`] and the folders of the user's own templates. Output: texts (HTML, Markdown, JSON and the
//! Markdown's charts); writing them is the caller's. No clock, no network, no timing: the same report gives the same bytes.

pub mod change;
pub mod chart;
mod env;
mod error;
mod filters;
pub mod format;
pub mod head;
pub mod index;
mod json;
mod label;
mod layout;
pub mod model;
mod page;
pub mod redact;
mod style;
mod tabular;
mod trend;

use std::borrow::Cow;

use camino::Utf8PathBuf;

/// Metrics whose values over the compared period a report shows: the others need not be measured twice.
pub const COMPARED: &[&str] = &["overview", "by_model", "by_project", "skill_usage", "tool_usage"];

pub use env::Templates;
pub use error::RenderError;
pub use model::Report;

/// How to render.
#[derive(Debug, Clone, Default)]
pub struct RenderOptions {
    /// The user's `reports/` folders, most important first. What they hold wins over the embedded templates by name.
    pub folders: Vec<Utf8PathBuf>,
    /// What is written beside each other (`html`, `markdown`, `json`), for links between them; empty: all.
    pub formats: Vec<&'static str>,
}

/// A rendered report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// `index.html`: one self-contained page.
    pub html: String,
    /// `report.md`.
    pub markdown: String,
    /// `report.json`.
    pub json: String,
    /// Charts of the Markdown: name of the file and SVG.
    pub charts: Vec<(String, String)>,
    /// What stands in it in a few lines, for a terminal.
    pub summary: Vec<String>,
}

/// Renders a report. With [`Report::is_redacted`] private texts are hashed first, in all of it.
///
/// # Errors
/// When a template, theme or layout (the user's or ours) is wrong; the error names the file and the line.
pub fn render_report(report: &Report, options: &RenderOptions) -> Result<Rendered, RenderError> {
    render_shown(&shown(report), options)
}

/// The report as it may be shown: with [`Report::is_redacted`] its private texts are hashed.
#[must_use]
pub fn shown(report: &Report) -> Cow<'_, Report> {
    if report.is_redacted { Cow::Owned(redact::report(report)) } else { Cow::Borrowed(report) }
}

/// Renders what [`shown`] gave.
///
/// # Errors
/// As [`render_report`].
pub fn render_shown(report: &Report, options: &RenderOptions) -> Result<Rendered, RenderError> {
    let templates = Templates::new(options.folders.clone());
    let page = page::build(report, &templates, &options.formats)?;
    let css = style::charts_css(&templates, &report.theme)?;
    let charts = page.charts().map(|chart| (chart.file.clone(), style::standalone(&chart.wide, &css))).collect();
    let json = json::write(report, &page.headline, page.change.as_ref())?;
    let summary = head::summary(report, &page.headline);
    let context = minijinja::Value::from(minijinja::value::Serde(&page));
    Ok(Rendered {
        html: templates.render("pages/report.html", &context)?,
        markdown: style::tidy_markdown(&templates.render("pages/report.md", &context)?),
        json,
        charts,
        summary,
    })
}
