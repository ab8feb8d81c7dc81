//! What changed, as the page shows it. Input: a [`Change`] and its report. Output: [`ChangeView`]: charts and texts.

use serde::Serialize;

use super::super::change::{Change, Split};
use super::super::chart::{self, Chart, waterfall};
use super::super::format;
use super::super::model::Report;
use super::words;
use crate::engine::table::Unit;

/// Parts of the change beyond this are not shown.
const MOST_SHARE: f64 = 10.0;

/// What changed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ChangeView {
    /// Of the cost.
    pub cost: SplitView,
    /// Of the tokens.
    pub tokens: SplitView,
    movers: Vec<MoverView>,
}

/// A change and its parts.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SplitView {
    rows: Vec<[String; 3]>,
    /// Its waterfall.
    pub chart: Chart,
}

/// One that moved.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MoverView {
    kind: &'static str,
    name: String,
    before: String,
    after: String,
    change: String,
    share: String,
    metric: &'static str,
}

/// Lays a change out.
#[must_use]
pub(super) fn view(change: &Change, report: &Report) -> ChangeView {
    let before = report.compared_with.as_ref().map_or_else(|| "before".to_owned(), words::short);
    let after = words::short(&report.period);
    let (before, after) = (before.as_str(), after.as_str());
    let movers = change.movers.iter().map(|mover| {
        let unit = if mover.unit == "usd" { Unit::Usd } else { Unit::Count };
        MoverView {
            kind: mover.kind,
            name: mover.name.clone(),
            before: format::number(mover.before, unit),
            after: format::number(mover.after, unit),
            change: format::signed(mover.after - mover.before, unit),
            // Where movements cancel out, a part of what is left of them says nothing.
            share: mover
                .contribution
                .filter(|share| share.abs() < MOST_SHARE)
                .map_or_else(|| format::UNKNOWN.to_owned(), format::ratio),
            metric: mover.metric,
        }
    });
    ChangeView {
        cost: split_view(
            "change_cost",
            "Where the change in cost comes from",
            "cost_usd",
            Unit::Usd,
            &change.cost,
            (before, after),
        ),
        tokens: split_view(
            "change_tokens",
            "Where the change in tokens comes from",
            "tokens",
            Unit::Tokens,
            &change.tokens,
            (before, after),
        ),
        movers: movers.collect(),
    }
}

fn split_view(
    name: &str,
    title: &str,
    column: &str,
    unit: Unit,
    split: &Split,
    (before, after): (&str, &str),
) -> SplitView {
    let mut parts = vec![
        ("volume", "more or fewer calls", split.volume),
        ("mix", "other models", split.mix),
        ("size", "longer or shorter calls", split.size),
    ];
    if unit == Unit::Usd {
        parts.push(("price", "dearer or cheaper tokens", split.price));
    }
    let bars: Vec<(&str, f64)> = parts.iter().map(|(name, _, value)| (*name, *value)).collect();
    let figure = waterfall::figure(column, unit, (before, split.before), &bars, (after, split.after));
    let rows = parts
        .iter()
        .map(|(name, meaning, value)| [(*name).to_owned(), (*meaning).to_owned(), format::signed(*value, unit)]);
    let sum = ["change".to_owned(), "all together".to_owned(), format::signed(split.after - split.before, unit)];
    SplitView { rows: rows.chain([sum]).collect(), chart: chart::compose(name, title, "waterfall", figure) }
}
