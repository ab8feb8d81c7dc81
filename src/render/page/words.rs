//! Periods and filters in words. Input: a report. Output: texts.

use super::super::model::{Period, Report};

/// A period in words.
#[must_use]
pub(super) fn span(period: &Period) -> String {
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

/// Filters in words, one a line.
#[must_use]
pub(super) fn filters(report: &Report) -> Vec<String> {
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

/// A title inside a sentence: its first letter small, unless it begins with an abbreviation.
#[must_use]
pub(super) fn inside(title: &str) -> String {
    let mut letters = title.chars();
    match (letters.next(), title.chars().nth(1)) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(letters).collect(),
        _ => title.to_owned(),
    }
}
