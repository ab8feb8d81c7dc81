//! `snapshot diff`: two states side by side.
//!
//! Input: two names. Output: one table, a row per thing that can differ. Totals and skills are the metrics `overview` and
//! `skill_usage`, so that they agree with reports.

use super::super::queries::texts;
use crate::cli::context::{Context, Known};
use crate::cli::select;
use crate::engine::diff::{Comparison, Side};
use crate::engine::duck::Duck;
use crate::engine::fanout::Task;
use crate::engine::table::{Column, Data, Table, Unit};
use crate::metric::Layer;
use crate::model::period::PeriodSpec;
use crate::store::manifest::Manifest;
use crate::store::snapshot::Archive;
use crate::store::{Reading, Store};
use std::collections::BTreeMap;

/// The name that stands for the live store.
const STORE: &str = "store";

const TOTALS: &[&str] = &[
    "sessions",
    "messages",
    "cost_usd",
    "input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "tool_calls",
    "tool_errors",
];

/// Rows under construction.
#[derive(Default)]
struct Rows {
    kind: Vec<Option<String>>,
    name: Vec<Option<String>>,
    title: Vec<Option<String>>,
    status: Vec<Option<String>>,
    numbers: [Vec<Option<f64>>; 3],
    counts: [Vec<Option<i64>>; 3],
}

impl Rows {
    /// `numbers`: before, after; `counts`: added, removed, changed rows.
    fn push(
        &mut self,
        (kind, name, title): (&str, &str, Option<String>),
        status: &str,
        numbers: [Option<f64>; 2],
        counts: [Option<i64>; 3],
    ) {
        self.kind.push(Some(kind.to_owned()));
        self.name.push(Some(name.to_owned()));
        self.title.push(title);
        self.status.push(Some(status.to_owned()));
        let change = numbers[0].zip(numbers[1]).map(|(before, after)| after - before);
        for (column, value) in self.numbers.iter_mut().zip([numbers[0], numbers[1], change]) {
            column.push(value);
        }
        for (column, value) in self.counts.iter_mut().zip(counts) {
            column.push(value);
        }
    }

    fn table(self) -> Table {
        let mut columns = vec![
            texts("kind", self.kind),
            texts("name", self.name),
            texts("title", self.title),
            texts("status", self.status),
        ];
        for (name, values) in ["before", "after", "change"].into_iter().zip(self.numbers) {
            columns.push(Column { name: name.into(), unit: Unit::Score, data: Data::Float(values) });
        }
        for (name, values) in ["added_rows", "removed_rows", "changed_rows"].into_iter().zip(self.counts) {
            columns.push(Column { name: name.into(), unit: Unit::Count, data: Data::Int(values) });
        }
        Table { columns }
    }
}

/// A state, whole.
fn state(context: &Context, archive: &Archive, name: &str) -> anyhow::Result<(Store, Manifest, Reading)> {
    if name == STORE {
        let (store, _) = context.fresh(None)?;
        let reading = store.reading();
        let manifest = store.manifest()?;
        return Ok((store, manifest, reading));
    }
    let (store, manifest) = archive.open(name)?;
    let store = context.frozen(store)?;
    let reading = store.reading();
    Ok((store, manifest, reading))
}

/// Both states, as far as they are looked at.
fn known(context: &Context, archive: &Archive, names: [&str; 2]) -> anyhow::Result<[Known; 2]> {
    let [mut before, mut after] = [state(context, archive, names[0])?, state(context, archive, names[1])?];
    let states = &mut [(&mut before.1, &before.0), (&mut after.1, &after.0)];
    for note in select::select_all(states, &context.globals)? {
        context.printer.note(&note);
    }
    let known = |(store, manifest, reading): (Store, Manifest, Reading)| -> anyhow::Result<Known> {
        store.check(&manifest)?;
        Ok(Known { store, manifest, reading, registry: context.registry()?, scope: context.scope(PeriodSpec::All)? })
    };
    Ok([known(before)?, known(after)?])
}

/// One metric of a state, whole.
fn metric(known: &Known, name: &str) -> anyhow::Result<Table> {
    let Some(file) = known.registry.get(Layer::Metric, name) else { return Ok(Table::default()) };
    let asker = known.asker(vec![file.text.clone()]);
    let measured = asker.measure(&[Task { metric: file, period: &known.scope.period }])?;
    measured.into_iter().next().map_or_else(|| Ok(Table::default()), |one| Ok(one.result?))
}

fn status(before: bool, after: bool, same: bool) -> &'static str {
    match (before, after) {
        (false, true) => "added",
        (true, false) => "removed",
        _ if same => "same",
        _ => "changed",
    }
}

/// The comparison.
///
/// # Errors
/// A name is unknown, or a state cannot be read.
pub(super) fn run(context: &Context, archive: &Archive, before: &str, after: &str) -> anyhow::Result<Table> {
    let [before, after] = known(context, archive, [before, after])?;
    let mut found = Rows::default();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let duck = Duck::open(threads, context.scratch()?)?;
    let [old, new] = [&before, &after].map(|known| Side { store: &known.store, manifest: &known.manifest });
    let comparison = Comparison::new(&duck, old, new)?;
    #[allow(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    for (table, counts) in comparison.rows()? {
        let numbers = [Some(counts.before as f64), Some(counts.after as f64)];
        let status = match counts.differing {
            None if numbers[0] != numbers[1] => "changed",
            None => "unknown",
            Some(differing) => status(true, true, differing == [0; 3]),
        };
        let differing = counts.differing.map_or([None; 3], |differing| differing.map(Some));
        found.push(("table", table, None), status, numbers, differing);
    }
    let totals = [metric(&before, "overview")?, metric(&after, "overview")?];
    for name in TOTALS {
        let numbers = [0, 1].map(|side: usize| totals[side].get(0, name).as_f64());
        found.push(("total", name, None), status(true, true, numbers[0] == numbers[1]), numbers, [None; 3]);
    }
    let loads = [&before, &after].map(|known| -> anyhow::Result<BTreeMap<String, Option<f64>>> {
        let table = metric(known, "skill_usage")?;
        let row = |row| (table.get(row, "skill_name").to_text(), table.get(row, "load_count").as_f64());
        Ok((0..table.len()).map(row).collect())
    });
    let [old, new] = loads;
    let (old, new) = (old?, new?);
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let numbers = [&old, &new].map(|side| side.get(name).copied().flatten());
        if numbers[0] != numbers[1] {
            found.push(
                ("skill", name, None),
                status(old.contains_key(name), new.contains_key(name), false),
                numbers,
                [None; 3],
            );
        }
    }
    let differing = comparison.sessions()?;
    for row in 0..differing.len() {
        let text = |column: &str| differing.get(row, column).to_text();
        let title = Some(text("title")).filter(|title| !title.is_empty());
        let numbers = ["cost_before", "cost_after"].map(|column| differing.get(row, column).as_f64());
        let counts = ["added", "removed", "changed"].map(|column| differing.get(row, column).as_i64());
        found.push(("session", &text("session_id"), title), &text("status"), numbers, counts);
    }
    Ok(found.table())
}
