//! Reading rows in the order of their rowids; out of a damaged database, those that can be read.
//!
//! Input: a table and what to select of it. Output: every row, handed to a function. Where SQLite finds a page that makes no
//! sense, the next rowid behind it that can be read is searched for by doubling steps, and what was stepped over is noted.

use super::partition::text_key;
use super::sqlite::{Source, explain};
use super::state::Key;
use crate::error::ExtractError;
use rusqlite::{ErrorCode, Row};
use std::collections::{BTreeMap, HashSet};

/// Steps end here: no table has more rows.
const FURTHEST: i64 = 1 << 48;
/// Ranges that are told one by one.
const TOLD: usize = 3;

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
    rows: u64,
}

impl Gaps {
    /// Nothing at all could be read.
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
        let mut after = range.after;
        let mut count = 0;
        loop {
            let result = self.run(sql, Range { after, ..range }, &mut |row| {
                after = row.get(0)?;
                count += 1;
                each(row)
            });
            let error = match result {
                Ok(()) => break,
                Err(error) => error,
            };
            let Some(gaps) = self.gaps.as_ref().filter(|_| is_damage(&error)) else {
                return Err(explain(&self.path, Some(table), error));
            };
            let behind = self.behind(table, after);
            let gap = (after.max(0), behind);
            // A table that is read more than once has the same gap each time.
            let mut gaps = gaps.borrow_mut();
            let known = gaps.tables.entry(table).or_default();
            if !known.contains(&gap) {
                known.push(gap);
            }
            match behind {
                Some(behind) => after = behind - 1,
                None => break,
            }
        }
        if let Some(gaps) = &self.gaps {
            gaps.borrow_mut().rows += count;
        }
        Ok(count)
    }

    fn run(
        &self,
        sql: &str,
        range: Range,
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        let mut statement =
            self.connection.prepare_cached(&format!("{sql} where rowid > ?1 and rowid <= ?2 order by rowid"))?;
        let mut rows = statement.query([range.after, range.until])?;
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

    /// The first rowid behind `after` at which reading can go on; None when there is none.
    fn behind(&self, table: &str, after: i64) -> Option<i64> {
        let after = after.max(0);
        // The row that failed can be found, but its data cannot be read: go on behind it.
        if let Ok(found) = self.probe(table, after) {
            return found.map(|row| row + 1);
        }
        let mut step = 1;
        let (mut bad, mut good) = (after, None);
        while step < FURTHEST {
            match self.probe(table, after + step) {
                Ok(Some(row)) => {
                    good = Some((after + step, row));
                    break;
                }
                Ok(None) => return None,
                Err(_) => bad = after + step,
            }
            step *= 2;
        }
        let (mut start, mut row) = good?;
        while start - bad > 1 {
            let middle = bad + (start - bad) / 2;
            match self.probe(table, middle) {
                Ok(Some(found)) => (start, row) = (middle, found),
                _ => bad = middle,
            }
        }
        Some(row)
    }

    /// The first rowid behind `after`.
    fn probe(&self, table: &str, after: i64) -> Result<Option<i64>, rusqlite::Error> {
        use rusqlite::OptionalExtension;
        self.connection
            .prepare_cached(&format!("select rowid from \"{table}\" where rowid > ?1 order by rowid limit 1"))?
            .query_row([after], |row| row.get(0))
            .optional()
    }
}
