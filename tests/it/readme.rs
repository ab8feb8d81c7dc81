//! The README's commands run as they stand, on the real database.

#![cfg(unix)]

use crate::harness::{Place, fixture, real};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Commands of the shell blocks that begin with `logicoma`, comments and all; a quote may run over lines.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut open: Option<String> = None;
    let mut is_shell = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_shell = !is_shell && line.starts_with("```sh");
            continue;
        }
        match &mut open {
            Some(command) => {
                command.push('\n');
                command.push_str(line);
            }
            None if is_shell && line.starts_with("logicoma ") => open = Some(line.to_owned()),
            None => continue,
        }
        if open.as_ref().is_some_and(|command| command.matches('"').count() % 2 == 0) {
            commands.extend(open.take());
        }
    }
    commands
}

#[test]
fn every_command_of_the_readme_runs() {
    let place = Place::new();
    let program = place.path("bin/logicoma");
    fs::create_dir(place.path("bin")).expect("folder");
    // As a user types it, but with a clock, a store and a home of the test's own.
    let shim = format!(
        "#!/bin/sh\nexec '{}' --now 2026-11-22T12:00:00Z --timezone UTC --map '/home/dev={}' \"$@\"\n",
        env!("CARGO_BIN_EXE_logicoma"),
        fixture("home-dev").display()
    );
    fs::write(&program, shim).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("made to run");
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap_or_default());
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README");
    let commands = commands(&readme);
    assert!(commands.len() >= 9, "{commands:?}");
    let event = "{\"v\":1,\"kind\":\"skill\",\"ts\":1795000000000,\"id\":\"e1\",\"data\":{\"skill\":\"dev\",\"success\":true}}\n";
    fs::write(place.path("events.jsonl"), event).expect("written");
    let store = place.path("home/.local/share/logicoma/store").display().to_string();
    for command in commands {
        // The place of the store, and the name of the snapshot that this clock gives.
        let command =
            command.replace("STORE/", &format!("{store}/")).replace("2026-11-15T060000Z", "2026-11-22T120000Z");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(&command).env_clear().current_dir(place.folder.path());
        shell.env("PATH", &path).env("HOME", place.path("home")).env("OPENCODE_DB", real());
        let run = place.output(&mut shell);
        assert_eq!(run.code, 0, "{command}\n{}", run.err);
        assert!(!run.out.is_empty(), "{command} prints nothing");
    }
}
