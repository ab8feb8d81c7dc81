//! Configuration files: `config.toml` in the user's configuration folder, then `./logicoma.toml`.
//!
//! Keys are the global options of the same name; the command line wins, then the nearer file.

use super::Usage;
use super::environment::Environment;
use crate::engine::table::{Column, Data, Table, Unit};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// Keys that a file may set, with what they mean.
pub const KEYS: &[(&str, &str)] = &[
    ("db", "databases: a text or a list, as --db"),
    ("store", "folder of the store, as --store"),
    ("home", "home directory for skills, as --home"),
    ("map", "list of FROM=TO, as --map"),
    ("routes", "list of YAML files with intent routes or edit formats that hold for all projects"),
    ("timezone", "IANA name, as --timezone"),
    ("queries", "folder of your own queries, as --queries"),
    ("out", "folder of all reports, as report --out"),
    ("theme", "theme of reports, as report --theme"),
];

/// Values with the file that set them.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: BTreeMap<String, (toml::Value, Utf8PathBuf)>,
}

impl Settings {
    /// Reads the files that exist; one named by `--config` must.
    ///
    /// # Errors
    /// A file cannot be read or parsed, or sets an unknown key.
    pub fn load(named: Option<&Utf8Path>, environment: &Environment) -> anyhow::Result<Self> {
        let mut settings = Self::default();
        if let Some(path) = named {
            settings.add(path)?;
            return Ok(settings);
        }
        let own = environment.config_folder().map(|folder| folder.join("config.toml"));
        for path in own.into_iter().chain([Utf8PathBuf::from("logicoma.toml")]) {
            if path.is_file() {
                settings.add(&path)?;
            }
        }
        Ok(settings)
    }

    fn add(&mut self, path: &Utf8Path) -> anyhow::Result<()> {
        let text = fs_err::read_to_string(path)?;
        let table: toml::Table =
            toml::from_str(&text).map_err(|error| Usage(format!("{path}: {}", error.to_string().trim_end())))?;
        for (key, value) in table {
            if !KEYS.iter().any(|(known, _)| *known == key) {
                let known: Vec<&str> = KEYS.iter().map(|(known, _)| *known).collect();
                return Err(Usage(format!("{path}: unknown key '{key}': known are {}", known.join(", "))).into());
            }
            self.values.insert(key, (value, path.to_owned()));
        }
        Ok(())
    }

    /// A text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        self.values.get(key).and_then(|(value, _)| value.as_str()).map(str::to_owned)
    }

    /// A path; relative ones are relative to the working directory.
    #[must_use]
    pub fn path(&self, key: &str) -> Option<Utf8PathBuf> {
        self.text(key).map(Utf8PathBuf::from)
    }

    /// A list, or a text as a list of one.
    #[must_use]
    pub fn list(&self, key: &str) -> Vec<String> {
        match self.values.get(key).map(|(value, _)| value) {
            Some(toml::Value::Array(items)) => {
                items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
            }
            Some(toml::Value::String(text)) => vec![text.clone()],
            _ => Vec::new(),
        }
    }

    /// The `map` list.
    #[must_use]
    pub fn map(&self) -> Vec<(Utf8PathBuf, Utf8PathBuf)> {
        self.list("map")
            .iter()
            .filter_map(|item| item.split_once('='))
            .map(|(from, to)| (from.into(), to.into()))
            .collect()
    }

    /// Where a value comes from.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Utf8Path> {
        self.values.get(key).map(|(_, path)| path.as_path())
    }
}

/// Rows of `logicoma config`.
#[must_use]
pub fn table(rows: Vec<(String, String, String)>) -> Table {
    let column =
        |name: &str, data: Vec<Option<String>>| Column { name: name.into(), unit: Unit::Name, data: Data::Text(data) };
    let (mut keys, mut values, mut origins) = (Vec::new(), Vec::new(), Vec::new());
    for (key, value, origin) in rows {
        keys.push(Some(key));
        values.push(Some(value));
        origins.push(Some(origin));
    }
    Table { columns: vec![column("key", keys), column("value", values), column("origin", origins)] }
}
