//! Units of a column's numbers: the words of headers, shared by metrics, tables and pages.

/// What a column's numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// A name, a text, a flag: no unit.
    #[default]
    Name,
    /// A number of things.
    Count,
    /// Milliseconds.
    Ms,
    /// US dollars.
    Usd,
    /// Tokens.
    Tokens,
    /// A share from 0 to 1 (or a relative change).
    Ratio,
    /// Characters.
    Chars,
    /// Lines of text.
    Lines,
    /// Bytes.
    Bytes,
    /// A dimensionless figure.
    Score,
    /// A moment, epoch milliseconds UTC.
    At,
    /// A day.
    Date,
}

impl Unit {
    /// As written in headers.
    pub const ALL: &'static [(&'static str, Unit)] = &[
        ("name", Self::Name),
        ("count", Self::Count),
        ("ms", Self::Ms),
        ("usd", Self::Usd),
        ("tokens", Self::Tokens),
        ("ratio", Self::Ratio),
        ("chars", Self::Chars),
        ("lines", Self::Lines),
        ("bytes", Self::Bytes),
        ("score", Self::Score),
        ("at", Self::At),
        ("date", Self::Date),
    ];

    /// Parses a header's word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, unit)| *unit)
    }

    /// The unit that a column of the store or of a mart tells by its name; `None` for names, texts and flags.
    #[must_use]
    pub fn of_column(name: &str) -> Option<Self> {
        let ending = name.rsplit('_').next().unwrap_or(name);
        Some(match ending {
            _ if name.starts_with("is_") || name.starts_with("has_") => return None,
            _ if name.starts_with("time_") => Self::At,
            _ if name.starts_with("tokens_") || name.contains("_tokens_") => Self::Tokens,
            "at" => Self::At,
            "date" => Self::Date,
            "ms" => Self::Ms,
            "usd" | "cost" => Self::Usd,
            "tokens" => Self::Tokens,
            "ratio" => Self::Ratio,
            "count" | "iterations" => Self::Count,
            "chars" => Self::Chars,
            "additions" | "deletions" => Self::Lines,
            _ => return None,
        })
    }

    /// The header's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, unit)| *unit == self).map_or("name", |(name, _)| name)
    }
}
