//! One error enum per stage. Every variant carries the noun it is about (path, table, metric, row) and its source;
//! [`Hint`] says what to do next, and [`Exit`] which exit code the command line gives (see `--help`).

mod machine;
mod query;
mod snapshot;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

pub use machine::Lack;
pub use query::{EngineError, RegistryError};
pub use snapshot::SnapshotError;
use snapshot::UNMENDABLE;

/// Exit codes of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Ok = 0,
    /// A gate or check failed.
    Gate = 1,
    /// Wrong use.
    Usage = 2,
    /// No database was found.
    NoDatabase = 3,
    /// A database or file is unreadable, corrupt or of a schema too new.
    Unreadable = 4,
    /// SQL was rejected or failed.
    Sql = 5,
    /// The store is locked or damaged.
    Store = 6,
}

/// What a stage's error says beside its message.
pub trait Hint {
    /// What the user can do about it.
    fn hint(&self) -> Option<String>;
    /// The exit code that it leads to.
    fn exit(&self) -> Exit;
}

/// Finding databases.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LocateError {
    /// Nothing was found where it was looked for.
    #[error("no OpenCode database found; looked at {}", .looked.join(", "))]
    NotFound {
        /// Places looked at, in order.
        looked: Vec<String>,
    },
    /// The user named a path that does not exist.
    #[error("{path} does not exist")]
    Missing {
        /// The path as given.
        path: Utf8PathBuf,
    },
    /// A folder without a database.
    #[error("{path} holds no opencode*.db")]
    EmptyFolder {
        /// The folder.
        path: Utf8PathBuf,
    },
    /// A glob that cannot be parsed.
    #[error("'{pattern}' is not a valid pattern")]
    Pattern {
        /// As given.
        pattern: String,
        /// Why.
        source: glob::PatternError,
    },
}

impl Hint for LocateError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => {
                "run OpenCode once, or name a database with --db PATH (a file, a data folder or a glob); \
                 `logicoma report --demo` shows a report of built-in data"
                    .into()
            }
            Self::Missing { .. } => "check the path given to --db (or OPENCODE_DB, OPENCODE_DATA_DIR)".into(),
            Self::EmptyFolder { .. } => "a data folder holds opencode.db, or opencode-<channel>.db".into(),
            Self::Pattern { .. } => "quote the pattern, or name the file itself".into(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Pattern { .. } => Exit::Usage,
            _ => Exit::NoDatabase,
        }
    }
}

/// Reading a source.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The file is empty.
    #[error("{path} is empty (0 bytes)")]
    Empty {
        /// The file.
        path: Utf8PathBuf,
    },
    /// Not an SQLite file at all.
    #[error("{path} is not an SQLite database")]
    NotSqlite {
        /// The file.
        path: Utf8PathBuf,
    },
    /// An SQLite file of something else.
    #[error(
        "{path} is an SQLite database, but not OpenCode's: it has neither session, message and part nor session_v2 and session_message"
    )]
    NotOpenCode {
        /// The file.
        path: Utf8PathBuf,
    },
    /// A table lacks a column without which nothing can be read.
    #[error("{path}: table {table} has no column '{column}'; this schema is not known")]
    Schema {
        /// The file.
        path: Utf8PathBuf,
        /// The table.
        table: &'static str,
        /// The column that is missing.
        column: &'static str,
    },
    /// Somebody holds an exclusive lock.
    #[error("{path} is locked by another process")]
    Locked {
        /// The file.
        path: Utf8PathBuf,
        /// From SQLite.
        source: rusqlite::Error,
    },
    /// The file's pages make no sense.
    #[error("{path} is damaged{}", .table.map(|table| format!(" (reading table {table})")).unwrap_or_default())]
    Corrupt {
        /// The file.
        path: Utf8PathBuf,
        /// The table that was being read.
        table: Option<&'static str>,
        /// From SQLite.
        source: rusqlite::Error,
    },
    /// Anything else that SQLite says.
    #[error("cannot read {path}")]
    Sqlite {
        /// The file.
        path: Utf8PathBuf,
        /// From SQLite.
        source: rusqlite::Error,
    },
    /// The file cannot be opened or examined.
    #[error("cannot open {path}")]
    Io {
        /// The file.
        path: Utf8PathBuf,
        /// From the system.
        source: std::io::Error,
    },
    /// A file given as telemetry is none.
    #[error("{path} {problem}")]
    Telemetry {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Hint for ExtractError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty { .. } | Self::NotSqlite { .. } | Self::NotOpenCode { .. } => {
                "name OpenCode's database with --db PATH; it is usually ~/.local/share/opencode/opencode.db".into()
            }
            Self::Schema { .. } => {
                "this OpenCode version is newer than this Logicoma, or the database was changed by hand; \
                 `logicoma doctor` shows what is there"
                    .into()
            }
            Self::Locked { .. } => "wait until the other process is done (a migration or vacuum), then try again; --no-extract works on what was read before".into(),
            Self::Corrupt { .. } => "the store keeps what was read before: --no-extract works on it; `sqlite3 FILE .recover` may rescue the database".into(),
            Self::Io { source, .. } if Lack::of(source).is_some() => return Lack::of(source).map(|lack| lack.hint().into()),
            Self::Sqlite { path, .. } | Self::Io { path, .. } => {
                format!("check that {path} can be read by you, and its folder too")
            }
            Self::Telemetry { .. } => {
                "`logicoma ingest --help` lists the formats; --as FORMAT forces one; `logicoma emit --schema` prints the \
                 format of events.jsonl"
                    .into()
            }
            Self::Store(error) => return error.hint(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.exit(),
            // No database lacks room: what was written does.
            Self::Io { source, .. } if Lack::of(source) == Some(Lack::Space) => Exit::Store,
            _ => Exit::Unreadable,
        }
    }
}

/// Keeping the store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file or folder of the store cannot be written or read.
    #[error("cannot {action} {path}")]
    Io {
        /// create, write, read, rename, remove.
        action: &'static str,
        /// The file or folder.
        path: Utf8PathBuf,
        /// From the system.
        source: std::io::Error,
    },
    /// Another Logicoma works on it.
    #[error("the store {path} is in use by another logicoma")]
    Locked {
        /// The store.
        path: Utf8PathBuf,
    },
    /// There is no store yet.
    #[error("there is no store at {path} yet")]
    Absent {
        /// The store.
        path: Utf8PathBuf,
    },
    /// The manifest cannot be understood.
    #[error("the store's manifest {path} is damaged")]
    Manifest {
        /// The manifest.
        path: Utf8PathBuf,
        /// From the JSON reader.
        source: serde_json::Error,
    },
    /// The store was written by a newer Logicoma.
    #[error("{path} was made by a newer Logicoma: it has schema version {found}, and this one knows up to {known}")]
    TooNew {
        /// The store.
        path: Utf8PathBuf,
        /// Version found.
        found: u32,
        /// Version known.
        known: u32,
    },
    /// A file that the manifest lists is missing or changed.
    #[error("the store is damaged: {path} {problem}")]
    Damaged {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The folder given as a store holds other things.
    #[error("{path} is not a Logicoma store: it holds other files")]
    Foreign {
        /// The folder.
        path: Utf8PathBuf,
    },
    /// The folder given as a store is an archive.
    #[error("{path} is no store: it holds snapshots ({}{})", .snapshots[..1].join(", "), if .snapshots.len() > 1 { " …" } else { "" })]
    Archive {
        /// The folder.
        path: Utf8PathBuf,
        /// Names of the snapshots, the newest first.
        snapshots: Vec<String>,
    },
    /// A snapshot never changes.
    #[error("{path} is a snapshot: nothing is ever written in it")]
    Frozen {
        /// The snapshot.
        path: Utf8PathBuf,
    },
    /// A Parquet file cannot be read.
    #[error("the store is damaged: {path} is no readable Parquet file")]
    Decode {
        /// The file.
        path: Utf8PathBuf,
        /// From Parquet.
        source: parquet::errors::ParquetError,
    },
    /// Something that could lead out of the store.
    #[error("{path} is a symbolic link: inside a store none is followed")]
    Link {
        /// The link.
        path: Utf8PathBuf,
    },
    /// Arrow or Parquet could not write.
    #[error("cannot encode table {table}")]
    Encode {
        /// The table.
        table: String,
        /// From Parquet.
        source: parquet::errors::ParquetError,
    },
}

/// The machine whose manifest this is, where it has a name.
fn writer_of(path: &Utf8Path) -> Option<&str> {
    path.file_name()?.strip_prefix("manifest-")?.strip_suffix(".json")
}

/// The file is one of a snapshot's, which nothing rebuilds.
fn is_in_snapshot(path: &Utf8Path) -> bool {
    let is_root = |folder: &&Utf8Path| ["manifest.json", "SHA256SUMS"].iter().any(|name| folder.join(name).exists());
    let root = path.ancestors().skip(1).find(is_root).or(path.parent());
    root.is_some_and(|root| {
        root.join("SHA256SUMS").symlink_metadata().is_ok()
            || root.parent().and_then(Utf8Path::file_name) == Some("snapshots")
    })
}

impl Hint for StoreError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { source, .. } if Lack::of(source).is_some() => return Lack::of(source).map(Lack::hint_for_store),
            Self::Io { path, .. } => {
                format!(
                    "check who owns {path}, or choose another folder with --store DIR; the old state is untouched, and \
                     --no-extract reads it as it is"
                )
            }
            Self::Locked { .. } => "wait for the other one to end, then try again".into(),
            Self::Absent { .. } => "run `logicoma extract` first, or leave --no-extract out".into(),
            Self::Manifest { path, .. } | Self::Damaged { path, .. } | Self::Decode { path, .. } if is_in_snapshot(path) => {
                UNMENDABLE.into()
            }
            Self::Manifest { path, .. } | Self::Damaged { path, .. } if writer_of(path).is_some() => {
                let (writer, store) = (writer_of(path).unwrap_or_default(), path.parent().unwrap_or(path));
                format!(
                    "the machine '{writer}' wrote it: `logicoma extract --full --source {writer} --store {store}` there writes \
                     it anew, and carries over what its files still hold; history in damaged ones may be lost"
                )
            }
            Self::Manifest { .. } | Self::Damaged { .. } | Self::Decode { .. } => {
                "`logicoma extract --full` rebuilds the store from the databases, and carries over what its files still hold; \
                 history in damaged ones may be lost"
                    .into()
            }
            Self::TooNew { .. } => "use the newer Logicoma, or another folder with --store DIR".into(),
            Self::Frozen { .. } => {
                "name the live store with --store DIR; `logicoma snapshot restore` makes it hold an old state again"
                    .into()
            }
            Self::Archive { path, snapshots } => format!(
                "name one of them with --store {path}/{}, or the live store with --store DIR; \
                 the verbs of `logicoma snapshot` find them with --to {path}",
                snapshots.first().map_or("NAME", String::as_str)
            ),
            Self::Link { .. } => {
                "replace it by what it leads to, or name that folder with --store DIR (snapshots: --to DIR)".into()
            }
            Self::Foreign { .. } => "choose an empty folder with --store DIR".into(),
            Self::Encode { .. } => "this is a bug: please report it with the table's name".into(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Frozen { .. } | Self::Archive { .. } => Exit::Usage,
            Self::TooNew { .. } => Exit::Unreadable,
            _ => Exit::Store,
        }
    }
}
