//! OpenCode's JSON files (before 1.2.0) as a database of the first generation, so that the ordinary reader takes them.
//!
//! Input: a data folder (or its `storage/`). Output: a temporary SQLite file. Both layouts are read: `storage/session/<project>/…`
//! and, from before 0.6, `project/<dir>/storage/session/{info,message,part}/…`; where both hold an id, the newer layout wins.
//! Ids come from the files' names, as in OpenCode's own migration. Nothing is dropped in silence: messages and parts that
//! are no JSON go into their tables as they are, where the reader quarantines them, and so do bad files of other kinds, as
//! messages that name them (`session/<id>.json`). Links are counted, never followed. Everything else in the folder (`session_diff`, `migration` …) is left alone.

mod files;
mod rows;

use crate::error::{ExtractError, StoreError};
use crate::store::manifest::Fingerprint;
use camino::{Utf8Path, Utf8PathBuf};
use files::{Entry, Kind};
use rows::{Problem, Target};

/// What was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Converted {
    /// Files of sessions.
    pub sessions: u64,
    /// Files of messages.
    pub messages: u64,
    /// Files of parts.
    pub parts: u64,
    /// Items of todo lists.
    pub todos: u64,
    /// Files of projects.
    pub projects: u64,
    /// Files that hold what they should not.
    pub bad: u64,
    /// Messages without a session, parts without a message: kept.
    pub orphans: u64,
    /// Ids that both layouts hold.
    pub duplicates: u64,
    /// Symbolic links: not followed.
    pub links: u64,
}

/// A folder in which sessions lie, in one of the layouts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Root {
    /// `storage/`: `project`, `session/<project>`, `message/<session>`, `part/<message>`, `todo`.
    New(Utf8PathBuf),
    /// `project/<dir>/storage/session/`: `info`, `message/<session>`, `part/<session>/<message>`.
    Old(String, Utf8PathBuf),
}

/// Where sessions lie below a data folder or a storage folder; the newer layout first.
fn roots(folder: &Utf8Path) -> Vec<Root> {
    let is_folder = |path: &Utf8Path| path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let mut roots = Vec::new();
    let mut old = Vec::new();
    for base in [folder.join("storage"), folder.to_owned()] {
        // The folder itself was named by the user and may be a link; what lies in it may not.
        if base != folder && !is_folder(&base) {
            continue;
        }
        if ["session", "message", "part"].iter().any(|name| is_folder(&base.join(name))) {
            roots.push(Root::New(base.clone()));
        }
        let mut links = 0;
        for project in files::children(&base.join("project"), &mut links) {
            let sessions = project.path.join("storage").join("session");
            if project.kind == Kind::Folder && is_folder(&project.path.join("storage")) && is_folder(&sessions) {
                old.push(Root::Old(project.name, sessions));
            }
        }
    }
    roots.extend(old);
    roots
}

/// True when the folder holds JSON sessions.
#[must_use]
pub fn is_storage(folder: &Utf8Path) -> bool {
    let mut links = 0;
    roots(folder).iter().any(|root| {
        let (sessions, messages) = match root {
            Root::New(base) => (base.join("session"), base.join("message")),
            Root::Old(_, base) => (base.join("info"), base.join("message")),
        };
        [sessions, messages].iter().any(|folder| !files::children(folder, &mut links).is_empty())
    })
}

/// Size, newest time and number (as the counter of changes) of the files that are read.
#[must_use]
pub fn fingerprint(folder: &Utf8Path) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    for root in roots(folder) {
        let (base, names) = match &root {
            Root::New(base) => (base, &["project", "session", "message", "part", "todo"][..]),
            Root::Old(_, base) => (base, &["info", "message", "part"][..]),
        };
        for name in names {
            files::measure(&base.join(name), &mut fingerprint);
        }
    }
    fingerprint
}

/// Writes the folder's sessions into a new database at `target`.
///
/// # Errors
/// The database cannot be written.
pub fn convert(folder: &Utf8Path, target: &Utf8Path) -> Result<Converted, ExtractError> {
    let mut converter = Converter { target: Target::create(target)?, done: Converted::default() };
    for root in roots(folder) {
        match root {
            Root::New(base) => converter.new_layout(&base)?,
            Root::Old(project, base) => converter.old_layout(&project, &base)?,
        }
    }
    converter.done.orphans = converter.target.finish()?;
    Ok(converter.done)
}

/// What a full disk and other trouble with the temporary database is called.
fn explain(target: &Utf8Path, source: rusqlite::Error) -> ExtractError {
    if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        return ExtractError::Store(StoreError::Io { action: "write", path: target.to_owned(), source: full });
    }
    ExtractError::Sqlite { path: target.to_owned(), source }
}

struct Converter {
    target: Target,
    done: Converted,
}

impl Converter {
    fn new_layout(&mut self, base: &Utf8Path) -> Result<(), ExtractError> {
        for file in self.files(&base.join("project")) {
            self.done.projects += 1;
            let added = self.target.project(&file.name, files::read(&file.path))?;
            self.count(added);
        }
        for project in self.folders(&base.join("session")) {
            for file in self.files(&project.path) {
                self.session(&file, &project.name)?;
            }
        }
        for session in self.folders(&base.join("message")) {
            self.messages(&session)?;
        }
        for message in self.folders(&base.join("part")) {
            self.parts(&message, None)?;
        }
        for file in self.files(&base.join("todo")) {
            match self.target.todos(&file.name, files::read(&file.path))? {
                Some(count) => self.done.todos += count,
                None => self.done.bad += 1,
            }
        }
        Ok(())
    }

    fn old_layout(&mut self, project: &str, base: &Utf8Path) -> Result<(), ExtractError> {
        for file in self.files(&base.join("info")) {
            self.session(&file, project)?;
        }
        for session in self.folders(&base.join("message")) {
            self.messages(&session)?;
        }
        for session in self.folders(&base.join("part")) {
            for message in self.folders(&session.path) {
                self.parts(&message, Some(&session.name))?;
            }
        }
        self.target.project_of_directory(project)
    }

    fn session(&mut self, file: &Entry, project: &str) -> Result<(), ExtractError> {
        self.done.sessions += 1;
        let added = self.target.session(&file.name, project, files::read(&file.path))?;
        self.count(added);
        Ok(())
    }

    fn messages(&mut self, session: &Entry) -> Result<(), ExtractError> {
        for file in self.files(&session.path) {
            self.done.messages += 1;
            let added = self.target.message(&file.name, &session.name, files::read(&file.path))?;
            self.count(added);
        }
        Ok(())
    }

    fn parts(&mut self, message: &Entry, session: Option<&str>) -> Result<(), ExtractError> {
        for file in self.files(&message.path) {
            self.done.parts += 1;
            let added = self.target.part(&file.name, &message.name, session, files::read(&file.path))?;
            self.count(added);
        }
        Ok(())
    }

    fn count(&mut self, added: Result<bool, Problem>) {
        match added {
            Ok(true) => {}
            Ok(false) => self.done.duplicates += 1,
            Err(Problem) => self.done.bad += 1,
        }
    }

    /// The JSON files of a folder by name. Files of another ending (editors' copies, locks) are none of OpenCode's.
    fn files(&mut self, folder: &Utf8Path) -> Vec<Entry> {
        files::children(folder, &mut self.done.links)
            .into_iter()
            .filter(|child| child.kind == Kind::File)
            .filter_map(|child| Some(Entry { name: child.name.strip_suffix(".json")?.to_owned(), ..child }))
            .filter(|child| !child.name.is_empty())
            .collect()
    }

    fn folders(&mut self, folder: &Utf8Path) -> Vec<Entry> {
        let children = files::children(folder, &mut self.done.links);
        children.into_iter().filter(|child| child.kind == Kind::Folder).collect()
    }
}
