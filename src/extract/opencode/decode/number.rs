//! JSON numbers into the store's integers and floats. Input: the number as written. Output: the value, or `None` where
//! the store cannot hold it.

/// Beyond these a float is no `i64`.
const LIMIT: f64 = 9_223_372_036_854_775_808.0;

/// An integer; a float counts when it is whole (`3.0`, `1e3`).
#[allow(clippy::cast_possible_truncation, reason = "range and wholeness are checked first")]
pub(super) fn int(raw: &str) -> Option<i64> {
    if let Ok(number) = raw.parse::<i64>() {
        return Some(number);
    }
    let number = raw.parse::<f64>().ok()?;
    (number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number)).then_some(number as i64)
}

/// A finite float.
pub(super) fn float(raw: &str) -> Option<f64> {
    raw.parse::<f64>().ok().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{float, int};

    #[test]
    fn integers() {
        let cases = [
            ("12", Some(12)),
            ("-0", Some(0)),
            ("3.0", Some(3)),
            ("1e3", Some(1000)),
            ("1.5", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("1e400", None),
            ("\"12\"", None),
            ("null", None),
            ("", None),
        ];
        for (raw, value) in cases {
            assert_eq!(int(raw), value, "{raw}");
        }
    }

    #[test]
    fn floats() {
        assert_eq!(float("0.25"), Some(0.25));
        assert_eq!(float("1e999"), None);
        assert_eq!(float("null"), None);
        assert_eq!(float("{}"), None);
    }
}
