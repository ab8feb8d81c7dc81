//! The embedded demo: a small database, its skills on disk and its clock, unpacked into a temporary folder.

use crate::cli::context::Context;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use jiff::tz::TimeZone;

#[derive(rust_embed::RustEmbed)]
#[folder = "fixtures/demo/"]
struct Embedded;

/// The demo's files are this much older than its clock.
const SKILL_AGE: jiff::SignedDuration = jiff::SignedDuration::from_hours(90 * 24);

/// What `fixtures/demo/demo.json` says of the demo.
#[derive(Debug, serde::Deserialize)]
struct About {
    /// The clock.
    now: Timestamp,
    /// The zone.
    timezone: String,
    /// Home directory that the sessions recorded.
    home: Utf8PathBuf,
}

/// The demo on disk, until dropped.
pub(super) struct Demo {
    folder: tempfile::TempDir,
    about: About,
}

impl Demo {
    /// Unpacks it.
    ///
    /// # Errors
    /// The temporary folder cannot be written.
    pub(super) fn unpack() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("logicoma-demo-").tempdir().context("cannot unpack the demo")?;
        let mut files = Vec::new();
        for name in Embedded::iter() {
            let Some(file) = Embedded::get(&name) else { continue };
            let target = folder.path().join(name.trim_end_matches(".zst"));
            if let Some(parent) = target.parent() {
                fs_err::create_dir_all(parent)?;
            }
            let bytes = if name.ends_with(".zst") { zstd::decode_all(&*file.data)? } else { file.data.into_owned() };
            fs_err::write(&target, bytes)?;
            files.push(target);
        }
        let about: About =
            serde_json::from_slice(&fs_err::read(folder.path().join("demo.json"))?).context("the demo is damaged")?;
        // A report shows when a skill was changed: that must not be the moment of unpacking.
        let written = std::time::SystemTime::from(about.now - SKILL_AGE);
        for file in files {
            fs_err::File::options().write(true).open(file)?.set_modified(written)?;
        }
        Ok(Self { folder, about })
    }

    /// What the temporary folder is called in the report, which must not depend on where it was unpacked.
    pub(super) const SHOWN: &str = "/demo";

    /// The temporary folder.
    #[must_use]
    pub(super) fn folder(&self) -> Option<&Utf8Path> {
        Utf8Path::from_path(self.folder.path())
    }

    /// The same options, on the demo's data: nothing of the user's is read, and the clock is the demo's unless given.
    ///
    /// # Errors
    /// The temporary folder has a name that is not UTF-8.
    pub(super) fn context(&self, mut context: Context) -> anyhow::Result<Context> {
        let folder = Utf8Path::from_path(self.folder.path()).context("the temporary folder has no readable name")?;
        let home = folder.join("home");
        context.globals.db = vec![folder.join("demo.db").into_string()];
        context.globals.store = Some(folder.join("store"));
        context.globals.home = Some(home.clone());
        context.globals.map = vec![(self.about.home.clone(), home)];
        context.globals.no_extract = false;
        if context.globals.now.is_none() {
            context.now = self.about.now;
        }
        if context.globals.timezone.is_none() {
            context.zone = TimeZone::get(&self.about.timezone)?;
            context.zone_name.clone_from(&self.about.timezone);
        }
        Ok(context)
    }
}
