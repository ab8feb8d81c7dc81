//! Periods and filters in words. Input: a report. Output: texts.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::format;
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

/// A period in as few words as tell it from another: `2026-W47`, `9–15 Nov`.
#[must_use]
pub(super) fn short(period: &Period) -> String {
    let is_named = !period.name.contains("..") && !period.name.starts_with("last-");
    let (Some((first, last)), false) = (period.days(), is_named) else { return period.name.clone() };
    match (first.year() == last.year(), first.month() == last.month()) {
        _ if first == last => last.strftime("%-d %b %Y").to_string(),
        (true, true) => format!("{}–{}", first.strftime("%-d"), last.strftime("%-d %b %Y")),
        (true, false) => format!("{} – {}", first.strftime("%-d %b"), last.strftime("%-d %b %Y")),
        (false, _) => format!("{} – {}", first.strftime("%-d %b %Y"), last.strftime("%-d %b %Y")),
    }
}

/// A moment given as RFC 3339, in the zone of the report.
#[must_use]
pub(super) fn moment(text: &str, zone: &TimeZone) -> String {
    text.parse::<Timestamp>().map_or_else(|_| text.to_owned(), |at| format::moment(at.as_millisecond(), zone))
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
