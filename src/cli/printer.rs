//! The only way to print: data to standard output, everything else to standard error.
//!
//! A closed pipe ends the program quietly with exit code 0; colour follows `--color`, NO_COLOR and CLICOLOR_FORCE.

use super::globals::ColorWhen;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use std::io::{IsTerminal, Write};

/// Where things are printed.
pub struct Printer {
    choice: ColorChoice,
    quiet: bool,
    progress: bool,
}

/// Standard output is gone: nothing is left to do.
#[derive(Debug, thiserror::Error)]
#[error("standard output was closed")]
pub struct Closed;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
/// Headings in text meant for people.
pub const STRONG: Style = Style::new().bold();
/// Things of less weight.
pub const FAINT: Style = Style::new().dimmed();

impl Printer {
    /// For the options given.
    #[must_use]
    pub fn new(color: ColorWhen, quiet: bool, progress: bool) -> Self {
        let choice = match color {
            ColorWhen::Auto => ColorChoice::Auto,
            ColorWhen::Always => ColorChoice::Always,
            ColorWhen::Never => ColorChoice::Never,
        };
        Self { choice, quiet, progress: progress && !quiet && std::io::stderr().is_terminal() }
    }

    /// A progress bar may be shown.
    #[must_use]
    pub fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Width of the terminal on standard output; None when it is none, and then nothing is ever cut.
    #[must_use]
    pub fn width(&self) -> Option<u16> {
        std::io::stdout().is_terminal().then(|| comfy_table::Table::new().width()).flatten()
    }

    /// Writes data to standard output as it is.
    ///
    /// # Errors
    /// [`Closed`] when the reader is gone; otherwise the system's error.
    pub fn data(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut stream = AutoStream::new(std::io::stdout().lock(), self.choice);
        match stream.write_all(bytes).and_then(|()| stream.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Closed.into()),
            Err(error) => Err(anyhow::Error::from(error).context("cannot write to standard output")),
        }
    }

    /// Writes bytes without looking at colour codes in them.
    ///
    /// # Errors
    /// As [`Printer::data`].
    pub fn raw(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut stream = std::io::stdout().lock();
        match stream.write_all(bytes).and_then(|()| stream.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Closed.into()),
            Err(error) => Err(anyhow::Error::from(error).context("cannot write to standard output")),
        }
    }

    fn aside(&self, text: &str) {
        let mut stream = AutoStream::new(std::io::stderr().lock(), self.choice);
        // Nobody is left to tell when standard error is gone.
        let _ = writeln!(stream, "{text}");
    }

    /// A remark on standard error; silent with `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.aside(&printable(text));
        }
    }

    /// Something that is not right but does not stop.
    pub fn warn(&self, text: &str) {
        if !self.quiet {
            self.aside(&format!("{WARNING}warning:{WARNING:#} {}", printable(text)));
        }
    }

    /// An error with its causes and what to do about it.
    pub fn error(&self, error: &anyhow::Error, hint: Option<&str>) {
        let mut chain = error.chain();
        if let Some(first) = chain.next() {
            self.aside(&format!("{ERROR}error:{ERROR:#} {}", printable(&first.to_string())));
        }
        let mut said = error.to_string();
        for cause in chain {
            let text = cause.to_string();
            if !said.contains(&text) {
                self.aside(&format!("{ERROR}caused by:{ERROR:#} {}", printable(&text)));
            }
            said.push_str(&text);
        }
        if let Some(hint) = hint {
            self.aside(&format!("{HINT}hint:{HINT:#} {}", printable(hint)));
        }
    }
}

/// Text from data may hold control characters that would move the cursor or change the screen: show them instead.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\t' => character,
            control if control.is_control() => char::REPLACEMENT_CHARACTER,
            // Marks that reorder what is read.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => char::REPLACEMENT_CHARACTER,
            other => other,
        })
        .collect()
}
