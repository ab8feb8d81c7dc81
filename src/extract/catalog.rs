//! The catalogue of skills on disk, found by OpenCode's own rules.
//!
//! Input: [`Places`] (home, config folders, mappings; read from the environment by the caller) and the
//! directories that OpenCode's database records. Output: [`Catalog`]: one row per skill file, also for files
//! that OpenCode skips, and warnings for what could not be looked at. Nothing is fatal: a missing folder
//! must not hide the others.
//!
//! Rules, in order (version 1): `~/.claude/skills` and `~/.agents/skills`; the same two in every folder from
//! the session's directory up to the worktree; `{skill,skills}` of each config folder (`~/.config/opencode`,
//! `.opencode` up to the worktree, `~/.opencode`, `OPENCODE_CONFIG_DIR`); `skills.paths` of the config files.
//! A later file of the same name wins. Skills behind `skills.urls` are not on this disk and not listed.
//! Version 2 walks the same places from the worktree down, knows `skills` folders only, reads `<id>.md`
//! directly in them as well, and identifies a skill by its folder or file, not by its frontmatter.
//!
//! A row of a project says what holds in that project. A row for all projects (`project_id` NULL) says what
//! holds outside of any project, so a file that only one project overrides is not shadowed.

mod config;
mod frontmatter;
mod places;
mod scan;

use std::collections::{BTreeSet, HashMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};

use config::Settings;
pub(crate) use places::ladder;
pub use places::{Generation, Places, RecordedDirectory};
use places::{Root, Rungs};
use scan::{File, Scanner};

/// Where a skill is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `.opencode` of a project.
    Project,
    /// A config folder of the user.
    Global,
    /// A `.claude/skills` folder.
    Claude,
    /// An `.agents/skills` folder.
    Agents,
    /// A folder named by `skills.paths`.
    Config,
}

impl Scope {
    /// The word in the column `scope`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Global => "global",
            Self::Claude => "claude",
            Self::Agents => "agents",
            Self::Config => "config",
        }
    }
}

/// One row of the table `skill`; a field per column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillRow {
    /// Name in the frontmatter (version 2: the id); `None` when the file has none.
    pub skill_name: Option<String>,
    /// Where it is installed.
    pub scope: Scope,
    /// `SKILL.md`, as found.
    pub path: Utf8PathBuf,
    /// Project for which it is installed; `None` = all projects.
    pub project_id: Option<String>,
    /// Recorded directory through which it was found; `None` = all projects.
    pub directory: Option<String>,
    /// Characters of name and description; 0 when there is no description, since it is not listed then.
    pub description_chars: i64,
    /// Characters of the body, without white space around it.
    pub body_chars: i64,
    /// SHA-256 of the file, hexadecimal; `None` when it was not read.
    pub content_hash: Option<String>,
    /// Epoch ms UTC.
    pub modified_at: Option<i64>,
    /// Denied by `permission.skill`: not listed to the model.
    pub is_hidden: bool,
    /// Another file of the same name wins.
    pub is_shadowed: bool,
    /// Why OpenCode skips the file; `None` when it is valid.
    pub problem: Option<String>,
}

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// File or folder.
    pub path: Utf8PathBuf,
    /// What is wrong with it.
    pub message: String,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Skills for all projects first, then by project; in the order of discovery.
    pub skills: Vec<SkillRow>,
    /// Sorted, each once.
    pub warnings: Vec<Warning>,
}

/// The folders from a recorded directory up to its worktree, nearest first, as they are on this machine.
pub(super) fn folders(places: &Places, recorded: &RecordedDirectory) -> Vec<Utf8PathBuf> {
    places::rungs(places, recorded).folders
}

/// Finds the skills that the recorded directories see. Reads files only; the order of `directories` is irrelevant.
#[must_use]
pub fn discover(places: &Places, directories: &[RecordedDirectory]) -> Catalog {
    let mut finder = Finder { places, scanner: Scanner::default(), rows: Vec::new(), known: HashMap::new() };
    let everywhere = finder.visit(None, &HashSet::new());
    let distinct: BTreeSet<&RecordedDirectory> = directories.iter().collect();
    for recorded in distinct {
        finder.visit(Some(recorded), &everywhere);
    }
    let mut warnings = finder.scanner.warnings;
    warnings.sort();
    warnings.dedup();
    Catalog { skills: finder.rows, warnings }
}

struct Finder<'a> {
    places: &'a Places,
    scanner: Scanner,
    rows: Vec<SkillRow>,
    /// Row of a file in a project: several directories of a project see the same files.
    known: HashMap<(Utf8PathBuf, Option<String>), usize>,
}

impl Finder<'_> {
    /// Adds the files that one directory sees (`None`: those that every directory sees) and are not in `everywhere`.
    fn visit(
        &mut self,
        recorded: Option<&RecordedDirectory>,
        everywhere: &HashSet<Utf8PathBuf>,
    ) -> HashSet<Utf8PathBuf> {
        let rungs = recorded.map(|recorded| self.rungs(recorded)).unwrap_or_default();
        let settings = Settings::read(self.places, &rungs, &mut self.scanner);
        let mut roots = places::roots(self.places, &rungs);
        roots.extend(self.configured_roots(&settings, recorded, &rungs));

        let mut seen = HashSet::new();
        let mut files = Vec::new();
        for root in &roots {
            for file in self.scanner.files(root, self.places.generation) {
                if seen.insert(file.path.clone()) {
                    files.push((root.scope, file));
                }
            }
        }
        // The last file of a name wins; files that OpenCode skips take no part.
        let winners: HashMap<String, Utf8PathBuf> = files
            .iter()
            .filter(|(_, file)| file.problem.is_none())
            .filter_map(|(_, file)| Some((file.name.clone()?, file.path.clone())))
            .collect();
        for (scope, file) in &files {
            if !everywhere.contains(&file.path) {
                let is_valid = file.problem.is_none();
                let name = file.name.as_deref().filter(|_| is_valid);
                let is_hidden = name.is_some_and(|name| settings.is_denied(name));
                let is_shadowed = name.is_some_and(|name| winners.get(name) != Some(&file.path));
                self.add(*scope, file, recorded, is_hidden, is_shadowed);
            }
        }
        seen
    }

    /// A file that several directories of a project see is hidden or shadowed only when it is so in all of them.
    fn add(
        &mut self,
        scope: Scope,
        file: &File,
        recorded: Option<&RecordedDirectory>,
        is_hidden: bool,
        is_shadowed: bool,
    ) {
        let project_id = recorded.and_then(|recorded| recorded.project_id.clone());
        let key = (file.path.clone(), project_id.clone());
        if let Some(at) = self.known.get(&key) {
            let row = &mut self.rows[*at];
            row.is_hidden &= is_hidden;
            row.is_shadowed &= is_shadowed;
            return;
        }
        self.known.insert(key, self.rows.len());
        self.rows.push(SkillRow {
            skill_name: file.name.clone(),
            scope,
            path: file.path.clone(),
            project_id,
            directory: recorded.map(|recorded| recorded.directory.clone()),
            description_chars: file.description_chars,
            body_chars: file.body_chars,
            content_hash: file.content_hash.clone(),
            modified_at: file.modified_at,
            is_hidden,
            is_shadowed,
            problem: file.problem.clone(),
        });
    }

    fn rungs(&mut self, recorded: &RecordedDirectory) -> Rungs {
        let rungs = places::rungs(self.places, recorded);
        let missing = match rungs.nearest() {
            None => Some("the recorded directory is not an absolute path here; its skills are unknown"),
            Some(folder) if !folder.is_dir() => {
                Some("the recorded directory is not there (moved? see --map); its own skills are unknown")
            }
            Some(_) => None,
        };
        if let Some(message) = missing {
            self.scanner.warn(Utf8Path::new(&recorded.directory), message);
        }
        rungs
    }

    /// Folders named by `skills.paths`: `~/…`, absolute, or relative to the session's directory.
    fn configured_roots(
        &mut self,
        settings: &Settings,
        recorded: Option<&RecordedDirectory>,
        rungs: &Rungs,
    ) -> Vec<Root> {
        let mut roots = Vec::new();
        for named in &settings.paths {
            let folder = if let Some(below) = named.strip_prefix("~/") {
                self.places.home.as_ref().map(|home| home.join(below))
            } else if Utf8Path::new(named).is_absolute() {
                Some(self.places.mapped(Utf8Path::new(named)))
            } else {
                rungs.nearest().map(|folder| folder.join(named))
            };
            match folder {
                Some(folder) if folder.is_dir() => roots.push(Root::configured(&folder)),
                Some(folder) => self.scanner.warn(&folder, "skills.paths names a folder that is not there"),
                // Relative paths mean something only in a directory; they are tried in each of those.
                None if recorded.is_none() && !named.starts_with("~/") => {}
                None => self.scanner.warn(Utf8Path::new(named), "skills.paths cannot be resolved"),
            }
        }
        roots
    }
}

#[cfg(test)]
mod tests;
