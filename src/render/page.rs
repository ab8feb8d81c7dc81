//! What the templates get: the report in words, numbers as texts, charts as SVG, in the order of `layout.toml`.
//!
//! Input: a [`Report`]. Output: [`Page`]; HTML and Markdown are rendered from the same one, so their numbers agree.

mod changes;
mod findings;
mod words;

use jiff::tz::TimeZone;
use serde::Serialize;

use super::change::{self, Change};
use super::chart::{self, Chart, Scene};
use super::env::Templates;
use super::error::RenderError;
use super::head::{self, Headline, Reconciled};
use super::layout::{self, Layout, Part};
use super::model::{Better, MetricResult, Period, Provenance, Report};
use super::{style, tabular, trend};
use changes::ChangeView;
use findings::FindingView;

/// Rows of a table before the fold, where the layout does not say.
const USUAL_ROWS: usize = 10;
/// Findings on the page.
const MOST_FINDINGS: usize = 7;

/// The context of the templates.
#[derive(Debug, Clone, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of a template")]
pub(super) struct Page {
    title: String,
    period: Period,
    span: String,
    compared_with: Option<Compared>,
    filters: Vec<String>,
    now: String,
    /// When it was made, and the youngest row, in the zone of the report.
    made_at: String,
    fresh_at: Option<String>,
    notices: Vec<NoticeView>,
    is_redacted: bool,
    theme: String,
    style: String,
    style_hash: String,
    hatch: &'static str,
    /// Headline numbers.
    pub headline: Vec<Headline>,
    findings: Vec<FindingView>,
    findings_left_out: usize,
    /// What changed.
    pub change: Option<Change>,
    change_view: Option<ChangeView>,
    reconciliation: Vec<Reconciled>,
    parts: Vec<PartView>,
    provenance: Provenance,
    terms: Vec<(String, String)>,
    evidence: Vec<EvidenceView>,
    is_empty: bool,
    is_all: bool,
    stamp: Option<String>,
    /// What is written beside the page; for links.
    has_html: bool,
    has_markdown: bool,
    has_json: bool,
    /// The metrics that have a place on the page.
    shown: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Compared {
    name: String,
    span: String,
    /// In few words.
    short: String,
}

/// Something that happened to a source; its moment in the zone of the report.
#[derive(Debug, Clone, Serialize)]
struct NoticeView {
    at: Option<String>,
    source: String,
    text: String,
}

#[derive(Debug, Clone, Serialize)]
struct PartView {
    id: String,
    title: String,
    intro: String,
    metrics: Vec<MetricView>,
    /// Folded.
    more: Vec<MetricView>,
    quiet: Vec<String>,
    empty: Vec<String>,
    /// Some rate in it rests on too few observations.
    has_weak: bool,
}

/// The metrics on the page that rest on one kind of evidence.
#[derive(Debug, Clone, Serialize)]
struct EvidenceView {
    name: &'static str,
    metrics: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct MetricView {
    name: String,
    title: String,
    prose: String,
    grain: String,
    evidence: String,
    better: Better,
    sql: String,
    is_pipeline: bool,
    /// What prints it for the same period and filters.
    command: String,
    error: Option<String>,
    chart: Option<Chart>,
    chart_error: Option<String>,
    table: Option<tabular::Shown>,
    is_folded: bool,
    is_half: bool,
    section: Option<String>,
    section_md: Option<String>,
}

impl PartView {
    fn all(&self) -> impl Iterator<Item = &MetricView> {
        self.metrics.iter().chain(&self.more)
    }
}

impl Page {
    /// All charts that stand on the page.
    pub(super) fn charts(&self) -> impl Iterator<Item = &Chart> {
        let changes = self.change_view.iter().flat_map(|change| [&change.cost.chart, &change.tokens.chart]);
        changes.chain(self.parts.iter().flat_map(PartView::all).filter_map(|metric| metric.chart.as_ref()))
    }
}

/// Builds the context.
///
/// # Errors
/// When the layout, the theme or a user's file cannot be read.
pub(super) fn build(report: &Report, templates: &Templates, formats: &[&str]) -> Result<Page, RenderError> {
    let layout = Layout::parse(&templates.needed(layout::FILE)?)?;
    let css = style::page_css(templates, &report.theme)?;
    let zone = TimeZone::get(&report.period.timezone).unwrap_or(TimeZone::UTC);
    let scene = Scene::of(report);
    let view = |metric: &MetricResult| metric_view(metric, report, &layout, (&scene, &zone), templates);
    let mut parts = Vec::with_capacity(layout.part.len());
    let headline = head::headlines(report);
    let is_empty =
        headline.iter().filter(|number| number.key == "sessions").all(|number| number.value.unwrap_or(0.0) == 0.0);
    for (index, part) in layout.part.iter().enumerate() {
        let here = layout.metrics_of(index, &report.metrics);
        let (full, empty): (Vec<&MetricResult>, Vec<&MetricResult>) =
            here.into_iter().partition(|metric| has_something(metric) && !(is_empty && metric.name == "overview"));
        let (more, main): (Vec<&MetricResult>, Vec<&MetricResult>) =
            full.into_iter().partition(|metric| part.more.contains(&metric.name));
        // Nothing is folded away when there is nothing else.
        let (main, more) = if main.is_empty() { (more, main) } else { (main, more) };
        let mut part_view = PartView {
            id: part.id.clone(),
            title: part.title.clone(),
            intro: part.intro.clone(),
            metrics: main.into_iter().map(view).collect::<Result<_, _>>()?,
            more: more.into_iter().map(view).collect::<Result<_, _>>()?,
            quiet: quiet(part, &layout, report),
            empty: empty
                .into_iter()
                .filter(|metric| !is_quiet(&metric.family, &layout, report))
                .map(|metric| words::inside(&metric.title))
                .collect(),
            has_weak: false,
        };
        let has_weak = part_view.all().filter_map(|metric| metric.table.as_ref()).any(|table| table.has_weak);
        part_view.has_weak = has_weak;
        parts.push(part_view);
    }
    parts.retain(|part| {
        !part.metrics.is_empty() || !part.quiet.is_empty() || !part.empty.is_empty() || part.id == "trust"
    });
    let has = |format: &str| formats.is_empty() || formats.contains(&format);
    let change = change::change(report);
    let (findings, findings_left_out) = findings::grouped(report, MOST_FINDINGS);
    Ok(Page {
        title: report.title.clone(),
        span: words::span(&report.period),
        compared_with: report.compared_with.as_ref().map(|period| Compared {
            name: period.name.clone(),
            span: words::span(period),
            short: words::short(period),
        }),
        filters: words::filters(report),
        now: report.now.clone(),
        made_at: words::moment(&report.now, &zone),
        fresh_at: report.provenance.data_fresh_at.as_deref().map(|at| words::moment(at, &zone)),
        notices: report
            .provenance
            .notices
            .iter()
            .map(|notice| NoticeView {
                at: notice.at.as_deref().map(|at| words::moment(at, &zone)),
                source: notice.source.clone(),
                text: notice.text.clone(),
            })
            .collect(),
        is_redacted: report.is_redacted,
        theme: report.theme.clone(),
        style_hash: style::csp_hash(&css),
        style: css,
        hatch: style::HATCH,
        is_empty,
        headline,
        findings,
        findings_left_out,
        change_view: change.as_ref().map(|change| changes::view(change, report)),
        change,
        reconciliation: head::reconciliation(report),
        evidence: evidence(&parts),
        terms: layout.terms.into_iter().collect(),
        shown: parts.iter().flat_map(PartView::all).map(|metric| metric.name.clone()).collect(),
        parts,
        provenance: report.provenance.clone(),
        is_all: report.period.is_all,
        stamp: report.stamp.clone(),
        has_html: has("html"),
        has_markdown: has("markdown"),
        has_json: has("json"),
        period: report.period.clone(),
    })
}

fn evidence(parts: &[PartView]) -> Vec<EvidenceView> {
    ["observed", "derived", "estimated"]
        .into_iter()
        .map(|name| {
            let here = parts.iter().flat_map(PartView::all).filter(|metric| metric.evidence == name);
            EvidenceView { name, metrics: here.map(|metric| metric.name.clone()).collect() }
        })
        .filter(|level| !level.metrics.is_empty())
        .collect()
}

/// Whether there is anything to show of a metric: rows, or an error.
fn has_something(metric: &MetricResult) -> bool {
    metric.result.as_ref().map_or(true, |table| !table.is_empty())
}

/// Whether a family has no row at all and the layout has a line for that.
fn is_quiet(family: &str, layout: &Layout, report: &Report) -> bool {
    layout.nothing.contains_key(family)
        && !report.metrics.iter().any(|metric| metric.family == family && has_something(metric))
}

fn quiet(part: &Part, layout: &Layout, report: &Report) -> Vec<String> {
    part.families
        .iter()
        .filter(|family| is_quiet(family, layout, report))
        .filter_map(|family| layout.nothing.get(family).cloned())
        .collect()
}

fn metric_view(
    metric: &MetricResult,
    report: &Report,
    layout: &Layout,
    (scene, zone): (&Scene, &TimeZone),
    templates: &Templates,
) -> Result<MetricView, RenderError> {
    let view = layout.view(&metric.name);
    let table = metric.result.as_ref().ok();
    let chart_spec = view.chart_spec().unwrap_or_else(|| metric.chart.clone());
    let drawn = table.and_then(|table| chart::draw(&metric.name, &metric.title, &chart_spec, table, scene));
    let (chart, chart_error) = match drawn {
        Some(Ok(chart)) => (Some(chart), None),
        Some(Err(message)) => (None, Some(message)),
        None => (None, None),
    };
    let mut shown = table
        .map(|table| tabular::shown(table, &view.columns, if view.rows == 0 { USUAL_ROWS } else { view.rows }, zone));
    if let (Some(shown), Some(table), Some(spec)) = (&mut shown, table, &view.trend) {
        trend::add(shown, table, spec, report);
    }
    let section = |ending: &str| {
        let name = format!("sections/{}.{ending}", metric.name);
        Ok::<_, RenderError>(templates.text(&name)?.map(|_| name))
    };
    Ok(MetricView {
        name: metric.name.clone(),
        title: view.title.unwrap_or_else(|| metric.title.clone()),
        prose: metric.prose.clone(),
        grain: metric.grain.clone(),
        evidence: metric.evidence.clone(),
        better: metric.better,
        sql: metric.sql.trim().to_owned(),
        is_pipeline: metric.is_pipeline,
        command: format!("logicoma metrics run {}{}", metric.name, words::options(report)),
        error: metric.result.as_ref().err().cloned(),
        is_folded: view.is_folded && chart.is_some(),
        is_half: view.is_half,
        chart,
        chart_error,
        table: shown,
        section: section("html")?,
        section_md: section("md")?,
    })
}
