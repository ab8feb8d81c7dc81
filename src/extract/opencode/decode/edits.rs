//! The columns of calls that change files: format, outcome, and how many lines.
//!
//! Input: what is known of the call. Output: the edit columns of [`PartFields`]. Lines count only where the change was
//! made; the program's own counts come first, then a diff's, then the arguments'.

use super::fields::Words;
use super::json::Reader;
use super::text::Text;
use super::tool::Facts;
use super::{PartFields, Reason};
use crate::model::edit::{EditErrorClass, EditFormat, EditOutcome};
use crate::model::patch::{Changes, diff_changes, first_file, patch_changes, path_in_error};
use crate::model::path::slashed;
use crate::model::shell::Script;
use crate::model::tool::ToolState;
use std::borrow::Cow;

/// What the metadata says of one file.
#[derive(Debug, Default, Clone)]
struct FileRecord<'a> {
    path: Words<'a>,
    additions: Option<i64>,
    deletions: Option<i64>,
    diff: Option<Text<'a>>,
}

impl<'a> FileRecord<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Reason> {
        let mut nested = None;
        let file = Self::read_with(reader, |reader, key| {
            if key != "filediff" {
                return reader.skip();
            }
            nested = Some(Self::read_with(reader, |reader, _| reader.skip())?);
            Ok(())
        })?;
        Ok(nested.unwrap_or(file))
    }

    fn read_with(
        reader: &mut Reader<'a>,
        mut other: impl FnMut(&mut Reader<'a>, &str) -> Result<(), Reason>,
    ) -> Result<Self, Reason> {
        let mut file = Self::default();
        reader.object(|reader, key| {
            match key {
                "filePath" | "file" => file.path = reader.string()?,
                "additions" => file.additions = reader.int()?,
                "deletions" => file.deletions = reader.int()?,
                "patch" | "diff" => file.diff = reader.text()?,
                key => other(reader, key)?,
            }
            Ok(())
        })?;
        Ok(file)
    }

    fn changes(&self) -> Option<Changes> {
        if let (Some(additions), Some(deletions)) = (self.additions, self.deletions) {
            return Some(Changes { additions, deletions, files: 1 });
        }
        self.diff.map(|diff| Changes { files: 1, ..diff_changes(&diff.decode()) })
    }
}

/// Where the metadata of the various tools and versions keep changed files and lines.
#[derive(Debug, Default)]
pub(super) struct Recorded<'a> {
    /// `edit`: one file.
    filediff: Option<FileRecord<'a>>,
    /// `apply_patch`, and `edit` of v2: one entry per file.
    files: Vec<FileRecord<'a>>,
    /// `multiedit`: one entry per replacement, all in one file.
    results: Vec<FileRecord<'a>>,
    /// A unified diff.
    diff: Option<Text<'a>>,
}

fn sum(files: &[FileRecord<'_>]) -> Option<Changes> {
    let mut total = Changes::default();
    for file in files {
        let changes = file.changes()?;
        total.additions = total.additions.saturating_add(changes.additions);
        total.deletions = total.deletions.saturating_add(changes.deletions);
        total.files += 1;
    }
    (total.files > 0).then_some(total)
}

impl<'a> Recorded<'a> {
    /// Takes one entry of the metadata, or skips it.
    pub(super) fn read(&mut self, reader: &mut Reader<'a>, key: &str) -> Result<(), Reason> {
        let list = match key {
            "files" => &mut self.files,
            "results" => &mut self.results,
            "filediff" => {
                self.filediff = Some(FileRecord::read(reader)?);
                return Ok(());
            }
            "diff" => {
                self.diff = reader.text()?;
                return Ok(());
            }
            _ => return reader.skip(),
        };
        list.clear();
        reader.array(|reader| {
            list.push(FileRecord::read(reader)?);
            Ok(())
        })?;
        Ok(())
    }

    fn changes(&self) -> Option<Changes> {
        let results = || sum(&self.results).map(|total| Changes { files: 1, ..total });
        let diff = || self.diff.map(|diff| diff_changes(&diff.decode())).filter(|found| found.files > 0);
        self.filediff.as_ref().and_then(FileRecord::changes).or_else(|| sum(&self.files)).or_else(results).or_else(diff)
    }
}

/// Fills the columns of an editing tool.
pub(super) fn fill(fields: &mut PartFields<'_>, format: EditFormat, facts: &Facts<'_, '_>) {
    fields.edit_format = Some(format.name().into());
    if format == EditFormat::ApplyPatch
        && let Some(patch) = facts.call.input.patch
    {
        let recorded = facts.call.metadata.recorded.files.first().and_then(|file| file.path.as_deref());
        let known = recorded.or_else(|| facts.error.and_then(path_in_error));
        fields.target_path = first_file(&patch.decode(), known).map(|path| slashed(Cow::Owned(path)));
    }
    match facts.state {
        Some(ToolState::Completed) => {
            fields.edit_outcome = Some(EditOutcome::Applied.name().into());
            fields.has_lsp_errors = Some(facts.prints("LSP errors detected") || facts.prints("<file_diagnostics>"));
            count(fields, format, facts);
        }
        Some(ToolState::Error) => {
            let class = EditErrorClass::of_error(facts.error.unwrap_or_default(), format);
            // A call that was broken off may carry any error.
            let class = if facts.is_interrupted { EditErrorClass::Aborted } else { class };
            fields.edit_outcome = Some(class.outcome().name().into());
            fields.edit_error_class = Some(class.name().into());
        }
        _ => {}
    }
}

fn count(fields: &mut PartFields<'_>, format: EditFormat, facts: &Facts<'_, '_>) {
    if let Some(changes) = facts.call.metadata.recorded.changes() {
        fields.additions = Some(changes.additions);
        fields.deletions = Some(changes.deletions);
        fields.file_count = Some(changes.files);
        return;
    }
    match format {
        EditFormat::Whole => {
            fields.additions = facts.call.input.content.map(Text::lines);
            // What was overwritten is not recorded.
            fields.deletions = facts.call.metadata.exists.filter(|exists| !exists).map(|_| 0);
            fields.file_count = Some(1);
        }
        EditFormat::ApplyPatch => {
            let changes = facts.call.input.patch.map(|patch| patch_changes(&patch.decode()));
            fields.additions = changes.map(|changes| changes.additions);
            fields.deletions = changes.map(|changes| changes.deletions);
            fields.file_count = changes.map(|changes| changes.files);
        }
        EditFormat::StrReplace | EditFormat::Hashline => fields.file_count = Some(1),
    }
}

/// Fills the columns of a shell call that edits by a hashline script; others are left alone.
pub(super) fn fill_hashline(fields: &mut PartFields<'_>, script: &Script, facts: &Facts<'_, '_>) {
    let Some(target) = script.hashline_target() else {
        return;
    };
    fields.edit_format = Some(EditFormat::Hashline.name().into());
    fields.target_path = Some(slashed(Cow::Owned(target.to_owned())));
    let failure = match facts.state {
        Some(_) if facts.is_interrupted => EditErrorClass::Aborted,
        Some(ToolState::Completed) if facts.call.metadata.exit_code == Some(0) && facts.prints("Edit successful") => {
            fields.edit_outcome = Some(EditOutcome::Applied.name().into());
            fields.file_count = Some(1);
            return;
        }
        Some(ToolState::Completed) if facts.prints("not found in file") || facts.prints("Edit failed") => {
            EditErrorClass::NotFound
        }
        Some(ToolState::Completed) => EditErrorClass::Other,
        Some(ToolState::Error) => EditErrorClass::of_error(facts.error.unwrap_or_default(), EditFormat::Hashline),
        _ => return,
    };
    fields.edit_outcome = Some(failure.outcome().name().into());
    fields.edit_error_class = Some(failure.name().into());
}
