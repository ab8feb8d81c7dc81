//! What a user's SQL may do: one SELECT over the store, nothing else.
//!
//! Input: SQL text and parameters. Output: the statement ready to run, with `$name` turned into positions.

use super::duck::Duck;
use super::table::Value;
use crate::error::EngineError;

/// A statement that is safe to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The SQL.
    pub sql: String,
    /// Values of `?`, in order.
    pub values: Vec<String>,
}

/// Functions that act, or run text that nobody has checked. What they could reach is sealed off; they are refused all the same.
const ACTING: [&str; 6] =
    ["query", "json_execute_serialized_sql", "write_log", "checkpoint", "force_checkpoint", "nextval"];

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

/// The first function in a parsed statement that does something.
fn acting(tree: &serde_json::Value) -> Option<String> {
    match tree {
        serde_json::Value::Object(fields) => {
            let name = fields.get("function_name").and_then(serde_json::Value::as_str).map(str::to_lowercase);
            let is_acting = |name: &String| {
                ACTING.contains(&name.as_str()) || ACTING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            };
            name.filter(is_acting).or_else(|| fields.values().find_map(acting))
        }
        serde_json::Value::Array(items) => items.iter().find_map(acting),
        _ => None,
    }
}

/// Checks that `sql` is exactly one SELECT, by DuckDB's own parser, and orders its parameters.
///
/// # Errors
/// It is something else, or parameters are missing or left over.
pub fn check(duck: &Duck, file: &str, sql: &str, parameters: &[String]) -> Result<Checked, EngineError> {
    let sql = sql.trim().trim_end_matches(';').trim_end();
    let reject = |problem: String| EngineError::NotSelect { file: file.to_owned(), problem };
    if sql.is_empty() {
        return Err(reject("it is empty".into()));
    }
    let parsed = duck.query(file, "select json_serialize_sql(cast(? as varchar))", &[sql.to_owned()])?;
    let Value::Text(tree) = parsed.value(0, 0) else { return Err(reject("the parser said nothing".into())) };
    let tree: serde_json::Value =
        serde_json::from_str(tree).map_err(|error| reject(format!("the parser's answer is not JSON ({error})")))?;
    if tree.get("error").and_then(serde_json::Value::as_bool) == Some(true) {
        let message =
            tree.get("error_message").and_then(serde_json::Value::as_str).unwrap_or("not a SELECT").to_owned();
        // A typing error is the common case: let it read as what it is.
        return Err(if tree.get("error_type").and_then(serde_json::Value::as_str) == Some("parser") {
            EngineError::Sql { file: file.to_owned(), message }
        } else {
            reject(message)
        });
    }
    match tree.get("statements").and_then(serde_json::Value::as_array).map(Vec::len) {
        Some(1) => {}
        count => return Err(reject(format!("it holds {} statements", count.unwrap_or(0)))),
    }
    if let Some(name) = acting(&tree) {
        return Err(reject(format!("{name}() does more than read")));
    }
    bind(file, sql, parameters)
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
    }

    #[test]
    fn missing_and_superfluous_parameters_are_named() {
        assert!(bound("select ?", &[]).is_err());
        assert!(bound("select $x", &["y=1"]).is_err());
        assert!(bound("select 1", &["1"]).is_err());
    }
}
