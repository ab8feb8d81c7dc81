//! What a report was made from: one hash over all that its pages depend on but the clock.
//!
//! Input: the store's state, the registry, the scope, the options, the templates. Output: [`Stamp`], which every page
//! carries. A page with the same hash need not be made again, and when a period is over it keeps the moment at which it
//! was made, so that running again changes no byte.

use super::{Args, Output};
use crate::cli::context::Known;
use crate::engine::scope::Scope;
use crate::model::digest;
use crate::model::period::Period;
use crate::render::{RenderOptions, Templates};
use camino::Utf8Path;
use jiff::Timestamp;
use std::fmt::Write as _;

/// What stands in front, so that it can be found in any of the files.
const MARK: &str = "logicoma-stamp ";

/// When a report was made, and from what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) made_at: Timestamp,
    pub(super) hash: String,
}

impl Stamp {
    /// The stamp of what would be made now.
    ///
    /// # Errors
    /// A template of the user's cannot be read.
    pub(super) fn of(
        ready: &Known,
        args: &Args,
        theme: &str,
        compared: Option<&Period>,
        options: &RenderOptions,
    ) -> anyhow::Result<Self> {
        let Scope { period, now, zone, zone_name, project, model, agent, count_forks } = &ready.scope;
        let manifest = &ready.manifest;
        let mut all = format!(
            "{} {} {} {}\n{}\n{}\n",
            env!("CARGO_PKG_VERSION"),
            manifest.schema_version,
            manifest.content_key(),
            manifest.has_content,
            ready.registry.key(),
            Templates::new(options.folders.clone()).key()?,
        );
        for source in &manifest.sources {
            let _ = writeln!(
                all,
                "{} {} {:?} {} {:?} {:?} {:?}",
                source.name,
                source.path,
                source.opencode_version,
                source.generation,
                source.rows_read,
                source.last_seen_at,
                source.damage
            );
        }
        for notice in &manifest.notices {
            let _ = writeln!(all, "{} {} {}", notice.at, notice.source, notice.text);
        }
        for file in &manifest.telemetry {
            let _ = writeln!(all, "{} {:?}", file.path, file.note);
        }
        let _ = writeln!(all, "{zone_name} {project:?} {model:?} {agent:?} {count_forks}");
        let _ = writeln!(all, "{} {:?} {:?} {}", period.name, period.since, period.until, period.is_unfinished);
        let _ = writeln!(all, "{:?}", compared.map(|period| (&period.name, period.since)));
        let _ = writeln!(all, "{theme} {} {}", args.redact, args.compare);
        // While a period runs, a new day is a change; over all time, each day is.
        if period.is_unfinished || period.is_all {
            let _ = writeln!(all, "{}", zone.to_datetime(*now).date());
        }
        Ok(Self { made_at: *now, hash: digest::sha256(all.as_bytes()) })
    }

    /// As it stands in the pages.
    #[must_use]
    pub(super) fn text(&self) -> String {
        format!("{MARK}{} {}", self.made_at, self.hash)
    }

    fn parse(text: &str) -> Option<Self> {
        let (_, stamp) = text.split_once(MARK)?;
        let mut words = stamp.split([' ', '"', '\n']);
        Some(Self { made_at: words.next()?.parse().ok()?, hash: words.next()?.to_owned() })
    }

    /// The stamp of the report in a folder; `None` where a file that is wanted is missing or of another making.
    #[must_use]
    pub(super) fn in_folder(folder: &Utf8Path, args: &Args) -> Option<Self> {
        let mut found: Option<Self> = None;
        for format in &args.format {
            let name = match format {
                Output::Html => "index.html",
                Output::Markdown => "report.md",
                Output::Json => "report.json",
            };
            let stamp = Self::parse(&fs_err::read_to_string(folder.join(name)).ok()?)?;
            if found.as_ref().is_some_and(|known| *known != stamp) {
                return None;
            }
            found = Some(stamp);
        }
        let has_data =
            args.data.iter().all(|kind| folder.join("data").join(format!("overview.{}", kind.ending())).is_file());
        found.filter(|_| has_data)
    }
}

#[cfg(test)]
mod tests {
    use super::Stamp;

    #[test]
    fn a_stamp_is_found_in_every_kind_of_page() {
        let stamp = Stamp { made_at: "2026-11-22T12:00:00Z".parse().expect("a moment"), hash: "ab12".to_owned() };
        for page in ["<meta name=\"stamp\" content=\"{}\">", "a\n<!-- {} -->\n", "{\"stamp\": \"{}\", \"b\": 1}"] {
            assert_eq!(Stamp::parse(&page.replace("{}", &stamp.text())), Some(stamp.clone()), "{page}");
        }
        assert_eq!(Stamp::parse("nothing"), None);
    }
}
