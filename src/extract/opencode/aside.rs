//! Databases that cannot be read where they lie without writing there: a log without its index, a folder in which none can be
//! made, a transaction that was cut off and is to be rolled back.
//!
//! Input: a database, a folder of the store's. Output: a copy with what lies beside it, in which SQLite may write.

use super::sqlite::{explain, fingerprint};
use crate::error::ExtractError;
use crate::store::manifest::Fingerprint;
use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::Connection;

/// Name of the database in the folder of the copy.
pub(super) const NAME: &str = "opencode.db";

/// What may lie beside a database and belongs to it.
const BESIDE: [&str; 2] = ["-wal", "-journal"];

/// How often a database may change while it is copied.
const ATTEMPTS: usize = 3;

/// The path of what lies beside a database.
pub(super) fn sidecar(path: &Utf8Path, suffix: &str) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{path}{suffix}"))
}

/// A transaction may have been cut off.
pub(super) fn has_journal(path: &Utf8Path) -> bool {
    std::fs::metadata(sidecar(path, "-journal")).is_ok_and(|journal| journal.is_file() && journal.len() > 0)
}

/// Copies a database of this state; a transaction that was cut off is rolled back in the copy.
///
/// # Errors
/// It cannot be copied, or keeps changing.
pub(super) fn copy(
    path: &Utf8Path,
    state: &Fingerprint,
    scratch: &Utf8Path,
) -> Result<tempfile::TempDir, ExtractError> {
    let io = |source| ExtractError::Io { path: path.to_owned(), source };
    for _ in 0..ATTEMPTS {
        let folder = tempfile::Builder::new().prefix("copy-").tempdir_in(scratch).map_err(io)?;
        let inside = Utf8PathBuf::from_path_buf(folder.path().join(NAME)).unwrap_or_default();
        std::fs::copy(path, &inside).map_err(io)?;
        for suffix in BESIDE {
            match std::fs::copy(sidecar(path, suffix), sidecar(&inside, suffix)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
                _ => {}
            }
        }
        if fingerprint(path)? != *state {
            // A checkpoint between the two files would leave halves of two states.
            continue;
        }
        if has_journal(&inside) {
            writable(&inside).map_err(io)?;
            let roll_back =
                |database: Connection| database.query_row("select count(*) from sqlite_schema", [], |_| Ok(()));
            Connection::open(&inside).and_then(roll_back).map_err(|error| explain(path, None, error))?;
        }
        return Ok(folder);
    }
    Err(ExtractError::Locked {
        path: path.to_owned(),
        source: rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("the database keeps changing while it is copied".into()),
        ),
    })
}

/// A copy has the rights of what was copied.
#[allow(clippy::permissions_set_readonly_false, reason = "the folder is the user's alone")]
fn writable(path: &Utf8Path) -> std::io::Result<()> {
    let mut rights = std::fs::metadata(path)?.permissions();
    rights.set_readonly(false);
    std::fs::set_permissions(path, rights)
}
