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
    let zone = TimeZone::get(&period.timezone).unwrap_or(TimeZone::UTC);
    // A period that is not over is compared with the same stretch of another, which must not pass for the whole of it.
    let cut =
        period.until.as_deref().and_then(|until| until.parse::<Timestamp>().ok()).map(|until| until.to_zoned(zone));
    let up_to = |form: &str| cut.as_ref().map_or_else(String::new, |until| format!(" up to {}", until.strftime(form)));
    let (Some((first, last)), false) = (period.days(), is_named) else {
        return format!("{}{}", period.name, up_to("%-d %b %H:%M"));
    };
    let days = match (first.year() == last.year(), first.month() == last.month()) {
        _ if first == last => last.strftime("%-d %b %Y").to_string(),
        (true, true) => format!("{}–{}", first.strftime("%-d"), last.strftime("%-d %b %Y")),
        (true, false) => format!("{} – {}", first.strftime("%-d %b"), last.strftime("%-d %b %Y")),
        (false, _) => format!("{} – {}", first.strftime("%-d %b %Y"), last.strftime("%-d %b %Y")),
    };
    days + &up_to("%H:%M")
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
        ("source", &filters.source),
    ];
    let mut texts: Vec<String> = lists
        .iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| format!("{name} {}", values.join(" or ")))
        .collect();
    if filters.count_forks {
        texts.push("fork copies counted".to_owned());
    }
    if filters.present_only {
        texts.push("what the sources still hold".to_owned());
    }
    texts
}

/// The options by which a command looks at what the report looks at; filters of a redacted report are left out.
#[must_use]
pub(super) fn options(report: &Report) -> String {
    let (period, filters) = (&report.period, &report.filters);
    let mut options = match period.name.as_str() {
        "all" => " --all".to_owned(),
        name if name.contains("-W") && !name.contains("..") => format!(" --week {name}"),
        name if name.len() == 7 => format!(" --month {name}"),
        _ => [("since", &period.since), ("until", &period.until)]
            .iter()
            .filter_map(|(name, date)| date.as_ref().map(|date| format!(" --{name} {date}")))
            .collect(),
    };
    options.push_str(&format!(" -z {}", period.timezone));
    let lists = [
        ("project", &filters.project),
        ("model", &filters.model),
        ("agent", &filters.agent),
        ("exclude-project", &filters.exclude_project),
        ("exclude-model", &filters.exclude_model),
        ("exclude-agent", &filters.exclude_agent),
        ("source", &filters.source),
    ];
    for (name, values) in lists.iter().filter(|_| !report.is_redacted) {
        options.extend(values.iter().map(|value| format!(" --{name} '{}'", value.replace('\'', "'\\''"))));
    }
    for (name, _) in [("count-forks", filters.count_forks), ("present-only", filters.present_only)]
        .iter()
        .filter(|(_, is_on)| *is_on)
    {
        options.push_str(&format!(" --{name}"));
    }
    options
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
