//! Times as telemetry writes them. Input: a recorded value. Output: epoch ms UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Times outside 2001 to 2100 are no times of measurements (seconds taken for milliseconds are 1970).
const PLAUSIBLE: std::ops::RangeInclusive<i64> = 1_000_000_000_000..=4_102_444_800_000;

/// True for a time in which something can have been measured.
pub(super) fn is_plausible(time: i64) -> bool {
    PLAUSIBLE.contains(&time)
}

/// A number of milliseconds, or a date and time with offset; one without is read in `zone`, if one is given.
pub(super) fn moment(value: &Value, zone: Option<&TimeZone>) -> Option<i64> {
    match value {
        Value::Number(number) => whole(number.as_f64()?),
        Value::String(text) => {
            let text = text.trim();
            if let Ok(time) = text.parse::<Timestamp>() {
                return Some(time.as_millisecond());
            }
            let local: DateTime = text.parse().ok()?;
            // Where the clock is set back, the earlier of two moments.
            let time = zone?.to_ambiguous_timestamp(local).compatible().ok()?;
            Some(time.as_millisecond())
        }
        _ => None,
    }
}

/// Seconds with a fraction, as Python's `time.time()` gives.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    whole(value.as_f64()? * 1e3)
}

#[allow(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 9.0e15).then(|| number.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn naive_times_are_of_the_zone_and_others_are_not() {
        let berlin = TimeZone::get("Europe/Berlin").expect("zone");
        let at = |value: Value| moment(&value, Some(&berlin));
        assert_eq!(at(json!("2026-02-17T10:00:00.000003")), Some(1_771_318_800_000));
        assert_eq!(at(json!("2026-02-17T10:00:00Z")), Some(1_771_322_400_000));
        assert_eq!(at(json!("2026-02-17T10:00:00.5+05:00")), Some(1_771_304_400_500));
        assert_eq!(at(json!(1_771_322_400_000_i64)), Some(1_771_322_400_000));
        // Half past two on the day that has no such time is an hour later.
        assert_eq!(at(json!("2026-03-29T02:30:00")), Some(1_774_747_800_000));
        assert_eq!(at(json!("yesterday")), None);
        assert_eq!(at(json!(true)), None);
        assert_eq!(moment(&json!("2026-02-17T10:00:00"), None), None);
        assert_eq!(seconds(&json!(1_771_322_400.5)), Some(1_771_322_400_500));
        assert!(!is_plausible(1_771_322_400) && is_plausible(1_771_322_400_000));
    }
}
