//! Writes what was asked for into the file that the user names: whole or not at all, and never over a database or into a
//! store, which a slip of the hand must not cost.

use super::Usage;
use crate::store::Store;
use crate::store::manifest::Manifest;
use camino::{Utf8Path, Utf8PathBuf};
use std::io::{Read, Write};

/// What `SQLite` keeps beside a database while it is in use.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Writes a file under another name and renames it into place; what is no plain file (a pipe, a device) is written to.
///
/// # Errors
/// The file is a database or lies in a store, or as the system says; an older file is then untouched.
pub(super) fn to_file(path: &Utf8Path, bytes: &[u8]) -> anyhow::Result<()> {
    let target = resolved(path);
    if let Some(what) = precious(&target) {
        return Err(Usage(format!("-o {path} would overwrite {what}: name another file")).into());
    }
    let old = target.metadata().ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        return fs_err::write(path, bytes).map_err(Into::into);
    }
    let folder = target.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".logicoma-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let Ok(mut file) = builder.tempfile_in(folder) else {
        // A folder that takes no new files may still hold one that can be written to.
        return fs_err::write(path, bytes).map_err(Into::into);
    };
    file.write_all(bytes)?;
    if let Some(old) = old {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.persist(&target)?;
    Ok(())
}

/// Where a path leads, links followed; a new file in the folder to which its folder leads.
fn resolved(path: &Utf8Path) -> Utf8PathBuf {
    path.canonicalize_utf8().ok().unwrap_or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        folder
            .canonicalize_utf8()
            .map_or_else(|_| path.to_owned(), |folder| folder.join(path.file_name().unwrap_or("")))
    })
}

fn precious(path: &Utf8Path) -> Option<String> {
    let of_database = COMPANIONS.iter().filter_map(|ending| path.as_str().strip_suffix(ending)).map(Utf8Path::new);
    if let Some(database) = of_database.chain([path]).find(|database| is_database(database)) {
        return Some(format!("the database {database}"));
    }
    let store = path.ancestors().skip(1).find(|folder| is_store(folder))?;
    Some(format!("files of the store {store}"))
}

fn is_database(path: &Utf8Path) -> bool {
    if !path.is_file() {
        return false;
    }
    let mut header = [0_u8; 16];
    let is_read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok();
    // Of a database that was just made everything may lie in its log.
    (is_read && header == *b"SQLite format 3\0") || Utf8PathBuf::from(format!("{path}-wal")).is_file()
}

fn is_store(folder: &Utf8Path) -> bool {
    Manifest::writers(folder).is_ok_and(|writers| !writers.is_empty()) && Store::at(folder).manifest().is_ok()
}
