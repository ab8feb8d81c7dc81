//! Which source owns a session, and in which partition its rows lie.
//!
//! Input: the session tables of all sources. Output: [`Owners`]: for each session its newest holder and its week.
//! A session that several databases (or both generations of schema) hold is taken whole from the newest of them.

use super::rows::integer;
use super::sqlite::{Source, explain};
use crate::error::ExtractError;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;

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
    /// Index of the source.
    pub source: usize,
    /// Generation within it.
    pub generation: Generation,
    /// Partition number.
    pub partition: u32,
    updated: i64,
}

/// Sessions and partitions.
#[derive(Debug, Default)]
pub(super) struct Owners {
    sessions: HashMap<Box<[u8]>, Owner>,
    /// Names of the partitions by number; the first is `unknown`.
    pub partitions: Vec<String>,
    numbers: HashMap<i64, u32>,
}

/// Partition of rows whose session or time is unknown.
pub const UNKNOWN: &str = "unknown";
const DAY_MS: i64 = 86_400_000;
/// 1970-01-05 was a Monday.
const FIRST_MONDAY_MS: i64 = 4 * DAY_MS;
/// Times outside 2000 to 2100 are not taken for dates.
const PLAUSIBLE: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

impl Owners {
    /// Reads the session tables of all sources.
    ///
    /// # Errors
    /// A source cannot be read.
    pub(super) fn read(sources: &[Source]) -> Result<Self, ExtractError> {
        let mut owners = Self { partitions: vec![UNKNOWN.to_owned()], ..Self::default() };
        for (index, source) in sources.iter().enumerate() {
            for generation in [Generation::V1, Generation::V2] {
                if match generation {
                    Generation::V1 => source.has_v1(),
                    Generation::V2 => source.has_v2(),
                } {
                    owners.add(index, source, generation)?;
                }
            }
        }
        Ok(owners)
    }

    fn add(&mut self, index: usize, source: &Source, generation: Generation) -> Result<(), ExtractError> {
        let table = generation.session_table();
        let explain = |error| explain(&source.path, Some(table), error);
        let columns = source.select_list(table, &["id", "time_created", "time_updated"]);
        let mut statement =
            source.connection.prepare(&format!("select {columns} from \"{table}\" order by rowid")).map_err(explain)?;
        let mut rows = statement.query([]).map_err(explain)?;
        while let Some(row) = rows.next().map_err(explain)? {
            let Ok(id) = row.get_ref(0).map_err(explain)?.as_bytes() else { continue };
            let created = integer(row.get_ref(1).map_err(explain)?);
            let updated = integer(row.get_ref(2).map_err(explain)?).or(created).unwrap_or(i64::MIN);
            let partition = self.partition(created);
            let candidate = Owner { source: index, generation, partition, updated };
            let owner = self.sessions.entry(id.into()).or_insert(candidate);
            // Within one database the second generation continues the first; between databases the newer state wins.
            let wins = if owner.source == index { generation > owner.generation } else { updated > owner.updated };
            if wins {
                *owner = candidate;
            }
        }
        Ok(())
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
        let partitions = &mut self.partitions;
        *self.numbers.entry(week).or_insert_with(|| {
            partitions.push(week_name(moment));
            u32::try_from(partitions.len() - 1).unwrap_or(0)
        })
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
