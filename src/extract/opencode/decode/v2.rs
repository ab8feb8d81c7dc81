//! A row of the second generation's `session_message`, put into the shape of the first.
//!
//! Input: the row's type and JSON. Output: [`V2Row`]. A step of v2 has no parts that mark its start and end, so a pair
//! is made: a start for every request, an end wherever tokens or a cost are recorded. Steps then read the same in both
//! generations.

use super::fields::{V2Part, V2Row, Words};
use super::json::{Reader, document};
use super::message::Gathered;
use super::part::fill_text;
use super::text::Text;
use super::tool::{self, Call};
use super::usage::{Times, Usage};
use super::{MessageFields, PartFields, Reason};
use crate::model::tool::v1_name;
use std::borrow::Cow;

/// A text with its JSON.
type RawText<'a> = (Option<Text<'a>>, &'a str);

/// Values of a row that only some types have.
#[derive(Default)]
struct Body<'a> {
    text: Option<RawText<'a>>,
    content: Vec<V2Part<'a>>,
    attachments: Vec<V2Part<'a>>,
    skill: Words<'a>,
    skill_label: Words<'a>,
    shell_id: Words<'a>,
    command: Option<RawText<'a>>,
    status: Words<'a>,
    exit: Option<i64>,
    output: Option<Text<'a>>,
    is_truncated: Option<bool>,
    outcome: Words<'a>,
    step: Step<'a>,
}

/// JSON of what a step-finish part repeats.
#[derive(Default, Clone, Copy)]
struct Step<'a> {
    finish: Option<&'a str>,
    cost: Option<&'a str>,
    tokens: Option<&'a str>,
}

impl<'a> Body<'a> {
    /// Takes one entry of the JSON; `None` when it is one that every message may have.
    fn read(&mut self, reader: &mut Reader<'a>, kind: &str, key: &str) -> Result<Option<()>, Reason> {
        match (kind, key) {
            ("user" | "synthetic" | "skill", "text") | ("compaction", "summary") => {
                self.text = Some(reader.with_raw(Reader::text)?);
            }
            ("assistant", "content") => {
                self.content.clear();
                let content = &mut self.content;
                reader.array(|reader| {
                    content.extend(content_part(reader)?);
                    Ok(())
                })?;
            }
            ("user", "files") => self.read_attachments(reader, "file")?,
            ("user", "agents") => self.read_attachments(reader, "agent")?,
            ("user", "skills") => self.read_attachments(reader, "skill")?,
            ("skill", "skill") => self.skill = reader.string()?,
            ("skill", "name") => self.skill_label = reader.string()?,
            ("shell", "shellID") => self.shell_id = reader.string()?,
            ("shell", "command") => self.command = Some(reader.with_raw(Reader::text)?),
            ("shell", "status") => self.status = reader.string()?,
            ("shell", "exit") => self.exit = reader.int()?,
            ("shell", "output") => self.read_output(reader)?,
            ("idle", "outcome") => self.outcome = reader.string()?,
            _ => return Ok(None),
        }
        Ok(Some(()))
    }

    fn read_attachments(&mut self, reader: &mut Reader<'a>, kind: &'static str) -> Result<(), Reason> {
        reader.array(|reader| {
            let (name, raw) = reader
                .with_raw(|reader| if kind == "skill" { skill_name(reader) } else { reader.skip().map(|()| None) })?;
            let mut part = part(kind, Cow::Borrowed(raw.as_bytes()));
            part.fields.skill_via = name.is_some().then_some(Cow::Borrowed("slash"));
            part.fields.skill_name = name;
            self.attachments.push(part);
            Ok(())
        })?;
        Ok(())
    }

    /// A text, or `{output, truncated}`.
    fn read_output(&mut self, reader: &mut Reader<'a>) -> Result<(), Reason> {
        if !reader.is_object() {
            self.output = reader.text()?;
            return Ok(());
        }
        reader.object(|reader, key| {
            match key {
                "output" => self.output = reader.text()?,
                "truncated" => self.is_truncated = reader.bool()?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(())
    }
}

/// A skill that a prompt names: `id`, or an object with `id` or `name`.
fn skill_name<'a>(reader: &mut Reader<'a>) -> Result<Words<'a>, Reason> {
    if !reader.is_object() {
        return reader.string();
    }
    let (mut id, mut name) = (None, None);
    reader.object(|reader, key| {
        match key {
            "id" => id = reader.string()?,
            "name" => name = reader.string()?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(id.or(name))
}

/// Decodes one row of `session_message`; `kind` is its column `type`.
///
/// # Errors
/// The data is no JSON object.
pub fn decode_v2_row<'a>(kind: &str, data: &'a [u8]) -> Result<V2Row<'a>, Reason> {
    let mut message = MessageFields { data_chars: i64::try_from(data.len()).ok(), ..MessageFields::default() };
    let mut gathered = Gathered::default();
    let mut body = Body::default();
    document(data, |reader, key| {
        if body.read(reader, kind, key)?.is_some() {
            return Ok(());
        }
        let ((), raw) = reader.with_raw(|reader| gathered.read(&mut message, reader, key))?;
        match key {
            "finish" => body.step.finish = Some(raw),
            "cost" => body.step.cost = Some(raw),
            "tokens" => body.step.tokens = Some(raw),
            _ => {}
        }
        Ok(())
    })?;
    let usage = gathered.settle(&mut message);
    message.role = match kind {
        "user" | "skill" | "synthetic" => Some("user".into()),
        "assistant" | "shell" | "compaction" => Some("assistant".into()),
        _ => None,
    };
    // Who invokes a skill by its name prompts, as in the first generation.
    message.is_prompt = (message.role.as_deref() == Some("user")).then_some(kind != "synthetic");
    message.is_summary = (message.role.as_deref() == Some("assistant")).then_some(kind == "compaction");
    message.kind = Some(Cow::Owned(kind.to_owned()));
    let step = body.step;
    let mut parts = parts(kind, body, &mut message);
    let is_step = kind == "assistant" || (kind == "compaction" && usage.is_known());
    if is_step {
        parts.insert(0, part("step-start", Cow::Borrowed(b"{\"type\":\"step-start\"}")));
    }
    if is_step && usage.is_known() {
        parts.push(step_finish(usage, message.finish.clone(), step));
    }
    Ok(V2Row { message, parts })
}

fn parts<'a>(kind: &str, body: Body<'a>, message: &mut MessageFields<'a>) -> Vec<V2Part<'a>> {
    let mut parts = Vec::new();
    match kind {
        "user" | "synthetic" | "skill" => {
            if let Some(mut part) = body.text.and_then(|text| text_part(text, kind == "synthetic")) {
                if kind == "skill" {
                    part.fields.is_correction = None;
                    part.fields.skill_name = body.skill.or(body.skill_label);
                    part.fields.skill_via = part.fields.skill_name.is_some().then_some(Cow::Borrowed("slash"));
                }
                parts.push(part);
            }
            parts.extend(body.attachments);
        }
        "assistant" => parts = body.content,
        "shell" => parts.push(shell_part(body, message)),
        "compaction" => parts.extend(body.text.and_then(|text| text_part(text, false)).map(|mut part| {
            forget_author(&mut part.fields);
            part
        })),
        "idle" => message.finish = message.finish.take().or(body.outcome),
        _ => {}
    }
    parts
}

fn part<'a>(kind: &'static str, raw: Cow<'a, [u8]>) -> V2Part<'a> {
    let data_chars = i64::try_from(raw.len()).ok();
    V2Part { raw, fields: PartFields { r#type: Some(kind.into()), data_chars, ..PartFields::default() } }
}

fn text_part((text, raw): RawText<'_>, is_synthetic: bool) -> Option<V2Part<'_>> {
    let mark = if is_synthetic { ",\"synthetic\":true" } else { "" };
    let mut part = part("text", Cow::Owned(format!("{{\"type\":\"text\",\"text\":{raw}{mark}}}").into_bytes()));
    fill_text(&mut part.fields, Some(text?), is_synthetic);
    Some(part)
}

/// What a model writes neither corrects anybody nor invokes a skill.
fn forget_author(fields: &mut PartFields<'_>) {
    fields.is_correction = None;
    fields.skill_name = None;
    fields.skill_via = None;
    fields.skill_dir = None;
}

/// One item of an assistant's content; anything but an object is left out.
fn content_part<'a>(reader: &mut Reader<'a>) -> Result<Option<V2Part<'a>>, Reason> {
    let (mut kind, mut text, mut id, mut name) = (None, None, None, None);
    let (mut call, mut times) = (Call::default(), Times::default());
    let (is_object, raw) = reader.with_raw(|reader| {
        reader.object(|reader, key| {
            match key {
                "type" => kind = reader.string()?,
                "text" => text = reader.text()?,
                "id" => id = reader.string()?,
                "name" => name = reader.string()?,
                "state" => call = Call::read(reader)?,
                "time" => times = Times::read(reader)?,
                _ => reader.skip()?,
            }
            Ok(())
        })
    })?;
    if !is_object {
        return Ok(None);
    }
    let mut part = part("", Cow::Borrowed(raw.as_bytes()));
    times.fill(&mut part.fields);
    match kind.as_deref() {
        Some("tool") => {
            call.tool = name.map(|name| match name {
                Cow::Borrowed(name) => Cow::Borrowed(v1_name(name)),
                Cow::Owned(name) => Cow::Owned(v1_name(&name).to_owned()),
            });
            part.fields.call_id = id;
            tool::fill(&mut part.fields, call);
        }
        Some("text") => {
            fill_text(&mut part.fields, text, false);
            forget_author(&mut part.fields);
        }
        Some("reasoning") => part.fields.text_chars = text.and_then(Text::chars),
        _ => {}
    }
    part.fields.r#type = kind;
    Ok(Some(part))
}

/// A command that the user ran.
fn shell_part<'a>(body: Body<'a>, message: &MessageFields<'_>) -> V2Part<'a> {
    let is_running = body.status.as_deref() == Some("running");
    let status = if is_running { "running" } else { "completed" };
    let (command, raw) = body.command.unwrap_or((None, "null"));
    let json = format!(
        "{{\"type\":\"tool\",\"tool\":\"bash\",\"state\":{{\"status\":\"{status}\",\"input\":{{\"command\":{raw}}}}}}}"
    );
    let mut part = part("tool", Cow::Owned(json.into_bytes()));
    let mut call = Call { tool: Some("bash".into()), status: Some(status.into()), ..Call::default() };
    call.input.command = command;
    call.output.extend(body.output);
    call.metadata.exit_code = body.exit;
    call.metadata.is_truncated = body.is_truncated;
    tool::fill(&mut part.fields, call);
    part.fields.call_id = body.shell_id;
    part.fields.started_at = message.created_at;
    part.fields.ended_at = message.completed_at;
    part.fields.is_interrupted = (!is_running).then_some(matches!(body.status.as_deref(), Some("timeout" | "killed")));
    part
}

/// The part that marks the end of a step and carries its tokens.
fn step_finish<'a>(usage: Usage, finish: Words<'a>, step: Step<'_>) -> V2Part<'a> {
    let mut json = String::from("{\"type\":\"step-finish\"");
    for (key, value) in [("reason", step.finish), ("cost", step.cost), ("tokens", step.tokens)] {
        if let Some(value) = value {
            for piece in [",\"", key, "\":", value] {
                json.push_str(piece);
            }
        }
    }
    json.push('}');
    let mut end = part("step-finish", Cow::Owned(json.into_bytes()));
    usage.fill(&mut end.fields);
    end.fields.finish = finish;
    end
}
