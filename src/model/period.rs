//! Periods: what `--week`, `--month`, `--last`, `--since/--until` and `--all` mean in a time zone.
//!
//! Input: the user's words, the clock and the zone. Output: [`Period`], half-open in epoch milliseconds UTC.

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeriodSpec {
    /// Everything.
    All,
    /// `7d`, `2w`, `3m`: that many days, weeks or months up to and including today.
    Last(String),
    /// `2026-W47`, `this` or `last`.
    Week(String),
    /// `2026-11`, `this` or `last`.
    Month(String),
    /// From a day, to a day (inclusive), or both.
    Range {
        /// First day.
        since: Option<String>,
        /// Last day, inclusive.
        until: Option<String>,
    },
}

/// A resolved period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// `2026-W47`, `2026-11`, `2026-11-01..2026-11-15`, `since-2026-11-01`, `until-2026-11-15`, `last-7d-2026-11-22` or
    /// `all`.
    pub name: String,
    /// Start, inclusive; NULL for `all` and open ranges.
    pub since: Option<i64>,
    /// End, exclusive; None for `all` and open ranges.
    pub until: Option<i64>,
    /// First day in the zone.
    pub first: Option<Date>,
    /// Last day in the zone, inclusive.
    pub last: Option<Date>,
    /// It is not over yet.
    pub is_unfinished: bool,
    /// It is everything.
    pub is_all: bool,
    /// It ends before its last day does, at the age that an unfinished period has reached.
    pub is_cut: bool,
}

/// Why a period cannot be understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{given}' is not {wanted}")]
pub struct PeriodError {
    given: String,
    wanted: &'static str,
}

fn error(given: &str, wanted: &'static str) -> PeriodError {
    PeriodError { given: given.to_owned(), wanted }
}

const DATE_FORMS: &str = "a date: write 2026-11-02, 20261102, or 7d / 2w / 3m for that long ago";
const LAST_FORMS: &str = "a length: write 7d, 2w or 3m";
const WEEK_FORMS: &str = "a week: write 2026-W47, this or last";
const MONTH_FORMS: &str = "a month: write 2026-11, this or last";

/// `7d` → 7 days; weeks and months likewise.
fn length(text: &str) -> Option<Span> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok().filter(|number| (1..=36_500).contains(number))?;
    match unit {
        "d" => Some(number.days()),
        "w" => number.checked_mul(7).map(ToSpan::days),
        "m" => Some(i32::try_from(number).ok().filter(|number| *number <= 1200)?.months()),
        _ => None,
    }
}

fn day(text: &str, today: Date) -> Result<Date, PeriodError> {
    let compact = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let date = if compact {
        Date::strptime("%Y%m%d", text).ok()
    } else if text.len() == 10 {
        text.parse().ok()
    } else {
        match text {
            "today" => Some(today),
            "yesterday" => today.yesterday().ok(),
            _ => length(text).and_then(|span| today.checked_sub(span).ok()),
        }
    };
    date.ok_or_else(|| error(text, DATE_FORMS))
}

/// First millisecond of a day in a zone.
fn start_of(date: Date, zone: &TimeZone) -> Option<i64> {
    let zoned = date.to_zoned(zone.clone()).ok()?;
    Some(zoned.start_of_day().ok()?.timestamp().as_millisecond())
}

fn between(name: String, first: Option<Date>, last: Option<Date>, now: Timestamp, zone: &TimeZone) -> Period {
    let since = first.and_then(|date| start_of(date, zone));
    let until = last.and_then(|date| date.tomorrow().ok()).and_then(|date| start_of(date, zone));
    let is_unfinished = until.is_none_or(|until| until > now.as_millisecond());
    Period { name, since, until, first, last, is_unfinished, is_all: false, is_cut: false }
}

fn week(text: &str, today: Date) -> Result<ISOWeekDate, PeriodError> {
    let fail = || error(text, WEEK_FORMS);
    let monday = |date: Date| -> Option<ISOWeekDate> {
        let week = date.iso_week_date();
        ISOWeekDate::new(week.year(), week.week(), Weekday::Monday).ok()
    };
    match text {
        "this" => monday(today),
        "last" => today.checked_sub(7.days()).ok().and_then(monday),
        _ => text
            .split_once("-W")
            .and_then(|(year, week)| ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, Weekday::Monday).ok()),
    }
    .ok_or_else(fail)
}

fn month(text: &str, today: Date) -> Result<Date, PeriodError> {
    match text {
        "this" => Some(today.first_of_month()),
        "last" => today.first_of_month().checked_sub(1.month()).ok(),
        _ => text.split_once('-').and_then(|(year, month)| Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()),
    }
    .ok_or_else(|| error(text, MONTH_FORMS))
}

impl PeriodSpec {
    /// Resolves the words against the clock and the zone.
    ///
    /// # Errors
    /// The words are not a period; the message lists the forms that are.
    pub fn resolve(&self, now: Timestamp, zone: &TimeZone) -> Result<Period, PeriodError> {
        let today = zone.to_datetime(now).date();
        match self {
            Self::All => Ok(Period {
                name: "all".into(),
                since: None,
                until: None,
                first: None,
                last: None,
                is_unfinished: false,
                is_all: true,
                is_cut: false,
            }),
            Self::Last(text) => {
                let span = length(text).ok_or_else(|| error(text, LAST_FORMS))?;
                let first = today
                    .checked_sub(span)
                    .and_then(jiff::civil::Date::tomorrow)
                    .map_err(|_| error(text, LAST_FORMS))?;
                Ok(between(format!("last-{text}-{today}"), Some(first), Some(today), now, zone))
            }
            Self::Week(text) => {
                let monday = week(text, today)?;
                let name = format!("{:04}-W{:02}", monday.year(), monday.week());
                let first = monday.date();
                let last = first.checked_add(6.days()).map_err(|_| error(text, WEEK_FORMS))?;
                Ok(between(name, Some(first), Some(last), now, zone))
            }
            Self::Month(text) => {
                let first = month(text, today)?;
                let name = format!("{:04}-{:02}", first.year(), first.month());
                Ok(between(name, Some(first), Some(first.last_of_month()), now, zone))
            }
            Self::Range { since, until } => {
                let since = since.as_deref().map(|text| day(text, today)).transpose()?;
                let until = until.as_deref().map(|text| day(text, today)).transpose()?;
                if let (Some(first), Some(last)) = (since, until)
                    && last < first
                {
                    return Err(error(&format!("{first}..{last}"), "a period: it ends before it begins"));
                }
                let name = match (since, until) {
                    (Some(since), Some(until)) => format!("{since}..{until}"),
                    (Some(since), None) => format!("since-{since}"),
                    (None, Some(until)) => format!("until-{until}"),
                    (None, None) => "..".to_owned(),
                };
                Ok(between(name, since, until, now, zone))
            }
        }
    }
}

impl Period {
    /// The stretch before this one, as long as this one; cut to the same age while this one is unfinished.
    /// None for `all` and open ranges.
    #[must_use]
    pub fn previous(&self, now: Timestamp, zone: &TimeZone) -> Option<Self> {
        let (first, last) = (self.first?, self.last?);
        let is_month = first.day() == 1 && last == first.last_of_month();
        let (before, name) = if is_month {
            let before = first.checked_sub(1.month()).ok()?;
            (before, format!("{:04}-{:02}", before.year(), before.month()))
        } else {
            let days = first.until(last).ok()?.get_days() + 1;
            let before = first.checked_sub(days.days()).ok()?;
            let week = before.iso_week_date();
            let is_week = self.name.contains("-W");
            let end = first.yesterday().ok()?;
            (
                before,
                if is_week { format!("{:04}-W{:02}", week.year(), week.week()) } else { format!("{before}..{end}") },
            )
        };
        let mut previous = between(name, Some(before), first.yesterday().ok(), now, zone);
        if self.is_unfinished
            && let (Some(since), Some(start), Some(end)) = (self.since, previous.since, previous.until)
        {
            let until = (start + (now.as_millisecond() - since).max(0)).min(end);
            (previous.until, previous.is_cut) = (Some(until), until < end);
        }
        previous.is_unfinished = false;
        Some(previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(spec: PeriodSpec, now: &str, zone: &str) -> Result<Period, PeriodError> {
        let zone = TimeZone::get(zone).expect("zone");
        spec.resolve(now.parse().expect("now"), &zone)
    }

    #[test]
    fn week_over_the_autumn_change_has_169_hours() {
        let period = resolve(PeriodSpec::Week("2026-W43".into()), "2026-11-22T12:00:00Z", "Europe/Berlin").expect("ok");
        assert_eq!(period.until.zip(period.since).map(|(until, since)| until - since), Some(169 * 3_600_000));
        assert!(!period.is_unfinished);
    }

    #[test]
    fn last_seven_days_include_today_and_are_unfinished() {
        let period = resolve(PeriodSpec::Last("7d".into()), "2026-11-22T12:00:00Z", "UTC").expect("ok");
        assert_eq!(period.name, "last-7d-2026-11-22");
        assert_eq!(period.first.map(|date| date.to_string()).as_deref(), Some("2026-11-16"));
        assert!(period.is_unfinished);
        let now = "2026-11-22T12:00:00Z".parse().expect("now");
        let previous = period.previous(now, &TimeZone::UTC).expect("previous");
        assert_eq!(previous.until, Some(now.as_millisecond() - 7 * 86_400_000));
        assert!(previous.is_cut);
    }

    #[test]
    fn words_that_are_no_period_are_refused_with_the_forms() {
        for spec in [
            PeriodSpec::Week("2026-W99".into()),
            PeriodSpec::Month("2026-13".into()),
            PeriodSpec::Last("7".into()),
            PeriodSpec::Last("é".into()),
            PeriodSpec::Range { since: Some("soon".into()), until: None },
            PeriodSpec::Range { since: Some("2026-11-02".into()), until: Some("2026-11-01".into()) },
        ] {
            assert!(resolve(spec, "2026-11-22T12:00:00Z", "UTC").is_err());
        }
    }

    #[test]
    fn until_is_inclusive_and_last_week_is_the_one_before() {
        let spec = PeriodSpec::Range { since: Some("20261101".into()), until: Some("2026-11-15".into()) };
        let period = resolve(spec, "2026-11-22T12:00:00Z", "UTC").expect("ok");
        assert_eq!(period.name, "2026-11-01..2026-11-15");
        assert_eq!(period.until.zip(period.since).map(|(until, since)| until - since), Some(15 * 86_400_000));
        let period = resolve(PeriodSpec::Week("last".into()), "2026-11-22T12:00:00Z", "UTC").expect("ok");
        assert_eq!(period.name, "2026-W46");
    }
}
