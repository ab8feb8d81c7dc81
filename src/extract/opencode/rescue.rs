//! Reading rows in the order of their rowids; out of a damaged database, those that can be read.
//!
//! Input: a table and what to select of it. Output: every row, handed to a function. Where SQLite finds a page that makes no
//! sense, the next rowid behind it that can be read is searched for, by doubling steps when it is far, and what was stepped over is noted.
//! Rows are sought from a rowid on, never behind one: the rowid before a page's first row still leads into the damaged page
//! before it.

use super::partition::text_key;
use super::sqlite::{Source, explain};
use super::state::Key;
use crate::error::ExtractError;
use rusqlite::{ErrorCode, Row};
use std::collections::{BTreeMap, HashSet};

/// So far every rowid is tried: between two damaged pages there may be a single row.
const NEAR: i64 = 1 << 10;
/// Steps end here: no table has more rows.
const FURTHEST: i64 = 1 << 48;
/// Ranges that are told one by one.
const TOLD: usize = 3;
/// Tables without whose rows a database says nothing: todos and projects alone would look like no use.
const ESSENTIAL: [&str; 5] = ["session", "message", "part", "session_v2", "session_message"];

/// Rowids behind the first, up to the second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub after: i64,
    pub until: i64,
}

impl Range {
    /// All of them.
    pub(super) const FULL: Self = Self { after: i64::MIN, until: i64::MAX };
}

/// What could not be read: by table, the last rowid before each gap and the first behind it.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    tables: BTreeMap<&'static str, Vec<(i64, Option<i64>)>>,
    /// Rows of sessions, messages and parts that were read.
    rows: u64,
}

impl Gaps {
    /// No session, message or part could be read.
    #[must_use]
    pub(super) fn is_everything(&self) -> bool {
        self.rows == 0
    }

    /// Something could not be read of this table.
    #[must_use]
    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// A sentence, or None when all was read.
    #[must_use]
    pub(super) fn sentence(&self) -> Option<String> {
        if self.tables.is_empty() {
            return None;
        }
        let tables: Vec<String> = self
            .tables
            .iter()
            .map(|(table, gaps)| {
                let mut ranges: Vec<String> = gaps
                    .iter()
                    .take(TOLD)
                    .map(|(before, behind)| match behind {
                        Some(behind) if behind - before == 2 => format!("rowid {}", before + 1),
                        Some(behind) => format!("rowids {} to {}", before + 1, behind - 1),
                        None if *before <= 0 => "all rows".to_owned(),
                        None => format!("everything after rowid {before}"),
                    })
                    .collect();
                if gaps.len() > TOLD {
                    ranges.push(format!("{} more places", gaps.len() - TOLD));
                }
                format!("{table} ({})", ranges.join(", "))
            })
            .collect();
        Some(format!("the database is damaged; not read: {}", tables.join("; ")))
    }
}

/// How far a table was read.
struct Walk {
    /// Where reading begins, or goes on.
    from: i64,
    /// The last rowid.
    last: i64,
    /// The last rowid that followed upon the one before it, or that one: a damaged page may hold a rowid from far ahead.
    sure: i64,
    /// Rows that were handed on.
    count: u64,
    rescue: Option<Rescue>,
}

/// What is known of a damaged table.
#[derive(Default)]
struct Rescue {
    /// Rowids that were read, or can be found and not read.
    closed: HashSet<i64>,
    /// The row that is to be read next: nothing was read since it was found.
    target: Option<i64>,
    /// The last sure rowid and the last one before the gap that is open.
    open: Option<(i64, i64)>,
    /// The last rowid before each gap and the first behind it.
    gaps: Vec<(i64, Option<i64>)>,
    has_gone_on: bool,
}

impl Walk {
    fn new(range: Range, is_rescue: bool) -> Self {
        let from = if range.after == i64::MIN { i64::MIN } else { range.after + 1 };
        Self { from, last: range.after, sure: range.after, count: 0, rescue: is_rescue.then(Rescue::default) }
    }

    /// Notes a row; false for one that was handed on before.
    fn take(&mut self, rowid: i64) -> bool {
        if let Some(rescue) = &mut self.rescue {
            let is_new = rescue.closed.insert(rowid);
            if !is_new && rescue.has_gone_on {
                return false;
            }
            rescue.target = None;
            if let Some((sure, last)) = rescue.open.take() {
                let before = if rowid > last { last } else { sure }.max(0);
                if rowid - before != 1 {
                    rescue.gaps.push((before, Some(rowid)));
                }
            }
        }
        self.sure = if rowid == self.last.saturating_add(1) { rowid } else { rowid.min(self.last) };
        self.last = rowid;
        self.count += 1;
        true
    }

    /// What was stepped over.
    fn gaps(self) -> Vec<(i64, Option<i64>)> {
        let Some(Rescue { open, mut gaps, .. }) = self.rescue else { return Vec::new() };
        gaps.extend(open.map(|(_, last)| (last.max(0), None)));
        gaps
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure)
    )
}

impl Source {
    /// Hands every row of a table to `each`, ordered by rowid. `sql` is a select whose first column is the rowid, without
    /// a condition.
    ///
    /// # Errors
    /// The table cannot be read; in a source opened by [`Source::rescue`], only for another reason than damage.
    pub(super) fn each(
        &self,
        table: &'static str,
        sql: &str,
        each: impl FnMut(&Row<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<u64, ExtractError> {
        self.each_in(table, sql, Range::FULL, each)
    }

    /// As [`Source::each`], for the rows of a range.
    ///
    /// # Errors
    /// As [`Source::each`].
    pub(super) fn each_in(
        &self,
        table: &'static str,
        sql: &str,
        range: Range,
        mut each: impl FnMut(&Row<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<u64, ExtractError> {
        let mut walk = Walk::new(range, self.gaps.is_some());
        loop {
            let from = walk.from;
            let result = self.run(sql, from, range.until, &mut |row| {
                if walk.take(row.get(0)?) { each(row) } else { Ok(()) }
            });
            match result {
                Ok(()) => break,
                Err(error) if !is_damage(&error) => return Err(explain(&self.path, Some(table), error)),
                Err(error) => match self.behind(table, &mut walk) {
                    None => return Err(explain(&self.path, Some(table), error)),
                    Some(false) => break,
                    Some(true) => {}
                },
            }
        }
        let count = walk.count;
        if let Some(gaps) = &self.gaps {
            let mut gaps = gaps.borrow_mut();
            gaps.rows += if ESSENTIAL.contains(&table) { count } else { 0 };
            // A table that is read more than once has the same gaps each time.
            let new = walk.gaps();
            if !new.is_empty() {
                gaps.tables.insert(table, new);
            }
        }
        Ok(count)
    }

    fn run(
        &self,
        sql: &str,
        from: i64,
        until: i64,
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        let mut statement =
            self.connection.prepare_cached(&format!("{sql} where rowid >= ?1 and rowid <= ?2 order by rowid"))?;
        let mut rows = statement.query([from, until])?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        Ok(())
    }

    /// The different texts in a column: from its index, where there is one. Of a damaged source, those up to the damage.
    ///
    /// # Errors
    /// The table cannot be read.
    pub(super) fn distinct(&self, table: &'static str, column: &str) -> Result<HashSet<Key>, ExtractError> {
        let mut found = HashSet::new();
        let mut read = || -> Result<(), rusqlite::Error> {
            let mut statement = self.connection.prepare(&format!("select distinct {column} from \"{table}\""))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                found.extend(text_key(row.get_ref(0)?).map(Key::from));
            }
            Ok(())
        };
        match read() {
            Err(error) if self.gaps.is_none() || !is_damage(&error) => Err(explain(&self.path, Some(table), error)),
            _ => Ok(found),
        }
    }

    /// Hands the rows with these rowids to `each`.
    ///
    /// # Errors
    /// The table cannot be read.
    pub(super) fn each_of(
        &self,
        table: &'static str,
        sql: &str,
        rowids: &[i64],
        mut each: impl FnMut(&Row<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<u64, ExtractError> {
        let mut read = || -> Result<u64, rusqlite::Error> {
            let mut statement = self.connection.prepare_cached(&format!("{sql} where rowid = ?1"))?;
            let mut count = 0;
            for rowid in rowids {
                let mut rows = statement.query([rowid])?;
                while let Some(row) = rows.next()? {
                    count += 1;
                    each(row)?;
                }
            }
            Ok(count)
        };
        read().map_err(|error| explain(&self.path, Some(table), error))
    }

    /// Finds the first rowid from which reading can go on, and sets the walk there. False when there is none, None where
    /// nothing is to be rescued.
    fn behind(&self, table: &str, walk: &mut Walk) -> Option<bool> {
        let sure = walk.sure.max(0);
        let rescue = walk.rescue.as_mut()?;
        rescue.open.get_or_insert((walk.sure, walk.last));
        rescue.has_gone_on = true;
        // A row that was found, and whose data cannot be read: go on behind it.
        rescue.closed.extend(rescue.target.take());
        let closed = &rescue.closed;
        let probe = |from: i64| self.probe(table, from).ok().filter(|row| row.is_none_or(|row| !closed.contains(&row)));
        let mut bad = sure;
        let mut step = 1;
        // The first place from which on a row is found that is not known yet, or none at all.
        let mut good = loop {
            match probe(sure + step) {
                Some(row) => break (sure + step, row),
                None if step >= FURTHEST => return Some(false),
                None => bad = sure + step,
            }
            step += if step < NEAR { 1 } else { step };
        };
        while good.0 - bad > 1 {
            let middle = bad + (good.0 - bad) / 2;
            match probe(middle) {
                Some(row) => good = (middle, row),
                None => bad = middle,
            }
        }
        walk.from = good.0;
        rescue.target = good.1;
        Some(good.1.is_some())
    }

    /// The first rowid from this one on.
    fn probe(&self, table: &str, from: i64) -> Result<Option<i64>, rusqlite::Error> {
        use rusqlite::OptionalExtension;
        self.connection
            .prepare_cached(&format!("select rowid from \"{table}\" where rowid >= ?1 order by rowid limit 1"))?
            .query_row([from], |row| row.get(0))
            .optional()
    }
}
