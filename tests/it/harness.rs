//! What every test needs: the program, a place of its own, the fixtures.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use tempfile::TempDir;

/// The clock of the tests.
const NOW: &str = "2026-11-22T12:00:00Z";

/// A store and a home of the test's own.
pub(crate) struct Place {
    pub folder: TempDir,
}

/// What a run gave.
pub(crate) struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A file below `fixtures/`.
pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

/// The database of the real 1.18.33.
pub(crate) fn real() -> PathBuf {
    fixture("opencode/opencode-1.18.33.db")
}

/// Every file below a folder, relative to it, in order.
pub(crate) fn tree(folder: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("folder").flatten() {
            if entry.file_type().expect("a type").is_dir() {
                walk(root, &entry.path(), found);
            } else {
                let path = entry.path();
                found.push(path.strip_prefix(root).expect("inside").to_str().expect("UTF-8").to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

/// Copies a folder with all that is in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    for path in tree(from) {
        let target = to.join(&path);
        std::fs::create_dir_all(target.parent().expect("a folder")).expect("created");
        std::fs::copy(from.join(&path), target).expect("copied");
    }
}

/// The store of the real database after a report over all time: its marts are built, its metrics measured. Made once for a
/// build of the program, and copied by every test that only looks at such a store.
fn measured() -> PathBuf {
    let about = std::fs::metadata(env!("CARGO_BIN_EXE_logicoma")).expect("the program");
    let built = about.modified().expect("a time").duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let name = format!("measured-{}-{}", about.len(), built.as_nanos());
    let done = folder.join(&name);
    if !done.exists() {
        let place = Place::new();
        place.on(&real(), &["report", "--all", "--out", "out"]).ok();
        let incoming = folder.join(format!("{name}-{}", std::process::id()));
        copy_folder(&place.path("store"), &incoming);
        // Another process may have been quicker: then there are two of the same, and this one goes next time.
        let _ = std::fs::rename(&incoming, &done);
    }
    for entry in std::fs::read_dir(folder).expect("folder").flatten() {
        let own = entry.file_name().to_string_lossy().into_owned();
        if own.starts_with("measured-") && !own.starts_with(&name) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    done
}

static MEASURED: LazyLock<PathBuf> = LazyLock::new(measured);

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("temporary folder") }
    }

    /// A place whose store has all of the real database, measured already: for tests of what comes after.
    pub(crate) fn measured() -> Self {
        let place = Self::new();
        copy_folder(&MEASURED, &place.path("store"));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with an environment of its own: no variable of the machine's reaches it but PATH.
    pub(crate) fn command(&self) -> Command {
        self.with_store(&self.path("store"))
    }

    /// The same on another store.
    pub(crate) fn with_store(&self, store: &Path) -> Command {
        let mut command = self.bare();
        command.args(["--now", NOW]).arg("--store").arg(store);
        command
    }

    /// On the place's store, where a test sets the clock itself.
    pub(crate) fn without_clock(&self) -> Command {
        let mut command = self.bare();
        command.arg("--store").arg(self.path("store"));
        command
    }

    /// The same without a clock and a store.
    fn bare(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_logicoma"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .args(["--timezone", "UTC"]);
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.output(self.command().args(args))
    }

    /// Runs the program on a database; `args` may set the clock anew.
    pub(crate) fn again(&self, db: &Path, args: &[&str]) -> Run {
        let mut command = self.bare();
        if !args.contains(&"--now") {
            command.args(["--now", NOW]);
        }
        self.output(command.arg("--store").arg(self.path("store")).arg("--db").arg(db).args(args))
    }

    /// Runs the program on a database.
    pub(crate) fn on(&self, db: &Path, args: &[&str]) -> Run {
        self.output(self.command().arg("--db").arg(db).args(args))
    }

    pub(crate) fn output(&self, command: &mut Command) -> Run {
        let output: Output = command.output().expect("the program runs");
        Run {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs the program, which must succeed, and reads its standard output as JSON.
    pub(crate) fn json(&self, db: &Path, args: &[&str]) -> Value {
        let run = self.on(db, args).ok();
        serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out))
    }
}

impl Run {
    /// The run, which must have succeeded.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "exit code; standard error:\n{}", self.err);
        self
    }

    /// Must have failed with this code, and said this on standard error and nothing on standard output.
    pub(crate) fn fails(self, code: i32, says: &[&str]) -> Self {
        assert_eq!(self.code, code, "exit code; standard error:\n{}\nstandard output:\n{}", self.err, self.out);
        for text in says {
            assert!(self.err.contains(text), "'{text}' is not in:\n{}", self.err);
        }
        self
    }
}
