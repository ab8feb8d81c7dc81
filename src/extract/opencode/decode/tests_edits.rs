//! Calls that change files, as the real programs wrote them, shortened.

use super::tests::{assert_texts, call, part};

#[test]
fn edit_of_both_versions() {
    let new = call(
        "edit",
        r#""status":"completed","input":{"filePath":"/w/a.ts","oldString":"a","newString":"b"},"output":"Edit applied successfully.","metadata":{"diagnostics":{},"diff":"Index: /w/a.ts","filediff":{"file":"/w/a.ts","patch":"Index","additions":1,"deletions":2},"truncated":false},"title":"a.ts""#,
    );
    let old = call(
        "edit",
        r#""status":"completed","input":{"filePath":"/w/a.ts"},"output":"Edit applied successfully.\n\nLSP errors detected in this file, please fix:\n","metadata":{"filediff":{"file":"/w/a.ts","before":"x","after":"y","additions":1,"deletions":2}}"#,
    );
    for row in [&new, &old] {
        let fields = part(row);
        assert_texts!(
            fields,
            edit_format = "str_replace",
            edit_outcome = "applied",
            edit_error_class = None,
            target_path = "/w/a.ts"
        );
        assert_eq!((fields.additions, fields.deletions, fields.file_count), (Some(1), Some(2), Some(1)));
    }
    assert_eq!((part(&new).has_lsp_errors, part(&old).has_lsp_errors), (Some(false), Some(true)));
    let failed = call(
        "edit",
        r#""status":"error","input":{"filePath":"C:\\w\\a.ts"},"error":"Error: You must read file /w/a.ts before overwriting it. Use the Read tool first""#,
    );
    assert_texts!(
        part(&failed),
        target_path = "C:/w/a.ts",
        edit_outcome = "blocked",
        edit_error_class = "not_read",
        status = "error",
        error = "You must read file /w/a.ts before overwriting it. Use the Read tool first"
    );
    assert_eq!((part(&failed).additions, part(&failed).has_lsp_errors), (None, None));
    let waiting = r#"{"type":"tool","tool":"edit","callID":"c","state":{"status":"pending","input":{},"raw":""}}"#;
    assert_texts!(part(waiting), edit_format = "str_replace", edit_outcome = None, status = "pending");
}

#[test]
fn counts_from_wherever_they_are() {
    let diff = r"--- a\n+++ a\n@@ -1 +1,2 @@\n-x\n+y\n+z\n";
    let of = |tool: &str, input: &str, metadata: &str| {
        let row =
            call(tool, &format!(r#""status":"completed","input":{{{input}}},"output":"ok","metadata":{{{metadata}}}"#));
        let fields = part(&row);
        (fields.additions, fields.deletions, fields.file_count)
    };
    assert_eq!(of("edit", "", &format!(r#""diff":"{diff}""#)), (Some(2), Some(1), Some(1)));
    assert_eq!(
        of(
            "edit",
            "",
            &format!(r#""files":[{{"file":"a","additions":3,"deletions":0}},{{"file":"b","patch":"{diff}"}}]"#)
        ),
        (Some(5), Some(1), Some(2))
    );
    assert_eq!(of("edit", "", ""), (None, None, Some(1)));
    assert_eq!(
        of(
            "multiedit",
            "",
            r#""results":[{"filediff":{"additions":1,"deletions":1}},{"filediff":{"additions":2,"deletions":0}}]"#
        ),
        (Some(3), Some(1), Some(1))
    );
    assert_eq!(of("write", r#""filePath":"/a","content":"a\nb\n""#, r#""exists":false"#), (Some(2), Some(0), Some(1)));
    assert_eq!(of("write", r#""filePath":"/a","content":"a\nb""#, r#""exists":true"#), (Some(2), None, Some(1)));
    assert_eq!(of("write", r#""content":"""#, ""), (Some(0), None, Some(1)));
    assert_eq!(
        of("patch", r#""patchText":"*** Update File: a\n-x\n+y\n*** Add File: b\n+z""#, ""),
        (Some(2), Some(1), Some(2))
    );
}

#[test]
fn apply_patch() {
    let patch = r"*** Begin Patch\n*** Update File: src/a.ts\n@@\n-x\n+y\n*** Add File: docs/b.md\n+z\n*** End Patch";
    let done = call(
        "apply_patch",
        &format!(
            r#""status":"completed","input":{{"patchText":"{patch}"}},"output":"Success.","metadata":{{"files":[{{"filePath":"/w/src/a.ts","relativePath":"src/a.ts","type":"update","additions":1,"deletions":1}},{{"filePath":"/w/docs/b.md","additions":1,"deletions":0}}]}}"#
        ),
    );
    assert_texts!(part(&done), edit_format = "apply_patch", edit_outcome = "applied", target_path = "/w/src/a.ts");
    assert_eq!((part(&done).additions, part(&done).deletions, part(&done).file_count), (Some(2), Some(1), Some(2)));
    let failed = call(
        "apply_patch",
        &format!(
            r#""status":"error","input":{{"patchText":"{patch}"}},"error":"apply_patch verification failed: Error: Failed to find expected lines in /w/docs/b.md:\nx""#
        ),
    );
    assert_texts!(
        part(&failed),
        edit_outcome = "format_error",
        edit_error_class = "patch_context",
        target_path = "/w/src/a.ts"
    );
    let rejected = call(
        "apply_patch",
        &format!(r#""status":"error","input":{{"patchText":"{patch}"}},"error":"patch rejected: empty patch""#),
    );
    assert_texts!(part(&rejected), edit_outcome = "format_error", target_path = "src/a.ts");
}

#[test]
fn hashline_in_bash() {
    let of = |output: &str, exit: &str| {
        let row = call(
            "bash",
            &format!(
                r#""status":"completed","input":{{"command":"python3 .opencode/core/hashline-processor.py edit src/a.py 3:00ff x"}},"output":"{output}","metadata":{{"exit":{exit}}}"#
            ),
        );
        let fields = part(&row);
        assert_texts!(fields, edit_format = "hashline", target_path = "src/a.py", program = "python3");
        (fields.edit_outcome.unwrap().into_owned(), fields.edit_error_class.map(std::borrow::Cow::into_owned))
    };
    let failed = |outcome: &str, class: &str| (outcome.to_owned(), Some(class.to_owned()));
    assert_eq!(of("✓ Edit successful: 3:00ff -> 'x'", "0"), ("applied".to_owned(), None));
    assert_eq!(of("✗ Error: Hash '3:0000' not found in file", "1"), failed("format_error", "not_found"));
    assert_eq!(of("command not found", "127"), failed("other_error", "other"));
    assert_eq!(of("User aborted the command", "null"), failed("aborted", "aborted"));
}
