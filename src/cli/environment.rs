//! The only place that reads the environment and the clock.

use camino::Utf8PathBuf;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What the process was started with.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The clock at the start.
    pub now: Timestamp,
    /// Name of the machine's zone.
    pub zone: Option<String>,
    /// Home directory.
    pub home: Option<Utf8PathBuf>,
    /// `XDG_DATA_HOME`.
    pub data_home: Option<Utf8PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<Utf8PathBuf>,
    /// `LOGICOMA_STORE`.
    pub store: Option<Utf8PathBuf>,
    /// `OPENCODE_DB`.
    pub opencode_db: Option<String>,
    /// `OPENCODE_DATA_DIR`.
    pub opencode_data_dir: Option<String>,
    /// `OPENCODE_CONFIG_DIR`.
    pub opencode_config_dir: Option<Utf8PathBuf>,
    /// `OPENCODE_DISABLE_CLAUDE_CODE` or `OPENCODE_DISABLE_CLAUDE_CODE_SKILLS`.
    pub no_claude_skills: bool,
    /// `OPENCODE_DISABLE_EXTERNAL_SKILLS`.
    pub no_external_skills: bool,
    /// The working directory.
    pub current: Option<Utf8PathBuf>,
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<Utf8PathBuf> {
    text(name).map(Utf8PathBuf::from)
}

fn flag(name: &str) -> bool {
    text(name).is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
}

fn home() -> Option<Utf8PathBuf> {
    path("HOME").or_else(|| path("USERPROFILE"))
}

fn current() -> Option<Utf8PathBuf> {
    std::env::current_dir().ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
}

impl Environment {
    /// Reads all of it.
    #[must_use]
    pub fn read() -> Self {
        Self {
            now: Timestamp::now(),
            zone: TimeZone::system().iana_name().map(str::to_owned),
            home: home(),
            data_home: path("XDG_DATA_HOME"),
            config_home: path("XDG_CONFIG_HOME"),
            store: path("LOGICOMA_STORE"),
            opencode_db: text("OPENCODE_DB"),
            opencode_data_dir: text("OPENCODE_DATA_DIR"),
            opencode_config_dir: path("OPENCODE_CONFIG_DIR"),
            no_claude_skills: flag("OPENCODE_DISABLE_CLAUDE_CODE") || flag("OPENCODE_DISABLE_CLAUDE_CODE_SKILLS"),
            no_external_skills: flag("OPENCODE_DISABLE_EXTERNAL_SKILLS"),
            current: current(),
        }
    }

    /// `$XDG_DATA_HOME`, or `~/.local/share`.
    #[must_use]
    pub fn data_home(&self) -> Option<Utf8PathBuf> {
        self.data_home.clone().or_else(|| self.home.as_ref().map(|home| home.join(".local/share")))
    }

    /// Logicoma's own configuration folder.
    #[must_use]
    pub fn config_folder(&self) -> Option<Utf8PathBuf> {
        let home = self.config_home.clone().or_else(|| self.home.as_ref().map(|home| home.join(".config")))?;
        Some(home.join("logicoma"))
    }
}

/// The little that a verb needs which must be quick.
#[derive(Debug, Clone)]
pub struct Start {
    /// The clock.
    pub now: Timestamp,
    /// The working directory.
    pub current: Option<Utf8PathBuf>,
    /// Home directory.
    pub home: Option<Utf8PathBuf>,
}

impl Start {
    /// Reads it.
    #[must_use]
    pub fn read() -> Self {
        Self { now: Timestamp::now(), current: current(), home: home() }
    }

    /// An id that no other process, and no other moment, gives.
    #[must_use]
    pub fn unique_id(&self) -> String {
        use std::hash::{BuildHasher, RandomState};
        // Each process has random keys of its own; the time and the process id make a collision of them harmless.
        let state = RandomState::new();
        let seed = (self.now.as_nanosecond(), std::process::id());
        let (high, low) = (state.hash_one(seed), state.hash_one(seed.1) & 0xffff_ffff);
        format!("evt_{:x}_{high:016x}{low:08x}", self.now.as_millisecond())
    }
}
