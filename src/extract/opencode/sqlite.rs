//! Opening OpenCode's database without touching it.
//!
//! Input: a path. Output: a read-only connection inside one read transaction, with the tables and columns that it has.
//! `mode=ro` always; `immutable` only where a database in WAL mode has no log beside it (a plain read-only connection
//! would create one there), and then [`Source::verify_unchanged`] tells whether a writer came meanwhile.
//! Only the tables of [`ALLOWED`] are ever named in SQL: the rest may hold secrets, or be most of the file.

use super::aside::{self, has_journal, sidecar};
use super::partition::Generation;
use super::rescue::Gaps;
use super::storage;
use crate::error::ExtractError;
use crate::store::manifest::Fingerprint;
use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, OpenFlags};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Every table that may be read.
pub const ALLOWED: &[&str] = &[
    "session",
    "message",
    "part",
    "todo",
    "project",
    "session_v2",
    "session_message",
    "migration",
    "__drizzle_migrations",
    "skill_metrics",
    "edit_metrics",
    "rlm_metrics",
    "intent_metrics",
    "verification_metrics",
];

/// As long as OpenCode itself waits for a lock.
const BUSY: Duration = Duration::from_secs(5);

/// An open database.
pub struct Source {
    /// The file.
    pub path: Utf8PathBuf,
    /// The connection, in a read transaction.
    pub connection: Connection,
    /// Allowed tables that exist, with their columns.
    pub columns: BTreeMap<String, BTreeSet<String>>,
    /// The state when it was opened.
    pub fingerprint: Fingerprint,
    immutable: bool,
    /// Opened by [`Source::rescue`]: what was stepped over.
    pub(super) gaps: Option<RefCell<Gaps>>,
    copy: Option<tempfile::TempDir>,
    /// The log's index as it was before the transaction began. Dropped last: see [`Log`].
    log: Option<Log>,
}

/// Size and time of a database and its log.
///
/// # Errors
/// The file cannot be examined.
pub fn fingerprint(path: &Utf8Path) -> Result<Fingerprint, ExtractError> {
    if path.is_dir() {
        return Ok(storage::fingerprint(path));
    }
    let io = |source| ExtractError::Io { path: path.to_owned(), source };
    let file = std::fs::metadata(path).map_err(io)?;
    let wal = std::fs::metadata(sidecar(path, "-wal")).ok().filter(|wal| wal.len() > 0);
    let counter = beginning::<28>(path).map_or([0; 4], |head| [head[24], head[25], head[26], head[27]]);
    let salts = wal.as_ref().and_then(|_| beginning::<24>(&sidecar(path, "-wal")));
    Ok(Fingerprint {
        size: file.len(),
        modified_ns: modified_ns(&file),
        wal_size: wal.as_ref().map_or(0, std::fs::Metadata::len),
        wal_modified_ns: wal.as_ref().map_or(0, modified_ns),
        change_counter: u32::from_be_bytes(counter),
        wal_salts: salts.map_or(0, |head| head[16..].iter().fold(0, |salts, byte| (salts << 8) | u64::from(*byte))),
    })
}

/// The first bytes of a file, where it has so many.
fn beginning<const SIZE: usize>(path: &Utf8Path) -> Option<[u8; SIZE]> {
    use std::io::Read;
    let mut bytes = [0_u8; SIZE];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).ok().map(|()| bytes)
}

pub(super) fn modified_ns(metadata: &std::fs::Metadata) -> i64 {
    metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|age| i64::try_from(age.as_nanos()).ok())
        .unwrap_or(0)
}

/// The head of the log's index, both copies of it.
/// The log's index, whose first bytes change with every commit. The file stays open as long as the database: closing it would
/// give up every lock that SQLite holds on it in this process (POSIX locks go with the first handle that is closed), and a
/// checkpoint would then run under the reader's feet.
struct Log {
    file: std::fs::File,
    state: Option<[u8; 96]>,
}

impl Log {
    fn open(database: &Utf8Path) -> Option<Self> {
        let file = std::fs::File::open(sidecar(database, "-shm")).ok()?;
        let state = Self::read(&file);
        Some(Self { file, state })
    }

    fn read(mut file: &std::fs::File) -> Option<[u8; 96]> {
        use std::io::{Read, Seek};
        let mut bytes = [0_u8; 96];
        file.rewind().and_then(|()| file.read_exact(&mut bytes)).ok().map(|()| bytes)
    }

    /// Nobody has committed since, and it is still the database's own.
    fn is_same(&self, database: &Utf8Path) -> bool {
        let identity = |found: std::fs::Metadata| (found.len(), found.created().ok());
        let own = self.file.metadata().map(identity).ok();
        let now = std::fs::metadata(sidecar(database, "-shm")).map(identity).ok();
        self.state.is_some() && self.state == Self::read(&self.file) && own == now
    }
}

/// Turns what SQLite says into what the user understands.
pub(crate) fn explain(path: &Utf8Path, table: Option<&'static str>, source: rusqlite::Error) -> ExtractError {
    use rusqlite::ErrorCode;
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ExtractError::Locked { path, source },
        Some(ErrorCode::DatabaseCorrupt) => ExtractError::Corrupt { path, table, source },
        Some(ErrorCode::NotADatabase) => ExtractError::NotSqlite { path },
        _ => ExtractError::Sqlite { path, source },
    }
}

/// A pipe or a device would be waited for, or read, for ever.
pub(super) fn check_kind(path: &Utf8Path) -> Result<(), ExtractError> {
    let found = std::fs::metadata(path).map_err(|source| ExtractError::Io { path: path.to_owned(), source })?;
    if found.is_file() || found.is_dir() { Ok(()) } else { Err(ExtractError::NotSqlite { path: path.to_owned() }) }
}

fn check_header(path: &Utf8Path, fingerprint: &Fingerprint) -> Result<Option<[u8; 20]>, ExtractError> {
    if fingerprint.size == 0 {
        if fingerprint.wal_size == 0 {
            return Err(ExtractError::Empty { path: path.to_owned() });
        }
        return Ok(None);
    }
    std::fs::File::open(path).map_err(|source| ExtractError::Io { path: path.to_owned(), source })?;
    match beginning::<20>(path) {
        Some(header) if header.starts_with(b"SQLite format 3\0") => Ok(Some(header)),
        _ => Err(ExtractError::NotSqlite { path: path.to_owned() }),
    }
}

fn connect(path: &Utf8Path, immutable: bool, rescue: bool) -> Result<Connection, rusqlite::Error> {
    let mut uri = String::from("file:");
    for character in path.as_str().chars() {
        match character {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            other => uri.push(other),
        }
    }
    uri.push_str(if immutable { "?mode=ro&immutable=1" } else { "?mode=ro" });
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri, flags)?;
    connection.busy_timeout(BUSY)?;
    // Never creates, never writes, never runs functions that a hostile schema names.
    connection.execute_batch("pragma query_only = on; pragma trusted_schema = off; pragma cell_size_check = on;")?;
    if rescue {
        // Lets SQLite begin although the file is shorter than its header says; nothing can be written here.
        connection.execute_batch("pragma writable_schema = on")?;
    }
    connection.execute_batch("begin")?;
    // The first read fixes the snapshot.
    connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

impl Source {
    /// Opens a database.
    ///
    /// `scratch` is a folder of the store's: where the database's own folder cannot be written and a log must be read,
    /// database and log are copied there first.
    ///
    /// # Errors
    /// Empty, not SQLite, not OpenCode's, locked, damaged or unreadable.
    pub fn open(path: &Utf8Path, scratch: &Utf8Path) -> Result<Self, ExtractError> {
        Self::open_with(path, scratch, false)
    }

    /// Opens a damaged database, of which `Source::each` then reads what can be read.
    ///
    /// # Errors
    /// Not even its schema can be read.
    pub fn rescue(path: &Utf8Path, scratch: &Utf8Path) -> Result<Self, ExtractError> {
        Self::open_with(path, scratch, true)
    }

    fn open_with(path: &Utf8Path, scratch: &Utf8Path, rescue: bool) -> Result<Self, ExtractError> {
        let absolute =
            camino::absolute_utf8(path).map_err(|source| ExtractError::Io { path: path.to_owned(), source })?;
        check_kind(&absolute)?;
        let fingerprint = fingerprint(&absolute)?;
        if absolute.is_dir() {
            return Self::open_storage(path, &absolute, fingerprint, scratch);
        }
        let header = check_header(&absolute, &fingerprint)?;
        let in_wal_mode = header.is_some_and(|header| header[18] == 2);
        let has_index = sidecar(&absolute, "-shm").exists();
        // Without the log's index SQLite would make one beside the database, and leave it there.
        let immutable = in_wal_mode && fingerprint.wal_size == 0 && !(has_index && sidecar(&absolute, "-wal").exists());
        let must_copy = (in_wal_mode || header.is_none()) && fingerprint.wal_size > 0 && !has_index;
        let mut copy = None;
        let mut log = Log::open(&absolute);
        let connected = if must_copy { None } else { Some(connect(&absolute, immutable, rescue)) };
        let connection = match connected {
            Some(Ok(connection)) => connection,
            Some(Err(error)) if !(cannot_share(&error) && (fingerprint.wal_size > 0 || has_journal(&absolute))) => {
                return Err(explain(path, None, error));
            }
            _ => {
                let folder = aside::copy(&absolute, &fingerprint, scratch)?;
                let inside = Utf8PathBuf::from_path_buf(folder.path().join(aside::NAME)).unwrap_or_default();
                let connection = connect(&inside, false, rescue).map_err(|error| explain(path, None, error))?;
                log = Log::open(&inside);
                copy = Some(folder);
                connection
            }
        };
        let columns = read_columns(&connection).map_err(|error| explain(path, None, error))?;
        let gaps = rescue.then(RefCell::default);
        let source = Self { path: path.to_owned(), connection, columns, fingerprint, immutable, gaps, copy, log };
        source.check_tables()?;
        Ok(source)
    }

    /// A folder of JSON files, as a database of its own in `scratch`.
    fn open_storage(
        path: &Utf8Path,
        folder: &Utf8Path,
        fingerprint: Fingerprint,
        scratch: &Utf8Path,
    ) -> Result<Self, ExtractError> {
        let io = |source| ExtractError::Store(crate::store::io("create", scratch)(source));
        let copy = tempfile::Builder::new().prefix("json-").tempdir_in(scratch).map_err(io)?;
        let inside = Utf8PathBuf::from_path_buf(copy.path().join(aside::NAME)).unwrap_or_default();
        let converted = storage::convert(folder, &inside)?;
        tracing::info!("{folder}: {converted:?}");
        let connection = connect(&inside, false, false).map_err(|error| explain(path, None, error))?;
        let columns = read_columns(&connection).map_err(|error| explain(path, None, error))?;
        let (path, copy) = (path.to_owned(), Some(copy));
        Ok(Self { path, connection, columns, fingerprint, immutable: false, gaps: None, copy, log: None })
    }

    /// A second connection that sees exactly the same state, for another thread; None where that cannot be had.
    pub(super) fn twin(&self) -> Option<Self> {
        if self.gaps.is_some() {
            return None;
        }
        let inside = self.copy.as_ref().map(|folder| folder.path().join(aside::NAME));
        let path = match inside {
            Some(inside) => Utf8PathBuf::from_path_buf(inside).ok()?,
            None => camino::absolute_utf8(&self.path).ok()?,
        };
        let connection = connect(&path, self.immutable, false).ok()?;
        // Nobody has committed since before the first connection began to read; without a log, readers block writers.
        let is_same = match &self.log {
            Some(log) => log.is_same(&path),
            None => !sidecar(&path, "-shm").exists(),
        };
        is_same.then(|| Self {
            path: self.path.clone(),
            connection,
            columns: self.columns.clone(),
            fingerprint: self.fingerprint.clone(),
            immutable: self.immutable,
            gaps: None,
            copy: None,
            log: None,
        })
    }

    fn check_tables(&self) -> Result<(), ExtractError> {
        if !self.has_v1() && !self.has_v2() {
            return Err(ExtractError::NotOpenCode { path: self.path.clone() });
        }
        let needed: &[(&'static str, &[&'static str])] = &[
            ("session", &["id", "time_created"]),
            ("message", &["id", "session_id", "data"]),
            ("part", &["id", "message_id", "session_id", "data"]),
            ("session_v2", &["id", "time_created"]),
            ("session_message", &["id", "session_id", "type", "data"]),
        ];
        for (table, columns) in needed {
            if let Some(found) = self.columns.get(*table)
                && let Some(column) = columns.iter().find(|column| !found.contains(**column))
            {
                return Err(ExtractError::Schema { path: self.path.clone(), table, column });
            }
        }
        Ok(())
    }

    /// True when the first generation's tables are there.
    #[must_use]
    pub fn has_v1(&self) -> bool {
        ["session", "message", "part"].iter().all(|table| self.columns.contains_key(*table))
    }

    /// True when the second generation's tables are there (1.18 has an empty `session_message` of its own).
    #[must_use]
    pub fn has_v2(&self) -> bool {
        self.columns.contains_key("session_v2") && self.columns.contains_key("session_message")
    }

    /// The generations that are there, older first.
    pub(super) fn generations(&self) -> impl Iterator<Item = Generation> {
        let first = self.has_v1().then_some(Generation::V1);
        first.into_iter().chain(self.has_v2().then_some(Generation::V2))
    }

    /// False when the database was read as immutable and a writer came meanwhile: then it must be read again.
    #[must_use]
    pub fn verify_unchanged(&self) -> bool {
        !self.immutable
            || (camino::absolute_utf8(&self.path).ok().and_then(|path| fingerprint(&path).ok()).as_ref()
                == Some(&self.fingerprint))
    }

    /// `select` list for columns that may be missing: NULL stands in.
    #[must_use]
    pub fn select_list(&self, table: &str, wanted: &[&str]) -> String {
        let found = self.columns.get(table);
        wanted
            .iter()
            .map(|column| match found {
                Some(found) if found.contains(*column) => format!("\"{column}\""),
                _ => "null".to_owned(),
            })
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The last rowid of a table, which is no less than the number of its rows; 0 when that cannot be read.
    pub(super) fn last_rowid(&self, table: &str) -> u64 {
        self.connection
            .query_row(&format!("select coalesce(max(rowid), 0) from \"{table}\""), [], |row| row.get::<_, i64>(0))
            .ok()
            .and_then(|rowid| u64::try_from(rowid).ok())
            .unwrap_or(0)
    }

    /// Number of migrations that OpenCode had applied.
    #[must_use]
    pub fn migrations(&self) -> u64 {
        ["migration", "__drizzle_migrations"]
            .iter()
            .filter(|table| self.columns.contains_key(**table))
            .filter_map(|table| {
                self.connection
                    .query_row(&format!("select count(*) from \"{table}\""), [], |row| row.get::<_, i64>(0))
                    .ok()
            })
            .max()
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0)
    }
}

/// The log's index cannot be created or written beside a read-only database.
fn cannot_share(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, PermissionDenied, ReadOnly, SystemIoFailure};
    matches!(error.sqlite_error_code(), Some(CannotOpen | ReadOnly | PermissionDenied | SystemIoFailure))
}

fn read_columns(connection: &Connection) -> Result<BTreeMap<String, BTreeSet<String>>, rusqlite::Error> {
    let mut tables = BTreeMap::new();
    let mut exists =
        connection.prepare("select 1 from sqlite_schema where type = 'table' and name = ?1 collate nocase")?;
    let mut info = connection.prepare("select name from pragma_table_info(?1)")?;
    for table in ALLOWED {
        if exists.exists([table])? {
            let columns =
                info.query_map([table], |row| row.get::<_, String>(0))?.collect::<Result<BTreeSet<_>, _>>()?;
            tables.insert((*table).to_owned(), columns);
        }
    }
    Ok(tables)
}
