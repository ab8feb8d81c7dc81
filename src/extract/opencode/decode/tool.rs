//! The columns of a tool call. Input: [`Call`]. Output: the tool's columns of [`PartFields`].

use super::PartFields;
pub(super) use super::call::Call;
use super::edits;
use super::fields::Words;
use super::signal::{self, Signal};
use super::text::Text;
use crate::model::path::{from_url, slashed};
use crate::model::shell::Script;
use crate::model::skill::{SkillTrace, available};
use crate::model::text::{COMMAND_CHARS, ERROR_CHARS, TITLE_CHARS, cut};
use crate::model::tool::{INTERRUPTIONS, ToolClass, ToolState, is_abort, without_prefix};
use std::borrow::Cow;

/// Bytes at the end of a shell's output where an interruption is noted.
const OUTPUT_TAIL: usize = 2_000;
/// Characters at the start of a subagent's output where its session is named.
const OUTPUT_HEAD: usize = 200;

/// What the edit columns are judged by.
pub(super) struct Facts<'c, 'a> {
    /// Where known.
    pub(super) state: Option<ToolState>,
    /// Broken off or timed out.
    pub(super) is_interrupted: bool,
    /// The whole error, without prefix.
    pub(super) error: Option<&'c str>,
    /// The call.
    pub(super) call: &'c Call<'a>,
}

impl Facts<'_, '_> {
    /// Whether a phrase occurs in the output.
    pub(super) fn prints(&self, phrase: &str) -> bool {
        self.call.output.iter().any(|text| text.contains(phrase))
    }
}

/// A decoded text, cut, and borrowing where it can.
fn shortened(text: Cow<'_, str>, chars: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text, chars)),
        Cow::Owned(mut text) => {
            text.truncate(cut(&text, chars).len());
            Cow::Owned(text)
        }
    }
}

/// The error without the prefix of 1.2.
fn stripped(error: Cow<'_, str>) -> Cow<'_, str> {
    match error {
        Cow::Borrowed(error) => Cow::Borrowed(without_prefix(error)),
        Cow::Owned(error) => Cow::Owned(without_prefix(&error).to_owned()),
    }
}

/// Fills the tool's columns.
pub(super) fn fill<'a>(fields: &mut PartFields<'a>, mut call: Call<'a>) {
    let state = call.status.as_deref().and_then(ToolState::parse);
    let class = call.tool.as_deref().map_or(ToolClass::Other, ToolClass::of);
    let error = call.error.take().map(stripped);
    let is_cut_off = class == ToolClass::Shell
        && call.metadata.exit_code.is_none()
        && call
            .output
            .last()
            .is_some_and(|text| INTERRUPTIONS.iter().any(|phrase| text.tail_contains(OUTPUT_TAIL, phrase)));
    let is_interrupted =
        is_cut_off || call.metadata.is_interrupted == Some(true) || error.as_deref().is_some_and(is_abort);

    fields.is_interrupted = state.filter(|state| state.is_final()).map(|_| is_interrupted);
    fields.status = state.map(|state| Cow::Borrowed(state.name())).or(call.status.take());
    fields.input_chars = call.input_chars;
    if !call.output.is_empty() {
        fields.output_chars = Some(call.output.iter().filter_map(|text| text.chars()).sum());
    }
    fields.title = call.title.filter(|title| !title.is_empty()).map(|title| title.first(TITLE_CHARS));
    fields.is_truncated = call.metadata.is_truncated;

    let facts = Facts { state, is_interrupted, error: error.as_deref(), call: &call };
    match class {
        ToolClass::Shell => shell(fields, &facts),
        ToolClass::Read => load(fields, call.input.path.as_deref().and_then(SkillTrace::of_file), "read"),
        ToolClass::Edit(format) => edits::fill(fields, format, &facts),
        ToolClass::Skill => {
            fields.available_skills = error.as_deref().and_then(available).map(Cow::Owned);
            fields.skill_dir = call.metadata.skill_dir.take().map(from_url);
            fields.skill_name = call.input.skill.take();
            fields.skill_via = fields.skill_name.is_some().then_some(Cow::Borrowed("skill_tool"));
        }
        ToolClass::Subagent => {
            let named = call.metadata.child.take();
            fields.child_session_id = named.or_else(|| child_in(error.as_deref(), &call.output));
            fields.subagent_model = call.metadata.model.take().or(call.input.model.take());
            fields.subagent_type = call.input.agent.take();
        }
        ToolClass::Invalid => fields.asked_tool = call.input.tool.take(),
        ToolClass::Other => {}
    }
    fields.signals = signals(fields, &call, state);
    if class != ToolClass::Shell {
        fields.command = call.input.search.map(|search| search.first(COMMAND_CHARS));
        fields.target_path = fields.target_path.take().or_else(|| call.input.path.take().map(from_url).map(slashed));
    }
    fields.error = error.map(|error| shortened(error, ERROR_CHARS));
    fields.tool = call.tool;
}

/// Notes that a skill was asked for.
pub(super) fn load(fields: &mut PartFields<'_>, trace: Option<SkillTrace>, via: &'static str) {
    if let Some(trace) = trace {
        fields.skill_name = Some(trace.name.into());
        fields.skill_dir = Some(trace.dir.into());
        fields.skill_via = Some(via.into());
    }
}

/// What the call says about Tachikoma's work. A skill's output is the skill's own text and says nothing.
fn signals(fields: &PartFields<'_>, call: &Call<'_>, state: Option<ToolState>) -> Vec<Signal> {
    if state != Some(ToolState::Completed) {
        return Vec::new();
    }
    let output = || call.output.iter().map(|text| text.decode()).collect::<Vec<_>>().join("\n");
    match (fields.command.as_deref(), call.tool.as_deref()) {
        (Some(command), Some("bash")) => signal::of_command(command, fields.exit_code, output),
        (_, Some(tool)) => {
            let command = call.input.command.map(|command| command.first(COMMAND_CHARS));
            signal::of_tool(tool, fields.subagent_type.as_deref(), command.as_deref(), output).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn shell<'a>(fields: &mut PartFields<'a>, facts: &Facts<'_, 'a>) {
    fields.exit_code = facts.call.metadata.exit_code;
    let Some(command) = facts.call.input.command.map(|command| command.first(COMMAND_CHARS)) else {
        return;
    };
    let script = Script::parse(&command);
    fields.program = script.program().map(Cow::Owned);
    if command.contains("hashline") {
        edits::fill_hashline(fields, &script, facts);
    }
    if command.contains("SKILL.md") {
        load(fields, script.invocations().find_map(|found| SkillTrace::of_reader(&found)), "bash");
    }
    if fields.skill_name.is_none() && command.contains("skill") {
        load(fields, script.invocations().find_map(|found| SkillTrace::of_router(&found)), "bash_router");
    }
    fields.command = Some(command);
}

/// The session of a subagent where the metadata does not name it.
fn child_in<'a>(error: Option<&str>, output: &[Text<'a>]) -> Words<'a> {
    let head = output.first().map(|text| text.first(OUTPUT_HEAD));
    [error, head.as_deref()].into_iter().flatten().find_map(|text| {
        let (_, rest) = text.split_once("task_id: ").or_else(|| text.split_once("<task id=\""))?;
        let id = rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next()?;
        id.starts_with("ses_").then(|| Cow::Owned(id.to_owned()))
    })
}
