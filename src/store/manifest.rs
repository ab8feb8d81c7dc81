//! The manifest: what the store holds, where it came from, and the checksums by which anyone can verify it.
//!
//! Input and output: `manifest.json` at the store's root, and one `manifest-<writer>.json` for each machine that writes into
//! the same folder under a name of its own. What a reader sees is all of them together.

use super::writers::file_name;
use super::{NOT_PLAIN, handover, io, read_plain, schema, write_atomic};
use crate::error::StoreError;
use crate::model::digest;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name of the manifest's file.
pub const FILE: &str = "manifest.json";

/// The partition of bad lines of telemetry.
pub const OF_TELEMETRY: &str = "telemetry";

/// One Parquet file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path relative to the store, always with `/`.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal, as `sha256sum` prints it.
    pub sha256: String,
}

impl FileEntry {
    /// The source whose rows it holds, as its path says.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        source_of(&self.path)
    }

    /// The partition, as its path says.
    #[must_use]
    pub fn partition(&self) -> Option<&str> {
        level(&self.path, "week=")
    }
}

fn level<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    path.split('/').find_map(|part| part.strip_prefix(key))
}

/// The source that a path in the store names. Bad lines of telemetry are of none: their folder says `source=` only because
/// all folders of a table have the same levels, which other engines ask for.
pub(super) fn source_of(path: &str) -> Option<&str> {
    level(path, "source=").filter(|_| level(path, "week=") != Some(OF_TELEMETRY))
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableEntry {
    /// Rows in all files.
    pub rows: u64,
    /// The files, ordered by path.
    pub files: Vec<FileEntry>,
}

/// What identifies the state of a source: when it is the same, nothing has changed. The counter and the salts tell it also
/// when the clock was set back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Size of the database file in bytes.
    pub size: u64,
    /// Its modification time in nanoseconds since the epoch.
    pub modified_ns: i64,
    /// Size of the write-ahead log; 0 when there is none.
    pub wal_size: u64,
    /// The log's modification time in nanoseconds; 0 when there is none or it is empty.
    pub wal_modified_ns: i64,
    /// SQLite's change counter.
    #[serde(default)]
    pub change_counter: u32,
    /// Both salts of the log's header; they change whenever the log starts anew.
    #[serde(default)]
    pub wal_salts: u64,
}

/// One database that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// Short name, unique in the store (`opencode`, `opencode-beta` …).
    pub name: String,
    /// Where it was read.
    pub path: String,
    /// Newest OpenCode version that wrote a session in it.
    pub opencode_version: Option<String>,
    /// `v1`, `v2` or `v1+v2`.
    pub generation: String,
    /// Migrations that OpenCode had applied.
    pub migrations: u64,
    /// Rows read per table of the source.
    pub rows_read: BTreeMap<String, u64>,
    /// The state that was read.
    pub fingerprint: Fingerprint,
    /// When it was last read, epoch ms UTC.
    #[serde(default)]
    pub read_at: i64,
    /// The newest `time_updated` in it, epoch ms UTC.
    #[serde(default)]
    pub newest_at: Option<i64>,
    /// Set when the database itself is gone or was replaced: when it was last seen, epoch ms UTC. All its rows are history then.
    #[serde(default)]
    pub last_seen_at: Option<i64>,
    /// What could not be read of it the last time.
    #[serde(default)]
    pub damage: Option<String>,
    /// Directories in which sessions ran, through which skills are found.
    #[serde(default)]
    pub directories: Vec<DirectoryEntry>,
    /// SHA-256 over the skills that were found through them.
    #[serde(default)]
    pub catalog_hash: String,
}

impl SourceEntry {
    /// Orders sources of one path by when they stood there: one that is there is the last.
    #[must_use]
    pub fn seen_until(&self) -> i64 {
        self.last_seen_at.unwrap_or(i64::MAX)
    }

    /// A source of which nothing is known but where it is.
    #[must_use]
    pub fn named(name: &str, path: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            opencode_version: None,
            generation: String::new(),
            migrations: 0,
            rows_read: BTreeMap::new(),
            fingerprint: Fingerprint::default(),
            read_at: 0,
            newest_at: None,
            last_seen_at: None,
            damage: None,
            directories: Vec::new(),
            catalog_hash: String::new(),
        }
    }
}

/// Something that happened to a source and that a reader of numbers should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When, epoch ms UTC.
    pub at: i64,
    /// The source.
    pub source: String,
    /// A sentence.
    pub text: String,
}

/// A directory in which sessions ran, through which skills are found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DirectoryEntry {
    /// The project, where known.
    pub project_id: Option<String>,
    /// The project's working tree.
    pub worktree: Option<String>,
    /// The directory as recorded.
    pub directory: String,
}

/// What makes a store a snapshot, which never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotEntry {
    /// Name of its folder.
    pub name: String,
    /// When it was made, epoch ms UTC.
    pub created_at: i64,
    /// The machine that made it, where it was named.
    pub source: Option<String>,
    /// Sources of each writer that has a name.
    #[serde(default)]
    pub writers: BTreeMap<String, Vec<String>>,
    /// The raw JSON was left out although the store had it.
    pub is_lean: bool,
    /// [`Manifest::content_key`] of the store that it froze.
    pub state: String,
    /// Earliest start of a session, epoch ms UTC.
    pub first_at: Option<i64>,
    /// Latest change of a session, epoch ms UTC.
    pub last_at: Option<i64>,
    /// Rows in all tables.
    pub rows: u64,
    /// Parquet files.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// A file of telemetry that was read; databases that hold telemetry tables have one, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelemetryEntry {
    /// The file.
    pub path: String,
    /// What it was taken for.
    pub format: String,
    /// The project in whose folder it lay, where known.
    pub project_id: Option<String>,
    /// The recorded directory in which it lay, where known.
    pub directory: Option<String>,
    /// Given to `ingest`: looked at again although it is not found by itself.
    pub is_by_hand: bool,
    /// Figures that the source invents were taken.
    pub is_synthetic: bool,
    /// The state that was read.
    pub fingerprint: Fingerprint,
    /// Events taken from it.
    pub events: u64,
    /// Events whose id was known already.
    pub duplicates: u64,
    /// Lines or items in the quarantine.
    pub bad_lines: u64,
    /// Counters taken from it.
    pub totals: u64,
    /// What else is to be said.
    pub note: Option<String>,
    /// The zone in which times without one were read; of files that have such times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// The manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the columns and of the decoder.
    pub schema_version: u32,
    /// Logicoma that wrote it.
    pub logicoma_version: String,
    /// When, in epoch ms UTC.
    pub written_at: i64,
    /// False after `--no-content`.
    pub has_content: bool,
    /// Databases that were read, also those that are gone since.
    pub sources: Vec<SourceEntry>,
    /// What happened to sources, oldest first.
    #[serde(default)]
    pub notices: Vec<Notice>,
    /// Files of telemetry, ordered by path.
    #[serde(default)]
    pub telemetry: Vec<TelemetryEntry>,
    /// Tables by name.
    pub tables: BTreeMap<String, TableEntry>,
    /// What makes it a snapshot; absent in a live store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotEntry>,
    /// Rows that the sources no longer hold are left out. A choice of the reader's, never written.
    #[serde(skip)]
    pub present_only: bool,
    /// The [`Manifest::content_key`] of the whole store, where the reader looks at some of it only. Never written.
    #[serde(skip)]
    pub whole: Option<String>,
}

impl Manifest {
    /// One without sources.
    #[must_use]
    pub fn empty(has_content: bool, now: i64) -> Self {
        Self {
            schema_version: schema::SCHEMA_VERSION,
            logicoma_version: env!("CARGO_PKG_VERSION").to_owned(),
            written_at: now,
            has_content,
            sources: Vec::new(),
            notices: Vec::new(),
            telemetry: Vec::new(),
            tables: BTreeMap::new(),
            snapshot: None,
            present_only: false,
            whole: None,
        }
    }

    /// A source by name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&SourceEntry> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// Reads and checks the manifest of one writer.
    ///
    /// # Errors
    /// Absent, unreadable, damaged, or of a newer schema.
    pub fn load(root: &Utf8Path, writer: Option<&str>) -> Result<Self, StoreError> {
        let (path, read) = handover::read(root, &file_name(writer));
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                return Err(StoreError::Damaged { path, problem: NOT_PLAIN.into() });
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                return Err(StoreError::Absent { path: root.to_owned() });
            }
            Err(error) => return Err(io("read", &path)(error)),
        };
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let damaged = |source| StoreError::Manifest { path: path.clone(), source };
        let version: Version = serde_json::from_slice(&bytes).map_err(damaged)?;
        if version.schema_version > schema::SCHEMA_VERSION {
            return Err(StoreError::TooNew {
                path: root.to_owned(),
                found: version.schema_version,
                known: schema::SCHEMA_VERSION,
            });
        }
        let manifest: Self = serde_json::from_slice(&bytes).map_err(damaged)?;
        manifest.check_itself(&path)?;
        Ok(manifest)
    }

    /// True when the folder holds a snapshot, also one whose manifest is damaged.
    #[must_use]
    pub fn is_snapshot(root: &Utf8Path) -> bool {
        #[derive(Deserialize)]
        struct Kind {
            snapshot: Option<serde::de::IgnoredAny>,
        }
        let read = |bytes: Vec<u8>| serde_json::from_slice::<Kind>(&bytes).ok();
        root.join(super::snapshot::SUMS).exists()
            || read_plain(&root.join(FILE)).ok().and_then(read).is_some_and(|kind| kind.snapshot.is_some())
    }

    /// Every listed file.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.tables.values().flat_map(|table| &table.files)
    }

    /// Writes the manifest atomically.
    ///
    /// # Errors
    /// The folder cannot be written; the old manifest is then untouched.
    pub fn save(&self, root: &Utf8Path, writer: Option<&str>) -> Result<(), StoreError> {
        let path = root.join(file_name(writer));
        let mut bytes =
            serde_json::to_vec_pretty(self).map_err(|source| StoreError::Manifest { path: path.clone(), source })?;
        bytes.push(b'\n');
        write_atomic(&path, &bytes)
    }

    /// A hash of all that metrics depend on: the files of every table, and which of their rows are looked at.
    #[must_use]
    pub fn content_key(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        hash.update([u8::from(self.present_only)]);
        for source in &self.sources {
            hash.update(format!("{} {:?}\n", source.name, source.last_seen_at).as_bytes());
        }
        for (name, table) in &self.tables {
            hash.update(name.as_bytes());
            for file in &table.files {
                hash.update(file.path.as_bytes());
                hash.update(file.sha256.as_bytes());
            }
        }
        digest::hex(&hash.finalize())
    }

    /// Rows of a table.
    #[must_use]
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.get(table).map_or(0, |table| table.rows)
    }
}
