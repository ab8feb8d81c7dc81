//! `logicoma check`: gates for scripts and timers, and whether the data keep their contracts.
//!
//! Input: limits, names of findings, the check files of the registry. Output: one row a check, and exit code 1 when one
//! fails. What is not known fails nothing: it is said.

use crate::cli::context::{Context, texts_of};
use crate::cli::globals::OutputArgs;
use crate::cli::{Failed, format};
use crate::engine::asker::Asker;
use crate::engine::fanout::Task;
use crate::engine::findings;
use crate::engine::table::{Column, Data, Table, Unit, Value, day};
use crate::metric::{Layer, QueryFile};
use crate::model::period::PeriodSpec;
use crate::registry::{Registry, unknown};
use std::collections::BTreeMap;

/// Below this a rate says nothing.
const FEWEST: i64 = 5;
/// Offenders named in a row.
const NAMED: usize = 3;

/// Options of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Gates look at the last 7 days, or at the period that you name; checks of the data (queries/checks, and your own
chk_*.sql) look at everything. Exit code 1 when one fails, 0 when all pass; an unknown value fails nothing.

Examples:
  logicoma check                                          do the data keep their contracts?
  logicoma check --max-cost-per-week 50                   in a timer: complain when a week gets dear
  logicoma check --week last --min-edit-success 80% --fail-on unused_skill,failing_command
  logicoma check --json | jq '.[] | select(.status == \"fail\")'")]
pub struct Args {
    /// Fail when any seven days in a row of the period cost more than this many USD
    #[arg(long, value_name = "USD", value_parser = amount, allow_negative_numbers = true)]
    max_cost_per_week: Option<f64>,
    /// Fail when a smaller share of edit attempts is applied: 0.8 or 80%
    #[arg(long, value_name = "SHARE", value_parser = portion, allow_negative_numbers = true)]
    min_edit_success: Option<f64>,
    /// Fail when this finding has something to say; `all` for any of them (repeatable)
    #[arg(long, value_name = "FINDING", num_args = 1.., value_delimiter = ',')]
    fail_on: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

fn amount(text: &str) -> Result<f64, String> {
    let number = text.trim_start_matches('$').parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "write an amount in USD: 50 or 12.5".to_owned())
}

fn portion(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    share.ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "write a share: 0.8 or 80%".to_owned())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Pass,
    Fail,
    Unknown,
}

impl Status {
    fn of(is_good: bool) -> Self {
        if is_good { Self::Pass } else { Self::Fail }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// One gate or check.
struct Checked {
    name: String,
    kind: &'static str,
    status: Status,
    value: Option<f64>,
    limit: Option<f64>,
    detail: String,
}

/// Runs the verb.
///
/// # Errors
/// A gate or check fails (exit code 1), a finding is unknown, a check's SQL fails, or there is no store.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let known = context.known(PeriodSpec::Last("7d".into()), None)?;
    let registry = &known.registry;
    let wanted = findings_wanted(registry, &args.fail_on)?;
    let period = &known.scope.period;
    if args.max_cost_per_week.is_some() || args.min_edit_success.is_some() || !wanted.is_empty() {
        context.say_period(&known.scope);
    }
    let everything = PeriodSpec::All.resolve(known.scope.now, &known.scope.zone)?;
    let gates = [("daily", args.max_cost_per_week.is_some()), ("overview", args.min_edit_success.is_some())];
    let metrics =
        gates.iter().filter(|(_, is_asked)| *is_asked).filter_map(|(name, _)| registry.get(Layer::Metric, name));
    let mut tasks: Vec<Task<'_>> = metrics.map(|metric| Task { metric, period }).collect();
    tasks.extend(registry.layer(Layer::Check).map(|metric| Task { metric, period: &everything }));
    let mut files: Vec<&QueryFile> = tasks.iter().map(|task| task.metric).collect();
    if !wanted.is_empty() {
        files.extend(registry.layer(Layer::Finding));
    }
    let asker = known.asker(texts_of(&files));
    let mut checked = Vec::new();
    for measured in asker.measure(&tasks)? {
        let table = measured.result?;
        checked.push(match (measured.metric.layer, measured.metric.name.as_str()) {
            (Layer::Metric, "daily") => cost_gate(&table, args.max_cost_per_week),
            (Layer::Metric, _) => edit_gate(&table, args.min_edit_success),
            _ => data_check(measured.metric, &table),
        });
    }
    if !wanted.is_empty() {
        checked.extend(finding_gates(&asker, registry, period, &wanted)?);
    }
    format::print(&context.printer, &table(&checked), &args.output)?;
    let failed: Vec<&str> =
        checked.iter().filter(|one| one.status == Status::Fail).map(|one| one.name.as_str()).collect();
    if failed.is_empty() {
        let unknown = checked.iter().filter(|one| one.status == Status::Unknown).count();
        let aside = if unknown == 0 { String::new() } else { format!(", {unknown} unknown") };
        context.printer.note(&format!("{} checks passed{aside}", checked.len() - unknown));
        return Ok(());
    }
    Err(Failed(format!("{} of {} checks failed: {}", failed.len(), checked.len(), failed.join(", "))).into())
}

fn findings_wanted(registry: &Registry, names: &[String]) -> anyhow::Result<Vec<String>> {
    let all = || registry.layer(Layer::Finding).map(|file| file.name.as_str());
    if let Some(name) = names.iter().find(|name| *name != "all" && registry.get(Layer::Finding, name).is_none()) {
        return Err(unknown("finding", name, all()).into());
    }
    let is_all = names.iter().any(|name| name == "all");
    Ok(all().filter(|name| is_all || names.iter().any(|wanted| wanted == name)).map(str::to_owned).collect())
}

/// The dearest seven days in a row.
fn cost_gate(daily: &Table, limit: Option<f64>) -> Checked {
    let mut days: BTreeMap<i32, f64> = BTreeMap::new();
    for row in 0..daily.len() {
        if let (Value::Date(date), Some(cost)) = (daily.get(row, "date"), daily.get(row, "cost_usd").as_f64()) {
            *days.entry(date).or_default() += cost;
        }
    }
    let weeks = days.keys().map(|last| (*last, days.range(last - 6..=*last).map(|(_, cost)| cost).sum::<f64>()));
    let dearest = weeks.max_by(|left, right| left.1.total_cmp(&right.1));
    let value = dearest.map_or(0.0, |(_, cost)| cost);
    Checked {
        name: "max_cost_per_week".to_owned(),
        kind: "gate",
        status: Status::of(limit.is_none_or(|limit| value <= limit)),
        value: Some(value),
        limit,
        detail: dearest.map_or_else(
            || "no use in the period".to_owned(),
            |(last, _)| format!("USD of the dearest seven days in a row, {} to {}", day(last - 6), day(last)),
        ),
    }
}

fn edit_gate(overview: &Table, limit: Option<f64>) -> Checked {
    let number = |column: &str| overview.get(0, column).as_f64();
    let attempts = overview.get(0, "edit_attempts").as_i64().unwrap_or(0);
    let value = number("edit_success_ratio");
    let is_good = value.zip(limit).is_none_or(|(value, limit)| value >= limit);
    let interval = number("edit_success_ci_low").zip(number("edit_success_ci_high"));
    let interval = interval.map_or_else(String::new, |(low, high)| format!(", 95 % interval {low:.3} to {high:.3}"));
    let (status, note) = match value {
        Some(_) if attempts >= FEWEST => (Status::of(is_good), ""),
        _ => (Status::Unknown, ": too few to judge"),
    };
    let detail = format!("share of {attempts} edit attempts applied{interval}{note}");
    Checked { name: "min_edit_success".to_owned(), kind: "gate", status, value, limit, detail }
}

fn data_check(file: &QueryFile, offenders: &Table) -> Checked {
    let told: Vec<String> = (0..offenders.len().min(NAMED))
        .map(|row| {
            let text = |name: &str| offenders.get(row, name).to_text();
            if offenders.column("subject").is_some() {
                format!("{} ({})", text("subject"), text("detail"))
            } else {
                offenders.columns.iter().map(|column| column.value(row).to_text()).collect::<Vec<_>>().join(" ")
            }
        })
        .collect();
    let more = offenders.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!("; {more} more: logicoma query {}", file.name) };
    Checked {
        name: file.name.clone(),
        kind: "data",
        status: Status::of(offenders.is_empty()),
        value: Some(count(offenders.len())),
        limit: Some(0.0),
        detail: if told.is_empty() { file.title.clone() } else { format!("{}{more}", told.join("; ")) },
    }
}

fn finding_gates(
    asker: &Asker<'_>,
    registry: &Registry,
    period: &crate::model::period::Period,
    wanted: &[String],
) -> anyhow::Result<Vec<Checked>> {
    let found = findings::find(asker, registry, period)?;
    if let Some(failure) = found.failures.into_iter().next() {
        return Err(failure.into());
    }
    let rows = |name: &str| -> Vec<usize> {
        (0..found.table.len()).filter(|row| found.table.get(*row, "finding").to_text() == name).collect()
    };
    let gates = wanted.iter().map(|name| {
        let rows = rows(name);
        let told: Vec<String> =
            rows.iter().take(NAMED).map(|row| found.table.get(*row, "sentence").to_text()).collect();
        Checked {
            name: name.clone(),
            kind: "finding",
            status: Status::of(rows.is_empty()),
            value: Some(count(rows.len())),
            limit: Some(0.0),
            detail: if told.is_empty() { "nothing found".to_owned() } else { told.join(" ") },
        }
    });
    Ok(gates.collect())
}

#[allow(clippy::cast_precision_loss, reason = "a number of rows")]
fn count(rows: usize) -> f64 {
    rows as f64
}

fn table(checked: &[Checked]) -> Table {
    let text = |name: &str, pick: &dyn Fn(&Checked) -> String| Column {
        name: name.to_owned(),
        unit: Unit::Name,
        data: Data::Text(checked.iter().map(|one| Some(pick(one))).collect()),
    };
    let number = |name: &str, pick: &dyn Fn(&Checked) -> Option<f64>| Column {
        name: name.to_owned(),
        unit: Unit::Score,
        data: Data::Float(checked.iter().map(pick).collect()),
    };
    Table {
        columns: vec![
            text("check", &|one| one.name.clone()),
            text("kind", &|one| one.kind.to_owned()),
            text("status", &|one| one.status.word().to_owned()),
            number("value", &|one| one.value),
            number("limit", &|one| one.limit),
            text("detail", &|one| one.detail.clone()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daily(rows: &[(i32, f64)]) -> Table {
        let column = |name: &str, unit, data| Column { name: name.to_owned(), unit, data };
        Table {
            columns: vec![
                column("date", Unit::Date, Data::Date(rows.iter().map(|row| Some(row.0)).collect())),
                column("cost_usd", Unit::Usd, Data::Float(rows.iter().map(|row| Some(row.1)).collect())),
            ],
        }
    }

    #[test]
    fn the_dearest_seven_days_in_a_row_count() {
        let table = daily(&[(100, 1.0), (100, 0.5), (106, 2.0), (107, 2.0), (120, 3.0)]);
        let gate = cost_gate(&table, Some(3.9));
        assert_eq!((gate.value, gate.status.word()), (Some(4.0), "fail"));
        assert_eq!(cost_gate(&table, Some(4.0)).status.word(), "pass");
        assert_eq!(cost_gate(&daily(&[]), Some(0.0)).status.word(), "pass");
    }

    #[test]
    fn limits_are_amounts_and_shares() {
        assert_eq!((amount("12.5"), amount("$3")), (Ok(12.5), Ok(3.0)));
        assert_eq!((portion("80%"), portion("0.8")), (Ok(0.8), Ok(0.8)));
        for text in ["-1", "inf", "nan", "much", ""] {
            assert!(amount(text).is_err() && portion(text).is_err(), "{text}");
        }
        assert!(portion("80").is_err());
    }
}
