//! JSON objects as rows of the first generation's tables.
//!
//! Input: the name and bytes of a file. Output: a row in the temporary database.

use super::explain;
use super::files::Content;
use crate::error::ExtractError;
use crate::store::{io, private_file};
use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params, params_from_iter};
use serde_json::{Map, Value};

/// The file holds something else than it should.
#[derive(Debug)]
pub(super) struct Problem;

/// Whether a row was added (false: its id is there already).
type Added = Result<bool, Problem>;

const SCHEMA: &str = "
create table project (id text primary key, worktree text, vcs text, name text, time_created integer, time_updated integer,
    time_initialized integer, sandboxes text, commands text);
create table session (id text primary key, project_id text, parent_id text, slug text, directory text, title text, version text,
    share_url text, summary_additions integer, summary_deletions integer, summary_files integer, summary_diffs text,
    revert text, permission text, time_created integer, time_updated integer, time_compacting integer, time_archived integer);
create table message (id text primary key, session_id text, time_created integer, time_updated integer, data text);
create table part (id text primary key, message_id text, session_id text, time_created integer, time_updated integer, data text);
create table todo (session_id text, content text, status text, priority text, position integer, time_created integer,
    time_updated integer, primary key (session_id, position));";

/// What a file's rows take from others: a part has the times and the session of its message, a message without time those of
/// its session, and sessions of the older layout the directory of their messages.
const COMPLETE: &str = "
create index message_session on message (session_id);
update part set session_id = (select session_id from message where message.id = part.message_id) where session_id is null;
update message set time_created = (select time_created from session where session.id = message.session_id)
    where time_created is null;
update message set time_updated = time_created where time_updated is null;
update part set time_created = (select time_created from message where message.id = part.message_id)
    where time_created is null;
update part set time_updated = time_created where time_updated is null;
update session set directory = (
    select json_extract(data, '$.path.cwd') from message
    where message.session_id = session.id and json_valid(data) and json_extract(data, '$.path.cwd') is not null
    order by id limit 1)
    where directory is null;";

/// The temporary database.
pub(super) struct Target {
    path: Utf8PathBuf,
    connection: Connection,
}

impl Target {
    /// A new database (0600) at a path where nothing is.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn create(path: &Utf8Path) -> Result<Self, ExtractError> {
        drop(private_file(path).map_err(io("create", path))?);
        let fail = |error| explain(path, error);
        let connection = Connection::open(path).map_err(fail)?;
        connection
            .execute_batch(
                "pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive; begin;",
            )
            .and_then(|()| connection.execute_batch(SCHEMA))
            .map_err(fail)?;
        Ok(Self { path: path.to_owned(), connection })
    }

    fn insert(&self, table: &str, columns: &[&str], values: Vec<Sql>) -> Result<bool, ExtractError> {
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!("insert or ignore into {table} ({}) values ({marks})", columns.join(", "));
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.execute(params_from_iter(values)))
            .map(|count| count > 0)
            .map_err(|error| explain(&self.path, error))
    }

    /// Keeps a file that its own table cannot take, as a message that the reader quarantines.
    fn problem(
        &self,
        table: &str,
        (id, session): (&str, Option<&str>),
        reason: &str,
        bytes: &[u8],
    ) -> Result<(), ExtractError> {
        let data = format!("{table}/{id}.json {reason}: {}", String::from_utf8_lossy(bytes));
        let session = session.map_or(Sql::Null, |session| Sql::from(session.to_owned()));
        let values = vec![Sql::from(format!("{table}/{id}.json")), session, Sql::from(data)];
        self.insert("message", &["id", "session_id", "data"], values).map(|_| ())
    }

    /// The object in a file of a table that cannot hold anything else.
    fn object(
        &self,
        table: &str,
        (id, session): (&str, Option<&str>),
        content: Content,
    ) -> Result<Option<Map<String, Value>>, ExtractError> {
        let (reason, bytes) = match content {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(Value::Object(object)) => return Ok(Some(object)),
                Ok(_) => ("is no JSON object".to_owned(), bytes),
                Err(error) => (format!("is not JSON: {error}"), bytes),
            },
            Err(reason) => (reason, Vec::new()),
        };
        self.problem(table, (id, session), &reason, &bytes)?;
        Ok(None)
    }

    /// Adds a project.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) fn project(&self, id: &str, content: Content) -> Result<Added, ExtractError> {
        let Some(object) = self.object("project", (id, None), content)? else { return Ok(Err(Problem)) };
        let values = vec![
            Sql::from(id.to_owned()),
            text(&object, "worktree"),
            text(&object, "vcs"),
            text(&object, "name"),
            time(&object, "created"),
            first(&[time(&object, "updated"), time(&object, "created")]),
            time(&object, "initialized"),
            first(&[json(&object, "sandboxes"), Sql::from("[]".to_owned())]),
            json(&object, "commands"),
        ];
        let columns = [
            "id",
            "worktree",
            "vcs",
            "name",
            "time_created",
            "time_updated",
            "time_initialized",
            "sandboxes",
            "commands",
        ];
        self.insert("project", &columns, values).map(Ok)
    }

    /// Adds the project of a folder of the older layout, from what its messages say of their working tree.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) fn project_of_directory(&self, id: &str) -> Result<(), ExtractError> {
        self.connection
            .execute(
                "insert or ignore into project (id, worktree, time_created, time_updated, sandboxes)
                 select ?1, (
                     select json_extract(data, '$.path.root') from message
                     inner join session on session.id = message.session_id and session.project_id = ?1
                     where json_valid(data) and json_extract(data, '$.path.root') is not null order by message.id limit 1),
                     min(time_created), max(time_updated), '[]'
                 from session where project_id = ?1 having count(*) > 0",
                [id],
            )
            .map(|_| ())
            .map_err(|error| explain(&self.path, error))
    }

    /// Adds a session.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) fn session(&self, id: &str, project: &str, content: Content) -> Result<Added, ExtractError> {
        let Some(object) = self.object("session", (id, Some(id)), content)? else { return Ok(Err(Problem)) };
        let none = Map::new();
        let inner = |key: &str| object.get(key).and_then(Value::as_object).unwrap_or(&none);
        let summary = inner("summary");
        let values = vec![
            Sql::from(id.to_owned()),
            first(&[text(&object, "projectID"), Sql::from(project.to_owned())]),
            text(&object, "parentID"),
            text(&object, "slug"),
            text(&object, "directory"),
            text(&object, "title"),
            text(&object, "version"),
            text(inner("share"), "url"),
            whole(summary, "additions"),
            whole(summary, "deletions"),
            whole(summary, "files"),
            json(summary, "diffs"),
            json(&object, "revert"),
            json(&object, "permission"),
            time(&object, "created"),
            first(&[time(&object, "updated"), time(&object, "created")]),
            time(&object, "compacting"),
            time(&object, "archived"),
        ];
        let columns = [
            "id",
            "project_id",
            "parent_id",
            "slug",
            "directory",
            "title",
            "version",
            "share_url",
            "summary_additions",
            "summary_deletions",
            "summary_files",
            "summary_diffs",
            "revert",
            "permission",
            "time_created",
            "time_updated",
            "time_compacting",
            "time_archived",
        ];
        self.insert("session", &columns, values).map(Ok)
    }

    /// Adds a message; one that is no JSON goes in as it is.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) fn message(&self, id: &str, session: &str, content: Content) -> Result<Added, ExtractError> {
        let data = match content {
            Ok(bytes) => Data::of(bytes),
            Err(reason) => {
                self.problem("message", (id, Some(session)), &reason, &[])?;
                return Ok(Err(Problem));
            }
        };
        let created = data.time(&["created"]);
        let updated = first(&[data.time(&["updated", "completed"]), created.clone()]);
        let is_bad = data.is_bad();
        let values = vec![Sql::from(id.to_owned()), Sql::from(session.to_owned()), created, updated, data.into_sql()];
        let added = self.insert("message", &["id", "session_id", "time_created", "time_updated", "data"], values)?;
        Ok(if is_bad { Err(Problem) } else { Ok(added) })
    }

    /// Adds a part; one that is no JSON goes in as it is.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) fn part(
        &self,
        id: &str,
        message: &str,
        session: Option<&str>,
        content: Content,
    ) -> Result<Added, ExtractError> {
        let data = match content {
            Ok(bytes) => Data::of(bytes),
            Err(reason) => {
                self.problem("part", (id, session), &reason, &[])?;
                return Ok(Err(Problem));
            }
        };
        let session = session.map_or_else(|| data.session.clone(), |session| Sql::from(session.to_owned()));
        let created = data.time(&["start", "created"]);
        let updated = first(&[data.time(&["end"]), created.clone()]);
        let is_bad = data.is_bad();
        let values =
            vec![Sql::from(id.to_owned()), Sql::from(message.to_owned()), session, created, updated, data.into_sql()];
        let columns = ["id", "message_id", "session_id", "time_created", "time_updated", "data"];
        let added = self.insert("part", &columns, values)?;
        Ok(if is_bad { Err(Problem) } else { Ok(added) })
    }

    /// Adds a session's todo list. None when the file is no list.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) fn todos(&self, session: &str, content: Content) -> Result<Option<u64>, ExtractError> {
        let (reason, bytes) = match content {
            Ok(bytes) => match serde_json::from_slice::<Value>(&bytes) {
                Ok(Value::Array(items)) => {
                    for (position, item) in (0_i64..).zip(&items) {
                        let Some(item) = item.as_object() else { continue };
                        let mut values = vec![Sql::from(session.to_owned())];
                        values.extend(["content", "status", "priority"].map(|key| text(item, key)));
                        values.push(Sql::from(position));
                        self.insert("todo", &["session_id", "content", "status", "priority", "position"], values)?;
                    }
                    return Ok(Some(items.len() as u64));
                }
                Ok(_) => ("is no JSON array".to_owned(), bytes),
                Err(error) => (format!("is not JSON: {error}"), bytes),
            },
            Err(reason) => (reason, Vec::new()),
        };
        self.problem("todo", (session, Some(session)), &reason, &bytes)?;
        Ok(None)
    }

    /// Completes rows from others and closes the database. Gives the number of orphans.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) fn finish(&mut self) -> Result<u64, ExtractError> {
        let orphans = "select (select count(*) from message where json_valid(data) and session_id not in (select id from session))
            + (select count(*) from part where message_id not in (select id from message))";
        self.connection
            .execute_batch(COMPLETE)
            .and_then(|()| self.connection.query_row(orphans, params![], |row| row.get::<_, i64>(0)))
            .and_then(|count| self.connection.execute_batch("commit").map(|()| count))
            .map(|count| u64::try_from(count).unwrap_or(0))
            .map_err(|error| explain(&self.path, error))
    }
}

/// A message's or part's object without the ids, which are columns; or the bytes as they are.
struct Data {
    object: Result<Map<String, Value>, Vec<u8>>,
    session: Sql,
}

impl Data {
    fn of(bytes: Vec<u8>) -> Self {
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(mut object)) => {
                let session = text(&object, "sessionID");
                for key in ["id", "sessionID", "messageID"] {
                    object.shift_remove(key);
                }
                Self { object: Ok(object), session }
            }
            _ => Self { object: Err(bytes), session: Sql::Null },
        }
    }

    fn is_bad(&self) -> bool {
        self.object.is_err()
    }

    /// The first of these times that is there: of the object, or of a tool's state.
    fn time(&self, keys: &[&str]) -> Sql {
        let Ok(object) = &self.object else { return Sql::Null };
        let state = object.get("state").and_then(Value::as_object);
        let times: Vec<Sql> = [Some(object), state]
            .into_iter()
            .flatten()
            .flat_map(|holder| keys.iter().map(|key| time(holder, key)))
            .collect();
        first(&times)
    }

    fn into_sql(self) -> Sql {
        match self.object {
            Ok(object) => Sql::from(Value::Object(object).to_string()),
            Err(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Sql::from(text),
                Err(error) => Sql::from(error.into_bytes()),
            },
        }
    }
}

fn first(values: &[Sql]) -> Sql {
    values.iter().find(|value| **value != Sql::Null).cloned().unwrap_or(Sql::Null)
}

fn text(object: &Map<String, Value>, key: &str) -> Sql {
    object.get(key).and_then(Value::as_str).map_or(Sql::Null, |text| Sql::from(text.to_owned()))
}

fn json(object: &Map<String, Value>, key: &str) -> Sql {
    object.get(key).filter(|value| !value.is_null()).map_or(Sql::Null, |value| Sql::from(value.to_string()))
}

#[allow(clippy::cast_possible_truncation, reason = "range and wholeness are checked first")]
fn whole(object: &Map<String, Value>, key: &str) -> Sql {
    let Some(value) = object.get(key) else { return Sql::Null };
    let fraction = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9.0e15);
    value.as_i64().or_else(|| fraction().map(|number| number as i64)).map_or(Sql::Null, Sql::from)
}

fn time(object: &Map<String, Value>, key: &str) -> Sql {
    object.get("time").and_then(Value::as_object).map_or(Sql::Null, |times| whole(times, key))
}
