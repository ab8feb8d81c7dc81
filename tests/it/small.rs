//! Small databases, told call by call: what no generated story holds, with answers worked out by hand.
//!
//! In: a title and what was called, in order. Out: a database in the schema of 1.18.33, and the metrics' word on it.

use crate::harness::{Place, fixture};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The clock's first reading, ms UTC: 2026-11-02T09:00:00Z.
const START: i64 = 1_793_610_000_000;
pub(crate) const FOLDER: &str = "/home/dev/app";

/// A database under construction.
pub(crate) struct Book {
    pub(crate) place: Place,
    pub(crate) path: PathBuf,
    pub(crate) db: Connection,
    count: u32,
    now: i64,
    session: String,
    prompt: String,
    message: Option<String>,
}

impl Book {
    pub(crate) fn new() -> Self {
        let place = Place::new();
        let path = place.path("opencode.db");
        let db = Connection::open(&path).expect("made");
        let schema = std::fs::read_to_string(fixture("opencode/schema-1.18.33.sql")).expect("schema");
        db.execute_batch(&schema).expect("tables");
        db.execute(
            "insert into project (id, worktree, vcs, time_created, time_updated, sandboxes) values ('p', ?1, 'git', ?2, ?2, '[]')",
            (FOLDER, START),
        )
        .expect("a project");
        let (session, prompt) = (String::new(), String::new());
        Self { place, path, db, count: 0, now: START, session, prompt, message: None }
    }

    fn id(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("{kind}_{:020}", self.count)
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, ms: i64) {
        self.now += ms;
    }

    /// The time of the next call.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    /// A new session with its first prompt: gives its id.
    pub(crate) fn session(&mut self, title: &str) -> String {
        self.end();
        self.now += 3_600_000;
        self.session = self.id("ses");
        self.db
            .execute(
                "insert into session (id, project_id, slug, directory, path, title, version, time_created, time_updated)
                 values (?1, 'p', 's', ?2, '', ?3, '1.18.33', ?4, ?4)",
                (&self.session, FOLDER, title, self.now),
            )
            .expect("a session");
        self.prompt("Go on");
        self.session.clone()
    }

    /// A prompt of the user's.
    pub(crate) fn prompt(&mut self, text: &str) {
        self.end();
        self.prompt = self.id("msg");
        let (id, at) = (self.prompt.clone(), self.now);
        self.put_message(
            &id,
            at,
            &json!({"role": "user", "time": {"created": at}, "agent": "build",
            "model": {"providerID": "acme", "modelID": "m1"}}),
        );
        self.put_part(&id, &json!({"type": "text", "text": text}));
        self.now += 1_000;
    }

    fn put_message(&mut self, id: &str, at: i64, data: &Value) {
        let sql = "insert into message (id, session_id, time_created, time_updated, data) values (?1, ?2, ?3, ?3, ?4)";
        self.db.execute(sql, (id, &self.session, at, data.to_string())).expect("a message");
    }

    fn put_part(&mut self, message: &str, data: &Value) -> String {
        let id = self.id("prt");
        let sql = "insert into part (id, message_id, session_id, time_created, time_updated, data) values (?1, ?2, ?3, ?4, ?4, ?5)";
        self.db.execute(sql, (&id, message, &self.session, self.now, data.to_string())).expect("a part");
        id
    }

    fn answer(&mut self) -> String {
        if let Some(id) = &self.message {
            return id.clone();
        }
        let (id, at) = (self.id("msg"), self.now);
        let tokens = json!({"input": 100, "output": 10, "reasoning": 0, "cache": {"read": 0, "write": 0}});
        self.put_message(&id, at, &json!({"role": "assistant", "parentID": self.prompt, "agent": "build", "mode": "build",
            "modelID": "m1", "providerID": "acme", "cost": 0.001, "tokens": tokens, "time": {"created": at, "completed": at + 400},
            "finish": "tool-calls", "path": {"cwd": FOLDER, "root": FOLDER}}));
        self.put_part(&id, &json!({"type": "step-start"}));
        self.message = Some(id.clone());
        id
    }

    /// Ends the step.
    fn end(&mut self) {
        let Some(message) = self.message.take() else { return };
        let tokens = json!({"input": 100, "output": 10, "reasoning": 0, "cache": {"read": 0, "write": 0}});
        self.put_part(
            &message,
            &json!({"type": "step-finish", "reason": "tool-calls", "cost": 0.001, "tokens": tokens}),
        );
        self.now += 100;
    }

    /// A call in a step of its own, half a second long: gives its part.
    pub(crate) fn call(&mut self, tool: &str, input: &Value, state: Value) -> String {
        let start = self.now;
        self.now += 500;
        let id = self.call_at(tool, input, state, (start, start + 500));
        self.end();
        id
    }

    /// A call from one time to another, beside those of its step: gives its part.
    pub(crate) fn call_at(&mut self, tool: &str, input: &Value, mut state: Value, time: (i64, i64)) -> String {
        let message = self.answer();
        state["input"] = input.clone();
        state["time"] = json!({"start": time.0, "end": time.1});
        let call_id = format!("call_{}", self.count);
        let part = json!({"type": "tool", "tool": tool, "callID": call_id, "state": state});
        self.put_part(&message, &part)
    }

    /// A call that was completed.
    pub(crate) fn tool(&mut self, tool: &str, input: &Value, output: &str) -> String {
        self.call(tool, input, json!({"status": "completed", "output": output, "title": "", "metadata": {}}))
    }

    /// A call that failed.
    pub(crate) fn fails(&mut self, tool: &str, input: &Value, error: &str) -> String {
        self.call(tool, input, json!({"status": "error", "error": error}))
    }

    /// A shell command.
    pub(crate) fn bash(&mut self, command: &str, output: &str, exit: Option<i64>) -> String {
        let state =
            json!({"status": "completed", "output": output, "title": "", "metadata": {"output": output, "exit": exit}});
        self.call("bash", &json!({"command": command}), state)
    }

    /// A skill is loaded.
    pub(crate) fn skill(&mut self, name: &str) -> String {
        let output = format!("<skill_content name=\"{name}\">Intent: {{intent}}</skill_content>");
        self.tool("skill", &json!({"name": name}), &output)
    }

    /// An edit that is applied, or fails with this error.
    pub(crate) fn edit(&mut self, path: &str, error: Option<&str>) -> String {
        let input = json!({"filePath": path, "oldString": "a", "newString": "b"});
        match error {
            Some(error) => self.fails("edit", &input, error),
            None => self.tool("edit", &input, "Edit applied successfully."),
        }
    }

    /// An answer in words.
    pub(crate) fn say(&mut self, text: &str) {
        let message = self.answer();
        self.put_part(&message, &json!({"type": "text", "text": text}));
        self.end();
    }

    /// Rows of a query over the views, everything counted.
    pub(crate) fn ask(&mut self, sql: &str) -> Vec<Value> {
        self.end();
        self.rows(&["query", "-c", sql])
    }

    /// Rows of a metric.
    pub(crate) fn metric(&mut self, name: &str) -> Vec<Value> {
        self.end();
        self.rows(&["metrics", "run", name])
    }

    /// The project's folder lies in the test's own place.
    fn rows(&self, args: &[&str]) -> Vec<Value> {
        let map = format!("{FOLDER}={}", self.place.path("app").display());
        let all = [&["--map", &map, "--all"][..], args, &["--json"]].concat();
        self.place.json(&self.path, &all).as_array().expect("rows").clone()
    }
}
