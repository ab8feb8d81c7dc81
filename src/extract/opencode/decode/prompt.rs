//! Did a person write this message? Its parts tell, and they stream apart from it.
//!
//! Input: the parts of one message, in any order. Output: [`PromptEvidence::is_prompt`].

use super::PartFields;

/// What the parts of one message say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PromptEvidence {
    /// A text that was not injected, a file, an agent or a subtask.
    pub has_real: bool,
    /// A text that was injected.
    pub has_synthetic: bool,
    /// A request to compact.
    pub has_compaction: bool,
}

impl PromptEvidence {
    /// Adds one part; `slot` is called only when the part says something.
    pub fn observe<'s>(fields: &PartFields<'_>, slot: impl FnOnce() -> &'s mut Self) {
        match fields.r#type.as_deref() {
            Some("text") if fields.is_synthetic == Some(true) => slot().has_synthetic = true,
            Some("text" | "file" | "agent" | "subtask") => slot().has_real = true,
            Some("compaction") => slot().has_compaction = true,
            _ => {}
        }
    }

    /// Whether a user message with these parts is a prompt; one without parts is.
    #[must_use]
    pub fn is_prompt(self) -> bool {
        !self.has_compaction && (self.has_real || !self.has_synthetic)
    }
}
