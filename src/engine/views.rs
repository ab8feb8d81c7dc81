//! The views that SQL reads: raw tables, OpenCode's own tables, staging, and the marts of a run.
//!
//! Input: the manifest's files, the registry, a scope. Output: views and macros in the database.

use super::duck::Duck;
use super::scope::{Scope, literal};
use crate::error::EngineError;
use crate::metric::{Layer, QueryFile};
use crate::registry::Registry;
use crate::store::Store;
use crate::store::manifest::Manifest;
use crate::store::schema::{Kind, Origin, TABLES, TableDef};
use camino::Utf8PathBuf;
use std::collections::HashSet;

fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "varchar",
        Kind::Int => "bigint",
        Kind::Float => "double",
        Kind::Bool => "boolean",
    }
}

/// `read_parquet` over an exact list of files; an empty relation of the right types where there is none.
pub(super) fn relation(table: &TableDef, files: &[Utf8PathBuf], has_content: bool) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let absent = files.is_empty() || (column.origin == Origin::Content && !has_content);
            if absent {
                format!("cast(null as {}) as \"{}\"", sql_type(column.kind), column.name)
            } else {
                format!("\"{}\"", column.name)
            }
        })
        .collect();
    let columns = columns.join(", ");
    if files.is_empty() {
        return format!("select {columns} where false");
    }
    let list = files.iter().map(|path| literal(path.as_str())).collect::<Vec<_>>().join(", ");
    format!("select {columns} from read_parquet([{list}], hive_partitioning = false)")
}

/// Which views a run needs: creating one costs about a millisecond, and there are well over a hundred.
pub struct Wanted(Option<HashSet<String>>);

impl Wanted {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self(None)
    }

    /// Those that these texts name, and what they are made of.
    #[must_use]
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>, registry: &Registry) -> Self {
        let mut words = HashSet::new();
        for text in texts {
            words.extend(
                text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                    .filter(|word| !word.is_empty())
                    .map(str::to_ascii_lowercase),
            );
        }
        if words.contains("skills") {
            words.insert("stg_skills".to_owned());
        }
        for file in registry.layer(Layer::Staging).filter(|file| words.contains(&file.name)).collect::<Vec<_>>() {
            words.extend(file.sources.iter().cloned());
        }
        Self(Some(words))
    }

    /// A view of this name is needed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|words| words.contains(name))
    }

    /// Any view of this mart is needed.
    #[must_use]
    pub fn has_mart(&self, name: &str) -> bool {
        ["", "_history", "_raw"].iter().any(|suffix| self.has(&format!("{name}{suffix}")))
            || self.has(&format!("mart_{name}"))
    }
}

/// Views of the tables: `raw_<table>` with all columns, `<table>` with OpenCode's own, and staging.
///
/// # Errors
/// A staging file's SQL fails.
pub fn tables(
    duck: &Duck,
    store: &Store,
    manifest: &Manifest,
    registry: &Registry,
    wanted: &Wanted,
) -> Result<(), EngineError> {
    for table in TABLES {
        if !wanted.has(table.name) && !wanted.has(&format!("raw_{}", table.name)) {
            continue;
        }
        let files = store.files(manifest, table.name);
        let sql = relation(table, &files, manifest.has_content);
        duck.batch(table.name, &format!("create or replace view raw_{} as {sql}", table.name))?;
        let own: Vec<String> = table
            .columns
            .iter()
            .filter(|column| column.origin != Origin::Decoded)
            .map(|column| format!("\"{}\"", column.name))
            .collect();
        let has_source_columns = table.columns.iter().any(|column| column.origin == Origin::Source);
        if has_source_columns {
            duck.batch(
                table.name,
                &format!("create or replace view \"{0}\" as select {1} from raw_{0}", table.name, own.join(", ")),
            )?;
        }
    }
    if wanted.has("quarantine") {
        duck.batch("quarantine", "create or replace view quarantine as select * from raw_quarantine")?;
    }
    for file in registry.layer(Layer::Staging).filter(|file| wanted.has(&file.name)) {
        duck.batch(&file.path, &format!("create or replace view \"{}\" as {}", file.name, body(file)))?;
    }
    if wanted.has("skills") {
        duck.batch("skills", "create or replace view skills as select * from stg_skills")?;
    }
    duck.batch("macros", MACROS)
}

/// The statement of a file, without a closing semicolon.
#[must_use]
pub fn body(file: &QueryFile) -> &str {
    file.text.trim_end().trim_end_matches(';')
}

/// SQLite's JSON functions as OpenCode's users know them, and intervals for shares.
const MACROS: &str = "
create or replace macro json_extract(document, path) as
    case when json_valid(document) then
        case json_type(cast(document as json), path)
            when 'VARCHAR' then json_extract_string(cast(document as json), path)
            when 'BOOLEAN' then cast(cast(json_extract_string(cast(document as json), path) = 'true' as integer) as varchar)
            when 'NULL' then null
            else json_extract_string(cast(document as json), path)
        end
    end;
create or replace macro wilson_low(successes, n) as
    case when n > 0 and successes <= 0 then 0.0 when n > 0 then greatest(0.0, (successes / cast(n as double) + 1.9207294 / n
        - 1.959964 * sqrt((successes / cast(n as double)) * (1 - successes / cast(n as double)) / n + 0.9603647 / (cast(n as double) * n)))
        / (1 + 3.8414588 / n)) end;
create or replace macro wilson_high(successes, n) as
    case when n > 0 and successes >= n then 1.0 when n > 0 then least(1.0, (successes / cast(n as double) + 1.9207294 / n
        + 1.959964 * sqrt((successes / cast(n as double)) * (1 - successes / cast(n as double)) / n + 0.9603647 / (cast(n as double) * n)))
        / (1 + 3.8414588 / n)) end;
";

/// Views of the marts as a run sees them: in the connection's period, filtered, in the user's zone. The connection gets the
/// scope's own period.
///
/// # Errors
/// A mart is missing or its columns cannot be read.
pub fn scoped(duck: &Duck, registry: &Registry, scope: &Scope, wanted: &Wanted) -> Result<(), EngineError> {
    let offset = scope.offset_sql();
    duck.batch(
        "zone",
        &format!(
            "create or replace macro local_ms(ms) as (ms + {offset});
             create or replace macro local_time(ms) as make_timestamp((ms + ({offset})) * 1000);
             create or replace macro local_date(ms) as cast(local_time(ms) as date);
             create or replace macro local_week(ms) as strftime(local_time(ms), '%G-W%V');
             create or replace macro local_month(ms) as strftime(local_time(ms), '%Y-%m');
             create or replace macro local_hour(ms) as cast(extract('hour' from local_time(ms)) as integer);
             create or replace macro local_weekday(ms) as cast(extract('isodow' from local_time(ms)) as integer);"
        ),
    )?;
    duck.batch("period", &Scope::variables(&scope.period))?;
    duck.batch(
        "run",
        &format!(
            "create or replace view run as select getvariable('since_ms') as since_ms, getvariable('until_ms') as until_ms,
                cast({} as bigint) as now_ms, {} as timezone, getvariable('is_all') as is_all, {} as count_forks",
            scope.now.as_millisecond(),
            literal(&scope.zone_name),
            scope.count_forks,
        ),
    )?;
    for file in registry.layer(Layer::Mart).filter(|file| wanted.has_mart(&file.name)) {
        let mart = format!("mart_{}", file.name);
        let columns = duck.columns(&mart)?;
        let filters = scope.filters(&columns);
        let has_copies = columns.iter().any(|column| column == "is_fork_copy");
        let local = file.time.as_ref().map_or(String::new(), |time| {
            format!(
                ", local_date(\"{time}\") as local_date, local_week(\"{time}\") as local_week, \
                 local_month(\"{time}\") as local_month, local_hour(\"{time}\") as local_hour, \
                 local_weekday(\"{time}\") as local_weekday"
            )
        });
        for (suffix, with_start, with_copies) in
            [("", true, scope.count_forks), ("_history", false, scope.count_forks), ("_raw", true, true)]
        {
            if !wanted.has(&format!("{}{suffix}", file.name)) {
                continue;
            }
            let mut predicates = filters.clone();
            if let Some(time) = &file.time {
                predicates.push(Scope::in_period(time, with_start));
            }
            if has_copies && !with_copies {
                predicates.push("not is_fork_copy".to_owned());
            }
            let condition =
                if predicates.is_empty() { String::new() } else { format!(" where {}", predicates.join(" and ")) };
            duck.batch(
                &file.path,
                &format!(
                    "create or replace view \"{}{suffix}\" as select *{local} from \"{mart}\"{condition}",
                    file.name
                ),
            )?;
        }
    }
    Ok(())
}
