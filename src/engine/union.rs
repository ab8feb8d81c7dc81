//! Several sources as one: rows with the same id count once, and the newest state of a row wins.
//!
//! Input: the manifest's files, each of one source. Output: SQL for the view of each table. Where no session stands in two
//! sources, which is the rule, the view is a plain `union all` and costs nothing; otherwise the rows that lose are found
//! once, and left out.
//!
//! The second generation wins over the first, then the later `time_updated`, then a row that its source still holds over one
//! that vanished, then the source that was named first; a row that any source holds is not gone. Parts go with their
//! message: when its newest state is of the second generation, parts of the first lose. Of todos a list that is held wins.

use super::duck::Duck;
use super::scope::literal;
use super::views::partition_of;
use super::wanted::Wanted;
use crate::error::EngineError;
use crate::store::manifest::{FileEntry, Manifest};
use crate::store::schema::{self, Kind, TableDef};
use crate::store::{Store, read};
use std::collections::{BTreeMap, BTreeSet};

fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "varchar",
        Kind::Int => "bigint",
        Kind::Float => "double",
        Kind::Bool => "boolean",
    }
}

/// Tables of which a row in two sources is one row.
const UNITED: [&str; 7] = ["session", "message", "part", "signal", "todo", "project", "quarantine"];

/// Of these tables, rows that lose say whether their source still holds them.
const HELD: [&str; 4] = ["session", "message", "part", "project"];

/// What lies on disk: the same things are found through the directories of several sources.
fn is_on_disk(table: &TableDef) -> bool {
    !table.columns.iter().any(|column| column.name == "source")
}

/// Files of one source, which have the same columns.
fn groups<'a>(
    manifest: &'a Manifest,
    table: &str,
    only: impl Fn(&FileEntry) -> bool,
) -> BTreeMap<Option<&'a str>, Vec<&'a FileEntry>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for file in manifest.tables.get(table).into_iter().flat_map(|table| &table.files).filter(|file| only(file)) {
        groups.entry(file.source()).or_default().push(file);
    }
    groups
}

/// Rows of all sources, one after the other; an empty relation of the right types where there is none.
///
/// # Errors
/// A file cannot be read.
pub(super) fn gathered(
    store: &Store,
    manifest: &Manifest,
    table: &TableDef,
    only: impl Fn(&FileEntry) -> bool,
) -> Result<String, EngineError> {
    let mut selects = Vec::new();
    for (source, files) in groups(manifest, table.name, only) {
        let entry = source.and_then(|source| manifest.source(source));
        let gone_at = entry.and_then(|entry| entry.last_seen_at);
        if is_on_disk(table) && gone_at.is_some() {
            continue;
        }
        let names = read::column_names(&store.root().join(&files[0].path))?;
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| {
                let name = column.name;
                let there = names.iter().any(|known| known == name);
                match (name, source) {
                    ("source", Some(source)) if !there => format!("{} as source", literal(source)),
                    // A bad line of telemetry is named by its file and number.
                    ("source", None) if !there && names.iter().any(|known| known == "row_id") => {
                        "regexp_replace(row_id, ':[0-9]+$', '') as source".to_owned()
                    }
                    ("last_seen_at", _) if gone_at.is_some() => {
                        let own = if there { "last_seen_at, " } else { "" };
                        format!("coalesce({own}cast({} as bigint)) as last_seen_at", gone_at.unwrap_or_default())
                    }
                    _ if there => format!("\"{name}\""),
                    _ => format!("cast(null as {}) as \"{name}\"", sql_type(column.kind)),
                }
            })
            .collect();
        let list: Vec<String> = files.iter().map(|file| literal(store.root().join(&file.path).as_str())).collect();
        let rows = format!(
            "select {} from read_parquet([{}], hive_partitioning = false)",
            columns.join(", "),
            list.join(", ")
        );
        selects.push(if source.is_none() && table.name == "quarantine" { once(table, &rows) } else { rows });
    }
    if selects.is_empty() {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("cast(null as {}) as \"{}\"", sql_type(column.kind), column.name))
            .collect();
        return Ok(format!("select {} where false", columns.join(", ")));
    }
    let union = if is_on_disk(table) { " union " } else { " union all " };
    let sql = selects.join(union);
    Ok(if manifest.present_only && table.position("last_seen_at").is_some() {
        format!("select * from ({sql}) where last_seen_at is null")
    } else {
        sql
    })
}

/// Bad lines of telemetry that several writers read on one disk, each once: with its text where one of them keeps it.
fn once(table: &TableDef, rows: &str) -> String {
    let others: Vec<&str> = table.columns.iter().map(|column| column.name).filter(|name| *name != "data").collect();
    format!(
        "select distinct * from ({rows}) qualify data is not null or count(data) over (partition by {}) = 0",
        others.join(", ")
    )
}

/// How the tables of a store are read.
pub(super) struct Union<'a> {
    store: &'a Store,
    manifest: &'a Manifest,
    /// Some partitions only; None = all.
    partitions: Option<&'a BTreeSet<String>>,
    is_shared: bool,
}

impl<'a> Union<'a> {
    /// Looks whether a session stands in two sources and, if so, finds the rows that lose.
    ///
    /// # Errors
    /// A file of the store cannot be read.
    pub(super) fn prepare(
        duck: &Duck,
        store: &'a Store,
        manifest: &'a Manifest,
        wanted: &Wanted,
        partitions: Option<&'a BTreeSet<String>>,
    ) -> Result<Self, EngineError> {
        let mut union = Self { store, manifest, partitions, is_shared: false };
        let wants = |table: &str| wanted.has(table) || wanted.has(&format!("raw_{table}"));
        if manifest.sources.len() < 2 || !UNITED.iter().any(|table| wants(table)) {
            return Ok(union);
        }
        let count = |duck: &Duck| -> Result<bool, EngineError> {
            let count = duck.query("sources", "select count(*) from shared_session", &[])?;
            Ok(count.value(0, 0).as_i64().unwrap_or(0) > 0)
        };
        if partitions.is_some() {
            // What loses was found when all partitions were looked at.
            union.is_shared = count(duck)?;
            return Ok(union);
        }
        let all = |table: &TableDef| gathered(store, manifest, table, |_| true);
        let lost = |file: &FileEntry| file.partition() == Some("unknown");
        let shared = format!(
            "create or replace table shared_session as
             select session_id from (
                 select id as session_id, source from ({})
                 union select session_id, source from ({})
                 union select session_id, source from ({})
             ) group by session_id having count(distinct source) > 1",
            all(&schema::SESSION)?,
            gathered(store, manifest, &schema::MESSAGE, lost)?,
            gathered(store, manifest, &schema::PART, lost)?,
        );
        duck.batch("sources", &shared)?;
        union.is_shared = count(duck)?;
        let names: Vec<String> = manifest.sources.iter().map(|source| literal(&source.name)).collect();
        let order = format!("list_position([{}], source)", names.join(", "));
        for table in schema::TABLES.iter().filter(|table| union.is_united(table)) {
            let sql = format!("create or replace view gathered_{} as {}", table.name, all(table)?);
            duck.batch(table.name, &sql)?;
        }
        for (needed_by, sql) in LOSERS {
            let is_for_project = *needed_by == ["project"];
            if (union.is_shared || is_for_project) && needed_by.iter().any(|table| wants(table)) {
                duck.batch("sources", &sql.replace("{order}", &order))?;
            }
        }
        Ok(union)
    }

    fn is_united(&self, table: &TableDef) -> bool {
        let several = self.manifest.sources.len() > 1;
        several && (table.name == "project" || (self.is_shared && UNITED.contains(&table.name)))
    }

    /// What the view of a table selects.
    ///
    /// # Errors
    /// A file of the store cannot be read.
    pub(super) fn sql(&self, table: &TableDef) -> Result<String, EngineError> {
        let rows = gathered(self.store, self.manifest, table, |file| {
            let partition = partition_of(&file.path);
            self.partitions.is_none_or(|partitions| partition.is_some_and(|name| partitions.contains(name)))
        })?;
        if !self.is_united(table) {
            return Ok(rows);
        }
        let name = table.name;
        let keys: &[&str] = match name {
            "todo" => &["session_id"],
            "signal" => &["part_id"],
            "quarantine" => &["table_name", "row_id"],
            _ => &["id"],
        };
        let same: Vec<String> = keys.iter().map(|key| format!("lost.{key} = every.{key}")).collect();
        // What another source still holds is not gone, though the newest state of it has vanished.
        let seen = if HELD.contains(&name) {
            format!(
                "* replace (case when last_seen_at is null or id in (select id from lost_{name} where is_held)
                     then null else last_seen_at end as last_seen_at)"
            )
        } else {
            "*".to_owned()
        };
        Ok(format!(
            "select {seen} from ({rows}) as every where not exists (
                 select 1 from lost_{name} as lost where lost.source = every.source and {})",
            same.join(" and ")
        ))
    }
}

/// The rows that lose, with the tables whose views need them; `{order}` is the rank of the source.
const LOSERS: &[(&[&str], &str)] = &[
    (
        &["session"],
        "create or replace table lost_session as
         select id, source, last_seen_at is null as is_held from gathered_session semi join shared_session on id = session_id
         qualify row_number() over (
             partition by id
             order by generation desc, time_updated desc nulls last, last_seen_at is not null, {order}
         ) > 1",
    ),
    (
        &["message", "part", "signal"],
        "create or replace table message_rank as
         select id, source, generation, last_seen_at is null as is_held, row_number() over (
             partition by id
             order by generation desc, time_updated desc nulls last, last_seen_at is not null, {order}
         ) as place
         from gathered_message where session_id in (select session_id from shared_session);
         create or replace table lost_message as select id, source, is_held from message_rank where place > 1",
    ),
    (
        &["part", "signal"],
        "create or replace table lost_part as
         with judged as (
             select part.id, part.source, part.last_seen_at, part.time_updated,
                 coalesce(part.generation <> winner.generation
                     or (part.generation = 'v2' and part.source <> winner.source), false) as is_superseded
             from gathered_part as part
             left join message_rank as winner on part.message_id = winner.id and winner.place = 1
             where part.session_id in (select session_id from shared_session)
         )
         select id, source, last_seen_at is null and not is_superseded as is_held from judged
         qualify is_superseded or row_number() over (
             partition by id
             order by is_superseded, time_updated desc nulls last, last_seen_at is not null, {order}
         ) > 1",
    ),
    (&["signal"], "create or replace view lost_signal as select id as part_id, source from lost_part"),
    (
        &["todo"],
        "create or replace table lost_todo as
         select session_id, source from gathered_todo
         group by session_id, source
         qualify row_number() over (
             partition by session_id
             order by count(*) = count(last_seen_at), max(time_updated) desc nulls last, {order}
         ) > 1",
    ),
    (
        &["project"],
        "create or replace table lost_project as
         select id, source, last_seen_at is null as is_held from gathered_project
         qualify row_number() over (
             partition by id order by time_updated desc nulls last, last_seen_at is not null, {order}
         ) > 1",
    ),
    (
        &["quarantine"],
        "create or replace table lost_quarantine as
         select table_name, row_id, source from gathered_quarantine
         where session_id in (select session_id from shared_session)
         qualify row_number() over (partition by table_name, row_id order by {order}) > 1",
    ),
];
