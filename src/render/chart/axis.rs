//! The x axis: days, ISO weeks, months or plain categories, in order, with the missing ones between put in.
//!
//! Input: a column. Output: [`Axis`]: the steps with labels, and the step of each row.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, ISOWeekDate, Weekday};

use crate::engine::table::{Column, Data, Value, day};

/// Steps at most: ten years of days.
const MOST_STEPS: usize = 3_700;

/// What the steps are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Steps {
    /// Calendar days.
    Days,
    /// ISO weeks.
    Weeks,
    /// Months.
    Months,
    /// Names, in the order of the rows.
    Names,
    /// Numbers in order.
    Numbers,
}

/// An axis of steps.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    /// What the steps are.
    pub steps: Steps,
    /// Label of each step.
    pub labels: Vec<String>,
    /// Step of each row; `None` where the value is unknown.
    pub step_of: Vec<Option<usize>>,
}

impl Axis {
    /// Whether the steps have an order of their own.
    #[must_use]
    pub(super) fn is_ordered(&self) -> bool {
        self.steps != Steps::Names
    }

    /// The title of the axis.
    #[must_use]
    pub(super) fn title(&self, column: &str) -> String {
        match self.steps {
            Steps::Days => "day".to_owned(),
            Steps::Weeks => "ISO week".to_owned(),
            Steps::Months => "month".to_owned(),
            Steps::Names | Steps::Numbers => column.replace('_', " "),
        }
    }

    /// Labels for drawing: short where they are days or weeks of one year.
    #[must_use]
    pub(super) fn short_labels(&self) -> Vec<String> {
        let year = |label: &String| label.get(..4).map(str::to_owned);
        let is_one_year = self.labels.first().and_then(year) == self.labels.last().and_then(year);
        let skip = match self.steps {
            Steps::Days | Steps::Weeks if is_one_year => 5,
            _ => 0,
        };
        self.labels.iter().map(|label| label.get(skip..).unwrap_or(label).to_owned()).collect()
    }

    /// A daily axis inside the report's period covers all of it: days without data are part of the picture.
    #[must_use]
    pub(super) fn widened(self, period: Option<&(Date, Date)>) -> Self {
        let day = |label: Option<&String>| label.and_then(|label| label.parse::<Date>().ok());
        let (Some((since, until)), Some(first), Some(last)) =
            (period, day(self.labels.first()), day(self.labels.last()))
        else {
            return self;
        };
        if self.steps != Steps::Days || first < *since || last > *until {
            return self;
        }
        let labels: Vec<String> = since
            .series(1.day())
            .take_while(|date| date <= until)
            .take(MOST_STEPS)
            .map(|date| date.to_string())
            .collect();
        let Some(shift) = labels.iter().position(|label| Some(label) == self.labels.first()) else { return self };
        Self {
            steps: self.steps,
            labels,
            step_of: self.step_of.iter().map(|step| step.map(|step| step + shift)).collect(),
        }
    }

    /// The axis of a column.
    #[must_use]
    pub(super) fn of(column: &Column, rows: usize) -> Self {
        let values: Vec<Value<'_>> = (0..rows).map(|row| column.value(row)).collect();
        Self::calendar(column, &values).unwrap_or_else(|| Self::plain(column, &values))
    }

    fn calendar(column: &Column, values: &[Value<'_>]) -> Option<Self> {
        let (steps, days): (Steps, Vec<Option<Date>>) = match &column.data {
            Data::Date(_) => (Steps::Days, values.iter().map(|value| as_day(*value)).collect()),
            Data::Text(_) => {
                let weeks: Vec<_> = values.iter().map(|value| text(*value).and_then(week)).collect();
                let months: Vec<_> = values.iter().map(|value| text(*value).and_then(month)).collect();
                let is_whole = |dates: &[Option<Date>]| {
                    dates.iter().zip(values).all(|(date, value)| date.is_some() || *value == Value::Null)
                        && dates.iter().any(Option::is_some)
                };
                if is_whole(&weeks) {
                    (Steps::Weeks, weeks)
                } else if is_whole(&months) {
                    (Steps::Months, months)
                } else {
                    return None;
                }
            }
            _ => return None,
        };
        let first = days.iter().flatten().min().copied()?;
        let last = days.iter().flatten().max().copied()?;
        let span = match steps {
            Steps::Weeks => 7.days(),
            Steps::Months => 1.month(),
            _ => 1.day(),
        };
        let all: Vec<Date> = first.series(span).take_while(|date| *date <= last).take(MOST_STEPS).collect();
        let place: BTreeMap<Date, usize> = all.iter().enumerate().map(|(index, date)| (*date, index)).collect();
        let labels = all.iter().map(|date| label(*date, steps)).collect();
        Some(Self {
            steps,
            labels,
            step_of: days.iter().map(|date| date.and_then(|date| place.get(&date).copied())).collect(),
        })
    }

    fn plain(column: &Column, values: &[Value<'_>]) -> Self {
        let is_number = matches!(column.data, Data::Int(_) | Data::Float(_));
        let mut order: Vec<(f64, String)> = Vec::new();
        for value in values {
            let name = value.to_text();
            if *value != Value::Null && !order.iter().any(|(_, known)| *known == name) {
                order.push((value.as_f64().unwrap_or(0.0), name));
            }
        }
        if is_number {
            order.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        }
        let place: BTreeMap<&str, usize> =
            order.iter().enumerate().map(|(index, (_, name))| (name.as_str(), index)).collect();
        let step_of = values
            .iter()
            .map(|value| if *value == Value::Null { None } else { place.get(value.to_text().as_str()).copied() })
            .collect();
        let labels = order.iter().map(|(_, name)| name.clone()).collect();
        Self { steps: if is_number { Steps::Numbers } else { Steps::Names }, labels, step_of }
    }
}

fn text(value: Value<'_>) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn as_day(value: Value<'_>) -> Option<Date> {
    match value {
        Value::Date(days) => day(days).parse().ok(),
        _ => None,
    }
}

/// `2026-W47` → its Monday.
#[must_use]
pub(super) fn week(text: &str) -> Option<Date> {
    let (year, number) = text.split_once("-W")?;
    let (year, number) = (year.parse().ok()?, number.parse().ok()?);
    (text.len() == 8).then(|| ISOWeekDate::new(year, number, Weekday::Monday).ok()).flatten().map(Date::from)
}

fn month(text: &str) -> Option<Date> {
    let (year, number) = text.split_once('-')?;
    (text.len() == 7).then(|| Date::new(year.parse().ok()?, number.parse().ok()?, 1).ok()).flatten()
}

fn label(date: Date, steps: Steps) -> String {
    match steps {
        Steps::Weeks => {
            let week = date.iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        }
        Steps::Months => format!("{:04}-{:02}", date.year(), date.month()),
        _ => date.to_string(),
    }
}

/// The ISO week that holds a day given as `YYYY-MM-DD…`.
#[must_use]
pub(super) fn week_of(text: &str) -> Option<String> {
    let date: Date = text.get(..10)?.parse().ok()?;
    Some(label(date, Steps::Weeks))
}
