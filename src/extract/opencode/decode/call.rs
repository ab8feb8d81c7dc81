//! What a tool call holds, whatever the tool, the version and the generation.
//!
//! Input: a reader before `state`. Output: [`Call`] with its [`Input`] and [`Metadata`]: the values, not yet judged.

use super::Reason;
use super::edits::Recorded;
use super::fields::Words;
use super::json::Reader;
use super::text::Text;
use super::usage::Times;

/// What is known of a call.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    /// The name in the store.
    pub(super) tool: Words<'a>,
    /// As recorded.
    pub(super) status: Words<'a>,
    /// The arguments.
    pub(super) input: Input<'a>,
    /// Bytes of the arguments' JSON.
    pub(super) input_chars: Option<i64>,
    /// The texts of the result.
    pub(super) output: Vec<Text<'a>>,
    /// The whole error.
    pub(super) error: Words<'a>,
    /// As recorded.
    pub(super) title: Option<Text<'a>>,
    /// What the tool says beside its result.
    pub(super) metadata: Metadata<'a>,
    /// Start and end, where the state holds them.
    pub(super) times: Times,
}

impl<'a> Call<'a> {
    /// Reads `state`.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Reason> {
        let mut call = Self::default();
        reader.object(|reader, key| {
            match key {
                "status" => call.status = reader.string()?,
                "input" => {
                    let (input, raw) = reader.with_raw(Input::read)?;
                    call.input = input;
                    call.input_chars = i64::try_from(raw.len()).ok();
                }
                "output" => call.output.extend(reader.text()?),
                "content" => read_content(reader, &mut call.output)?,
                "title" => call.title = reader.text()?,
                "error" => call.error = read_error(reader)?,
                "metadata" => call.metadata = Metadata::read(reader)?,
                "time" => call.times = Times::read(reader)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(call)
    }
}

/// v2's result: a list of texts and files.
fn read_content<'a>(reader: &mut Reader<'a>, output: &mut Vec<Text<'a>>) -> Result<(), Reason> {
    reader.array(|reader| {
        let mut text = None;
        reader.object(|reader, key| {
            match key {
                "text" => text = reader.text()?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        output.extend(text);
        Ok(())
    })?;
    Ok(())
}

/// An error's text: a string, or an object with `message`.
fn read_error<'a>(reader: &mut Reader<'a>) -> Result<Words<'a>, Reason> {
    if !reader.is_object() {
        return reader.string();
    }
    let mut message = None;
    reader.object(|reader, key| {
        match key {
            "message" => message = reader.string()?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(message)
}

/// The arguments that any tool's columns come from.
#[derive(Debug, Default)]
pub(super) struct Input<'a> {
    /// The file or folder.
    pub(super) path: Words<'a>,
    /// The skill.
    pub(super) skill: Words<'a>,
    /// The shell command.
    pub(super) command: Option<Text<'a>>,
    /// What is looked for, or fetched.
    pub(super) search: Option<Text<'a>>,
    /// The agent.
    pub(super) agent: Words<'a>,
    /// The agent's model.
    pub(super) model: Words<'a>,
    /// The tool that does not exist.
    pub(super) tool: Words<'a>,
    /// The whole text that `write` writes.
    pub(super) content: Option<Text<'a>>,
    /// The text of a patch.
    pub(super) patch: Option<Text<'a>>,
}

impl<'a> Input<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Reason> {
        let mut found = Self::default();
        let (mut path, mut name, mut skill_name, mut id) = (None, None, None, None);
        let (mut pattern, mut url, mut query) = (None, None, None);
        reader.object(|reader, key| {
            match key {
                "filePath" | "file_path" => found.path = reader.string()?,
                "path" => path = reader.string()?,
                "name" => name = reader.string()?,
                "skill_name" => skill_name = reader.string()?,
                "id" => id = reader.string()?,
                "command" => found.command = reader.text()?,
                "pattern" => pattern = reader.text()?,
                "url" => url = reader.text()?,
                "query" => query = reader.text()?,
                "subagent_type" | "agent" => found.agent = reader.string()?,
                "model" => found.model = reader.string()?,
                "tool" => found.tool = reader.string()?,
                "content" => found.content = reader.text()?,
                "patchText" | "patch" => found.patch = reader.text()?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        found.path = found.path.or(path);
        found.skill = name.or(skill_name).or(id);
        found.search = pattern.or(url).or(query);
        Ok(found)
    }
}

/// What any tool says beside its result.
#[derive(Debug, Default)]
pub(super) struct Metadata<'a> {
    /// The output was cut for the model.
    pub(super) is_truncated: Option<bool>,
    /// The call was broken off.
    pub(super) is_interrupted: Option<bool>,
    /// Exit code of a command.
    pub(super) exit_code: Option<i64>,
    /// Folder of a skill.
    pub(super) skill_dir: Words<'a>,
    /// Session of a subagent.
    pub(super) child: Words<'a>,
    /// Model of a subagent.
    pub(super) model: Words<'a>,
    /// Whether the file was there before.
    pub(super) exists: Option<bool>,
    /// Changed files and lines.
    pub(super) recorded: Recorded<'a>,
}

impl<'a> Metadata<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Reason> {
        let mut found = Self::default();
        reader.object(|reader, key| {
            match key {
                "truncated" => found.is_truncated = reader.bool()?,
                "interrupted" => found.is_interrupted = reader.bool()?,
                "exit" => found.exit_code = reader.int()?,
                "dir" | "directory" => found.skill_dir = reader.string()?,
                "sessionId" | "sessionID" => found.child = reader.string()?,
                "model" => found.model = read_model(reader)?,
                "exists" => found.exists = reader.bool()?,
                key => found.recorded.read(reader, key)?,
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// `provider/model`.
fn read_model<'a>(reader: &mut Reader<'a>) -> Result<Words<'a>, Reason> {
    if !reader.is_object() {
        return reader.string();
    }
    let (mut provider, mut model) = (None, None);
    reader.object(|reader, key| {
        match key {
            "providerID" => provider = reader.string()?,
            "modelID" | "id" => model = reader.string()?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(model.map(|model| format!("{}/{model}", provider.as_deref().unwrap_or("unknown")).into()))
}
