//! Remembers what was measured: the same files, SQL, period, zone and filters give the same table.
//!
//! Input: a key over everything that a result depends on. Output: the table, from `marts/<key>/memo/`, which goes with the
//! marts when the store changes. A metric that looks at the clock is remembered for that clock only. A file that cannot
//! be read, or in which a byte is another, is measured again, and one that cannot be written is left out: nothing
//! depends on it.

use super::scope::Scope;
use super::table::{Column, Data, Table, Unit};
use crate::model::digest;
use crate::model::period::Period;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value as Json, json};

/// Name of the folder beside the marts.
pub(super) const FOLDER: &str = "memo";

/// Results kept; the oldest go first.
const KEPT: usize = 2_000;

/// Results of one state of the store under one scope.
#[derive(Debug, Clone)]
pub struct Memo {
    folder: Utf8PathBuf,
    scope: String,
    now: i64,
}

impl Memo {
    /// For the folder of a state's marts and a scope without its period.
    #[must_use]
    pub fn new(marts: &Utf8Path, scope: &Scope) -> Self {
        let filters = format!(
            "{} {:?} {:?} {:?} {} {}",
            scope.zone_name,
            scope.project,
            scope.model,
            scope.agent,
            scope.count_forks,
            scope.offset_sql("ms")
        );
        Self { folder: marts.join(FOLDER), scope: filters, now: scope.now.as_millisecond() }
    }

    fn path(&self, name: &str, text: &str, period: &Period) -> Utf8PathBuf {
        let clock = if text.contains("now_ms") { self.now } else { 0 };
        let key =
            format!("{name} {} {:?} {:?} {} {clock} {text}", self.scope, period.since, period.until, period.is_all);
        self.folder.join(format!("{}.json", &digest::sha256(key.as_bytes())[..32]))
    }

    /// What was measured before.
    #[must_use]
    pub fn get(&self, name: &str, text: &str, period: &Period) -> Option<Table> {
        let path = self.path(name, text, period);
        let bytes = std::fs::read(&path).ok()?;
        let Some(body) = digest::unseal(path.file_name()?, &bytes) else {
            tracing::debug!("{path}: not what was written: measuring again");
            return None;
        };
        from_json(&serde_json::from_slice(body).ok()?)
    }

    /// Remembers a result.
    pub fn put(&self, name: &str, text: &str, period: &Period, table: &Table) {
        let path = self.path(name, text, period);
        if let Ok(body) = serde_json::to_vec(&to_json(table))
            && crate::store::private_folder(&self.folder).is_ok()
            && let Err(error) =
                crate::store::write_whole(&path, &digest::seal(path.file_name().unwrap_or_default(), &body))
        {
            tracing::debug!("{name}: not remembered: {error}");
        }
    }

    /// Drops the oldest results beyond the number kept.
    pub fn trim(&self) {
        let Ok(entries) = self.folder.read_dir_utf8() else { return };
        let mut files: Vec<(std::time::SystemTime, Utf8PathBuf)> = entries
            .filter_map(Result::ok)
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.into_path())))
            .collect();
        if files.len() > KEPT {
            files.sort();
            for (_, path) in &files[..files.len() - KEPT] {
                remove(path);
            }
        }
    }
}

fn remove(path: &Utf8Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!("{path}: {error}");
    }
}

/// Fractions go as their bits: what comes back is what went in.
fn to_json(table: &Table) -> Json {
    let column = |column: &Column| {
        let (kind, values) = match &column.data {
            Data::Bool(values) => ("bool", json!(values)),
            Data::Int(values) => ("int", json!(values)),
            Data::Float(values) => {
                ("float", json!(values.iter().map(|value| value.map(f64::to_bits)).collect::<Vec<_>>()))
            }
            Data::Text(values) => ("text", json!(values)),
            Data::Date(values) => ("date", json!(values)),
        };
        json!({"name": column.name, "unit": column.unit.word(), "kind": kind, "values": values})
    };
    Json::Array(table.columns.iter().map(column).collect())
}

fn from_json(json: &Json) -> Option<Table> {
    fn values<T>(json: &Json, read: impl Fn(&Json) -> Option<T>) -> Option<Vec<Option<T>>> {
        json.as_array()?.iter().map(|value| if value.is_null() { Some(None) } else { read(value).map(Some) }).collect()
    }
    let columns = json
        .as_array()?
        .iter()
        .map(|column| {
            let list = column.get("values")?;
            let data = match column.get("kind")?.as_str()? {
                "bool" => Data::Bool(values(list, Json::as_bool)?),
                "int" => Data::Int(values(list, Json::as_i64)?),
                "float" => Data::Float(values(list, |bits| bits.as_u64().map(f64::from_bits))?),
                "text" => Data::Text(values(list, |text| text.as_str().map(str::to_owned))?),
                "date" => Data::Date(values(list, |days| days.as_i64().and_then(|days| i32::try_from(days).ok()))?),
                _ => return None,
            };
            let unit = Unit::parse(column.get("unit")?.as_str()?)?;
            Some(Column { name: column.get("name")?.as_str()?.to_owned(), unit, data })
        })
        .collect::<Option<Vec<_>>>()?;
    let height = columns.first().map_or(0, |column| column.data.len());
    columns.iter().all(|column| column.data.len() == height).then_some(Table { columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_what_went_in() {
        let column = |name: &str, unit, data| Column { name: name.into(), unit, data };
        let table = Table {
            columns: vec![
                column("a", Unit::Name, Data::Bool(vec![Some(true), None, Some(false)])),
                column("b", Unit::At, Data::Int(vec![Some(i64::MIN), Some(i64::MAX), None])),
                column("c", Unit::Usd, Data::Float(vec![Some(0.1 + 0.2), Some(-0.0), None])),
                column("d", Unit::Name, Data::Text(vec![Some("\"\u{0}é".into()), None, Some(String::new())])),
                column("e", Unit::Date, Data::Date(vec![Some(-1), Some(20_000), None])),
            ],
        };
        assert_eq!(from_json(&to_json(&table)), Some(table));
    }

    #[test]
    fn what_is_not_a_table_is_nothing() {
        for text in ["null", "[1]", r#"[{"name":"a","unit":"name","kind":"int","values":["x"]}]"#] {
            assert_eq!(from_json(&serde_json::from_str(text).expect("JSON")), None);
        }
    }
}
