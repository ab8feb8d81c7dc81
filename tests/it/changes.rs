//! What may happen to a database between two refreshes, as steps that a property test chooses.

use proptest::prelude::*;
use rusqlite::{Connection, params};

pub(crate) const DDL: &str = "
create table project (id text primary key, worktree text, name text, time_created integer, time_updated integer);
create table session (id text primary key, project_id text, title text, directory text, cost real, time_created integer, time_updated integer);
create table message (id text primary key, session_id text, time_created integer, time_updated integer, data text);
create table part (id text primary key, message_id text, session_id text, time_created integer, time_updated integer, data text);
create table todo (session_id text, content text, status text, position integer, time_created integer, time_updated integer, primary key (session_id, position));
create table session_v2 (id text primary key, project_id text, title text, directory text, fork_session_id text, time_created integer, time_updated integer);
create table session_message (id text primary key, session_id text, type text, seq integer, time_created integer, time_updated integer, data text);
create index part_session on part (session_id);
insert into project values ('global', '/', null, 1, 1);
insert into session values ('ses_anchor', 'global', 'Never deleted', '/tmp', 0.5, 1795000000000, 1795000000000);
insert into message values ('msg_anchor', 'ses_anchor', 1795000000000, 1795000000000, '{\"role\":\"user\"}');
";

pub(crate) const START: i64 = 1_795_000_000_000;
pub(crate) const DAY: i64 = 86_400_000;

/// What may happen; numbers choose among what there is.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Session { day: u8 },
    Message { session: u8, is_user: bool },
    Part { message: u8, size: u16, synthetic: bool },
    Second { session: u8, parts: u8 },
    Rename { session: u8 },
    Touch { part: u8, bytes: u16, quietly: bool },
    Cost { message: u8 },
    Spoil { part: u8 },
    Todos { session: u8, count: u8 },
    DropPart { part: u8 },
    DropMessage { message: u8 },
    DropSecond { message: u8 },
    DropSession { session: u8, orphans: bool },
    Undo { session: u8, keep: u8 },
    Fork { session: u8 },
    Move { session: u8, skip: u8 },
    Redate { session: u8, day: u8 },
    Project { name: u8 },
    DropProject,
    Vacuum,
}

/// Any of them.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<u8>().prop_map(|day| Step::Session { day }),
        6 => (any::<u8>(), any::<bool>()).prop_map(|(session, is_user)| Step::Message { session, is_user }),
        8 => (any::<u8>(), 0_u16..9000, any::<bool>())
            .prop_map(|(message, size, synthetic)| Step::Part { message, size, synthetic }),
        4 => (any::<u8>(), 0_u8..4).prop_map(|(session, parts)| Step::Second { session, parts }),
        2 => any::<u8>().prop_map(|session| Step::Rename { session }),
        4 => (any::<u8>(), 0_u16..9000, any::<bool>())
            .prop_map(|(part, bytes, quietly)| Step::Touch { part, bytes, quietly }),
        2 => any::<u8>().prop_map(|message| Step::Cost { message }),
        1 => any::<u8>().prop_map(|part| Step::Spoil { part }),
        2 => (any::<u8>(), 0_u8..4).prop_map(|(session, count)| Step::Todos { session, count }),
        2 => any::<u8>().prop_map(|part| Step::DropPart { part }),
        2 => any::<u8>().prop_map(|message| Step::DropMessage { message }),
        1 => any::<u8>().prop_map(|message| Step::DropSecond { message }),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(session, orphans)| Step::DropSession { session, orphans }),
        2 => (any::<u8>(), 0_u8..3).prop_map(|(session, keep)| Step::Undo { session, keep }),
        2 => any::<u8>().prop_map(|session| Step::Fork { session }),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(session, skip)| Step::Move { session, skip }),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(session, day)| Step::Redate { session, day }),
        1 => any::<u8>().prop_map(|name| Step::Project { name }),
        1 => Just(Step::DropProject),
        1 => Just(Step::Vacuum),
    ]
}

/// The database under change.
pub(crate) struct World {
    pub database: Connection,
    pub clock: i64,
    pub next: u32,
}

impl World {
    fn id(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}_{:05}", self.next)
    }

    fn pick(&self, table: &str, which: u8) -> Option<String> {
        let mut statement = self
            .database
            .prepare(&format!("select id from {table} where id not like '%anchor' order by id"))
            .expect("prepared");
        let ids: Vec<String> =
            statement.query_map([], |row| row.get(0)).expect("asked").map(|id| id.expect("an id")).collect();
        (!ids.is_empty()).then(|| ids[usize::from(which) % ids.len()].clone())
    }

    pub(crate) fn run(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) {
        self.database.execute(sql, values).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn text(bytes: u16) -> String {
        format!("{{\"type\":\"text\",\"text\":\"{}\"}}", "x".repeat(usize::from(bytes)))
    }

    fn session_of(&self, message: &str) -> String {
        self.database
            .query_row("select session_id from message where id = ?1", [message], |row| row.get(0))
            .expect("a session")
    }

    pub(crate) fn apply(&mut self, step: &Step) {
        self.clock += 1000;
        let now = self.clock;
        match step {
            Step::Session { day } => {
                let id = self.id("ses");
                let created = START + i64::from(day % 40) * DAY;
                self.run(
                    "insert into session values (?1, 'global', 'T', '/tmp', 0.1, ?2, ?3)",
                    params![id, created, now],
                );
            }
            Step::Message { session, is_user } => {
                let Some(session) = self.pick("session", *session) else { return };
                let id = self.id("msg");
                let role = if *is_user { "user" } else { "assistant" };
                let data = format!("{{\"role\":\"{role}\",\"cost\":0.25,\"time\":{{\"created\":{now}}}}}");
                self.run("insert into message values (?1, ?2, ?3, ?3, ?4)", params![id, session, now, data]);
            }
            Step::Part { message, size, synthetic } => {
                let Some(message) = self.pick("message", *message) else { return };
                let (id, session) = (self.id("prt"), self.session_of(&message));
                let mut data = Self::text(*size);
                if *synthetic {
                    data = data.replace("\"type\"", "\"synthetic\":true,\"type\"");
                }
                self.run("insert into part values (?1, ?2, ?3, ?4, ?4, ?5)", params![id, message, session, now, data]);
            }
            Step::Second { session, parts } => {
                let Some(session) = self.pick("session_v2", *session) else { return };
                let id = self.id("msg");
                self.second(&id, &session, now, *parts);
            }
            Step::Rename { session } => {
                let Some(session) = self.pick("session", *session) else { return };
                self.run("update session set title = title || '!' where id = ?1", params![session]);
            }
            Step::Touch { part, bytes, quietly } => {
                let Some(part) = self.pick("part", *part) else { return };
                // A long text is never changed without its time: short ones may be.
                let updated = if *quietly && *bytes < 3000 { None } else { Some(now) };
                self.run(
                    "update part set data = ?2, time_updated = coalesce(?3, time_updated) where id = ?1",
                    params![part, Self::text(*bytes), updated],
                );
            }
            Step::Cost { message } => {
                let Some(message) = self.pick("message", *message) else { return };
                self.run(
                    "update message set data = json_set(data, '$.cost', 0.5, '$.finish', 'stop'), time_updated = ?2 where id = ?1",
                    params![message, now],
                );
            }
            Step::Spoil { part } => {
                let Some(part) = self.pick("part", *part) else { return };
                self.run("update part set data = '{broken', time_updated = ?2 where id = ?1", params![part, now]);
            }
            Step::Todos { session, count } => {
                let Some(session) = self.pick("session", *session) else { return };
                self.run("delete from todo where session_id = ?1", params![session]);
                for position in 0..*count {
                    self.run(
                        "insert into todo values (?1, 'do', 'pending', ?2, ?3, ?3)",
                        params![session, position, now],
                    );
                }
            }
            Step::DropPart { part } => {
                let Some(part) = self.pick("part", *part) else { return };
                self.run("delete from part where id = ?1", params![part]);
            }
            Step::DropMessage { message } => {
                let Some(message) = self.pick("message", *message) else { return };
                self.run("delete from part where message_id = ?1", params![message]);
                self.run("delete from message where id = ?1", params![message]);
            }
            Step::DropSecond { message } => {
                let Some(message) = self.pick("session_message", *message) else { return };
                self.run("delete from session_message where id = ?1", params![message]);
            }
            Step::DropSession { session, orphans } => self.drop_session(*session, *orphans),
            Step::Undo { session, keep } => {
                let Some(session) = self.pick("session", *session) else { return };
                let last = "select id from message where session_id = ?1 order by id limit -1 offset ?2";
                self.run(&format!("delete from part where message_id in ({last})"), params![session, keep]);
                self.run(&format!("delete from message where id in ({last})"), params![session, keep]);
            }
            Step::Fork { session } => self.fork(*session),
            Step::Move { session, skip } => self.move_on(*session, *skip),
            Step::Redate { session, day } => {
                let Some(session) = self.pick("session", *session) else { return };
                let created = START + i64::from(day % 40) * DAY;
                self.run("update session set time_created = ?2 where id = ?1", params![session, created]);
            }
            Step::Project { name } => {
                let id = format!("project_{}", name % 3);
                self.run(
                    "insert into project values (?1, '/x', ?2, 1, 1) on conflict do update set name = excluded.name",
                    params![id, name.to_string()],
                );
            }
            Step::DropProject => {
                let first = "(select min(id) from project where id <> 'global')";
                self.run(&format!("delete from project where id = {first}"), params![]);
            }
            Step::Vacuum => self.database.execute_batch("vacuum").expect("vacuumed"),
        }
    }

    fn second(&self, id: &str, session: &str, now: i64, parts: u8) {
        let content: Vec<String> =
            (0..parts).map(|part| format!("{{\"type\":\"text\",\"text\":\"part {part}\"}}")).collect();
        let data = format!("{{\"content\":[{}],\"cost\":0.5,\"time\":{{\"created\":{now}}}}}", content.join(","));
        self.run(
            "insert into session_message values (?1, ?2, 'assistant',
                 (select count(*) from session_message where session_id = ?2), ?3, ?3, ?4)",
            params![id, session, now, data],
        );
    }

    fn drop_session(&self, session: u8, orphans: bool) {
        let Some(session) = self.pick("session", session) else { return };
        let tables: &[&str] = if orphans { &[] } else { &["todo", "part", "message", "session_message"] };
        for table in tables {
            self.run(&format!("delete from {table} where session_id = ?1"), params![session]);
        }
        self.run("delete from session where id = ?1", params![session]);
        self.run("delete from session_v2 where id = ?1", params![session]);
    }

    fn fork(&mut self, session: u8) {
        let Some(session) = self.pick("session", session) else { return };
        let (fork, now) = (self.id("ses"), self.clock);
        self.run("insert into session values (?1, 'global', 'T (fork #1)', '/tmp', 0.1, ?2, ?2)", params![fork, now]);
        let copies = [
            "insert into message select id || '_' || ?1, ?1, time_created, time_updated, data from message where session_id = ?2",
            "insert into part select id || '_' || ?1, message_id || '_' || ?1, ?1, ?3, time_updated, data from part where session_id = ?2 and ?3 > 0",
        ];
        self.run(copies[0], params![fork, session]);
        self.run(copies[1], params![fork, session, now]);
    }

    /// The session goes on in the second generation; some messages do not come along.
    fn move_on(&self, session: u8, skip: u8) {
        let Some(session) = self.pick("session", session) else { return };
        let known: i64 = self
            .database
            .query_row("select count(*) from session_v2 where id = ?1", [&session], |row| row.get(0))
            .expect("a count");
        if known > 0 {
            return;
        }
        self.run(
            "insert into session_v2 select id, project_id, title || ' moved', directory, null, time_created, time_updated from session where id = ?1",
            params![session],
        );
        let mut statement =
            self.database.prepare("select id from message where session_id = ?1 order by id").expect("prepared");
        let ids: Vec<String> =
            statement.query_map([&session], |row| row.get(0)).expect("asked").map(|id| id.expect("an id")).collect();
        for (index, id) in ids.iter().enumerate() {
            if index % 3 != usize::from(skip % 4) {
                self.second(id, &session, self.clock, skip % 3);
            }
        }
    }
}
