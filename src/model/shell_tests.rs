//! Which program a script starts.

use super::Script;

fn program(script: &str) -> Option<String> {
    Script::parse(script).program()
}

#[test]
fn first_program_that_works() {
    let cases = [
        ("npm run build", "npm"),
        ("cd /a/b && npm test", "npm"),
        ("cd '/a b'; git status", "git"),
        ("FOO=1 BAR='x y' cargo test -- --nocapture", "cargo"),
        ("sudo -u www /usr/bin/systemctl restart x", "systemctl"),
        ("env -u A B=1 python -m pytest", "python"),
        ("time nohup ./gradlew build &", "gradlew"),
        ("command ls -la", "ls"),
        ("timeout -s KILL 30 go test ./...", "go"),
        ("nice -n 15 make", "make"),
        ("bash -lc \"cd x && rg 'foo' src\"", "rg"),
        ("bash script.sh", "bash"),
        ("# note\n\ngit log", "git"),
        ("set -euo pipefail\nexport A=1\nuv run x", "uv"),
        ("if [ -f x ]; then cat x; fi", "cat"),
        ("for f in *.rs; do wc -l $f; done", "wc"),
        ("(cd a && ls)", "ls"),
        ("! grep -q x y", "grep"),
        ("cd /only", "cd"),
        ("2>/dev/null ls", "ls"),
        ("cat <<'EOF' > out.txt\nrm -rf /\nEOF\nls", "cat"),
        ("ls&&pwd", "ls"),
        ("C:\\\\tools\\\\rg.exe foo", "rg"),
        ("\"C:\\Program Files\\git.exe\" status", "git"),
        ("echo \"a && b\" | sed s/a/b/", "echo"),
        ("X=$(date +%s) node x.js", "node"),
        ("sqlite3 :memory: < migrations/001.sql && echo applied", "sqlite3"),
    ];
    for (script, expected) in cases {
        assert_eq!(program(script).as_deref(), Some(expected), "{script}");
    }
}

#[test]
fn nothing_to_run() {
    for script in ["", "   ", "# only a comment", "A=1", "&&", "\"\"", "sudo", "for x in y"] {
        assert_eq!(program(script), None, "{script}");
    }
}

#[test]
fn unfinished_scripts() {
    for script in ["echo \"abc", "echo 'abc", "echo `x", "echo $(a (b", "cat <<EOF\nx", "echo \\", "a >", "é\\", "\"\\"]
    {
        let _ = program(script);
    }
    assert_eq!(program("echo $(a (b").as_deref(), Some("echo"));
}

#[test]
fn hashline_edits() {
    let target = |script: &str| Script::parse(script).hashline_target().map(str::to_owned);
    assert_eq!(
        target("python .opencode/core/hashline-processor.py edit src/a.py 22:a3f1 'x'").as_deref(),
        Some("src/a.py")
    );
    assert_eq!(target("cd x && bun run cli/hashline.ts edit --force b.ts").as_deref(), Some("b.ts"));
    assert_eq!(target("python hashline.py read src/a.py"), None);
    assert_eq!(target("ls"), None);
}
