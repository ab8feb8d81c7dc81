//! Discovery on the recorded home folder and on folders made for one rule each.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::*;

fn fixtures() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn recorded_directories() -> Vec<RecordedDirectory> {
    let path = fixtures().join("opencode/opencode-1.18.33.db");
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("fixture");
    let mut statement = connection
        .prepare(
            "select distinct session.project_id, project.worktree, session.directory \
             from session left join project on project.id = session.project_id",
        )
        .expect("columns of the fixture");
    let rows = statement.query_map([], |row| {
        Ok(RecordedDirectory { project_id: row.get(0)?, worktree: row.get(1)?, directory: row.get(2)? })
    });
    rows.expect("rows").collect::<Result<_, _>>().expect("rows")
}

fn recorded_home() -> Places {
    let home = fixtures().join("home-dev");
    Places { map: vec![("/home/dev".into(), home.clone())], home: Some(home), ..Places::default() }
}

fn write(root: &Utf8Path, path: &str, text: &str) {
    let path = root.join(path);
    fs_err::create_dir_all(path.parent().expect("parent")).expect("folder");
    fs_err::write(path, text).expect("file");
}

fn skill(name: &str) -> String {
    format!("---\nname: {name}\ndescription: what it does\n---\nbody\n")
}

struct Home {
    _folder: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
        Self { _folder: folder, path }
    }

    fn places(&self) -> Places {
        Places { home: Some(self.path.clone()), ..Places::default() }
    }

    fn project(&self, directory: &str) -> RecordedDirectory {
        RecordedDirectory {
            project_id: Some("p".into()),
            worktree: Some(self.path.join("p").into_string()),
            directory: self.path.join(directory).into_string(),
        }
    }
}

/// `name scope path` of the rows that win, paths relative to the home.
fn winners(catalog: &Catalog, home: &Utf8Path) -> Vec<String> {
    let wins = catalog.skills.iter().filter(|row| !row.is_shadowed && row.problem.is_none());
    wins.map(|row| {
        let path = row.path.strip_prefix(home).expect("below home");
        format!("{} {} {path}", row.skill_name.as_deref().unwrap_or("-"), row.scope.as_str())
    })
    .collect()
}

#[test]
fn finds_the_recorded_home() {
    let catalog = discover(&recorded_home(), &recorded_directories());
    let home = fixtures().join("home-dev");
    let mut rows: Vec<String> = catalog
        .skills
        .iter()
        .map(|row| {
            format!(
                "{}|{}|{}|{}|{}|{}",
                row.directory.as_deref().unwrap_or("*"),
                row.skill_name.as_deref().unwrap_or("-"),
                row.scope.as_str(),
                row.path.strip_prefix(&home).expect("mapped"),
                if row.is_hidden { "hidden" } else { "" },
                row.problem.as_deref().unwrap_or(""),
            )
        })
        .collect();
    rows.sort();
    assert_eq!(
        rows,
        [
            "*|git-commit|global|.config/opencode/skills/git-commit/SKILL.md||",
            "*|i18n-sync|global|.config/opencode/skills/i18n-sync/SKILL.md||",
            "*|standup|agents|.agents/skills/standup/SKILL.md||",
            "*|translate|claude|.claude/skills/translate/SKILL.md||",
            "/home/dev/courier-api|api-contract|project|courier-api/.opencode/skills/api-contract/SKILL.md||",
            "/home/dev/courier-api|load-test|project|courier-api/.opencode/skills/load-test/SKILL.md||",
            "/home/dev/webshop|-|project|webshop/.opencode/skills/no-frontmatter/SKILL.md||no frontmatter",
            "/home/dev/webshop|changelog|project|webshop/.opencode/skill/changelog/SKILL.md||",
            "/home/dev/webshop|db-migrations|project|webshop/.opencode/skills/db-migrations/SKILL.md||",
            "/home/dev/webshop|frontend-a11y|claude|webshop/.claude/skills/frontend-a11y/SKILL.md||",
            "/home/dev/webshop|internal-secrets|project|webshop/.opencode/skills/internal-secrets/SKILL.md|hidden|",
            "/home/dev/webshop|legacy-checkout|project|webshop/.opencode/skills/legacy-checkout/SKILL.md||",
            "/home/dev/webshop|perf-audit|project|webshop/.opencode/skills/ops/perf-audit/SKILL.md||",
            "/home/dev/webshop|pr-review|project|webshop/.opencode/skills/pr-review/SKILL.md||",
            "/home/dev/webshop|release-notes|agents|webshop/.agents/skills/release-notes/SKILL.md||",
        ]
    );
    assert!(catalog.skills.iter().all(|row| !row.is_shadowed && row.content_hash.is_some()));
    let review = catalog.skills.iter().find(|row| row.skill_name.as_deref() == Some("pr-review")).expect("row");
    // "pr-review" and "Review a pull request: checklist, tests, risk notes".
    assert_eq!((review.description_chars, review.body_chars), (60, 53));
    let notes: Vec<_> = catalog.warnings.iter().map(|warning| warning.path.as_str()).collect();
    assert_eq!(notes, ["/home/dev/notes"], "no folder of the recorded project 'global' was kept");
}

#[test]
fn unmapped_directories_are_warnings() {
    let places = Places { map: Vec::new(), ..recorded_home() };
    let directories = [RecordedDirectory { directory: "/nowhere/webshop".into(), ..RecordedDirectory::default() }];
    let catalog = discover(&places, &directories);
    assert_eq!(catalog.skills.len(), 4);
    assert_eq!(catalog.warnings.len(), 1);
}

#[test]
fn later_places_win() {
    let home = Home::new();
    for path in [
        ".claude/skills/a/SKILL.md",
        ".agents/skills/a/SKILL.md",
        "p/.claude/skills/a/SKILL.md",
        "p/sub/.agents/skills/a/SKILL.md",
        ".config/opencode/skill/a/SKILL.md",
        "p/sub/.opencode/skills/deep/er/SKILL.md",
        "p/.opencode/skills/a/SKILL.md",
        "p/.opencode/skills/.hidden/SKILL.md",
        "p/.claude/skills/.dots/count/SKILL.md",
    ] {
        let name = if path.contains(".dots") { "dots" } else { "a" };
        write(&home.path, path, &skill(name));
    }
    let catalog = discover(&home.places(), &[home.project("p/sub")]);
    assert_eq!(
        winners(&catalog, &home.path),
        [
            "a global .config/opencode/skill/a/SKILL.md",
            "dots claude p/.claude/skills/.dots/count/SKILL.md",
            "a project p/.opencode/skills/a/SKILL.md",
        ]
    );
    assert_eq!(catalog.skills.len(), 8, "folders with a dot are left out below config folders");

    let mut places = home.places();
    places.generation = Generation::V2;
    let catalog = discover(&places, &[home.project("p/sub")]);
    let names: Vec<_> = winners(&catalog, &home.path);
    assert!(names.contains(&"er project p/sub/.opencode/skills/deep/er/SKILL.md".to_owned()), "{names:?}");
    assert!(names.contains(&".hidden project p/.opencode/skills/.hidden/SKILL.md".to_owned()), "{names:?}");
    assert!(names.contains(&"a project p/.opencode/skills/a/SKILL.md".to_owned()), "{names:?}");
    assert!(names.iter().all(|row| !row.contains("/skill/")), "{names:?}");

    let catalog = discover(&Places { no_external: true, ..home.places() }, &[home.project("p/sub")]);
    assert!(catalog.skills.iter().all(|row| !matches!(row.scope, Scope::Claude | Scope::Agents)));
    let catalog = discover(&Places { no_claude: true, ..home.places() }, &[home.project("p/sub")]);
    assert!(catalog.skills.iter().all(|row| row.scope != Scope::Claude));
    assert!(catalog.skills.iter().any(|row| row.scope == Scope::Agents));
}

#[test]
fn a_project_sees_only_up_to_its_worktree() {
    let home = Home::new();
    write(&home.path, "p/.opencode/skills/a/SKILL.md", &skill("a"));
    write(&home.path, "work/tree/.opencode/skills/b/SKILL.md", &skill("b"));
    write(&home.path, "work/.opencode/skills/above/SKILL.md", &skill("above"));
    write(&home.path, "work/tree/.git", "gitdir: elsewhere");
    fs_err::create_dir_all(home.path.join("work/tree/src")).expect("folder");
    let directories = [home.project("p"), home.project("work/tree/src"), home.project("p")];
    let catalog = discover(&home.places(), &directories);
    assert_eq!(
        winners(&catalog, &home.path),
        ["a project p/.opencode/skills/a/SKILL.md", "b project work/tree/.opencode/skills/b/SKILL.md"]
    );
    assert_eq!(catalog.warnings, []);
}

#[test]
fn config_files_add_folders_and_deny() {
    let home = Home::new();
    let global = "{\n  // comment\n  \"skills\": {\"paths\": [\"~/more\", \"./near\", \"/no/such\"], },\n  \
                  \"permission\": {\"skill\": {\"*\": \"deny\", \"x\": \"allow\"}},\n}";
    write(&home.path, ".config/opencode/opencode.jsonc", global);
    write(&home.path, "p/opencode.json", "{\"permission\": {\"skill\": {\"y\": \"allow\"}}}");
    write(&home.path, "p/.opencode/opencode.json", "{ not json");
    write(&home.path, "more/SKILL.md", &skill("x"));
    write(&home.path, "more/sub/SKILL.md", &skill("z"));
    write(&home.path, "p/near/y/SKILL.md", &skill("y"));
    let catalog = discover(&home.places(), &[home.project("p")]);
    let rows: Vec<_> = catalog
        .skills
        .iter()
        .map(|row| (row.skill_name.as_deref().unwrap_or(""), row.scope, row.project_id.is_some(), row.is_hidden))
        .collect();
    assert_eq!(
        rows,
        [("x", Scope::Config, false, false), ("z", Scope::Config, false, true), ("y", Scope::Config, true, false),]
    );
    assert_eq!(catalog.skills[2].path, home.path.join("p/near/y/SKILL.md"));
    let warnings: Vec<_> = catalog.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(warnings, ["skills.paths names a folder that is not there", "not valid JSON (line 1)"]);
}

#[test]
fn odd_files_are_rows_with_a_problem() {
    let home = Home::new();
    write(&home.path, ".claude/skills/big/SKILL.md", &"x".repeat(1024 * 1024 + 1));
    write(&home.path, ".claude/skills/no-name/SKILL.md", "---\ndescription: x\n---\n");
    write(&home.path, ".claude/skills/quiet/SKILL.md", "---\nname: quiet\n---\nbody\n");
    write(&home.path, ".claude/skills/README.md", "# not a skill in version 1\n");
    fs_err::create_dir_all(home.path.join(".claude/skills/folder/SKILL.md")).expect("folder");
    let catalog = discover(&home.places(), &[]);
    let rows: Vec<_> = catalog
        .skills
        .iter()
        .map(|row| (row.skill_name.as_deref(), row.description_chars, row.body_chars, row.problem.as_deref()))
        .collect();
    assert_eq!(
        rows,
        [
            (None, 0, 0, Some("larger than 1 MiB: not read")),
            (None, 0, 0, Some("the frontmatter has no name")),
            (Some("quiet"), 0, 4, None),
        ]
    );
    let places = Places { generation: Generation::V2, ..home.places() };
    let catalog = discover(&places, &[]);
    let names: Vec<_> = catalog.skills.iter().map(|row| row.skill_name.as_deref()).collect();
    assert_eq!(names, [Some("README"), None, Some("no-name"), Some("quiet")]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    let home = Home::new();
    write(&home.path, "elsewhere/tool/SKILL.md", &skill("tool"));
    let skills = home.path.join(".agents/skills");
    fs_err::create_dir_all(&skills).expect("folder");
    let link = |from: &Path, to: &str| std::os::unix::fs::symlink(from, skills.join(to)).expect("link");
    link(home.path.join("elsewhere").as_std_path(), "linked");
    link(skills.as_std_path(), "circle");
    link(Path::new("gone"), "broken");
    let catalog = discover(&home.places(), &[]);
    assert_eq!(winners(&catalog, &home.path), ["tool agents .agents/skills/linked/tool/SKILL.md"]);
    let messages: Vec<_> = catalog.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(messages, ["a symbolic link leads nowhere", "a symbolic link leads back to a folder above it"]);
}
