//! What changed: the change of cost and tokens on the period before, split into parts that add up to it, and who moved.
//!
//! Input: `by_model` and other metrics of both periods. Output: [`Change`]. With `calls × share × size × price` for each
//! model, the parts replace one factor after the other in that order, so that their sum is the change exactly: volume
//! (more calls), mix (other models), size (more tokens a call), price (dearer tokens).

use std::collections::BTreeMap;

use serde::Serialize;

use super::model::Report;
use crate::engine::table::Table;

/// Movers kept.
const MOST_MOVERS: usize = 10;

/// The change of both sums, and its movers.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// US dollars.
    pub cost: Split,
    /// Tokens of all kinds; no price.
    pub tokens: Split,
    /// Who moved, largest contribution first.
    pub movers: Vec<Mover>,
}

/// A change in parts: `volume + mix + size + price = after − before`.
#[derive(Debug, Clone, Copy, Serialize, Default)]
pub struct Split {
    /// Sum of the period before.
    pub before: f64,
    /// Sum of this period.
    pub after: f64,
    /// By the number of calls.
    pub volume: f64,
    /// By the share of each model in them.
    pub mix: f64,
    /// By the tokens of a call.
    pub size: f64,
    /// By the price of a token.
    pub price: f64,
}

/// One project, model, skill or tool and its part of the change.
#[derive(Debug, Clone, Serialize)]
pub struct Mover {
    /// project, model, skill or tool.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What is counted: usd or count.
    pub unit: &'static str,
    /// Before.
    pub before: f64,
    /// Now.
    pub after: f64,
    /// Its part of the change of the sum of its kind, where that changed.
    pub contribution: Option<f64>,
    /// Metric that it comes from.
    pub metric: &'static str,
}

/// Where movers come from: kind, metric, name column, value column, unit.
const MOVERS: &[(&str, &str, &str, &str, &str)] = &[
    ("project", "by_project", "project_name", "cost_usd", "usd"),
    ("model", "by_model", "model", "cost_usd", "usd"),
    ("skill", "skill_usage", "skill_name", "load_count", "count"),
    ("tool", "tool_usage", "tool_name", "call_count", "count"),
];

/// The change, where both periods were measured.
#[must_use]
pub fn change(report: &Report) -> Option<Change> {
    let now = table(report, "by_model")?;
    let before = report.previous.get("by_model")?;
    if now.is_empty() && before.is_empty() {
        return None;
    }
    let (now, before) = (usage(now), usage(before));
    Some(Change {
        cost: split(&before, &now, |model| model.cost),
        tokens: split(&before, &now, |model| model.tokens),
        movers: movers(report),
    })
}

fn table<'a>(report: &'a Report, name: &str) -> Option<&'a Table> {
    report.metrics.iter().find(|metric| metric.name == name)?.result.as_ref().ok()
}

#[derive(Debug, Clone, Copy, Default)]
struct Usage {
    calls: f64,
    tokens: f64,
    cost: f64,
}

fn usage(table: &Table) -> BTreeMap<String, Usage> {
    const KINDS: &[&str] =
        &["input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_tokens"];
    let mut models: BTreeMap<String, Usage> = BTreeMap::new();
    for row in 0..table.len() {
        let number = |name: &str| table.get(row, name).as_f64().unwrap_or(0.0);
        let model = models.entry(table.get(row, "model").to_text()).or_default();
        model.calls += number("message_count");
        model.tokens += KINDS.iter().map(|kind| number(kind)).sum::<f64>();
        model.cost += number("cost_usd");
    }
    models
}

/// Splits the change of the sum of `value`, one factor after the other. A model that is only in one period has the
/// other's size and price, so that all of it is volume and mix.
fn split(before: &BTreeMap<String, Usage>, after: &BTreeMap<String, Usage>, value: fn(&Usage) -> f64) -> Split {
    let calls = |models: &BTreeMap<String, Usage>| models.values().map(|model| model.calls).sum::<f64>();
    let sum = |models: &BTreeMap<String, Usage>| models.values().map(value).sum::<f64>();
    let (calls_before, calls_after) = (calls(before), calls(after));
    let mut split = Split { before: sum(before), after: sum(after), ..Split::default() };
    let change = split.after - split.before;
    if calls_before == 0.0 || calls_after == 0.0 {
        split.volume = change;
        return split;
    }
    split.volume = split.before * (calls_after / calls_before - 1.0);
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    for name in names {
        let old = before.get(name).filter(|model| model.calls > 0.0);
        let new = after.get(name).filter(|model| model.calls > 0.0);
        let Some(known) = old.or(new) else { continue };
        let (old, new) = (
            old.copied().unwrap_or(Usage { calls: 0.0, ..*known }),
            new.copied().unwrap_or(Usage { calls: 0.0, ..*known }),
        );
        // Per call of this model, as far as it was called; else as in the other period.
        let per_call =
            |model: &Usage| if model.calls > 0.0 { value(model) / model.calls } else { value(known) / known.calls };
        let tokens_per_call =
            |model: &Usage| if model.calls > 0.0 { model.tokens / model.calls } else { known.tokens / known.calls };
        let calls_at_old_share = old.calls / calls_before * calls_after;
        split.mix += (new.calls - calls_at_old_share) * per_call(&old);
        let growth = if tokens_per_call(&old) > 0.0 { tokens_per_call(&new) / tokens_per_call(&old) } else { 1.0 };
        split.size += new.calls * per_call(&old) * (growth - 1.0);
    }
    // The last factor is what remains: the sum is exact by construction.
    split.price = change - split.volume - split.mix - split.size;
    if split.price.abs() < 1e-9 * (split.before.abs() + split.after.abs()) {
        split.size += split.price;
        split.price = 0.0;
    }
    split
}

fn movers(report: &Report) -> Vec<Mover> {
    let mut movers: Vec<Mover> = Vec::new();
    for (kind, metric, name, value, unit) in MOVERS {
        let (Some(now), Some(before)) = (table(report, metric), report.previous.get(*metric)) else { continue };
        let (now, before) = (sums(now, name, value), sums(before, name, value));
        let change: f64 = now.values().sum::<f64>() - before.values().sum::<f64>();
        for key in before.keys().chain(now.keys().filter(|key| !before.contains_key(*key))) {
            let (old, new) = (before.get(key).copied().unwrap_or(0.0), now.get(key).copied().unwrap_or(0.0));
            if (new - old).abs() > 1e-12 {
                let contribution = (change.abs() > 1e-12).then(|| (new - old) / change);
                movers.push(Mover { kind, name: key.clone(), unit, before: old, after: new, contribution, metric });
            }
        }
    }
    // Kinds are compared by how far each moved against the size of its kind: dollars and calls have no common unit.
    let scale = |mover: &Mover| {
        let total: f64 = movers_total(report, mover);
        if total > 0.0 { (mover.after - mover.before).abs() / total } else { 0.0 }
    };
    let mut ranked: Vec<(f64, Mover)> = movers.into_iter().map(|mover| (scale(&mover), mover)).collect();
    ranked
        .sort_by(|(left, a), (right, b)| right.total_cmp(left).then_with(|| (a.kind, &a.name).cmp(&(b.kind, &b.name))));
    ranked.into_iter().take(MOST_MOVERS).map(|(_, mover)| mover).collect()
}

fn movers_total(report: &Report, mover: &Mover) -> f64 {
    let Some((_, metric, name, value, _)) = MOVERS.iter().find(|(kind, ..)| *kind == mover.kind) else { return 0.0 };
    let total = |table: Option<&Table>| table.map_or(0.0, |table| sums(table, name, value).values().sum::<f64>());
    total(table(report, metric)).max(total(report.previous.get(*metric)))
}

fn sums(table: &Table, name: &str, value: &str) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for row in 0..table.len() {
        *sums.entry(table.get(row, name).to_text()).or_insert(0.0) += table.get(row, value).as_f64().unwrap_or(0.0);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::{Usage, split};
    use std::collections::BTreeMap;

    fn models(rows: &[(&str, f64, f64, f64)]) -> BTreeMap<String, Usage> {
        rows.iter()
            .map(|(name, calls, tokens, cost)| {
                ((*name).to_owned(), Usage { calls: *calls, tokens: *tokens, cost: *cost })
            })
            .collect()
    }

    #[test]
    fn parts_add_up() {
        let before = models(&[("a", 10.0, 1000.0, 2.0), ("b", 5.0, 4000.0, 1.0)]);
        let after = models(&[("a", 12.0, 1500.0, 2.5), ("c", 9.0, 900.0, 4.0)]);
        let parts = split(&before, &after, |model| model.cost);
        let sum = parts.volume + parts.mix + parts.size + parts.price;
        assert!((sum - (parts.after - parts.before)).abs() < 1e-12, "{parts:?}");
    }

    proptest::proptest! {
        #[test]
        fn parts_add_up_whatever_the_periods(
            before in proptest::collection::btree_map("[a-e]", (0u32..50, 0u32..1_000_000, 0u32..100_000), 0..5),
            after in proptest::collection::btree_map("[a-e]", (0u32..50, 0u32..1_000_000, 0u32..100_000), 0..5),
        ) {
            type Rows = BTreeMap<String, (u32, u32, u32)>;
            let usage = |rows: &Rows| -> BTreeMap<String, Usage> {
                let row = |(calls, tokens, cost): (u32, u32, u32)| Usage {
                    calls: f64::from(calls),
                    tokens: f64::from(tokens),
                    cost: f64::from(cost) / 1e4,
                };
                rows.iter().map(|(name, row_of)| (name.clone(), row(*row_of))).collect()
            };
            let (before, after) = (usage(&before), usage(&after));
            for value in [|model: &Usage| model.cost, |model: &Usage| model.tokens] {
                let parts = split(&before, &after, value);
                let sum = parts.volume + parts.mix + parts.size + parts.price;
                let size = 1.0 + parts.before + parts.after + parts.volume.abs() + parts.mix.abs() + parts.size.abs();
                let sums = [&before, &after].map(|models| models.values().map(value).sum::<f64>());
                proptest::prop_assert!((parts.before - sums[0]).abs() + (parts.after - sums[1]).abs() <= 1e-12 * size, "{parts:?}");
                proptest::prop_assert!((sum - (parts.after - parts.before)).abs() <= 1e-12 * size, "{parts:?}");
                proptest::prop_assert!([sum, parts.volume, parts.mix, parts.size, parts.price].iter().all(|part| part.is_finite()));
            }
            // Of tokens there is no price, as long as both periods have calls.
            let has_calls = |models: &BTreeMap<String, Usage>| models.values().any(|model| model.calls > 0.0);
            let is_told = |models: &BTreeMap<String, Usage>| models.values().all(|model| model.calls > 0.0 || model.tokens == 0.0);
            if has_calls(&before) && has_calls(&after) && is_told(&before) && is_told(&after) {
                let parts = split(&before, &after, |model| model.tokens);
                proptest::prop_assert!(parts.price.abs() <= 1e-6 * (1.0 + parts.before + parts.after), "{parts:?}");
            }
        }
    }

    #[test]
    fn twice_the_calls_are_volume_only() {
        let before = models(&[("a", 10.0, 1000.0, 2.0)]);
        let after = models(&[("a", 20.0, 2000.0, 4.0)]);
        let parts = split(&before, &after, |model| model.cost);
        assert!(
            (parts.volume - 2.0).abs() < 1e-12 && parts.mix.abs() + parts.size.abs() + parts.price.abs() < 1e-12,
            "{parts:?}"
        );
    }
}
