//! What can go wrong with snapshots.

use super::{Exit, Hint, StoreError};
use camino::Utf8PathBuf;
use thiserror::Error;

/// What to do about a damaged snapshot.
pub(super) const UNMENDABLE: &str =
    "a damaged snapshot cannot be mended: keep another copy of it, or remove its folder by hand";

/// Making, checking and going back to snapshots.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// There is no snapshot of this name.
    #[error("there is no snapshot '{name}' in {archive}")]
    Unknown {
        /// As given.
        name: String,
        /// Where it was looked for.
        archive: Utf8PathBuf,
    },
    /// A name that would lead out of the archive.
    #[error("'{}' is not a name: letters, digits, '.', '_' and '-' only, and no '.' in front", .name.escape_debug())]
    Name {
        /// As given.
        name: String,
    },
    /// A name that leaves no room.
    #[error("'{name}' is too long for the name of a snapshot: {longest} characters at most")]
    TooLong {
        /// With the time in front.
        name: String,
        /// Bytes.
        longest: usize,
    },
    /// Snapshots cannot lie among a store's own files.
    #[error("{path} is itself a store or a snapshot, or lies in one")]
    NotArchive {
        /// The folder.
        path: Utf8PathBuf,
    },
    /// The present state would be lost.
    #[error("the present state of the store {path} is in no snapshot of {archive}: restoring would lose it")]
    Unsaved {
        /// The store.
        path: Utf8PathBuf,
        /// The archive.
        archive: Utf8PathBuf,
    },
    /// Checksums do not hold.
    #[error("{} damaged: {}", if .snapshots.len() == 1 { "a snapshot is" } else { "snapshots are" }, .problems.join("; "))]
    Damaged {
        /// Names.
        snapshots: Vec<String>,
        /// Every bad file with what is wrong with it.
        problems: Vec<String>,
    },
    /// Their bytes are what they were; what they mean, this version does not know.
    #[error("made by a newer Logicoma: {}; every checksum holds", .snapshots.join(", "))]
    TooNew {
        /// Names.
        snapshots: Vec<String>,
    },
    /// There is no folder where snapshots are looked for.
    #[error("{path} is no folder")]
    NoArchive {
        /// As given.
        path: Utf8PathBuf,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Hint for SnapshotError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { .. } => {
                "`logicoma snapshot list` says what there is; --to DIR names another archive".into()
            }
            Self::Name { .. } => "snapshots are named by their time, such as 2026-11-22T120000Z".into(),
            Self::TooLong { .. } => "choose a shorter --source".into(),
            Self::NotArchive { .. } => "name a folder of its own with --to DIR".into(),
            Self::Unsaved { .. } => "`logicoma snapshot create` keeps it first; --force gives it up".into(),
            Self::Damaged { .. } => UNMENDABLE.into(),
            Self::TooNew { .. } => "use the newer Logicoma for them".into(),
            Self::NoArchive { .. } => "check the path given to --to".into(),
            Self::Store(error) => return error.hint(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unknown { .. }
            | Self::Name { .. }
            | Self::TooLong { .. }
            | Self::NotArchive { .. }
            | Self::NoArchive { .. }
            | Self::Unsaved { .. } => Exit::Usage,
            Self::Damaged { .. } => Exit::Store,
            Self::TooNew { .. } => Exit::Unreadable,
            Self::Store(error) => error.exit(),
        }
    }
}
