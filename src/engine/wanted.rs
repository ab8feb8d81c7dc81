//! Which views a run needs: creating one costs about a millisecond, and there are well over a hundred; and which marts
//! must exist for it.
//!
//! Input: the texts of queries. Output: [`Wanted`].

use crate::metric::{Layer, QueryFile};
use crate::registry::Registry;
use std::collections::HashSet;

/// Names of views. None = all.
pub struct Wanted(Option<Names>);

#[derive(Default)]
struct Names {
    /// Every word of the texts.
    words: HashSet<String>,
    /// Words that a text gives to a query of its own (`turn_sums as (…)`) and does not read before that is done.
    own: HashSet<String>,
}

impl Wanted {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self(None)
    }

    /// Those that these texts name, and what they are made of.
    #[must_use]
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>, registry: &Registry) -> Self {
        let mut names = Names::default();
        let mut read = HashSet::new();
        for text in texts {
            let text = text.to_ascii_lowercase();
            let own = defined_only(&text);
            for word in words(&text) {
                if own.contains(word) {
                    names.own.insert(word.to_owned());
                } else {
                    read.insert(word.to_owned());
                }
            }
        }
        names.words.extend(read.iter().chain(&names.own).cloned());
        names.own.retain(|word| !read.contains(word));
        if names.words.contains("skills") {
            names.words.insert("stg_skills".to_owned());
        }
        for file in registry.layer(Layer::Staging).filter(|file| names.words.contains(&file.name)).collect::<Vec<_>>() {
            names.words.extend(file.sources.iter().cloned());
        }
        Self(Some(names))
    }

    /// A view of this name is needed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.words.contains(name))
    }

    /// Any view of this mart is needed. A mart that is not stored must be built, so a word alone does not ask for it.
    #[must_use]
    pub fn has_mart(&self, mart: &QueryFile) -> bool {
        let asks = |name: String| {
            self.has(&name) && (mart.is_stored || self.0.as_ref().is_none_or(|names| !names.own.contains(&name)))
        };
        ["", "_history", "_raw"].iter().any(|suffix| asks(format!("{}{suffix}", mart.name)))
            || asks(format!("mart_{}", mart.name))
    }
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !is_letter(letter)).filter(|word| !word.is_empty())
}

/// Names that the text gives to queries of its own (`turn_sums as (…)`) and reads nothing of up to the end of that query.
fn defined_only(text: &str) -> HashSet<&str> {
    let mut own = HashSet::new();
    for (at, _) in text.match_indices(" as (") {
        let name = &text[text[..at].rfind(|letter| !is_letter(letter)).map_or(0, |before| before + 1)..at];
        let mut before = "";
        let is_read = words(&text[..end_of(text, at)]).any(|word| {
            let is_source = word == name && matches!(before, "from" | "join");
            before = word;
            is_source
        });
        if !is_read {
            own.insert(name);
        }
    }
    own
}

/// Where the bracket closes that opens after `at`.
fn end_of(text: &str, at: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in text.bytes().enumerate().skip(at) {
        match byte {
            b'(' => depth += 1,
            b')' if depth <= 1 => return offset,
            b')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::defined_only;

    #[test]
    fn a_query_that_imports_a_view_under_its_own_name_reads_it() {
        let own = |text| defined_only(text).contains("turns");
        assert!(!own("with turns as (select * from turns) select * from turns"));
        assert!(own("with turns as (select count(*) from (select 1)) select * from turns"));
        assert!(!own("select * from turns"));
        assert!(!own("with a as (select * from turns), turns as (select 1) select * from turns"));
        assert!(!own("with my_turns as (select 1) select * from turns"));
    }
}
