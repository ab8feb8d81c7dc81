//! Skills: the traces that asking for one leaves outside of the skill tool. Input: paths, commands, texts. Output:
//! [`SkillTrace`]: which skill, and where it lives.

use super::path::{base_name, from_url, parent};
use super::shell::Invocation;
use std::borrow::Cow;

/// A skill and its folder, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillTrace {
    /// Name of the folder, which OpenCode expects to be the skill's name.
    pub name: String,
    /// The folder.
    pub dir: String,
}

const SIGNATURE: &str = "Base directory for this skill: ";
const SIGNATURE_NEXT: &str = "Relative paths in this skill";
const READERS: [&str; 10] = ["cat", "bat", "head", "tail", "less", "more", "nl", "sed", "type", "get-content"];

/// A phrase without which [`SkillTrace::of_prompt`] finds nothing; cheap to look for in encoded text.
pub const PROMPT_PHRASE: &str = SIGNATURE;

impl SkillTrace {
    fn of_dir(dir: &str) -> Option<Self> {
        let name = base_name(dir);
        (!name.is_empty() && name != "." && name != "..").then(|| Self { name: name.to_owned(), dir: dir.to_owned() })
    }

    /// A file `…/<name>/SKILL.md`.
    #[must_use]
    pub fn of_file(path: &str) -> Option<Self> {
        (base_name(path) == "SKILL.md").then(|| parent(path)).flatten().and_then(Self::of_dir)
    }

    /// The text of a prompt made by a slash command: the skill's body, its folder, then the arguments.
    #[must_use]
    pub fn of_prompt(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(SIGNATURE)?;
        let (dir, next) = rest.split_once('\n')?;
        let dir = from_url(Cow::Borrowed(dir.trim()));
        next.starts_with(SIGNATURE_NEXT).then(|| Self::of_dir(dir.trim_end_matches(['/', '\\']))).flatten()
    }

    /// A command that prints `…/<name>/SKILL.md`.
    #[must_use]
    pub fn of_reader(invocation: &Invocation<'_>) -> Option<Self> {
        let reader = invocation.program.to_ascii_lowercase();
        if !READERS.contains(&reader.as_str())
            || reader == "sed" && invocation.arguments.iter().any(|word| word.starts_with("-i"))
        {
            return None;
        }
        invocation.arguments.iter().filter(|word| !word.starts_with('-')).find_map(|word| Self::of_file(word))
    }

    /// A command that runs a script which belongs to a skill: `sh …/skills/<name>/router.sh`, or Python or TypeScript
    /// anywhere below `skills/<name>/`. Other shell scripts are what a loaded skill tells to run, so they say nothing.
    #[must_use]
    pub fn of_router(invocation: &Invocation<'_>) -> Option<Self> {
        let mut words = invocation.arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-'));
        let script = match invocation.program {
            "bash" | "sh" | "zsh" | "dash" => words.next()?,
            "bun" | "uv" | "deno" | "node" | "tsx" | "npx" | "bunx" => {
                words.take(3).find(|word| word.contains(['/', '\\']))?
            }
            program if program.starts_with("python") => words.next()?,
            _ => invocation.path,
        };
        let extension = script.rsplit('.').next()?;
        let is_router = base_name(script) == "router.sh";
        if !is_router && !matches!(extension, "py" | "ts") {
            return None;
        }
        let at = ["skills/", "skills\\", "skill/", "skill\\"].iter().find_map(|folder| {
            let at = script.find(folder)?;
            let starts = at == 0 || script.as_bytes().get(at - 1).is_some_and(|byte| matches!(byte, b'/' | b'\\'));
            starts.then_some(at + folder.len())
        })?;
        let (name, inside) = script.get(at..)?.split_once(['/', '\\'])?;
        if is_router && inside != "router.sh" {
            return None;
        }
        Self::of_dir(script.get(..at + name.len())?)
    }
}

/// The skills that the error of an unknown one lists, comma-separated without spaces.
#[must_use]
pub fn available(error: &str) -> Option<String> {
    let (_, list) = error.split_once("Available skills:")?;
    let names: Vec<&str> = list
        .lines()
        .next()?
        .split(',')
        .map(|name| name.trim().trim_matches(['"', '`', '\'']).trim_end_matches('.'))
        .filter(|name| !name.is_empty() && *name != "none")
        .collect();
    (!names.is_empty()).then(|| names.join(","))
}

#[cfg(test)]
mod tests {
    use super::super::shell::Script;
    use super::*;

    fn trace(name: &str, dir: &str) -> Option<SkillTrace> {
        Some(SkillTrace { name: name.into(), dir: dir.into() })
    }

    #[test]
    fn files_and_prompts() {
        assert_eq!(SkillTrace::of_file("/p/.claude/skills/pr/SKILL.md"), trace("pr", "/p/.claude/skills/pr"));
        assert_eq!(SkillTrace::of_file("C:\\s\\pr\\SKILL.md"), trace("pr", "C:\\s\\pr"));
        assert_eq!(SkillTrace::of_file("SKILL.md"), None);
        assert_eq!(SkillTrace::of_file("/p/README.md"), None);
        let prompt = |dir: &str| {
            format!(
                "# x\nbody\n\nBase directory for this skill: {dir}\nRelative paths in this skill (e.g.) are\n\n\"args\""
            )
        };
        assert_eq!(
            SkillTrace::of_prompt(&prompt("/h/skills/release-notes")),
            trace("release-notes", "/h/skills/release-notes")
        );
        assert_eq!(SkillTrace::of_prompt(&prompt("file:///h/skills/a%20b/")), trace("a b", "/h/skills/a b"));
        assert_eq!(SkillTrace::of_prompt("Base directory for this skill: /x"), None);
        assert_eq!(SkillTrace::of_prompt("Base directory for this skill: /x\nother"), None);
    }

    fn bash(command: &str) -> (Option<SkillTrace>, Option<SkillTrace>) {
        let script = Script::parse(command);
        let mut found = (None, None);
        for invocation in script.invocations() {
            found.0 = found.0.or_else(|| SkillTrace::of_reader(&invocation));
            found.1 = found.1.or_else(|| SkillTrace::of_router(&invocation));
        }
        found
    }

    #[test]
    fn commands() {
        assert_eq!(bash("cd /p && cat .opencode/skills/pr/SKILL.md | head -5").0, trace("pr", ".opencode/skills/pr"));
        assert_eq!(bash("sed -n '1,80p' \"/a b/skills/pr/SKILL.md\"").0, trace("pr", "/a b/skills/pr"));
        assert_eq!(bash("sed -i s/a/b/ /a/pr/SKILL.md").0, None);
        assert_eq!(bash("cat > /a/pr/SKILL.md <<'EOF'\ncat /b/q/SKILL.md\nEOF").0, None);
        assert_eq!(bash("git add /a/pr/SKILL.md").0, None);
        assert_eq!(
            bash("bash .opencode/skills/formatter/router.sh cleanup").1,
            trace("formatter", ".opencode/skills/formatter")
        );
        assert_eq!(
            bash("python3 .opencode/skills/rlm/scripts/rlm_repl.py init x").1,
            trace("rlm", ".opencode/skills/rlm")
        );
        assert_eq!(bash("uv run python .opencode/skills/rlm/x.py").1, trace("rlm", ".opencode/skills/rlm"));
        assert_eq!(
            bash("bun run .opencode/skills/context7/cli.ts search").1,
            trace("context7", ".opencode/skills/context7")
        );
        assert_eq!(bash("./.opencode/skill/rlm/router.sh x").1, trace("rlm", "./.opencode/skill/rlm"));
        assert_eq!(bash("python3 .opencode/skills/cli-router.py full \"q\" --json").1, None);
        assert_eq!(bash("bash .opencode/skills/db-migrations/scripts/lint.sh").1, None);
        assert_eq!(bash("bun run .opencode/cli/router.ts full q").1, None);
    }

    #[test]
    fn inventories() {
        assert_eq!(available("Skill \"x\" not found. Available skills: a, b-c, d").as_deref(), Some("a,b-c,d"));
        assert_eq!(available("Skill \"x\" not found. Available skills: none"), None);
        assert_eq!(available("Unable to load skill x"), None);
    }
}
