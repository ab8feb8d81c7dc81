//! Which tables hold where.

use super::*;
use std::fs;

fn skills<'a>(routes: &'a Routes, project: Option<&str>, era: &str, name: &str) -> Option<&'a str> {
    let row =
        routes.routes.iter().find(|row| row.project_id.as_deref() == project && row.era == era && row.name == name)?;
    row.skills.as_deref()
}

fn discovered(files: &[(&str, &str)]) -> Routes {
    let folder = tempfile::tempdir().expect("folder");
    let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folder");
        fs::write(path, text).expect("file");
    }
    let places = Places { home: Some(root.join("home")), ..Places::default() };
    let recorded = RecordedDirectory {
        project_id: Some("p".to_owned()),
        worktree: Some(root.join("work").into_string()),
        directory: root.join("work/sub").into_string(),
    };
    discover(&places, &[recorded])
}

#[test]
fn shipped_tables_hold_where_there_are_no_others() {
    let routes = discovered(&[]);
    assert_eq!(skills(&routes, None, "e1", "debug"), Some("code-agent"));
    assert_eq!(skills(&routes, None, "e2", "complex"), Some("rlm-subcall"));
    assert_eq!(skills(&routes, None, "e3", "complex"), Some("dev,think,plan"));
    assert_eq!(skills(&routes, None, "e3", "git"), None);
    assert_eq!(routes.routes.iter().filter(|row| row.era == "e3").count(), 26);
    assert!(routes.routes.iter().all(|row| row.project_id.is_none() && !row.era.is_empty() && !row.name.is_empty()));
    assert_eq!(routes.formats.first().map(|row| row.name_part.as_str()), Some("claude"));
    assert!(routes.warnings.is_empty());
}

#[test]
fn a_project_s_own_table_takes_the_place_of_its_era_s_only() {
    let first = "routes:\n  debug:\n    description: x\n    confidence_threshold: 0.6\n    skill: fixer\n  look:\n    subagent: explore\nworkflows:\n  ship:\n    skills: [fixer, git-commit]\n    mode: sequential\n";
    let routes = discovered(&[("work/.opencode/config/intent-routes.yaml", first)]);
    assert_eq!(skills(&routes, Some("p"), "e1", "debug"), Some("fixer"));
    assert_eq!(skills(&routes, Some("p"), "e2", "look"), Some("explore"));
    assert_eq!(skills(&routes, Some("p"), "e1", "ship"), Some("fixer,git-commit"));
    assert_eq!(skills(&routes, None, "e1", "debug"), Some("code-agent"));
    assert!(!routes.routes.iter().any(|row| row.project_id.is_some() && row.era == "e3"));
    let fallback = routes.routes.iter().find(|row| row.project_id.is_some() && row.name == "git").expect("a fallback");
    assert!(fallback.is_fallback);
}

#[test]
fn every_era_s_shape_is_read_and_the_nearer_file_wins() {
    let third = "routes:\n  debug:\n    patterns: [bug, fix]\n    confidence_threshold: .7\n    skill: dev\n    strategy: single_skill\n  both:\n    patterns: [x]\n    skill_chain: [dev, think]\n    strategy: skill_chain\n  git:\n    patterns: [commit]\n    strategy: direct\n";
    let second = "intents:\n  debug:\n    description: d\n    keywords: [bug]\n    skill: far\n";
    let near = "intents:\n  debug:\n    keywords: [bug]\n    skill: near\n";
    let formats = "model_formats:\n  claude: hashline\n  gpt-5: apply_patch\nuser_models:\n  acme-1: whole\n";
    let routes = discovered(&[
        ("work/config/intent-routes.yaml", third),
        ("work/.opencode/agents/tachikoma/config/routing/intents.yaml", second),
        ("work/sub/.opencode/agents/tachikoma/config/routing/intents.yaml", near),
        ("home/.config/opencode/config/edit-formats.yaml", formats),
        ("work/sub/config/broken.yaml", "routes: [\n  - {"),
    ]);
    assert_eq!(skills(&routes, Some("p"), "e3", "both"), Some("dev,think"));
    assert_eq!(skills(&routes, Some("p"), "e2", "debug"), Some("near"));
    let git = routes.routes.iter().find(|row| row.project_id.is_some() && row.era == "e3" && row.name == "git");
    assert_eq!(git.and_then(|row| row.invoke_via.as_deref()), Some("direct"));
    let first = routes.formats.first().expect("formats");
    assert!(first.is_exact && first.name_part == "acme-1");
    assert_eq!(routes.formats.len(), 3);
    assert_eq!(routes.warnings.len(), 1, "{:?}", routes.warnings);
}
