//! `logicoma config`: each setting, its value, where it came from.

use crate::cli::config::{KEYS, table};
use crate::cli::context::Context;
use crate::cli::format;
use crate::cli::globals::OutputArgs;

/// Runs the verb.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(context: &Context, output: &OutputArgs) -> anyhow::Result<()> {
    let globals = &context.globals;
    let mut rows = Vec::new();
    for (key, _) in KEYS {
        let given = match *key {
            "db" => !globals.db.is_empty(),
            "store" => globals.store.is_some(),
            "home" => globals.home.is_some(),
            "map" => !globals.map.is_empty(),
            "timezone" => globals.timezone.is_some(),
            "queries" => !globals.queries.is_empty(),
            _ => false,
        };
        let origin = if given {
            "command line".to_owned()
        } else if *key == "store" && context.environment.store.is_some() {
            "LOGICOMA_STORE".to_owned()
        } else if *key == "db" && context.environment.opencode_db.is_some() && context.settings.origin("db").is_none() {
            "OPENCODE_DB".to_owned()
        } else if *key == "db"
            && context.environment.opencode_data_dir.is_some()
            && context.settings.origin("db").is_none()
        {
            "OPENCODE_DATA_DIR".to_owned()
        } else {
            context.settings.origin(key).map_or_else(|| "default".to_owned(), ToString::to_string)
        };
        let value = match *key {
            "db" => match context.found() {
                Ok((found, missing)) => {
                    let paths = found.iter().map(|found| found.path.to_string());
                    paths.chain(missing.map(|error| error.to_string())).collect::<Vec<_>>().join(", ")
                }
                Err(error) => error.to_string(),
            },
            "store" => context.store().map(|store| store.root().to_string()).unwrap_or_default(),
            "home" => context.skill_places().home.map(|home| home.to_string()).unwrap_or_default(),
            "map" => context
                .skill_places()
                .map
                .iter()
                .map(|(from, to)| format!("{from}={to}"))
                .collect::<Vec<_>>()
                .join(", "),
            "timezone" => context.zone_name.clone(),
            "queries" => context.query_folders().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            "out" => context.settings.text(key).unwrap_or_else(|| "reports/out".into()),
            _ => context.settings.text(key).unwrap_or_else(|| "default".into()),
        };
        rows.push(((*key).to_owned(), value, origin));
    }
    format::print(&context.printer, &table(rows), output)
}
