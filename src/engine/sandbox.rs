//! What a user's SQL may do: one SELECT over the store, nothing else.
//!
//! Input: SQL text and parameters, or a query file. Output: the statement ready to run, with `$name` turned into positions,
//! or ready to be pasted into another.

use super::duck::Duck;
use super::table::Value;
use super::views::body;
use crate::error::EngineError;
use crate::metric::QueryFile;

/// A statement that is safe to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The SQL.
    pub sql: String,
    /// Values of `?`, in order.
    pub values: Vec<String>,
}

/// One SELECT, ready to be pasted into a statement: of the program's own, or checked.
#[derive(Debug, Clone, Copy)]
pub struct Select<'a> {
    /// Named in errors.
    pub(super) file: &'a str,
    pub(super) sql: &'a str,
}

impl<'a> Select<'a> {
    /// A text of the program's own.
    #[must_use]
    pub fn own(file: &'a str, sql: &'a str) -> Self {
        Self { file, sql }
    }

    /// The statement of a query file.
    ///
    /// # Errors
    /// It is a user's, and no SELECT.
    pub fn of(duck: &Duck, file: &'a QueryFile) -> Result<Self, EngineError> {
        let select = Self { file: &file.path, sql: body(file) };
        if !file.is_embedded {
            one_select(duck, select.file, select.sql)?;
        }
        Ok(select)
    }
}

/// Kinds of queries that only read. Others can stand in a `with` (`copy … to`, `insert`, `update`, `delete`).
const READING: [&str; 4] = ["SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"];

/// Functions that act, take addresses of memory, or run text that nobody has checked. What they could reach is sealed off;
/// they are refused all the same.
const ACTING: [&str; 10] = [
    "query",
    "json_execute_serialized_sql",
    "write_log",
    "checkpoint",
    "force_checkpoint",
    "nextval",
    "currval",
    "setval",
    "arrow_scan",
    "arrow_scan_dumb",
];

/// Beginnings of names of functions that act.
const ACTING_PREFIXES: [&str; 7] = [
    "enable_",
    "disable_",
    "truncate_duckdb_",
    "register_external_",
    "deregister_external_",
    "create_external_",
    "destroy_external_",
];

/// The texts of a key, wherever it stands in a JSON document. Looking at the text takes any depth; inside of a string the
/// quotes of a key would be escaped.
fn texts_of<'t>(tree: &'t str, key: &str) -> Vec<&'t str> {
    let mark = format!("\"{key}\":\"");
    tree.match_indices(&mark).filter_map(|(at, mark)| tree[at + mark.len()..].split('"').next()).collect()
}

/// What in a parsed statement does more than read.
fn acting(tree: &str) -> Option<String> {
    let is_acting = |name: &&str| {
        let name = name.to_lowercase();
        ACTING.contains(&name.as_str()) || ACTING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    let kind = texts_of(tree, "type").into_iter().find(|kind| kind.ends_with("_NODE") && !READING.contains(kind));
    let name = || texts_of(tree, "function_name").into_iter().find(is_acting);
    kind.map(|kind| kind.trim_end_matches("_NODE").trim_end_matches("_QUERY").to_owned())
        .or_else(|| name().map(|name| format!("{name}()")))
}

/// Checks that `sql` is exactly one SELECT in all its parts, by DuckDB's own parser.
fn one_select(duck: &Duck, file: &str, sql: &str) -> Result<(), EngineError> {
    const PARSED: &str = "select tree, json_array_length(tree, '$.statements') \
        from (select json_serialize_sql(cast(? as varchar)) as tree)";
    let reject = |problem: String| EngineError::NotSelect { file: file.to_owned(), problem };
    let parsed = duck.query(file, PARSED, &[sql.to_owned()])?;
    let Value::Text(tree) = parsed.value(0, 0) else { return Err(reject("the parser said nothing".into())) };
    match parsed.value(0, 1).as_i64() {
        Some(1) => match acting(tree) {
            Some(what) => Err(reject(format!("{what} does more than read"))),
            None => Ok(()),
        },
        Some(0) => Err(reject("it is empty".into())),
        Some(count) => Err(reject(format!("it holds {count} statements"))),
        None => Err(refused(file, tree)),
    }
}

/// What the parser has against a text.
fn refused(file: &str, answer: &str) -> EngineError {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap_or_default();
    let text = |key: &str| answer.get(key).and_then(serde_json::Value::as_str);
    match (text("error_type"), text("error_message")) {
        // A typing error is the common case: let it read as what it is.
        (Some("parser"), Some(message)) => EngineError::Sql { file: file.to_owned(), message: message.to_owned() },
        _ => EngineError::NotSelect {
            file: file.to_owned(),
            problem: "this is another statement (PIVOT is a SELECT where its values are listed: on column in (…))"
                .into(),
        },
    }
}

/// Checks that `sql` is exactly one SELECT, and orders its parameters.
///
/// # Errors
/// It is something else, or parameters are missing or left over.
pub fn check(duck: &Duck, file: &str, sql: &str, parameters: &[String]) -> Result<Checked, EngineError> {
    let sql = sql.trim().trim_end_matches(';').trim_end();
    one_select(duck, file, sql)?;
    let checked = bind(file, sql, parameters)?;
    if checked.sql != sql {
        // What runs is what was looked at.
        one_select(duck, file, &checked.sql)?;
    }
    Ok(checked)
}

/// One stretch of SQL text.
enum Piece<'a> {
    Text(&'a str),
    Question,
    Named(&'a str),
}

/// Splits SQL at its parameters, leaving strings, quoted names and comments alone.
fn pieces(sql: &str) -> Vec<Piece<'_>> {
    let bytes = sql.as_bytes();
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            quote @ (b'\'' | b'"') => {
                bytes[at + 1..].iter().position(|byte| *byte == quote).map_or(bytes.len(), |length| at + length + 2)
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                sql[at..].find("*/").map_or(bytes.len(), |length| at + length + 2)
            }
            b'$' if dollar_quoted(&sql[at..]) > 0 => at + dollar_quoted(&sql[at..]),
            b'?' => {
                pieces.extend([Piece::Text(&sql[start..at]), Piece::Question]);
                start = at + 1;
                start
            }
            b'$' if bytes.get(at + 1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') => {
                let length =
                    bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                pieces.extend([Piece::Text(&sql[start..at]), Piece::Named(&sql[at + 1..at + 1 + length])]);
                start = at + 1 + length;
                start
            }
            _ => at + 1,
        };
        at = end;
    }
    pieces.push(Piece::Text(&sql[start..]));
    pieces
}

/// The length of the string between `$tag$` and `$tag$` on which a text begins; 0 where it does not.
fn dollar_quoted(text: &str) -> usize {
    let is_of_tag = |letter: char| letter.is_alphanumeric() || letter == '_';
    let length = text[1..].find(|letter| !is_of_tag(letter)).map_or(0, |letters| letters + 2);
    match text.get(..length).filter(|tag| tag.ends_with('$')) {
        Some(tag) => text[length..].find(tag).map_or(text.len(), |end| length + end + length),
        None => 0,
    }
}

fn bind(file: &str, sql: &str, parameters: &[String]) -> Result<Checked, EngineError> {
    let fail = |problem: String| EngineError::Parameter { file: file.to_owned(), problem };
    let split = |parameter: &String| -> (Option<String>, String) {
        match parameter.split_once('=') {
            Some((name, value))
                if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') =>
            {
                (Some(name.to_owned()), value.to_owned())
            }
            _ => (None, parameter.clone()),
        }
    };
    let given: Vec<(Option<String>, String)> = parameters.iter().map(split).collect();
    let pieces = pieces(sql);
    let names: Vec<&str> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Named(name) => Some(*name),
            _ => None,
        })
        .collect();
    let mut in_order = given.iter().filter(|(name, _)| name.as_deref().is_none_or(|name| !names.contains(&name)));
    let mut text = String::with_capacity(sql.len());
    let mut values = Vec::new();
    let mut questions = 0;
    for piece in &pieces {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Question => {
                questions += 1;
                let (_, value) =
                    in_order.next().ok_or_else(|| fail(format!("`?` number {questions} has no --param")))?;
                values.push(value.clone());
                text.push('?');
            }
            Piece::Named(name) => {
                let value =
                    given.iter().find(|(given, _)| given.as_deref() == Some(name)).map(|(_, value)| value.clone());
                values.push(value.ok_or_else(|| fail(format!("${name} has no --param {name}=VALUE")))?);
                text.push('?');
            }
        }
    }
    match in_order.next() {
        Some((_, value)) => Err(fail(format!("--param '{value}' is bound by nothing in the SQL"))),
        None => Ok(Checked { sql: text, values }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(sql: &str, parameters: &[&str]) -> Result<Checked, EngineError> {
        bind("-c", sql, &parameters.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn question_marks_take_parameters_in_order_with_or_without_names() {
        let checked =
            bound("select ? where a = ? -- ? here\n and b = '?' and \"c?\" = $x", &["ses_1", "2=two", "x=y=z"])
                .expect("ok");
        assert_eq!(checked.values, ["ses_1", "two", "y=z"]);
        assert_eq!(checked.sql, "select ? where a = ? -- ? here\n and b = '?' and \"c?\" = ?");
        let checked = bound("select $a$ ? $a $$ $a$, $$?$$, $a, $1", &["a=b"]).expect("ok");
        assert_eq!((checked.sql.as_str(), checked.values.len()), ("select $a$ ? $a $$ $a$, $$?$$, ?, $1", 1));
    }

    #[test]
    fn missing_and_superfluous_parameters_are_named() {
        assert!(bound("select ?", &[]).is_err());
        assert!(bound("select $x", &["y=1"]).is_err());
        assert!(bound("select 1", &["1"]).is_err());
    }
}
