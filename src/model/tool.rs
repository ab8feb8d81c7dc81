//! Tools and the states of their calls. Input: names and texts as recorded. Output: what they mean here.

use super::edit::EditFormat;

/// State of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolState {
    /// Asked for; the arguments may still be streaming.
    Pending,
    /// At work; left over after a crash.
    Running,
    /// Ended well, as far as the tool knows.
    Completed,
    /// Ended badly.
    Error,
}

impl ToolState {
    /// By any of the names that OpenCode or its observers gave it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "pending" | "streaming" => Self::Pending,
            "running" => Self::Running,
            "completed" => Self::Completed,
            "error" | "failed" => Self::Error,
            _ => return None,
        })
    }

    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Error => "error",
        }
    }

    /// Whether nothing more is to come.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Error)
    }
}

/// What kind of work a tool does, as far as its calls are read differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolClass {
    /// Runs a shell command.
    Shell,
    /// Reads a file.
    Read,
    /// Changes files.
    Edit(EditFormat),
    /// Loads a skill.
    Skill,
    /// Starts a subagent.
    Subagent,
    /// Stands for a tool that does not exist.
    Invalid,
    /// Everything else, plugins and MCP servers included.
    Other,
}

impl ToolClass {
    /// By the tool's name in the store.
    #[must_use]
    pub fn of(tool: &str) -> Self {
        match tool {
            "bash" => Self::Shell,
            "read" => Self::Read,
            "edit" | "multiedit" => Self::Edit(EditFormat::StrReplace),
            "write" => Self::Edit(EditFormat::Whole),
            "apply_patch" | "patch" => Self::Edit(EditFormat::ApplyPatch),
            "skill" => Self::Skill,
            "task" => Self::Subagent,
            "invalid" => Self::Invalid,
            _ => Self::Other,
        }
    }
}

/// The first generation's name for a tool of the second.
#[must_use]
pub fn v1_name(tool: &str) -> &str {
    match tool {
        "shell" => "bash",
        "subagent" => "task",
        "patch" => "apply_patch",
        other => other,
    }
}

/// An error's text without the prefix that 1.2 put before it.
#[must_use]
pub fn without_prefix(error: &str) -> &str {
    error.strip_prefix("Error: ").unwrap_or(error)
}

/// Whether an error says that the call was broken off.
#[must_use]
pub fn is_abort(error: &str) -> bool {
    let error = without_prefix(error);
    ["Tool execution aborted", "Task cancelled"]
        .iter()
        .any(|start| error.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start)))
}

/// What a shell's output ends with when the command was broken off or took too long.
pub const INTERRUPTIONS: [&str; 2] = ["User aborted the command", "terminated command after exceeding timeout"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_by_every_name() {
        assert_eq!(ToolState::parse("failed"), Some(ToolState::Error));
        assert_eq!(ToolState::parse("streaming").map(ToolState::name), Some("pending"));
        assert_eq!(ToolState::parse("odd"), None);
        assert!(!ToolState::Running.is_final());
    }

    #[test]
    fn aborts() {
        assert!(is_abort("Tool execution aborted"));
        assert!(is_abort("Error: Task cancelled"));
        assert!(!is_abort("cannot abort"));
        assert!(!is_abort("Tööl execution aborted"));
    }
}
