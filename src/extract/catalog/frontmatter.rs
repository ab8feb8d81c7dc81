//! Reads name and description from the frontmatter of a skill file, as OpenCode does.
//!
//! Input: the text of the file. Output: [`Skill`], or the reason why OpenCode skips the file. OpenCode parses
//! with gray-matter; when the YAML is invalid it tries again with every value that holds a colon quoted,
//! so `description: Review: what to look at` is valid here although no YAML parser accepts it.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What a valid file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skill {
    /// `name`; `None` when there is none.
    pub name: Option<String>,
    /// `description`; `None` when there is none.
    pub description: Option<String>,
    /// Whether there is any frontmatter at all.
    pub has_frontmatter: bool,
    /// Characters of the body without white space around it: what is loaded into the conversation.
    pub body_chars: i64,
}

/// The two keys; others are skipped. A key that is there but empty is `Some(Null)`.
#[derive(Deserialize, Default)]
struct Header {
    #[serde(default, deserialize_with = "present")]
    name: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    description: Option<Value>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Parses a file. The error is a sentence for the column `problem`; it never quotes the file.
pub(super) fn parse(text: &str) -> Result<Skill, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(split) = split(text) else {
        return Ok(Skill { name: None, description: None, has_frontmatter: false, body_chars: chars(text.trim()) });
    };
    let header = match read_header(&split) {
        Ok(header) => header,
        Err(first) => repaired(text).and_then(|text| read_header(&self::split(&text)?).ok()).ok_or(first)?,
    };
    Ok(Skill {
        name: text_of(header.name, "name")?,
        description: text_of(header.description, "description")?,
        has_frontmatter: true,
        body_chars: chars(split.body.trim()),
    })
}

/// Characters, not bytes.
pub(super) fn chars(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// OpenCode demands text: a number, a date or nothing at all makes it skip the file.
fn text_of(value: Option<Value>, key: &str) -> Result<Option<String>, String> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Null) => Err(format!("{key} in the frontmatter is empty")),
        Some(_) => Err(format!("{key} in the frontmatter is not text")),
    }
}

struct Split<'a> {
    language: &'a str,
    matter: &'a str,
    body: &'a str,
}

/// gray-matter's rules: `---` opens at the very start (four dashes do not), a line that starts with `---` closes,
/// and without one everything is frontmatter.
fn split(text: &str) -> Option<Split<'_>> {
    let rest = text.strip_prefix("---")?;
    if rest.starts_with('-') {
        return None;
    }
    let line_end = rest.find('\n').unwrap_or(rest.len());
    let (language, rest) = rest.split_at(line_end);
    let (matter, body) = rest.split_once("\n---").unwrap_or((rest, ""));
    Some(Split { language: language.trim(), matter, body })
}

fn read_header(split: &Split<'_>) -> Result<Header, String> {
    let is_empty = split.matter.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    if is_empty {
        return Ok(Header::default());
    }
    match split.language.to_ascii_lowercase().as_str() {
        "" | "yaml" | "yml" => read_yaml(split.matter),
        "json" => serde_json::from_str(split.matter)
            .map_err(|error| format!("the frontmatter is not valid JSON (line {})", error.line())),
        _ => Err("the frontmatter is in a language that OpenCode does not read".to_owned()),
    }
}

fn read_yaml(matter: &str) -> Result<Header, String> {
    // Only true and false are booleans to OpenCode's parser: a skill may be called "on".
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(matter, options).map_err(|error| {
        // `matter` begins with the end of the first line, so its lines count as those of the file.
        let place = error.location().map(|location| format!(" (line {})", location.line()));
        format!("the frontmatter is not valid YAML{}", place.unwrap_or_default())
    })
}

/// OpenCode's second try: top-level values with a colon become block text. `None` when there is nothing to try.
fn repaired(text: &str) -> Option<String> {
    let rest = text.strip_prefix("---\r\n").or_else(|| text.strip_prefix("---\n"))?;
    let (matter, _) = rest.split_once("\n---")?;
    let mut lines = Vec::new();
    for line in matter.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        match value_with_colon(line) {
            Some((key, value)) => lines.push(format!("{key}: |-\n  {value}")),
            None => lines.push(line.to_owned()),
        }
    }
    Some(format!("---\n{}\n---\n", lines.join("\n")))
}

/// `key: value` at the start of a line, unquoted, with a colon in the value.
fn value_with_colon(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let key = key.trim_end();
    let value = value.trim();
    let mut characters = key.chars();
    let is_key = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|next| next.is_ascii_alphanumeric() || next == '_');
    let is_plain = !value.starts_with(['"', '\'']) && value.contains(':');
    (is_key && is_plain).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill(name: &str, description: Option<&str>, body_chars: i64) -> Skill {
        let description = description.map(str::to_owned);
        Skill { name: Some(name.to_owned()), description, has_frontmatter: true, body_chars }
    }

    #[test]
    fn reads_what_opencode_reads() {
        assert_eq!(parse("---\nname: a\ndescription: b\n---\n# c\n"), Ok(skill("a", Some("b"), 3)));
        assert_eq!(parse("\u{feff}---\r\nname: a\r\n---\r\nx é\r\n"), Ok(skill("a", None, 3)));
        assert_eq!(
            parse("---\nname: a\ndescription: Review: what, where\nlicense: MIT\n---\nx"),
            Ok(skill("a", Some("Review: what, where"), 1))
        );
        assert_eq!(
            parse("---\nname: a\ndescription: >\n  two\n  lines\n---\n"),
            Ok(skill("a", Some("two lines\n"), 0))
        );
        assert_eq!(parse("---\nname: on\n---\n"), Ok(skill("on", None, 0)));
        assert_eq!(parse("---\nname: 'yes'\nmetadata:\n  x: [1, 2]\n"), Ok(skill("yes", None, 0)));
        assert_eq!(parse("---json\n{\"name\": \"a\"}\n---\nx"), Ok(skill("a", None, 1)));
        assert_eq!(parse("---\n# nothing\n---\nx").map(|skill| skill.name), Ok(None));
    }

    #[test]
    fn frontmatter_opens_at_the_very_start() {
        for text in ["# text\n", "", "----\nname: a\n---\n", "\n---\nname: a\n---\n"] {
            assert_eq!(parse(text).map(|skill| skill.has_frontmatter), Ok(false), "{text}");
        }
    }

    #[test]
    fn says_why_a_file_is_skipped() {
        for (text, expected) in [
            ("---\nname: 12\n---\n", "name in the frontmatter is not text"),
            ("---\nname: a\ndescription:\n---\n", "description in the frontmatter is empty"),
            ("---\nname: a\ndescription: [x]\n---\n", "description in the frontmatter is not text"),
            ("---toml\nname = 'a'\n---\n", "the frontmatter is in a language that OpenCode does not read"),
        ] {
            assert_eq!(parse(text), Err(expected.to_owned()), "{text}");
        }
        let broken = parse("---\nname: [a\n---\n");
        assert!(broken.is_err_and(|problem| problem.starts_with("the frontmatter is not valid YAML")));
    }
}
