//! Walks the folders and reads the skill files.
//!
//! Input: a [`Root`]. Output: the [`File`]s below it, sorted by path, read at most once however many directories
//! see them. Symbolic links are followed, as OpenCode does; loops, depth and the number of entries are bounded.
//! Of a file only name and description are kept; the rest is counted and hashed.

use std::collections::HashMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};
use walkdir::{DirEntry, WalkDir};

use super::Warning;
use super::frontmatter::{self, chars};
use super::places::{Generation, Root};

/// Files above this size are not read.
pub(super) const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// Folders below a root; skills lie one or two deep.
const MAX_DEPTH: usize = 16;
/// Files and folders below one root.
const MAX_ENTRIES: usize = 50_000;
/// The file that makes a folder a skill.
const SKILL_FILE: &str = "SKILL.md";

/// A skill file, valid or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct File {
    /// As found.
    pub path: Utf8PathBuf,
    /// Name that identifies the skill.
    pub name: Option<String>,
    /// Characters of name and description; 0 without a description.
    pub description_chars: i64,
    /// Characters of the body.
    pub body_chars: i64,
    /// SHA-256.
    pub content_hash: Option<String>,
    /// Epoch ms UTC.
    pub modified_at: Option<i64>,
    /// Why OpenCode skips it.
    pub problem: Option<String>,
}

/// Remembers what it has read.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// In the order in which they came up, perhaps more than once.
    pub warnings: Vec<Warning>,
    roots: HashMap<(Utf8PathBuf, bool), Vec<File>>,
}

impl Scanner {
    /// Notes something that could not be looked at.
    pub(super) fn warn(&mut self, path: &Utf8Path, message: &str) {
        self.warnings.push(Warning { path: path.to_owned(), message: message.to_owned() });
    }

    /// The skill files below a root; none when it does not exist.
    pub(super) fn files(&mut self, root: &Root, generation: Generation) -> Vec<File> {
        let key = (root.path.clone(), root.dot);
        if let Some(files) = self.roots.get(&key) {
            return files.clone();
        }
        let files: Vec<File> =
            self.walk(root, generation).into_iter().map(|path| read(path, &root.path, generation)).collect();
        self.roots.insert(key, files.clone());
        files
    }

    fn walk(&mut self, root: &Root, generation: Generation) -> Vec<Utf8PathBuf> {
        if !root.path.is_dir() {
            return Vec::new();
        }
        // Version 2 looks below dot folders everywhere, but not where tools put deleted skills.
        let is_v2 = generation == Generation::V2;
        let enters = |entry: &DirEntry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0 || if is_v2 { name != ".trash" } else { root.dot || !name.starts_with('.') }
        };
        let walker = WalkDir::new(&root.path).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name();
        let mut found = Vec::new();
        for (count, entry) in walker.into_iter().filter_entry(enters).enumerate() {
            if count >= MAX_ENTRIES {
                self.warn(&root.path, "more than 50,000 entries: the rest was not looked at");
                break;
            }
            match entry {
                Err(error) => self.warn_walk(root, &error),
                Ok(entry) if entry.depth() == MAX_DEPTH && entry.file_type().is_dir() => {
                    self.warn(&lossy(entry.path()), "more than 16 folders deep: not looked into");
                }
                Ok(entry) if is_skill_file(&entry, is_v2) => match Utf8PathBuf::from_path_buf(entry.into_path()) {
                    Ok(path) => found.push(path),
                    Err(path) => self.warn(&lossy(&path), "the path is not UTF-8"),
                },
                Ok(_) => {}
            }
        }
        found
    }

    fn warn_walk(&mut self, root: &Root, error: &walkdir::Error) {
        let path = error.path().map_or_else(|| root.path.clone(), lossy);
        let message = match error.io_error().map(std::io::Error::kind) {
            _ if error.loop_ancestor().is_some() => "a symbolic link leads back to a folder above it".to_owned(),
            Some(std::io::ErrorKind::NotFound) => "a symbolic link leads nowhere".to_owned(),
            Some(kind) => format!("cannot be read: {kind}"),
            None => "cannot be read".to_owned(),
        };
        self.warn(&path, &message);
    }
}

/// `SKILL.md` at any depth; in version 2 also any `.md` directly in the root.
fn is_skill_file(entry: &DirEntry, takes_markdown: bool) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_named = name == SKILL_FILE || (takes_markdown && entry.depth() == 1 && name.ends_with(".md"));
    is_named && entry.file_type().is_file()
}

fn lossy(path: &Path) -> Utf8PathBuf {
    Utf8PathBuf::from(path.to_string_lossy().into_owned())
}

fn read(path: Utf8PathBuf, root: &Utf8Path, generation: Generation) -> File {
    let mut file = File { path, ..File::default() };
    if let Err(problem) = fill(&mut file, root, generation) {
        file.problem = Some(problem);
    }
    file
}

fn fill(file: &mut File, root: &Utf8Path, generation: Generation) -> Result<(), String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {}", error.kind());
    let metadata = fs_err::metadata(&file.path).map_err(unreadable)?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    file.modified_at = modified.and_then(|since| i64::try_from(since.as_millis()).ok());
    if metadata.len() > MAX_FILE_BYTES {
        return Err("larger than 1 MiB: not read".to_owned());
    }
    let bytes = fs_err::read(&file.path).map_err(unreadable)?;
    file.content_hash = Some(hex(&Sha256::digest(&bytes)));

    let skill = frontmatter::parse(&String::from_utf8_lossy(&bytes))?;
    file.body_chars = skill.body_chars;
    // What the model is shown; in version 2 it may differ from what identifies the skill.
    let shown = match generation {
        Generation::V1 => {
            let missing = if skill.has_frontmatter { "the frontmatter has no name" } else { "no frontmatter" };
            let name = skill.name.ok_or(missing)?;
            file.name = Some(name.clone());
            name
        }
        Generation::V2 => {
            let id = id(&file.path, root);
            file.name.clone_from(&id);
            skill.name.or(id).unwrap_or_default()
        }
    };
    // A skill without description is not in the list.
    file.description_chars = skill.description.map_or(0, |text| chars(&shown) + chars(&text));
    Ok(())
}

/// Version 2: the name of the folder, or of a file directly in the root.
fn id(path: &Utf8Path, root: &Utf8Path) -> Option<String> {
    let is_direct = path.parent() == Some(root) && path.file_name() != Some(SKILL_FILE);
    let id = if is_direct { path.file_stem() } else { path.parent().and_then(Utf8Path::file_name) };
    id.map(str::to_owned)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
