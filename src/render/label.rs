//! Names of columns and series as words. Input: a name and its unit. Output: a heading, or the unit of a series.

use crate::engine::table::Unit;

/// A column's name as a heading: `call_count` → `calls`, `error_ratio` → `error rate`.
#[must_use]
pub fn label(column: &str, unit: Unit) -> String {
    let known = match column {
        "ci_low" => Some("low"),
        "ci_high" => Some("high"),
        "by" => Some("by"),
        "n" => Some("n"),
        "message" => Some("message"),
        "success_ratio" => Some("success"),
        "cache_hit_ratio" => Some("cache hits"),
        "verified_ratio" => Some("verified"),
        "total_tokens" => Some("tokens"),
        "with_children_cost_usd" => Some("cost with children"),
        "with_children_tokens" => Some("tokens with children"),
        "cost_ratio" => Some("share of cost"),
        "call_ratio" => Some("share of calls"),
        "f1" => Some("F1"),
        "ece" => Some("ECE"),
        "brier" => Some("Brier score"),
        "speed_up" => Some("speed-up"),
        "ask_user_count" => Some("asked a person"),
        "below_threshold_count" => Some("below threshold"),
        "given_up_count" => Some("given up"),
        "max_reached_count" => Some("limit reached"),
        _ => None,
    };
    if let Some(text) = known {
        return text.to_owned();
    }
    let stem = ["_count", "_usd", "_at", "_ms", "_name", "is_", "has_"]
        .iter()
        .fold(column, |stem, ending| stem.strip_suffix(ending).or_else(|| stem.strip_prefix(ending)).unwrap_or(stem));
    let words = stem.replace('_', " ").replace("p50", "median").replace(" ms per ", " time per ");
    match unit {
        _ if column.ends_with("_count") => plural(&words),
        // Precision, accuracy, a confidence: shares under a name of their own.
        Unit::Ratio => words.strip_suffix(" ratio").map_or_else(|| words.clone(), share),
        Unit::Ms if matches!(words.as_str(), "median" | "p95" | "mean" | "total" | "active" | "wall") => {
            format!("{words} time")
        }
        _ => words,
    }
}

/// A ratio in words: how often something happens is a rate, a part of a whole a share.
fn share(stem: &str) -> String {
    const RATES: &[&str] = &[
        "answer",
        "error",
        "failure",
        "failed",
        "success",
        "hit",
        "recovered",
        "applied",
        "verified",
        "escalated",
        "try",
        "eventual",
        "completed",
        "changing",
        "pair",
        "transition",
        "change",
        "ok",
        "pass",
        "mended",
        "known",
        "retry",
        "oversized",
        "ended",
    ];
    match stem {
        "ratio" => "rate".to_owned(),
        "output input" => "output per input".to_owned(),
        "difference" => "difference".to_owned(),
        _ if RATES.iter().any(|word| stem.ends_with(word)) => format!("{stem} rate"),
        _ if stem.ends_with("share") => stem.to_owned(),
        _ => format!("{stem} share"),
    }
}

fn plural(word: &str) -> String {
    match word {
        _ if word.ends_with('s') || word.ends_with("ed") || word.ends_with("known") || word.ends_with("from") => {
            word.to_owned()
        }
        _ if word.ends_with("ry") || word.ends_with("py") => format!("{}ies", &word[..word.len() - 1]),
        _ => format!("{word}s"),
    }
}

/// The unit of a series that is named after the column it is made of, as in `weekly`.
#[must_use]
pub fn series_unit(name: &str) -> Unit {
    match name {
        _ if ["ratio", "rate", "success", "share"].iter().any(|word| name.ends_with(word)) => Unit::Ratio,
        _ if name.ends_with("_usd") || name.starts_with("cost") => Unit::Usd,
        _ if name.ends_with("_ms") => Unit::Ms,
        _ if name.ends_with("tokens") || name.starts_with("tokens_per") => Unit::Tokens,
        _ if name.ends_with("hours") => Unit::Score,
        _ => Unit::Count,
    }
}

#[cfg(test)]
mod tests {
    use super::label;
    use crate::engine::table::Unit;

    #[test]
    fn headings_are_words() {
        let shown = [
            label("call_count", Unit::Count),
            label("error_ratio", Unit::Ratio),
            label("p50_ms", Unit::Ms),
            label("retry_count", Unit::Count),
            label("cost_usd", Unit::Usd),
            label("last_used_at", Unit::At),
            label("skill_name", Unit::Name),
            label("cost_ratio", Unit::Ratio),
        ];
        assert_eq!(
            shown,
            ["calls", "error rate", "median time", "retries", "cost", "last used", "skill", "share of cost"]
        );
    }
}
