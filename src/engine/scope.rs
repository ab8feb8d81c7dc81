//! What a run looks at: period, zone, filters, forks. Written as SQL in one place.
//!
//! Input: resolved options. Output: predicates and macros for the views of a run.

use crate::model::period::Period;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Filters by part of a name, case-insensitive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Any of these must be in the value; empty = all pass.
    pub include: Vec<String>,
    /// None of these may be in the value.
    pub exclude: Vec<String>,
}

/// Period, zone, clock and filters of a run.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The period.
    pub period: Period,
    /// The clock.
    pub now: Timestamp,
    /// The zone in which days begin.
    pub zone: TimeZone,
    /// Its name.
    pub zone_name: String,
    /// `--project`.
    pub project: Filter,
    /// `--model`.
    pub model: Filter,
    /// `--agent`.
    pub agent: Filter,
    /// `--count-forks`: copies of forked sessions count too.
    pub count_forks: bool,
}

/// A text as an SQL literal.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn contains_any(columns: &[&str], needles: &[String]) -> String {
    needles
        .iter()
        .flat_map(|needle| {
            let needle = literal(&needle.to_lowercase());
            columns.iter().map(move |column| format!("contains(lower(coalesce(\"{column}\", '')), {needle})"))
        })
        .collect::<Vec<_>>()
        .join(" or ")
}

impl Filter {
    /// True when nothing is filtered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    fn predicates(&self, columns: &[&str], into: &mut Vec<String>) {
        if columns.is_empty() {
            return;
        }
        if !self.include.is_empty() {
            into.push(format!("({})", contains_any(columns, &self.include)));
        }
        if !self.exclude.is_empty() {
            into.push(format!("not ({})", contains_any(columns, &self.exclude)));
        }
    }
}

impl Scope {
    /// Predicates that a mart's rows must pass, without the period.
    #[must_use]
    pub fn filters(&self, columns: &[String]) -> Vec<String> {
        let among = |names: &[&'static str]| -> Vec<&'static str> {
            names.iter().copied().filter(|name| columns.iter().any(|column| column == name)).collect()
        };
        let mut predicates = Vec::new();
        self.project.predicates(&among(&["project_name", "project_id", "directory"]), &mut predicates);
        self.model.predicates(&among(&["model"]), &mut predicates);
        self.agent.predicates(&among(&["agent"]), &mut predicates);
        predicates
    }

    /// Statements that tell a connection its period; views compare with these variables, so that one set of views serves
    /// every period of a run.
    #[must_use]
    pub fn variables(period: &Period) -> String {
        let number = |value: Option<i64>| {
            value.map_or("cast(null as bigint)".to_owned(), |value| format!("cast({value} as bigint)"))
        };
        format!(
            "set variable since_ms = {}; set variable until_ms = {}; set variable is_all = {};",
            number(period.since),
            number(period.until),
            period.is_all,
        )
    }

    /// The condition that a moment lies in the connection's period. Unknown moments belong to everything only.
    #[must_use]
    pub fn in_period(time: &str, with_start: bool) -> String {
        let after = format!("\"{time}\" >= coalesce(getvariable('since_ms'), {})", i64::MIN);
        let before = format!("\"{time}\" < coalesce(getvariable('until_ms'), {})", i64::MAX);
        if with_start {
            format!("(getvariable('is_all') or ({after} and {before}))")
        } else {
            format!("(getvariable('is_all') or {before})")
        }
    }

    /// Milliseconds that the zone is ahead of UTC at `moment`, as an SQL expression: DuckDB is built without time zones. The
    /// zone's changes are halved again and again, so that five comparisons find one of thirty.
    #[must_use]
    pub fn offset_sql(&self, moment: &str) -> String {
        let start = Timestamp::from_second(1_577_836_800).unwrap_or_default();
        let end = self.now.as_second().max(1_893_456_000);
        let offset_at = |moment: Timestamp| i64::from(self.zone.to_offset(moment).seconds()) * 1000;
        let changes: Vec<(i64, i64)> = self
            .zone
            .following(start)
            .take_while(|transition| transition.timestamp().as_second() < end)
            .map(|transition| {
                let at = transition.timestamp().as_millisecond();
                (at, offset_at(Timestamp::from_millisecond(at - 1).unwrap_or_default()))
            })
            .collect();
        halved(moment, &changes, offset_at(Timestamp::from_second(end).unwrap_or(self.now)))
    }
}

/// The offset at a moment among changes, each with the offset before it; `last` holds after all of them.
fn halved(moment: &str, changes: &[(i64, i64)], last: i64) -> String {
    let middle = changes.len() / 2;
    let Some((at, before)) = changes.get(middle) else { return last.to_string() };
    format!(
        "case when {moment} < {at} then {} else {} end",
        halved(moment, &changes[..middle], *before),
        halved(moment, &changes[middle + 1..], last)
    )
}
