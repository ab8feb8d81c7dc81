//! The house holds: imports go down only, the root holds what it may, files stay small.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each layer with what it may import (`error` is open to all).
const ALLOWED: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("model", &[]),
    ("store", &["model"]),
    ("extract", &["store", "model"]),
    ("metric", &["model"]),
    ("pipeline", &["metric", "store", "model"]),
    ("registry", &["metric", "pipeline", "model"]),
    ("engine", &["metric", "store", "model", "registry"]),
    ("render", &["engine::table", "metric", "model"]),
    ("cli", &["render", "engine", "registry", "extract", "store", "metric", "model", "pipeline"]),
];

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Paths of the crate that a line names: `use crate::a::b` and `crate::a::b` in code.
fn imports(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("crate::")
        .map(|(at, found)| {
            code[at + found.len()..]
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || "_:".contains(*letter))
                .collect()
        })
        .collect()
}

fn layer_of(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).expect("inside src");
    let first = relative.iter().next().expect("a name").to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn imports_go_down_only() {
    let mut offenders = Vec::new();
    for path in files(&root().join("src"), "rs") {
        let layer = layer_of(&path);
        if layer == "main" || layer == "lib" {
            continue;
        }
        let (_, allowed) =
            ALLOWED.iter().find(|(name, _)| *name == layer).unwrap_or_else(|| panic!("no layer {layer}"));
        for (number, line) in fs::read_to_string(&path).expect("source").lines().enumerate() {
            for import in imports(line) {
                let target = import.split("::").next().unwrap_or_default().to_owned();
                let fine = target == layer
                    || target == "error"
                    || allowed.iter().any(|prefix| import == *prefix || import.starts_with(&format!("{prefix}::")));
                if !fine {
                    offenders.push(format!("{}:{}: {layer} imports crate::{import}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

#[test]
fn sql_layers_read_downwards_only() {
    let mut offenders = Vec::new();
    for (folder, forbidden) in [
        ("staging", &["stg_", "mart_"][..]),
        ("marts", &["raw_"][..]),
        ("metrics", &["raw_", "mart_"][..]),
        ("findings", &["raw_", "mart_"][..]),
    ] {
        for path in files(&root().join("queries").join(folder), "sql") {
            let text = fs::read_to_string(&path).expect("query");
            for (number, line) in text.lines().enumerate() {
                let code = line.split("--").next().unwrap_or_default().to_lowercase();
                for relation in code.split(" from ").skip(1).chain(code.split(" join ").skip(1)) {
                    if forbidden.iter().any(|prefix| relation.trim_start().starts_with(prefix)) {
                        offenders.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
                    }
                }
                for relation in
                    code.trim_start().strip_prefix("from ").into_iter().chain(code.trim_start().strip_prefix("join "))
                {
                    if forbidden.iter().any(|prefix| relation.trim_start().starts_with(prefix)) {
                        offenders.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
                    }
                }
            }
        }
    }
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

#[test]
fn the_root_holds_only_what_the_plan_lists() {
    let planned: BTreeSet<&str> = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "queries",
        "reports",
        "fixtures",
        "benches",
        "tests",
        "README.md",
        "LICENSE",
    ]
    .into();
    for entry in fs::read_dir(root()).expect("root").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(
            name.starts_with('.') || planned.contains(name.as_str()) || name == "target",
            "{name} is not in the plan"
        );
    }
}

#[test]
fn files_stay_small() {
    let mut long = Vec::new();
    for (folder, extension, limit) in [
        ("src", "rs", 400),
        ("tests", "rs", 400),
        ("fixtures", "rs", 400),
        ("queries", "sql", 120),
        ("reports", "html", 120),
        ("reports", "md", 120),
    ] {
        for path in files(&root().join(folder), extension) {
            let lines = fs::read_to_string(&path).expect("text").lines().count();
            if lines > limit && !path.starts_with(root().join("reports/out")) {
                long.push(format!("{} has {lines} lines (limit {limit})", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_module_says_what_it_is() {
    for path in files(&root().join("src"), "rs") {
        let text = fs::read_to_string(&path).expect("source");
        assert!(text.starts_with("//!"), "{} has no //! on top", path.display());
    }
}
