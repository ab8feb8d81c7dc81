//! Findings as the page shows them. Input: a finding and its report. Output: [`FindingView`], texts only.

use serde::Serialize;

use super::super::format;
use super::super::model::{Finding, Report};
use super::has_something;

/// One finding.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FindingView {
    #[serde(flatten)]
    finding: Finding,
    saving: Option<String>,
    link: Option<String>,
    interval: Option<String>,
    /// How sure, in words.
    confidence_text: Option<String>,
    /// Body of its file; Markdown and JSON leave it out.
    sql: String,
    /// Others of the same kind, with less to save.
    also: Vec<Also>,
    /// Whom they are about, in short.
    also_subjects: String,
}

/// Another finding of the same kind.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Also {
    sentence: String,
    saving: Option<String>,
}

/// Names in a fold's summary.
const MOST_NAMES: usize = 5;

/// The findings, one entry a kind, in the order of the first of each; and how many the page leaves out.
#[must_use]
pub(super) fn grouped(report: &Report, most: usize) -> (Vec<FindingView>, usize) {
    let mut kinds: Vec<Vec<&Finding>> = Vec::new();
    for finding in &report.findings {
        match kinds.iter_mut().find(|kind| kind[0].name == finding.name) {
            Some(kind) => kind.push(finding),
            None => kinds.push(vec![finding]),
        }
    }
    let chosen = chosen(&kinds, most);
    let left_out = (0..kinds.len()).filter(|kind| !chosen.contains(kind)).map(|kind| kinds[kind].len()).sum();
    let views = chosen.iter().map(|kind| &kinds[*kind]).map(|kind| FindingView {
        also: kind[1..]
            .iter()
            .map(|finding| Also { sentence: finding.sentence.clone(), saving: saving(finding) })
            .collect(),
        also_subjects: {
            let names: Vec<String> =
                kind[1..].iter().take(MOST_NAMES).map(|finding| format::short(&finding.subject, 32)).collect();
            format!("{}{}", names.join(", "), if kind.len() > MOST_NAMES + 1 { " …" } else { "" })
        },
        ..view(kind[0], report)
    });
    (views.collect(), left_out)
}

/// The kinds that the page shows: those that save most, and whatever is grave although nothing is saved by it.
fn chosen(kinds: &[Vec<&Finding>], most: usize) -> Vec<usize> {
    let is_grave = |kind: &usize| kinds[*kind].iter().any(|finding| finding.severity == "high");
    let mut order: Vec<usize> = (0..kinds.len()).collect();
    order.sort_by_key(|kind| !is_grave(kind));
    order.truncate(most);
    order.sort_unstable();
    order
}

/// What it would save, in words.
fn saving(finding: &Finding) -> Option<String> {
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
    (!saving.is_empty()).then(|| format!("{} a week", saving.join(" and ")))
}

/// `confidence 0.98`, or what it rests on.
fn confidence(finding: &Finding) -> Option<String> {
    let word = finding.confidence.as_deref()?;
    Some(if word.parse::<f64>().is_ok() { format!("confidence {word}") } else { word.to_owned() })
}

/// Lays a finding out.
fn view(finding: &Finding, report: &Report) -> FindingView {
    let link = finding
        .metric
        .clone()
        .filter(|name| report.metrics.iter().any(|metric| metric.name == *name && has_something(metric)));
    // Evidence that says its own interval is not given it twice.
    let is_said = finding.evidence.as_deref().is_some_and(|evidence| evidence.contains("95 %"));
    let interval = finding.ci_low.zip(finding.ci_high).filter(|_| !is_said).map(|(low, high)| {
        if (-1.0..=1.0).contains(&low) && (-1.0..=1.0).contains(&high) {
            format!("{}–{}", format::ratio(low), format::ratio(high))
        } else {
            format!("{}–{}", format::count(low), format::count(high))
        }
    });
    FindingView {
        saving: saving(finding),
        link,
        interval,
        confidence_text: confidence(finding),
        sql: finding.sql.trim().to_owned(),
        also: Vec::new(),
        also_subjects: String::new(),
        finding: finding.clone(),
    }
}
