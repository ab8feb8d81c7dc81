//! One table, piece by piece, on as many connections as there are cores, all of which see the same state.
//!
//! Input: a source, other connections to it, a table cut into pieces. Output: what each piece leaves, in their order. The
//! cuts depend on the rowids alone, so that equal databases give equal files whoever read them.

use super::Progress;
use super::intake::{Done, Intake, Shared};
use super::rescue::Range;
use super::rows::{RawRow, wanted};
use super::sqlite::Source;
use crate::error::ExtractError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Rowids in a piece, at most …
const PIECE: usize = 1 << 15;
/// … unless there would be more pieces than this.
const PIECES: u64 = 64;
/// A table of more than one piece has a multiple of these, so that cores end together.
const ROUND: u64 = 4;
/// Connections, at most: each holds rows that wait to be written.
const READERS: usize = 8;

/// Rows that one connection reads in one go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    Range(Range),
    Rowids(&'a [i64]),
}

/// All rows of a table whose last rowid this is.
#[must_use]
pub(super) fn of_table(last_rowid: u64) -> Vec<Piece<'static>> {
    let count = match last_rowid.div_ceil(PIECE as u64).clamp(1, PIECES) {
        1 => 1,
        several => several.next_multiple_of(ROUND),
    };
    let cut = |at: u64| match at {
        0 => i64::MIN,
        at if at == count => i64::MAX,
        at => (last_rowid / count * at).cast_signed(),
    };
    (0..count).map(|at| Piece::Range(Range { after: cut(at), until: cut(at + 1) })).collect()
}

/// These rows.
#[must_use]
pub(super) fn of_rowids(rowids: &[i64]) -> Vec<Piece<'_>> {
    rowids.chunks(PIECE).map(Piece::Rowids).collect()
}

/// Other connections that see what `source` sees; none where that cannot be had.
#[must_use]
pub(super) fn twins(source: &Source) -> Vec<Source> {
    let count = std::thread::available_parallelism().map_or(1, usize::from).min(READERS) - 1;
    std::iter::repeat_with(|| source.twin()).take(count).map_while(|twin| twin).collect()
}

/// Reads pieces.
///
/// # Errors
/// The source cannot be read, or the store cannot be written.
pub(super) fn read(
    source: &Source,
    twins: &mut [Source],
    pieces: &[Piece<'_>],
    shared: Shared<'_>,
    progress: &dyn Progress,
) -> Result<Vec<Done>, ExtractError> {
    let (next, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = |source: &Source| -> Result<Vec<(usize, Done)>, ExtractError> {
        let mut done = Vec::new();
        while !has_failed.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(at) else { break };
            let result = one(source, *piece, shared, progress);
            has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
            done.push((at, result?));
        }
        Ok(done)
    };
    let work = &work;
    let all: Vec<Result<_, ExtractError>> = std::thread::scope(|scope| {
        let helpers = twins.iter_mut().take(pieces.len().saturating_sub(1));
        let running: Vec<_> = helpers.map(|twin| scope.spawn(move || work(twin))).collect();
        let own = work(source);
        // A panic of another thread is this one's.
        let others =
            running.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        std::iter::once(own).chain(others).collect()
    });
    let mut done: Vec<(usize, Done)> = all.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, done)| done).collect())
}

fn one(source: &Source, piece: Piece<'_>, shared: Shared<'_>, progress: &dyn Progress) -> Result<Done, ExtractError> {
    let (kind, table) = (shared.kind, shared.kind.table());
    let sql = format!("select rowid, {} from \"{table}\"", source.select_list(table, &wanted(kind)));
    let mut intake = Intake::new(shared);
    let (mut failure, mut count) = (None, 0_u64);
    let take = |row: &rusqlite::Row<'_>| -> Result<(), rusqlite::Error> {
        // SQLite cannot be told of the store's troubles: the rest of the piece is read and left.
        if failure.is_none() {
            failure = intake.row(&RawRow::of(kind, row)?).err();
        }
        count += 1;
        if count.is_multiple_of(256) {
            progress.advance(256, 0);
        }
        Ok(())
    };
    match piece {
        Piece::Range(range) => source.each_in(table, &sql, range, take)?,
        Piece::Rowids(rowids) => source.each_of(table, &sql, rowids, take)?,
    };
    match failure {
        Some(failure) => Err(failure.into()),
        None => Ok(intake.finish()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_rowid_once() {
        for last in [0, 1, 32_767, 32_768, 32_769, 264_000, 1 << 40, u64::MAX >> 1] {
            let ranges: Vec<Range> = of_table(last)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Range(range) => range,
                    Piece::Rowids(_) => unreachable!("a table is cut into ranges"),
                })
                .collect();
            assert!(ranges.len() <= 64);
            assert_eq!((ranges[0].after, ranges[ranges.len() - 1].until), (i64::MIN, i64::MAX));
            assert!(ranges.windows(2).all(|pair| pair[0].until == pair[1].after && pair[0].after < pair[0].until));
        }
    }
}
