//! Texts: where to cut them, and what a user's first word says. Input and output: text.

/// Characters kept of a title.
pub const TITLE_CHARS: usize = 500;
/// Characters kept of an error.
pub const ERROR_CHARS: usize = 2_000;
/// Characters kept of a command.
pub const COMMAND_CHARS: usize = 4_000;

/// The first `chars` characters.
#[must_use]
pub fn cut(text: &str, chars: usize) -> &str {
    if text.len() <= chars {
        return text;
    }
    text.char_indices().nth(chars).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// Whether what a user says is a correction: it starts with one of four words. `opencode run` stores prompts with
/// literal quotes, which are skipped.
#[must_use]
pub fn is_correction(text: &str) -> bool {
    let start = text.trim_start_matches(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '“'));
    let word = start
        .split(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | '-'))
        .next()
        .unwrap_or_default();
    ["no", "wrong", "instead", "actually"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("añb", 2), "añ");
        assert_eq!(cut("añb", 3), "añb");
        assert_eq!(cut("añb", 0), "");
        assert_eq!(cut("", 5), "");
    }

    #[test]
    fn corrections() {
        for text in ["no", "No, that is", "  \"Wrong file\"", "Instead: x", "actually…", "“No”"] {
            assert!(is_correction(text), "{text}");
        }
        for text in ["", "note", "nothing", "The wrong one", "не", "no_op", "No-op change", "\"\""] {
            assert!(!is_correction(text), "{text}");
        }
    }
}
