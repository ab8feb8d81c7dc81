//! Fills the renderer's model: what was measured, with what the headers say, and where it all came from.

use super::Args;
use crate::cli::context::{Context, Known};
use crate::engine::asker::Asker;
use crate::engine::body;
use crate::engine::fanout::Measured;
use crate::engine::table::{Data, Table, rfc3339};
use crate::metric::{self, Layer, QueryFile};
use crate::model::digest;
use crate::model::period::Period;
use crate::registry::Registry;
use crate::render::model::{
    Better, ChartSpec, Coverage, Filters, Finding, MetricResult, Notice, PastPeriod, Period as ShownPeriod, Provenance,
    REPORT_SCHEMA_VERSION, Report, Source, UnknownKind,
};
use crate::store::manifest::Manifest;
use std::collections::BTreeMap;

fn shown(period: &Period, zone: &str) -> ShownPeriod {
    ShownPeriod {
        name: period.name.clone(),
        since: period.first.map(|date| date.to_string()),
        until: if period.is_cut { period.until.map(rfc3339) } else { period.last.map(|date| date.to_string()) },
        timezone: zone.to_owned(),
        is_unfinished: period.is_unfinished,
        is_all: period.is_all,
    }
}

/// A file's SQL without its header.
fn body_text(file: &QueryFile) -> String {
    body(file).lines().skip(file.first_line.saturating_sub(1)).collect::<Vec<_>>().join("\n")
}

fn result(one: Measured<'_>) -> MetricResult {
    let file = one.metric;
    let chart = &file.chart;
    MetricResult {
        name: file.name.clone(),
        family: file.family.clone().unwrap_or_default(),
        title: file.title.clone(),
        prose: file.prose.clone(),
        grain: file.grain.clone(),
        evidence: file.evidence.word().to_owned(),
        better: match file.better {
            metric::Better::Higher => Better::Higher,
            metric::Better::Lower => Better::Lower,
            metric::Better::Neutral => Better::Neutral,
        },
        chart: ChartSpec { kind: chart.kind.clone(), x: chart.x.clone(), y: chart.y.clone(), by: chart.by.clone() },
        sql: body_text(file),
        is_pipeline: file.engine == metric::EngineKind::Polars,
        result: one.result.map_err(|error| error.to_string()),
    }
}

/// SHA-256 over the checksums of a table's files in the store.
fn checksum(manifest: &Manifest, table: &str) -> Option<String> {
    let stored = match table {
        "session_v2" => "session",
        "session_message" => "message",
        other => other,
    };
    let files = &manifest.tables.get(stored)?.files;
    let all: Vec<&str> = files.iter().map(|file| file.sha256.as_str()).collect();
    Some(digest::sha256(all.join(" ").as_bytes()))
}

fn provenance(ready: &Known, asker: &Asker<'_>) -> anyhow::Result<Provenance> {
    let manifest = &ready.manifest;
    let quarantined = i64::try_from(manifest.rows("quarantine")).unwrap_or(i64::MAX);
    let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let bad = asker.ask(
        "coverage",
        "select table_name, count(*) as bad_count from raw_quarantine group by table_name order by table_name",
    )?;
    let bad_rows = |table: &str| {
        (0..bad.len())
            .find(|row| bad.get(*row, "table_name").to_text() == table)
            .and_then(|row| bad.get(row, "bad_count").as_i64())
            .unwrap_or(0)
    };
    let mut coverage: Vec<Coverage> = Vec::new();
    for table in ["session", "session_v2", "message", "part", "session_message", "todo", "project"] {
        let rows: u64 = manifest.sources.iter().filter_map(|source| source.rows_read.get(table)).sum();
        if rows > 0 {
            coverage.push(Coverage {
                table_name: table.to_owned(),
                row_count: count(rows),
                readable_count: count(rows) - bad_rows(table),
                sha256: checksum(manifest, table),
            });
        }
    }
    let kinds = asker.ask("unknown kinds", UNKNOWN_KINDS)?;
    // What lies in the future comes from a clock that was wrong.
    let fresh = format!(
        "select max(time_updated) as fresh_at from raw_session where time_updated between 946684800000 and {}",
        ready.scope.now.as_millisecond() + 86_400_000
    );
    let fresh = asker.ask("freshness", &fresh)?;
    Ok(Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema_version: manifest.schema_version,
        sources: manifest
            .sources
            .iter()
            .map(|source| Source {
                name: source.name.clone(),
                path: source.path.clone(),
                opencode_version: source.opencode_version.clone(),
                generation: source.generation.clone(),
                rows: count(source.rows_read.values().sum()),
                last_seen_at: source.last_seen_at.map(rfc3339),
            })
            .collect(),
        coverage,
        quarantine_count: quarantined,
        unknown_kinds: (0..kinds.len())
            .map(|row| UnknownKind {
                kind: kinds.get(row, "kind").to_text(),
                count: kinds.get(row, "part_count").as_i64().unwrap_or(0),
            })
            .collect(),
        data_fresh_at: fresh.get(0, "fresh_at").as_i64().map(rfc3339),
        notices: notices(manifest),
    })
}

/// What happened to the sources, oldest first; then what is so now and was not said: damage, and notes on telemetry.
fn notices(manifest: &Manifest) -> Vec<Notice> {
    let mut notices: Vec<Notice> = manifest
        .notices
        .iter()
        .map(|notice| Notice { at: Some(rfc3339(notice.at)), source: notice.source.clone(), text: notice.text.clone() })
        .collect();
    let damage = manifest.sources.iter().filter_map(|source| Some((&source.name, source.damage.as_ref()?)));
    let telemetry = manifest.telemetry.iter().filter_map(|file| Some((&file.path, file.note.as_ref()?)));
    for (source, text) in damage.chain(telemetry) {
        if !notices.iter().any(|notice| notice.text.contains(text.as_str())) {
            notices.push(Notice { at: None, source: source.clone(), text: text.clone() });
        }
    }
    notices
}

/// Part types that this version of the decoder has never seen.
const UNKNOWN_KINDS: &str = "
select type as kind, count(*) as part_count
from raw_part
where type not in ('text', 'reasoning', 'file', 'agent', 'subtask', 'step-start', 'step-finish', 'snapshot', 'patch',
    'retry', 'compaction', 'tool')
group by type
order by part_count desc, type";

/// The whole model.
///
/// # Errors
/// The store cannot be asked.
#[allow(clippy::too_many_arguments, reason = "each is one part of the report")]
pub(super) fn report(
    context: &Context,
    (ready, asker): (&Known, &Asker<'_>),
    args: &Args,
    compared: Option<Period>,
    measured: Vec<Measured<'_>>,
    previous: BTreeMap<String, Table>,
    history: Vec<super::history::Past>,
) -> anyhow::Result<Report> {
    let zone = &ready.scope.zone_name;
    let own = history.is_empty().then(Vec::new).unwrap_or_else(|| {
        let metrics = measured
            .iter()
            .filter(|one| one.metric.name == "overview")
            .filter_map(|one| one.result.as_ref().ok().map(|table| (one.metric.name.clone(), table.clone())))
            .collect();
        vec![PastPeriod {
            name: ready.scope.period.name.clone(),
            is_unfinished: ready.scope.period.is_unfinished,
            metrics,
        }]
    });
    let globals = &context.globals;
    Ok(Report {
        schema_version: REPORT_SCHEMA_VERSION,
        title: title(&ready.scope.period),
        period: shown(&ready.scope.period, zone),
        compared_with: compared.as_ref().map(|period| shown(period, zone)),
        filters: Filters {
            project: globals.project.clone(),
            model: globals.model.clone(),
            agent: globals.agent.clone(),
            exclude_project: globals.exclude_project.clone(),
            exclude_model: globals.exclude_model.clone(),
            exclude_agent: globals.exclude_agent.clone(),
            count_forks: globals.count_forks,
            source: globals.source.clone(),
            present_only: globals.present_only,
        },
        theme: super::theme(context, args),
        now: rfc3339(ready.scope.now.as_millisecond()),
        stamp: None,
        is_redacted: args.redact,
        metrics: measured.into_iter().map(result).collect(),
        previous,
        history: history
            .into_iter()
            .map(|(period, metrics)| PastPeriod { name: period.name, is_unfinished: false, metrics })
            .chain(own)
            .collect(),
        findings: Vec::new(),
        provenance: provenance(ready, asker)?,
    })
}

/// A title as people say it; the period's short name stands beside it.
fn title(period: &Period) -> String {
    let words = match (period.first, period.last) {
        _ if period.is_all => "all time".to_owned(),
        (Some(first), Some(_)) if period.name.contains("-W") => {
            let week = first.iso_week_date();
            format!("week {} of {}", week.week(), week.year())
        }
        (Some(first), _) if period.name == first.strftime("%Y-%m").to_string() => first.strftime("%B %Y").to_string(),
        (Some(first), Some(last)) if period.name.starts_with("last-") => {
            match first.until(last).map_or(0, |span| span.get_days()) + 1 {
                1 => last.strftime("%-d %B %Y").to_string(),
                days => format!("{days} days to {}", last.strftime("%-d %B %Y")),
            }
        }
        (Some(first), Some(last)) => format!("{} to {}", first.strftime("%-d %B %Y"), last.strftime("%-d %B %Y")),
        (Some(first), None) => format!("since {}", first.strftime("%-d %B %Y")),
        (None, Some(last)) => format!("up to {}", last.strftime("%-d %B %Y")),
        (None, None) => period.name.clone(),
    };
    format!("OpenCode, {words}")
}

/// Replaces the start of paths in tables and sources.
pub(super) fn show_as(report: &mut Report, folder: &str, shown: &str) {
    let replace = |text: &mut String| {
        if text.contains(folder) {
            *text = text.replace(folder, shown);
        }
    };
    for source in &mut report.provenance.sources {
        replace(&mut source.path);
    }
    for notice in &mut report.provenance.notices {
        replace(&mut notice.source);
        replace(&mut notice.text);
    }
    for finding in &mut report.findings {
        [Some(&mut finding.subject), Some(&mut finding.sentence), finding.action.as_mut(), finding.evidence.as_mut()]
            .into_iter()
            .flatten()
            .for_each(replace);
    }
    let tables =
        report.metrics.iter_mut().filter_map(|metric| metric.result.as_mut().ok()).chain(report.previous.values_mut());
    for column in tables.flat_map(|table| table.columns.iter_mut()) {
        if let Data::Text(values) = &mut column.data {
            values.iter_mut().flatten().for_each(replace);
        }
    }
}

/// Findings as the renderer takes them.
pub(super) fn findings(table: &Table, registry: &Registry) -> Vec<Finding> {
    let sql = |name: &str| registry.get(Layer::Finding, name).map_or_else(String::new, body_text);
    (0..table.len())
        .map(|row| {
            let text = |column: &str| Some(table.get(row, column).to_text()).filter(|text| !text.is_empty());
            let number = |column: &str| table.get(row, column).as_f64();
            Finding {
                sql: sql(&text("finding").unwrap_or_default()),
                name: text("finding").unwrap_or_default(),
                severity: text("severity").unwrap_or_default(),
                subject: text("subject").unwrap_or_default(),
                sentence: text("sentence").unwrap_or_default(),
                action: text("action"),
                metric: text("metric"),
                evidence: text("evidence"),
                n: table.get(row, "n").as_i64(),
                ci_low: number("ci_low"),
                ci_high: number("ci_high"),
                saved_tokens_per_week: number("saved_tokens_per_week"),
                saved_usd_per_week: number("saved_usd_per_week"),
                saved_usd_low: number("saved_usd_low"),
                saved_usd_high: number("saved_usd_high"),
                confidence: text("confidence"),
            }
        })
        .collect()
}
