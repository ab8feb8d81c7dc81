//! Findings are sentences of ours with names from the data in them. What the finding's SQL says stays, and so do numbers
//! and public names; all else is from the data and is hashed.
//!
//! Input: a finding and the texts of the tables. Output: the finding that may be shared.

use super::{Known, hashed};
use crate::render::model::Finding;

/// Shorter pieces of SQL text (`', '`) say nothing and would be found everywhere.
const SHORTEST: usize = 3;

/// The finding without private texts.
pub(super) fn finding(finding: &Finding, known: &Known) -> Finding {
    let mut ours = literals(&finding.sql);
    ours.sort_by_key(|text| std::cmp::Reverse(text.len()));
    ours.dedup();
    let clean = |text: &str| redacted(text, &ours, known);
    Finding {
        subject: piece(&finding.subject, known),
        sentence: clean(&finding.sentence),
        action: finding.action.as_deref().map(clean),
        evidence: finding.evidence.as_deref().map(clean),
        ..finding.clone()
    }
}

/// The texts in single quotes of a query, comments left out.
fn literals(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in sql.lines() {
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '-' if letters.peek() == Some(&'-') => break,
                '\'' => {
                    let mut text = String::new();
                    while let Some(letter) = letters.next() {
                        match letter {
                            '\'' if letters.peek() == Some(&'\'') => {
                                letters.next();
                                text.push('\'');
                            }
                            '\'' => break,
                            _ => text.push(letter),
                        }
                    }
                    if text.chars().count() >= SHORTEST {
                        found.push(text);
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// The text with everything between our own words looked at.
fn redacted(text: &str, ours: &[String], known: &Known) -> String {
    let mut is_ours = vec![false; text.len()];
    for own in ours {
        for (at, _) in text.match_indices(own.as_str()) {
            let span = &mut is_ours[at..at + own.len()];
            if span.iter().all(|taken| !taken) {
                span.fill(true);
            }
        }
    }
    let (mut safe, mut start) = (String::with_capacity(text.len()), 0);
    for at in 1..=text.len() {
        if at == text.len() || is_ours[at] != is_ours[start] {
            let part = &text[start..at];
            safe.push_str(&if is_ours[start] { part.to_owned() } else { piece(part, known) });
            start = at;
        }
    }
    safe
}

/// A piece from the data: numbers and public names stay, also several of them in a list.
fn piece(text: &str, known: &Known) -> String {
    let bare = text.trim();
    let is_number = |text: &str| {
        text.chars()
            .all(|letter| letter.is_ascii_digit() || letter.is_whitespace() || "+-−–.,:;%/$()<>~≤≥".contains(letter))
    };
    // Classes of ours stand in sentences with spaces.
    let is_known = |text: &str| known.public.contains(text) || known.public.contains(&text.replace(' ', "_"));
    let is_public = |text: &str| is_number(text) || is_known(text.trim());
    if is_public(bare) || bare.split(", ").all(is_public) || bare.split(" / ").all(is_public) {
        return text.to_owned();
    }
    let replaced = known.private.get(bare).cloned().unwrap_or_else(|| hashed("text", bare));
    let lead = &text[..text.len() - text.trim_start().len()];
    let tail = &text[text.trim_end().len()..];
    format!("{lead}{replaced}{tail}")
}

#[cfg(test)]
mod tests {
    use super::{Known, finding, hashed};
    use crate::render::model::Finding;

    #[test]
    fn only_our_words_numbers_and_public_names_stay() {
        let known = Known {
            public: ["read".to_owned(), "bash".to_owned()].into(),
            private: [("src/secret.rs".to_owned(), "path-1".to_owned())].into(),
        };
        let sql = "select 'The file ' || path || ' failed ' || n || ' times, it''s said by ' || tools -- 'no comment'";
        let shown = finding(
            &Finding {
                subject: "src/secret.rs".to_owned(),
                sentence: "The file src/secret.rs failed 3 times, it's said by read, bash".to_owned(),
                action: Some("Ask MARKER about no comment".to_owned()),
                sql: sql.to_owned(),
                ..Finding::default()
            },
            &known,
        );
        assert_eq!(shown.subject, "path-1");
        assert_eq!(shown.sentence, "The file path-1 failed 3 times, it's said by read, bash");
        assert_eq!(shown.action, Some(hashed("text", "Ask MARKER about no comment")));
    }
}
