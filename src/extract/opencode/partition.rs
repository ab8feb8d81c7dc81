//! Which generation of schema holds a session, and in which partition its rows lie.
//!
//! Input: the session tables of a source. Output: [`Owners`]: for each session its newest generation and its week. A session
//! that both generations hold is taken whole from the second, which continues the first.

use super::rows::integer;
use super::sqlite::Source;
use crate::error::ExtractError;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use std::collections::{HashMap, HashSet};

/// Generation of schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Generation {
    /// `session`, `message`, `part`.
    V1,
    /// `session_v2`, `session_message`.
    V2,
}

impl Generation {
    /// As written in the column `generation`.
    #[must_use]
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    /// The table of sessions.
    #[must_use]
    pub(super) fn session_table(self) -> &'static str {
        match self {
            Self::V1 => "session",
            Self::V2 => "session_v2",
        }
    }
}

/// Who holds a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    /// The generation.
    pub generation: Generation,
    /// Partition number.
    pub partition: u32,
}

/// Sessions and partitions.
#[derive(Debug, Default)]
pub(super) struct Owners {
    sessions: HashMap<Box<[u8]>, Owner>,
    /// Names of the partitions by number; the first is `unknown`.
    pub partitions: Vec<String>,
    numbers: HashMap<i64, u32>,
    /// The newest `time_updated` of a session.
    pub newest: Option<i64>,
    /// Sessions that are gone, but rows of theirs are left in the second generation, which continues the first.
    orphans: HashSet<Box<[u8]>>,
}

/// The key of a session: its id, where that is text that can be stored.
#[must_use]
pub(super) fn text_key(value: ValueRef<'_>) -> Option<&[u8]> {
    match value {
        ValueRef::Text(bytes) if !bytes.is_empty() && simdutf8::basic::from_utf8(bytes).is_ok() => Some(bytes),
        _ => None,
    }
}

/// Partition of rows whose session or time is unknown.
pub const UNKNOWN: &str = "unknown";
const DAY_MS: i64 = 86_400_000;
/// 1970-01-05 was a Monday.
const FIRST_MONDAY_MS: i64 = 4 * DAY_MS;
/// Times outside 2000 to 2100 are not taken for dates.
pub(super) const PLAUSIBLE: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

impl Owners {
    /// Reads the session tables of a source.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(super) fn read(source: &Source) -> Result<Self, ExtractError> {
        let mut owners = Self { partitions: vec![UNKNOWN.to_owned()], ..Self::default() };
        for generation in source.generations() {
            let table = generation.session_table();
            let sql = format!(
                "select rowid, {} from \"{table}\"",
                source.select_list(table, &["id", "time_created", "time_updated"])
            );
            source.each(table, &sql, |row| {
                let created = integer(row.get_ref(2)?);
                let updated = integer(row.get_ref(3)?).or(created);
                if let Some(id) = text_key(row.get_ref(1)?) {
                    owners.newest = owners.newest.max(updated.filter(|moment| PLAUSIBLE.contains(moment)));
                    let partition = owners.partition(created);
                    owners.sessions.insert(id.into(), Owner { generation, partition });
                }
                Ok(())
            })?;
        }
        if source.has_v2() {
            for id in source.distinct("session_message", "session_id")? {
                if !owners.sessions.contains_key(&id) {
                    owners.orphans.insert(id);
                }
            }
        }
        Ok(owners)
    }

    /// The partition of a row of this session in this generation's tables; None when the other generation holds the session.
    #[must_use]
    pub(super) fn partition_in(&self, session_id: &[u8], generation: Generation) -> Option<u32> {
        match self.sessions.get(session_id) {
            Some(owner) => (owner.generation == generation).then_some(owner.partition),
            None if session_id.is_empty() => Some(0),
            None => (self.orphan(session_id) == generation).then_some(0),
        }
    }

    /// The generation in which rows without a session stand.
    #[must_use]
    pub(super) fn orphan(&self, session_id: &[u8]) -> Generation {
        if self.orphans.contains(session_id) { Generation::V2 } else { Generation::V1 }
    }

    /// Knows a session that could not be read now from an earlier state.
    pub(super) fn remember(&mut self, id: &[u8], generation: Generation, partition: &str) {
        if !self.sessions.contains_key(id) {
            let partition = self.named(partition);
            self.sessions.insert(id.into(), Owner { generation, partition });
        }
    }

    /// Number of a partition by its name.
    fn named(&mut self, name: &str) -> u32 {
        let known = self.partitions.iter().position(|known| known == name);
        let at = known.unwrap_or_else(|| {
            self.partitions.push(name.to_owned());
            self.partitions.len() - 1
        });
        u32::try_from(at).unwrap_or(0)
    }

    /// Number of sessions.
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// All sessions, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Owner)> {
        self.sessions.iter().map(|(id, owner)| (&**id, *owner))
    }

    /// The owner of a session.
    #[must_use]
    pub(super) fn get(&self, session_id: &[u8]) -> Option<Owner> {
        self.sessions.get(session_id).copied()
    }

    /// Number of the partition of the week in which a moment lies (UTC).
    pub(super) fn partition(&mut self, moment: Option<i64>) -> u32 {
        let Some(moment) = moment.filter(|moment| PLAUSIBLE.contains(moment)) else { return 0 };
        let week = (moment - FIRST_MONDAY_MS).div_euclid(7 * DAY_MS);
        if let Some(number) = self.numbers.get(&week) {
            return *number;
        }
        let number = self.named(&week_name(moment));
        self.numbers.insert(week, number);
        number
    }
}

/// Name of the partition of a moment.
#[must_use]
pub(crate) fn week_of(moment: Option<i64>) -> String {
    moment.filter(|moment| PLAUSIBLE.contains(moment)).map_or_else(|| UNKNOWN.to_owned(), week_name)
}

/// The ISO week of a moment in UTC, `2026-W47`.
fn week_name(moment: i64) -> String {
    Timestamp::from_millisecond(moment).map_or_else(
        |_| UNKNOWN.to_owned(),
        |time| {
            let week = TimeZone::UTC.to_datetime(time).date().iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        },
    )
}
