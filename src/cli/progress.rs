//! A progress bar on a terminal, nothing elsewhere.

use super::printer::Printer;
use crate::extract::opencode::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how far extract is.
pub(super) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// Hidden unless standard error is a terminal.
    #[must_use]
    pub(super) fn new(printer: &Printer) -> Self {
        let target = if printer.shows_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{msg:22} {bar:32} {human_pos}/{human_len} rows  {elapsed}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn table(&self, source: &str, table: &str, rows: u64) {
        self.bar.set_position(0);
        self.bar.set_length(rows);
        self.bar.set_message(format!("{source}.{table}"));
    }

    fn advance(&self, rows: u64, _bytes: u64) {
        self.bar.inc(rows);
    }
}
