//! Patches: which files they name, and how many lines they add and take away. Input: the text of a unified diff or of
//! an `apply_patch` call. Output: counts and names.

/// Lines and files changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Lines added.
    pub additions: i64,
    /// Lines taken away.
    pub deletions: i64,
    /// Files changed.
    pub files: i64,
}

/// Counts a unified diff. Lines count inside hunks only, so that the headers `---` and `+++` do not.
#[must_use]
pub fn diff_changes(diff: &str) -> Changes {
    let mut changes = Changes::default();
    let mut in_hunk = false;
    for line in diff.lines() {
        match line.as_bytes() {
            [b'@', b'@', ..] => {
                changes.files = changes.files.max(1);
                in_hunk = true;
            }
            [b'+', ..] if in_hunk => changes.additions += 1,
            [b'-', ..] if in_hunk => changes.deletions += 1,
            _ if line.starts_with("Index: ") || line.starts_with("diff --git ") => {
                changes.files += 1;
                in_hunk = false;
            }
            _ => {}
        }
    }
    changes
}

/// The files that an `apply_patch` text names, in order.
pub fn patch_files(patch: &str) -> impl Iterator<Item = &str> {
    patch.lines().filter_map(|line| {
        let line = line.strip_prefix("*** ")?;
        let file = ["Update File: ", "Add File: ", "Delete File: "].iter().find_map(|verb| line.strip_prefix(verb))?;
        Some(file.trim())
    })
}

/// Counts an `apply_patch` text; the lines of deleted files are not in it.
#[must_use]
pub fn patch_changes(patch: &str) -> Changes {
    let mut changes = Changes { files: i64::try_from(patch_files(patch).count()).unwrap_or(0), ..Changes::default() };
    for line in patch.lines() {
        match line.as_bytes().first() {
            Some(b'+') => changes.additions += 1,
            Some(b'-') => changes.deletions += 1,
            _ => {}
        }
    }
    changes
}

/// The first file of a patch, absolute where `known` (a path that the program itself recorded for any of the patch's
/// files) tells where the patch was applied. Attempts at one patch thus have one name, whether they failed or not.
#[must_use]
pub fn first_file(patch: &str, known: Option<&str>) -> Option<String> {
    let first = patch_files(patch).next()?;
    let is_absolute = first.starts_with('/') || first.as_bytes().get(1) == Some(&b':');
    let root = known.filter(|_| !is_absolute).and_then(|known| {
        patch_files(patch).find_map(|file| known.strip_suffix(file).filter(|root| root.ends_with(['/', '\\'])))
    });
    Some(format!("{}{first}", root.unwrap_or_default()))
}

/// The path that an error of `apply_patch` names.
#[must_use]
pub fn path_in_error(error: &str) -> Option<&str> {
    let line_with = |start: &str| error.split_once(start).and_then(|(_, rest)| rest.lines().next());
    if let Some(path) = line_with("Failed to find expected lines in ") {
        return Some(path.strip_suffix(':').unwrap_or(path));
    }
    if let Some(path) = line_with("Failed to read file to update: ") {
        return Some(path);
    }
    line_with("Failed to find context ").and_then(|line| line.rsplit_once("' in ")).map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "*** Begin Patch\n*** Update File: src/a.ts\n@@ f\n-old\n+new\n+more\n*** Add File: b.md\n+x\n*** Delete File: c\n*** End Patch";

    #[test]
    fn counts() {
        let diff = "Index: /a\n====\n--- /a\n+++ /a\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n--- double\n+++ plus\nIndex: /b\n--- /b\n+++ /b\n@@ -0,0 +1 @@\n+q";
        assert_eq!(diff_changes(diff), Changes { additions: 3, deletions: 2, files: 2 });
        assert_eq!(diff_changes(""), Changes::default());
        assert_eq!(patch_changes(PATCH), Changes { additions: 3, deletions: 1, files: 3 });
    }

    #[test]
    fn names() {
        assert_eq!(patch_files(PATCH).collect::<Vec<_>>(), ["src/a.ts", "b.md", "c"]);
        assert_eq!(first_file(PATCH, None).as_deref(), Some("src/a.ts"));
        assert_eq!(first_file(PATCH, Some("/w/b.md")).as_deref(), Some("/w/src/a.ts"));
        assert_eq!(first_file(PATCH, Some("/other")).as_deref(), Some("src/a.ts"));
        assert_eq!(first_file("", Some("/w/b.md")), None);
        assert_eq!(path_in_error("Failed to find expected lines in /w/a:\n  x"), Some("/w/a"));
        assert_eq!(path_in_error("Failed to find context 'a' in b' in /w/a"), Some("/w/a"));
        assert_eq!(path_in_error("odd"), None);
    }
}
