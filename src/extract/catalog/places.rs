//! Which folders are looked at, and in which order.
//!
//! Input: [`Places`] and a [`RecordedDirectory`]. Output: [`Rungs`] (the folders from the directory up to the
//! worktree, as they are on this machine) and the [`Root`]s below which skill files are searched. Looks on the
//! disk only for `.git`, and only when the recorded worktree does not contain the directory.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::Scope;

/// Folders that other agents use, and OpenCode reads as well.
const EXTERNAL: [(&str, Scope); 2] = [(".claude", Scope::Claude), (".agents", Scope::Agents)];

/// Whose discovery rules apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Generation {
    /// OpenCode 1.
    #[default]
    V1,
    /// OpenCode 2: choose it when the newest database has `session_v2`.
    V2,
}

/// Where to look. All paths are as they are on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The user's home.
    pub home: Option<Utf8PathBuf>,
    /// `$XDG_CONFIG_HOME`; `None` = `.config` below home.
    pub config_home: Option<Utf8PathBuf>,
    /// `$OPENCODE_CONFIG_DIR`.
    pub config_dir: Option<Utf8PathBuf>,
    /// `--map FROM=TO`: recorded folder → where it is now. The longest prefix wins.
    pub map: Vec<(Utf8PathBuf, Utf8PathBuf)>,
    /// `OPENCODE_DISABLE_CLAUDE_CODE[_SKILLS]`.
    pub no_claude: bool,
    /// `OPENCODE_DISABLE_EXTERNAL_SKILLS`.
    pub no_external: bool,
    /// Route tables and edit formats that the user names.
    pub routes: Vec<Utf8PathBuf>,
    /// Whose rules.
    pub generation: Generation,
}

/// A directory in which sessions ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordedDirectory {
    /// `session.project_id`.
    pub project_id: Option<String>,
    /// `project.worktree`; `/` for the project `global`.
    pub worktree: Option<String>,
    /// `session.directory`.
    pub directory: String,
}

impl Places {
    /// The folder of OpenCode's own config.
    pub(in crate::extract) fn config_root(&self) -> Option<Utf8PathBuf> {
        let parent = self.config_home.clone().or_else(|| self.home.as_ref().map(|home| home.join(".config")));
        parent.map(|parent| parent.join("opencode"))
    }

    /// Where a recorded path is now.
    pub(super) fn mapped(&self, recorded: &Utf8Path) -> Utf8PathBuf {
        self.mapping(recorded).unwrap_or_else(|| recorded.to_owned())
    }

    fn mapping(&self, recorded: &Utf8Path) -> Option<Utf8PathBuf> {
        let fitting = self.map.iter().filter_map(|(from, to)| Some((from, to, recorded.strip_prefix(from).ok()?)));
        let (_, to, rest) = fitting.max_by_key(|(from, _, _)| from.components().count())?;
        Some(if rest.as_str().is_empty() { to.clone() } else { to.join(rest) })
    }

    fn external(&self) -> Vec<(&'static str, Scope)> {
        let wanted = |scope| !(self.no_external || (self.no_claude && scope == Scope::Claude));
        EXTERNAL.into_iter().filter(|(_, scope)| wanted(*scope)).collect()
    }
}

/// The folders from a session's directory up to the worktree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rungs {
    /// Nearest first, as they are on this machine.
    pub folders: Vec<Utf8PathBuf>,
}

impl Rungs {
    /// The session's own directory.
    pub(super) fn nearest(&self) -> Option<&Utf8PathBuf> {
        self.folders.first()
    }

    /// The folders `name` of each rung, nearest first.
    pub(super) fn each(&self, name: &str) -> impl DoubleEndedIterator<Item = Utf8PathBuf> {
        self.folders.iter().map(move |folder| folder.join(name))
    }
}

/// Walks up in recorded terms, then maps: what lies above a mapped folder on this machine belongs to something else.
pub(super) fn rungs(places: &Places, recorded: &RecordedDirectory) -> Rungs {
    let directory = Utf8Path::new(&recorded.directory);
    if !directory.is_absolute() {
        return Rungs::default();
    }
    let is_mapped = places.mapping(directory).is_some();
    let worktree = recorded.worktree.as_deref().map(Utf8Path::new).filter(|worktree| directory.starts_with(worktree));
    let mut folders = Vec::new();
    for rung in directory.ancestors() {
        if is_mapped && places.mapping(rung).is_none() {
            break;
        }
        folders.push(places.mapped(rung));
        if worktree == Some(rung) {
            break;
        }
    }
    if worktree.is_none() {
        // A second checkout (git worktree) lies outside of the recorded one: its own `.git` ends the walk.
        let last = folders.iter().position(|folder| folder.join(".git").exists()).unwrap_or(0);
        folders.truncate(last + 1);
    }
    Rungs { folders }
}

/// The folders from a session's directory up to the worktree, nearest first: as recorded, and where each is now.
pub(crate) fn ladder(places: &Places, recorded: &RecordedDirectory) -> Vec<(Utf8PathBuf, Utf8PathBuf)> {
    let above = Utf8Path::new(&recorded.directory).ancestors().map(Utf8Path::to_owned);
    above.zip(rungs(places, recorded).folders).collect()
}

/// A folder below which skill files are searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    /// As it is on this machine; it need not exist.
    pub path: Utf8PathBuf,
    /// What its skills are installed as.
    pub scope: Scope,
    /// Also below folders whose name begins with a dot.
    pub dot: bool,
}

impl Root {
    /// A folder named by the config; `.` and `..` are resolved in the text of the path, as OpenCode does.
    pub(super) fn configured(named: &Utf8Path) -> Self {
        let mut path = Utf8PathBuf::new();
        for component in named.components() {
            match component {
                Utf8Component::CurDir => {}
                Utf8Component::ParentDir => {
                    path.pop();
                }
                _ => path.push(component),
            }
        }
        Self { path, scope: Scope::Config, dot: false }
    }

    fn external(folder: &Utf8Path, scope: Scope) -> Self {
        Self { path: folder.join("skills"), scope, dot: true }
    }
}

/// Every root but those that the config names, in OpenCode's order.
pub(super) fn roots(places: &Places, rungs: &Rungs) -> Vec<Root> {
    let mut roots = match places.generation {
        Generation::V1 => external_roots_v1(places, rungs),
        Generation::V2 => external_roots_v2(places, rungs),
    };
    for (folder, scope) in config_folders(places, rungs) {
        let names: &[&str] = if places.generation == Generation::V1 { &["skill", "skills"] } else { &["skills"] };
        for name in names {
            roots.push(Root { path: folder.join(name), scope, dot: false });
        }
    }
    roots
}

fn external_roots_v1(places: &Places, rungs: &Rungs) -> Vec<Root> {
    let external = places.external();
    places
        .home
        .iter()
        .chain(&rungs.folders)
        .flat_map(|folder| external.iter().map(|(name, scope)| Root::external(&folder.join(name), *scope)))
        .collect()
}

/// All of `.claude` comes before all of `.agents`, and the nearest folder is last.
fn external_roots_v2(places: &Places, rungs: &Rungs) -> Vec<Root> {
    let mut roots = Vec::new();
    for (name, scope) in places.external() {
        let folders = places.home.iter().map(|home| home.join(name)).chain(rungs.each(name).rev());
        roots.extend(folders.map(|folder| Root::external(&folder, scope)));
    }
    roots
}

/// The config folders in OpenCode's order, each once.
pub(super) fn config_folders(places: &Places, rungs: &Rungs) -> Vec<(Utf8PathBuf, Scope)> {
    let mut project: Vec<_> = rungs.each(".opencode").map(|folder| (folder, Scope::Project)).collect();
    if places.generation == Generation::V2 {
        project.reverse();
    }
    let own = places.home.iter().map(|home| home.join(".opencode")).chain(places.config_dir.clone());
    let own: Vec<_> = own.map(|folder| (folder, Scope::Global)).collect();
    let mut folders: Vec<(Utf8PathBuf, Scope)> = Vec::new();
    let all = places.config_root().map(|folder| (folder, Scope::Global)).into_iter().chain(project).chain(own);
    for (folder, scope) in all {
        if folders.iter().all(|(known, _)| *known != folder) {
            folders.push((folder, scope));
        }
    }
    folders
}
