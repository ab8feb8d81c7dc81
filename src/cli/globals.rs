//! Options that every verb takes.

use crate::model::period::PeriodSpec;
use camino::Utf8PathBuf;
use clap::builder::{NonEmptyStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

const WHERE: &str = "Where the data is";
const WHEN: &str = "Period";
const WHAT: &str = "Filters";
const HOW: &str = "Output";

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Global options.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Globals {
    /// OpenCode database: a file, a data folder or a glob [env: OPENCODE_DB, OPENCODE_DATA_DIR] [default: ~/.local/share/opencode]
    #[arg(long, global = true, value_name = "PATH", help_heading = WHERE)]
    pub db: Vec<String>,
    /// Folder of Logicoma's store [env: LOGICOMA_STORE] [default: ~/.local/share/logicoma/store]
    #[arg(long, global = true, value_name = "DIR", help_heading = WHERE,
        value_parser = NonEmptyStringValueParser::new().map(Utf8PathBuf::from))]
    pub store: Option<Utf8PathBuf>,
    /// Home directory whose skills and OpenCode configuration are looked at [default: yours]
    #[arg(long, global = true, value_name = "DIR", help_heading = WHERE)]
    pub home: Option<Utf8PathBuf>,
    /// A recorded directory lives elsewhere now (repeatable): --map /home/dev=/mnt/old
    #[arg(long, global = true, value_name = "FROM=TO", value_parser = parse_map, help_heading = WHERE)]
    pub map: Vec<(Utf8PathBuf, Utf8PathBuf)>,
    /// Folder of your own queries and metrics; they win over the built-in ones [default: ./queries, then the config folder]
    #[arg(long, global = true, value_name = "DIR", help_heading = WHERE)]
    pub queries: Vec<Utf8PathBuf>,
    /// Configuration file [default: $XDG_CONFIG_HOME/logicoma/config.toml, then ./logicoma.toml]
    #[arg(long, global = true, value_name = "FILE", help_heading = WHERE)]
    pub config: Option<Utf8PathBuf>,

    /// First day: 2026-11-02, 20261102, or 7d / 2w / 3m ago
    #[arg(long, global = true, value_name = "D", help_heading = WHEN, conflicts_with_all = ["last", "week", "month", "all"])]
    pub since: Option<String>,
    /// Last day, inclusive
    #[arg(long, global = true, value_name = "D", help_heading = WHEN, conflicts_with_all = ["last", "week", "month", "all"])]
    pub until: Option<String>,
    /// The last days, weeks or months up to today: 7d, 2w, 3m
    #[arg(long, global = true, value_name = "LENGTH", help_heading = WHEN, conflicts_with_all = ["week", "month", "all"])]
    pub last: Option<String>,
    /// An ISO week: 2026-W47, this or last
    #[arg(long, global = true, value_name = "WEEK", help_heading = WHEN, conflicts_with_all = ["month", "all"])]
    pub week: Option<String>,
    /// A month: 2026-11, this or last
    #[arg(long, global = true, value_name = "MONTH", help_heading = WHEN, conflicts_with = "all")]
    pub month: Option<String>,
    /// Everything there is
    #[arg(long, global = true, help_heading = WHEN)]
    pub all: bool,
    /// Time zone in which days begin, by its IANA name [default: the machine's]
    #[arg(long, short = 'z', global = true, value_name = "IANA", help_heading = WHEN)]
    pub timezone: Option<String>,
    /// The clock, for reproducible output [default: now]
    #[arg(long, global = true, value_name = "RFC3339", help_heading = WHEN)]
    pub now: Option<String>,

    /// Only projects whose name, id or directory holds this (repeatable)
    #[arg(long, global = true, value_name = "P", help_heading = WHAT)]
    pub project: Vec<String>,
    /// Only models whose name holds this (repeatable)
    #[arg(long, global = true, value_name = "M", help_heading = WHAT)]
    pub model: Vec<String>,
    /// Only agents whose name holds this (repeatable)
    #[arg(long, global = true, value_name = "A", help_heading = WHAT)]
    pub agent: Vec<String>,
    /// Leave out projects whose name, id or directory holds this (repeatable)
    #[arg(long, global = true, value_name = "P", help_heading = WHAT)]
    pub exclude_project: Vec<String>,
    /// Leave out models whose name holds this (repeatable)
    #[arg(long, global = true, value_name = "M", help_heading = WHAT)]
    pub exclude_model: Vec<String>,
    /// Leave out agents whose name holds this (repeatable)
    #[arg(long, global = true, value_name = "A", help_heading = WHAT)]
    pub exclude_agent: Vec<String>,
    /// Only what came from this source (repeatable): a database or a machine, as `logicoma doctor` names them
    #[arg(long, global = true, value_name = "NAME", help_heading = WHAT)]
    pub source: Vec<String>,
    /// Leave out what the sources no longer hold: deleted sessions, undone messages
    #[arg(long, global = true, help_heading = WHAT)]
    pub present_only: bool,
    /// Count the copies that forking a session made, as `opencode stats` does
    #[arg(long, global = true, help_heading = WHAT)]
    pub count_forks: bool,

    /// Use the store as it is: read no database
    #[arg(long, global = true, help_heading = HOW)]
    pub no_extract: bool,
    /// Say more (repeatable)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = HOW)]
    pub verbose: u8,
    /// Say nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = HOW)]
    pub quiet: bool,
    /// Colour [env: NO_COLOR, CLICOLOR_FORCE]
    #[arg(long, global = true, value_enum, default_value = "auto", help_heading = HOW)]
    pub color: ColorWhen,
    /// No progress bar
    #[arg(long, global = true, help_heading = HOW)]
    pub no_progress: bool,
    /// Accepted for habit: Logicoma never uses the network
    #[arg(long, short = 'O', global = true, help_heading = HOW)]
    pub offline: bool,
}

impl Globals {
    /// The period asked for, or the verb's own.
    #[must_use]
    pub fn period_spec(&self, default: PeriodSpec) -> PeriodSpec {
        if self.all {
            PeriodSpec::All
        } else if let Some(text) = &self.last {
            PeriodSpec::Last(text.clone())
        } else if let Some(text) = &self.week {
            PeriodSpec::Week(text.clone())
        } else if let Some(text) = &self.month {
            PeriodSpec::Month(text.clone())
        } else if self.since.is_some() || self.until.is_some() {
            PeriodSpec::Range { since: self.since.clone(), until: self.until.clone() }
        } else {
            default
        }
    }
}

fn parse_map(text: &str) -> Result<(Utf8PathBuf, Utf8PathBuf), String> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => Ok((from.into(), to.into())),
        _ => Err("write FROM=TO: the directory as recorded, and where it is now".into()),
    }
}

/// How a table is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns with units, for people.
    Table,
    /// An array of row objects.
    Json,
    /// One row object a line.
    Jsonl,
    /// Comma-separated, with a header line.
    Csv,
    /// A Markdown table.
    Markdown,
    /// A Parquet file (with -o FILE).
    Parquet,
}

/// Options of verbs that print a table.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    /// How to print
    #[arg(long, short = 'f', value_enum, default_value = "table")]
    pub format: Format,
    /// Short for --format json
    #[arg(long, short = 'j', conflicts_with = "format")]
    pub json: bool,
    /// Write to a file instead of standard output
    #[arg(long, short = 'o', value_name = "FILE")]
    pub output: Option<Utf8PathBuf>,
    /// At most so many rows
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

impl OutputArgs {
    /// The format asked for.
    #[must_use]
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}
