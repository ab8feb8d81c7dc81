//! The views that SQL reads: raw tables, OpenCode's own tables, staging, and the marts of a run.
//!
//! Input: the manifest's files, the registry, a scope. Output: views and macros in the database.

use super::duck::Duck;
use super::macros::MACROS;
use super::sandbox::Select;
use super::scope::{Scope, literal};
use super::union::Union;
use super::wanted::Wanted;
use crate::error::EngineError;
use crate::metric::{Layer, QueryFile};
use crate::registry::Registry;
use crate::store::Store;
use crate::store::manifest::Manifest;
use crate::store::schema::{Origin, TABLES, TableDef};
use std::collections::BTreeSet;

/// Tables of which all rows of a session lie in the partition of the session; others are not divided by sessions.
const DIVIDED: &[&str] = &["session", "message", "part", "todo", "signal"];

fn is_divided(table: &TableDef) -> bool {
    DIVIDED.contains(&table.name)
}

/// The partition in which a file of the store lies.
pub(super) fn partition_of(path: &str) -> Option<&str> {
    path.rsplit('/').nth(1).filter(|folder| folder.contains('='))
}

/// Views of the tables: `raw_<table>` with all columns, `<table>` with OpenCode's own, and staging; over some partitions
/// or (None) all of them.
///
/// # Errors
/// A staging file's SQL fails.
pub fn tables(
    duck: &Duck,
    store: &Store,
    manifest: &Manifest,
    registry: &Registry,
    wanted: &Wanted,
    partitions: Option<&BTreeSet<String>>,
) -> Result<(), EngineError> {
    if partitions.is_none() {
        duck.batch("macros", MACROS)?;
    }
    let union = Union::prepare(duck, store, manifest, wanted, partitions)?;
    for table in TABLES {
        let is_wanted = wanted.has(table.name) || wanted.has(&format!("raw_{}", table.name));
        if !is_wanted || (partitions.is_some() && !is_divided(table)) {
            continue;
        }
        let sql = union.sql(table)?;
        duck.batch(table.name, &format!("create or replace view raw_{} as {sql}", table.name))?;
        let own: Vec<String> = table
            .columns
            .iter()
            .filter(|column| matches!(column.origin, Origin::Source | Origin::Content))
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
    if wanted.has("quarantine") && partitions.is_none() {
        duck.batch("quarantine", "create or replace view quarantine as select * from raw_quarantine")?;
    }
    let undivided = |file: &QueryFile| {
        let is_whole =
            |source: &String| !TABLES.iter().any(|table| is_divided(table) && *source == format!("raw_{}", table.name));
        file.sources.iter().any(is_whole)
    };
    for file in registry.layer(Layer::Staging).filter(|file| wanted.has(&file.name)) {
        if partitions.is_some() && undivided(file) {
            continue;
        }
        let select = Select::of(duck, file)?.sql;
        duck.batch(&file.path, &format!("create or replace view \"{}\" as {select}", file.name))?;
    }
    if partitions.is_none() && wanted.has("skills") {
        duck.batch("skills", "create or replace view skills as select * from stg_skills")?;
    }
    Ok(())
}

/// The statement of a file, without a closing semicolon.
#[must_use]
pub fn body(file: &QueryFile) -> &str {
    file.text.trim_end().trim_end_matches(';')
}

/// Views of the marts as a run sees them: in the connection's period, filtered, in the user's zone. The connection gets the
/// scope's own period.
///
/// # Errors
/// A mart is missing or its columns cannot be read.
pub fn scoped(duck: &Duck, registry: &Registry, scope: &Scope, wanted: &Wanted) -> Result<(), EngineError> {
    let offset = scope.offset_sql("ms");
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
    for file in registry.layer(Layer::Mart).filter(|file| wanted.has_mart(file)) {
        let mart = format!("mart_{}", file.name);
        let columns = duck.columns(&mart)?;
        let filters = scope.filters(&columns);
        let has_copies = columns.iter().any(|column| column == "is_fork_copy");
        let (moment, local) = file.time.as_ref().map_or_else(Default::default, |time| local(scope, time));
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
                    "create or replace view \"{}{suffix}\" as select *{local} from (select *{moment} from \"{mart}\"{condition})",
                    file.name
                ),
            )?;
        }
    }
    Ok(())
}

/// The columns of a view that tell a row's time in the run's zone: what the inner and what the outer of two queries selects
/// besides `*`, so that the zone's changes are looked up once for all of them.
fn local(scope: &Scope, time: &str) -> (String, String) {
    let moment =
        format!(", make_timestamp((\"{time}\" + ({})) * 1000) as own_moment", scope.offset_sql(&format!("\"{time}\"")));
    let local = " exclude (own_moment), cast(own_moment as date) as local_date, strftime(own_moment, '%G-W%V') as local_week, \
         strftime(own_moment, '%Y-%m') as local_month, cast(extract('hour' from own_moment) as integer) as local_hour, \
         cast(extract('isodow' from own_moment) as integer) as local_weekday";
    (moment, local.to_owned())
}
