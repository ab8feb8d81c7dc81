//! What the templates get: the report in words, numbers as texts, charts as SVG, in the order of `layout.toml`.
//!
//! Input: a [`Report`]. Output: [`Page`]; HTML and Markdown are rendered from the same one, so their numbers agree.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::change::{self, Change, Split};
use super::chart::{self, Chart, Scene, waterfall};
use super::env::Templates;
use super::error::RenderError;
use super::head::{self, Headline, Reconciled};
use super::layout::{self, Layout, Part};
use super::model::{Better, Finding, MetricResult, Period, Provenance, Report};
use super::{format, style, tabular};
use crate::engine::table::Unit;

/// Rows of a table before the fold, where the layout does not say.
const USUAL_ROWS: usize = 10;
/// Findings on the page.
const MOST_FINDINGS: usize = 7;

/// The context of the templates.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Page {
    title: String,
    period: Period,
    span: String,
    compared_with: Option<Compared>,
    filters: Vec<String>,
    now: String,
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
    is_empty: bool,
    is_all: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Compared {
    name: String,
    span: String,
}

#[derive(Debug, Clone, Serialize)]
struct FindingView {
    #[serde(flatten)]
    finding: Finding,
    saving: Option<String>,
    link: Option<String>,
    interval: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct PartView {
    id: String,
    title: String,
    intro: String,
    metrics: Vec<MetricView>,
    quiet: Vec<String>,
    empty: Vec<String>,
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
    error: Option<String>,
    chart: Option<Chart>,
    chart_error: Option<String>,
    table: Option<tabular::Shown>,
    is_folded: bool,
    is_half: bool,
    section: Option<String>,
    section_md: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct ChangeView {
    cost: SplitView,
    tokens: SplitView,
    movers: Vec<MoverView>,
}

#[derive(Debug, Clone, Serialize)]
struct SplitView {
    rows: Vec<[String; 3]>,
    chart: Chart,
}

#[derive(Debug, Clone, Serialize)]
struct MoverView {
    kind: &'static str,
    name: String,
    before: String,
    after: String,
    change: String,
    share: String,
    metric: &'static str,
}

impl Page {
    /// All charts that stand on the page.
    pub(super) fn charts(&self) -> impl Iterator<Item = &Chart> {
        let changes = self.change_view.iter().flat_map(|change| [&change.cost.chart, &change.tokens.chart]);
        changes.chain(self.parts.iter().flat_map(|part| &part.metrics).filter_map(|metric| metric.chart.as_ref()))
    }
}

/// Builds the context.
///
/// # Errors
/// When the layout, the theme or a user's file cannot be read.
pub(super) fn build(report: &Report, templates: &Templates) -> Result<Page, RenderError> {
    let layout = Layout::parse(&templates.needed(layout::FILE)?)?;
    let css = style::page_css(templates, &report.theme)?;
    let zone = TimeZone::get(&report.period.timezone).unwrap_or(TimeZone::UTC);
    let scene = Scene::of(report);
    let view = |metric: &MetricResult| metric_view(metric, &layout, &scene, &zone, templates);
    let mut parts = Vec::with_capacity(layout.part.len());
    for (index, part) in layout.part.iter().enumerate() {
        let here = layout.metrics_of(index, &report.metrics);
        let (full, empty): (Vec<&MetricResult>, Vec<&MetricResult>) =
            here.into_iter().partition(|metric| has_something(metric));
        parts.push(PartView {
            id: part.id.clone(),
            title: part.title.clone(),
            intro: part.intro.clone(),
            metrics: full.into_iter().map(view).collect::<Result<_, _>>()?,
            quiet: quiet(part, &layout, report),
            empty: empty
                .into_iter()
                .filter(|metric| !is_quiet(&metric.family, &layout, report))
                .map(|metric| metric.title.clone())
                .collect(),
        });
    }
    parts.retain(|part| {
        !part.metrics.is_empty() || !part.quiet.is_empty() || !part.empty.is_empty() || part.id == "trust"
    });
    let change = change::change(report);
    let headline = head::headlines(report);
    Ok(Page {
        title: report.title.clone(),
        span: span(&report.period),
        compared_with: report
            .compared_with
            .as_ref()
            .map(|period| Compared { name: period.name.clone(), span: span(period) }),
        filters: filters(report),
        now: report.now.clone(),
        is_redacted: report.is_redacted,
        theme: report.theme.clone(),
        style_hash: style::csp_hash(&css),
        style: css,
        hatch: style::HATCH,
        is_empty: headline
            .iter()
            .filter(|number| number.key == "sessions")
            .all(|number| number.value.unwrap_or(0.0) == 0.0),
        headline,
        findings: report.findings.iter().take(MOST_FINDINGS).map(|finding| finding_view(finding, report)).collect(),
        findings_left_out: report.findings.len().saturating_sub(MOST_FINDINGS),
        change_view: change.as_ref().map(|change| change_view(change, report)),
        change,
        reconciliation: head::reconciliation(report),
        parts,
        provenance: report.provenance.clone(),
        is_all: report.period.is_all,
        period: report.period.clone(),
    })
}

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
    layout: &Layout,
    scene: &Scene,
    zone: &TimeZone,
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
    let rows = if view.rows == 0 { USUAL_ROWS } else { view.rows };
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
        error: metric.result.as_ref().err().cloned(),
        is_folded: view.is_folded && chart.is_some(),
        is_half: view.is_half,
        chart,
        chart_error,
        table: table.map(|table| tabular::shown(table, &view.columns, rows, zone)),
        section: section("html")?,
        section_md: section("md")?,
    })
}

fn finding_view(finding: &Finding, report: &Report) -> FindingView {
    let money = finding.saved_usd_per_week.filter(|saved| *saved > 0.0).map(|saved| {
        let range = finding.saved_usd_low.zip(finding.saved_usd_high);
        let range =
            range.map_or_else(String::new, |(low, high)| format!(" ({}–{})", format::usd(low), format::usd(high)));
        format!("{}{range}", format::usd(saved))
    });
    let tokens = finding
        .saved_tokens_per_week
        .filter(|saved| *saved > 0.0)
        .map(|saved| format!("{} tokens", format::scaled(saved)));
    let saving: Vec<String> = [money, tokens].into_iter().flatten().collect();
    let link = finding
        .metric
        .clone()
        .filter(|name| report.metrics.iter().any(|metric| metric.name == *name && has_something(metric)));
    let interval = finding.ci_low.zip(finding.ci_high).map(|(low, high)| {
        if (0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high) {
            format!("{}–{}", format::ratio(low), format::ratio(high))
        } else {
            format!("{}–{}", format::count(low), format::count(high))
        }
    });
    FindingView {
        saving: (!saving.is_empty()).then(|| format!("{} a week", saving.join(" and "))),
        link,
        interval,
        finding: finding.clone(),
    }
}

fn change_view(change: &Change, report: &Report) -> ChangeView {
    let before = report.compared_with.as_ref().map_or("before", |period| period.name.as_str());
    let after = report.period.name.as_str();
    let movers = change.movers.iter().map(|mover| {
        let unit = if mover.unit == "usd" { Unit::Usd } else { Unit::Count };
        MoverView {
            kind: mover.kind,
            name: mover.name.clone(),
            before: format::number(mover.before, unit),
            after: format::number(mover.after, unit),
            change: format::signed(mover.after - mover.before, unit),
            share: mover.contribution.map_or_else(|| format::UNKNOWN.to_owned(), format::ratio),
            metric: mover.metric,
        }
    });
    ChangeView {
        cost: split_view(
            "change_cost",
            "Where the change in cost comes from",
            "cost_usd",
            Unit::Usd,
            &change.cost,
            (before, after),
        ),
        tokens: split_view(
            "change_tokens",
            "Where the change in tokens comes from",
            "tokens",
            Unit::Tokens,
            &change.tokens,
            (before, after),
        ),
        movers: movers.collect(),
    }
}

fn split_view(
    name: &str,
    title: &str,
    column: &str,
    unit: Unit,
    split: &Split,
    (before, after): (&str, &str),
) -> SplitView {
    let mut parts = vec![
        ("volume", "more or fewer calls", split.volume),
        ("mix", "other models", split.mix),
        ("size", "longer or shorter calls", split.size),
    ];
    if unit == Unit::Usd {
        parts.push(("price", "dearer or cheaper tokens", split.price));
    }
    let bars: Vec<(&str, f64)> = parts.iter().map(|(name, _, value)| (*name, *value)).collect();
    let figure = waterfall::figure(column, unit, (before, split.before), &bars, (after, split.after));
    let rows = parts
        .iter()
        .map(|(name, meaning, value)| [(*name).to_owned(), (*meaning).to_owned(), format::signed(*value, unit)]);
    let sum = ["change".to_owned(), "all together".to_owned(), format::signed(split.after - split.before, unit)];
    SplitView { rows: rows.chain([sum]).collect(), chart: chart::compose(name, title, "waterfall", figure) }
}

/// A period in words.
fn span(period: &Period) -> String {
    if let (Some((first, last)), false) = (period.days(), period.is_all) {
        return if first == last { first.to_string() } else { format!("{first} to {last}") };
    }
    match (&period.since, &period.until) {
        _ if period.is_all => "everything recorded".to_owned(),
        (Some(since), Some(until)) => format!("{since} to {until}"),
        (Some(since), None) => format!("since {since}"),
        (None, Some(until)) => format!("up to {until}"),
        (None, None) => "everything recorded".to_owned(),
    }
}

fn filters(report: &Report) -> Vec<String> {
    let filters = &report.filters;
    let lists = [
        ("project", &filters.project),
        ("model", &filters.model),
        ("agent", &filters.agent),
        ("without project", &filters.exclude_project),
        ("without model", &filters.exclude_model),
        ("without agent", &filters.exclude_agent),
    ];
    let mut texts: Vec<String> = lists
        .iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| format!("{name} {}", values.join(" or ")))
        .collect();
    if filters.count_forks {
        texts.push("fork copies counted".to_owned());
    }
    texts
}
