//! What Tachikoma's programs, tools and agents say about their own work: intents, verdicts, chunks, edit formats.
//!
//! Input: a tool call or a text. Output: [`Signal`]s, each with the rule that read it. Only what a program printed or an
//! agent wrote is read, never a skill's own text (its body holds templates). Cheap tests come first, because nearly every
//! part says nothing.

mod command;
mod lines;
mod objects;
mod printed;
mod spoken;
mod tools;

pub(super) use command::of_command;
pub(super) use spoken::{HINTS as TEXT_HINTS, of_text};
pub(super) use tools::of_tool;

/// One thing that was said; a field per column of the table `signal`, whose documentation stands in the schema.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the schema documents every column")]
pub struct Signal {
    pub kind: &'static str,
    pub era: Option<&'static str>,
    pub program: Option<&'static str>,
    pub rule: &'static str,
    pub evidence: &'static str,
    pub origin: &'static str,
    pub query_hash: Option<String>,
    pub predicted_intent: Option<String>,
    pub confidence: Option<f64>,
    pub confidence_scale: Option<&'static str>,
    pub complexity: Option<String>,
    pub complexity_score: Option<f64>,
    pub strategy: Option<String>,
    pub route: Option<String>,
    pub invoke_via: Option<String>,
    pub predicted_skills: Option<String>,
    pub workflow: Option<String>,
    pub action: Option<String>,
    pub threshold: Option<f64>,
    pub is_escalated: Option<bool>,
    pub criteria_passed: Option<i64>,
    pub criteria_total: Option<i64>,
    pub verdict: Option<&'static str>,
    pub rubric_verdict: Option<String>,
    pub gvr_verdict: Option<String>,
    pub iterations: Option<i64>,
    pub chunk_id: Option<String>,
    pub relevant_count: Option<i64>,
    pub chunk_count: Option<i64>,
    pub chunk_size: Option<i64>,
    pub chunk_unit: Option<&'static str>,
    pub waves: Option<i64>,
    pub ok_chunks: Option<i64>,
    pub is_early_termination: Option<bool>,
    pub tokens: Option<i64>,
    pub duration_ms: Option<i64>,
    pub model: Option<String>,
    pub format: Option<String>,
}

#[cfg(test)]
#[path = "tests_signal.rs"]
mod tests;
