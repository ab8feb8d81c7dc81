//! `snapshot diff`: two states side by side.
//!
//! Input: two names. Output: one table, a row per thing that can differ. Totals and skills are the metrics `overview` and
//! `skill_usage`, so that they agree with reports.

use super::super::queries::texts;
use crate::cli::context::{Context, Known};
use crate::engine::diff::{Side, rows, sessions};
use crate::engine::duck::Duck;
use crate::engine::fanout::Task;
use crate::engine::table::{Column, Data, Table, Unit};
use crate::metric::Layer;
use crate::model::period::PeriodSpec;
use crate::store::snapshot::Archive;
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

fn known(context: &Context, archive: &Archive, name: &str) -> anyhow::Result<Known> {
    if name == STORE {
        return context.known(PeriodSpec::All, None);
    }
    let (store, manifest) = archive.open(name)?;
    let store = context.frozen(store)?;
    store.check(&manifest)?;
    Ok(Known {
        reading: store.reading(),
        store,
        manifest,
        registry: context.registry()?,
        scope: context.scope(PeriodSpec::All)?,
    })
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
    let (before, after) = (known(context, archive, before)?, known(context, archive, after)?);
    let mut found = Rows::default();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let duck = Duck::open(threads, context.scratch()?)?;
    let sides = [&before, &after].map(|known| Side { store: &known.store, manifest: &known.manifest });
    #[allow(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    for (table, counts) in rows(&duck, sides[0], sides[1])? {
        let differing = [counts.added, counts.removed, counts.changed];
        let same = differing == [0; 3] && counts.before == counts.after;
        let numbers = [Some(counts.before as f64), Some(counts.after as f64)];
        found.push(("table", table, None), status(true, true, same), numbers, differing.map(Some));
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
    let differing = sessions(&duck, sides[0], sides[1])?;
    for row in 0..differing.len() {
        let text = |column: &str| differing.get(row, column).to_text();
        let title = Some(text("title")).filter(|title| !title.is_empty());
        let numbers = ["cost_before", "cost_after"].map(|column| differing.get(row, column).as_f64());
        let counts = ["added", "removed", "changed"].map(|column| differing.get(row, column).as_i64());
        found.push(("session", &text("session_id"), title), &text("status"), numbers, counts);
    }
    Ok(found.table())
}
