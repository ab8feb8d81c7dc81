//! Edits: in which format a change was asked for, and what became of it.
//!
//! Input: tool class, error text. Output: format, outcome, class of error. Texts are matched by phrases, whatever the
//! case, because they differ between versions. Only `applied` and `format_error` enter success rates.

use super::tool::{is_abort, without_prefix};

/// How a change is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditFormat {
    /// Old text, new text.
    StrReplace,
    /// The whole file.
    Whole,
    /// A patch in the format of `apply_patch`.
    ApplyPatch,
    /// Lines named by hashes, by a script run in the shell.
    Hashline,
}

impl EditFormat {
    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::StrReplace => "str_replace",
            Self::Whole => "whole",
            Self::ApplyPatch => "apply_patch",
            Self::Hashline => "hashline",
        }
    }
}

/// What became of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditOutcome {
    /// The file was changed.
    Applied,
    /// The model did not describe the change so that it could be made.
    FormatError,
    /// The file was not in the state that a change needs.
    Blocked,
    /// The user or a rule said no.
    Denied,
    /// Broken off.
    Aborted,
    /// Anything else.
    OtherError,
}

impl EditOutcome {
    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::FormatError => "format_error",
            Self::Blocked => "blocked",
            Self::Denied => "denied",
            Self::Aborted => "aborted",
            Self::OtherError => "other_error",
        }
    }
}

/// Why an edit was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditErrorClass {
    /// The old text is not in the file.
    NotFound,
    /// The old text is in the file more than once.
    MultipleMatches,
    /// Old and new text are the same.
    Identical,
    /// The patch does not fit, or is no patch.
    PatchContext,
    /// A fuzzy match covers much more than the old text.
    SpanTooLarge,
    /// The file was not read first.
    NotRead,
    /// The file has changed since it was read.
    StaleRead,
    /// There is no such file, or it is a folder.
    MissingFile,
    /// The user or a rule said no.
    Denied,
    /// Broken off.
    Aborted,
    /// The arguments do not fit the tool.
    InvalidArguments,
    /// Anything else.
    Other,
}

impl EditErrorClass {
    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::MultipleMatches => "multiple_matches",
            Self::Identical => "identical",
            Self::PatchContext => "patch_context",
            Self::SpanTooLarge => "span_too_large",
            Self::NotRead => "not_read",
            Self::StaleRead => "stale_read",
            Self::MissingFile => "missing_file",
            Self::Denied => "denied",
            Self::Aborted => "aborted",
            Self::InvalidArguments => "invalid_arguments",
            Self::Other => "other",
        }
    }

    /// The outcome that this class of error means.
    #[must_use]
    pub fn outcome(self) -> EditOutcome {
        match self {
            Self::NotFound | Self::MultipleMatches | Self::Identical | Self::PatchContext | Self::SpanTooLarge => {
                EditOutcome::FormatError
            }
            Self::NotRead | Self::StaleRead | Self::MissingFile => EditOutcome::Blocked,
            Self::Denied => EditOutcome::Denied,
            Self::Aborted => EditOutcome::Aborted,
            Self::InvalidArguments | Self::Other => EditOutcome::OtherError,
        }
    }

    /// Reads the error of an edit. Texts may quote paths, file contents and a user's words, so phrases with which the
    /// program itself starts come first and loose words last.
    #[must_use]
    pub fn of_error(error: &str, format: EditFormat) -> Self {
        if is_abort(error) {
            return Self::Aborted;
        }
        let error = without_prefix(error).to_lowercase();
        let has = |phrase: &str| error.contains(phrase);
        if error.starts_with("the user rejected permission") || error.starts_with("the user has specified a rule") {
            return Self::Denied;
        }
        if has("called with invalid arguments") {
            return Self::InvalidArguments;
        }
        if has("failed to read file to update") || has("enoent") || has("no such file") || has("path is a directory") {
            return Self::MissingFile;
        }
        if has("could not find oldstring") || has("oldstring not found") {
            return Self::NotFound;
        }
        if has("found multiple") || has("but expected exactly one") || has("found multiple times") {
            return Self::MultipleMatches;
        }
        if has("are identical") || has("must be different") {
            return Self::Identical;
        }
        if has("matched span is much larger") {
            return Self::SpanTooLarge;
        }
        if has("oldstring cannot be empty") {
            return Self::InvalidArguments;
        }
        let has_patch = has("verification failed") || has("patch") || has("hunk");
        if format == EditFormat::ApplyPatch && has_patch {
            return Self::PatchContext;
        }
        if has("must read") && has("before") {
            return Self::NotRead;
        }
        if has("modified since it was last read") {
            return Self::StaleRead;
        }
        if has("file") && has("not found") {
            return if format == EditFormat::Hashline && has("hash") { Self::NotFound } else { Self::MissingFile };
        }
        // The system's own "permission denied" is no decision of the user.
        let is_the_systems = has("eacces") || has("eperm") || has("os error") || has("operation not permitted");
        if has("rejected permission") || has("denied") && !is_the_systems {
            return Self::Denied;
        }
        match () {
            () if has("abort") => Self::Aborted,
            () if has_patch => Self::PatchContext,
            () => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EditErrorClass as Class;

    #[test]
    fn errors_of_both_generations() {
        let cases = [
            ("Could not find oldString in the file. It must match exactly, including whitespace", Class::NotFound),
            ("Could not find oldString in /a/abort/denied.rs. It must match exactly", Class::NotFound),
            ("Error: oldString not found in content", Class::NotFound),
            ("Found multiple matches for oldString. Provide more surrounding context", Class::MultipleMatches),
            ("oldString found multiple times and requires more code context", Class::MultipleMatches),
            ("Found 3 matches for oldString, but expected exactly one", Class::MultipleMatches),
            ("No changes to apply: oldString and newString are identical.", Class::Identical),
            ("oldString and newString must be different", Class::Identical),
            ("Refusing replacement because the matched span is much larger than oldString.", Class::SpanTooLarge),
            ("You must read the file /a before overwriting it. Use the Read tool first", Class::NotRead),
            ("Error: You must read file /a before overwriting it. Use the Read tool first", Class::NotRead),
            ("File /a has been modified since it was last read.\nLast modification: x", Class::StaleRead),
            ("File /a/aborted.rs not found", Class::MissingFile),
            ("Path is a directory, not a file: /a", Class::MissingFile),
            ("oldString cannot be empty when editing an existing file.", Class::InvalidArguments),
            (
                "The edit tool was called with invalid arguments: SchemaError(oldString not found)",
                Class::InvalidArguments,
            ),
            ("The user rejected permission to use this specific tool call.", Class::Denied),
            ("The user rejected permission with the following feedback: could not find oldString", Class::Denied),
            ("The user has specified a rule which prevents you from using this specific tool call.", Class::Denied),
            ("Permission denied: edit /a", Class::Denied),
            ("EACCES: permission denied, open '/a'", Class::Other),
            ("Permission denied (os error 13)", Class::Other),
            ("hunk #1 does not fit", Class::PatchContext),
            ("File /a/patch.rs not found", Class::MissingFile),
            ("Tool execution aborted", Class::Aborted),
            ("The operation was aborted.", Class::Aborted),
            ("", Class::Other),
        ];
        for (error, class) in cases {
            assert_eq!(Class::of_error(error, EditFormat::StrReplace), class, "{error}");
        }
    }

    #[test]
    fn errors_of_patches() {
        let of = |error| Class::of_error(error, EditFormat::ApplyPatch);
        assert_eq!(
            of("apply_patch verification failed: Error: Failed to find expected lines in /a:\n  x"),
            Class::PatchContext
        );
        assert_eq!(of("apply_patch verification failed: Error: Failed to find context 'f' in /a"), Class::PatchContext);
        assert_eq!(of("apply_patch verification failed: Error: Failed to read file to update: /a"), Class::MissingFile);
        assert_eq!(of("patch rejected: empty patch"), Class::PatchContext);
    }

    #[test]
    fn errors_of_hashline() {
        assert_eq!(Class::of_error("✗ Error: Hash '3:0000' not found in file", EditFormat::Hashline), Class::NotFound);
    }
}
