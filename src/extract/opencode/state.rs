//! What a refresh remembers of a source: the signature of every session that it has ever seen.
//!
//! Input and output: the table `session_state`.

use super::partition::{Generation, UNKNOWN};
use crate::store::batch::Batch;
use crate::store::manifest::FileEntry;
use crate::store::{read, schema};
use arrow::array::{Array, AsArray};
use camino::Utf8Path;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The id of a session, as bytes; empty for rows that have none.
pub(super) type Key = Box<[u8]>;

/// Where a session's rows stand in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// In a generation's tables.
    In(Generation),
    /// Rows without a session, in a generation's tables.
    Orphan(Generation),
    /// Nowhere: all that is left is history.
    Gone,
}

impl Held {
    /// The generation in whose tables the rows stand.
    pub(super) fn generation(self) -> Option<Generation> {
        match self {
            Self::In(generation) | Self::Orphan(generation) => Some(generation),
            Self::Gone => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::In(generation) => generation.name(),
            Self::Orphan(Generation::V1) => "orphan",
            Self::Orphan(Generation::V2) => "orphan-v2",
            Self::Gone => "gone",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let of = |generation| [Self::In(generation), Self::Orphan(generation)];
        [of(Generation::V1), of(Generation::V2), [Self::Gone; 2]].into_iter().flatten().find(|held| held.name() == name)
    }
}

/// What is remembered of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SessionState {
    /// Where it stands.
    pub held: Held,
    /// The partition of its rows.
    pub week: String,
    /// Signature of its own row and its todos.
    pub head: u128,
    /// Signature of its messages and parts.
    pub rows: u128,
}

impl SessionState {
    /// Without rows yet.
    #[must_use]
    pub(super) fn new(held: Held, week: &str) -> Self {
        Self { held, week: week.to_owned(), head: 0, rows: 0 }
    }
}

/// What is remembered of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct States {
    /// By session.
    pub sessions: HashMap<Key, SessionState>,
    /// Signature of all projects.
    pub projects: u128,
}

/// What changed between two states.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    /// Sessions whose messages or parts changed.
    pub rows: HashSet<Key>,
    /// Sessions whose own row or todos changed.
    pub heads: HashSet<Key>,
    /// Projects changed.
    pub projects: bool,
    /// Partitions in which rows of these sessions lie or will lie.
    pub weeks: BTreeSet<String>,
}

impl Dirty {
    /// Nothing changed.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.heads.is_empty() && !self.projects
    }
}

const PROJECT: &str = "project";

impl States {
    /// Reads the state that a store keeps; None when it cannot be read or makes no sense.
    #[must_use]
    pub(super) fn load(root: &Utf8Path, files: &[FileEntry]) -> Option<Self> {
        let mut states = Self::default();
        let names = ["session_id", "generation", "partition", "head_signature", "rows_signature"];
        for file in files {
            read::verify(root, file).ok()?;
            for batch in read::columns(&root.join(&file.path), &schema::SESSION_STATE, &names).ok()? {
                let text = |column: usize| batch.column(column).as_string::<i32>();
                for row in 0..batch.num_rows() {
                    if (0..names.len()).any(|column| batch.column(column).is_null(row)) {
                        return None;
                    }
                    let head = u128::from_str_radix(text(3).value(row), 16).ok()?;
                    let rows = u128::from_str_radix(text(4).value(row), 16).ok()?;
                    if text(1).value(row) == PROJECT {
                        states.projects = head;
                        continue;
                    }
                    let held = Held::parse(text(1).value(row))?;
                    let week = text(2).value(row).to_owned();
                    states
                        .sessions
                        .insert(text(0).value(row).as_bytes().into(), SessionState { held, week, head, rows });
                }
            }
        }
        (!files.is_empty()).then_some(states)
    }

    /// As rows of the table, ordered by session.
    #[must_use]
    pub(super) fn batch(&self) -> Batch {
        let mut batch = Batch::new(&schema::SESSION_STATE, false, self.sessions.len() + 1);
        let mut push = |key: &str, held: &str, week: &str, head: u128, rows: u128| {
            batch
                .row()
                .text(Some(key))
                .text(Some(held))
                .text(Some(week))
                .text(Some(&format!("{head:032x}")))
                .text(Some(&format!("{rows:032x}")));
        };
        push("", PROJECT, UNKNOWN, self.projects, 0);
        let mut keys: Vec<&Key> = self.sessions.keys().collect();
        keys.sort();
        for key in keys {
            let state = &self.sessions[key];
            push(std::str::from_utf8(key).unwrap_or_default(), state.held.name(), &state.week, state.head, state.rows);
        }
        batch
    }

    /// The state of a session, which is made where it is not known yet.
    pub(super) fn entry(&mut self, key: &[u8], new: impl FnOnce() -> SessionState) -> &mut SessionState {
        self.sessions.entry(key.into()).or_insert_with(new)
    }

    /// What changed since `old`. Sessions that are only history are added to this state, so that they are not forgotten.
    pub(super) fn since(&mut self, old: &Self) -> Dirty {
        let mut dirty = Dirty { projects: self.projects != old.projects, ..Dirty::default() };
        for (key, state) in &self.sessions {
            let before = old.sessions.get(key);
            let moved = before.is_none_or(|before| (before.held, &before.week) != (state.held, &state.week));
            let rows = moved || before.is_none_or(|before| before.rows != state.rows);
            let heads = moved || before.is_none_or(|before| before.head != state.head);
            if rows || heads {
                dirty.weeks.extend(before.iter().map(|before| before.week.clone()));
                dirty.weeks.insert(state.week.clone());
            }
            if rows {
                dirty.rows.insert(key.clone());
            }
            if heads {
                dirty.heads.insert(key.clone());
            }
        }
        for (key, before) in &old.sessions {
            if self.sessions.contains_key(key) {
                continue;
            }
            if before.held != Held::Gone {
                dirty.weeks.insert(before.week.clone());
                dirty.rows.insert(key.clone());
                dirty.heads.insert(key.clone());
            }
            self.sessions.insert(key.clone(), SessionState::new(Held::Gone, &before.week));
        }
        dirty
    }
}
