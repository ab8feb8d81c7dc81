//! `logicoma schema`: views and columns, with what they mean.

use super::queries::texts;
use crate::cli::context::Context;
use crate::cli::format;
use crate::cli::globals::OutputArgs;
use crate::engine::table::{Column, Table, Unit};
use crate::metric::Layer;
use crate::model::period::PeriodSpec;
use crate::registry::unknown;
use crate::store::schema::{Kind, Origin, TABLES};

/// Options of `schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  logicoma schema                                all views
  logicoma schema tool_calls                     the columns of one
  logicoma query -c 'select tool_name, count(*) from tool_calls group by 1'")]
pub struct Args {
    /// Only this view; without it, all views are listed
    view: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

struct View {
    name: String,
    layer: &'static str,
    doc: String,
}

/// Runs the verb.
///
/// # Errors
/// A query file is wrong, or there is no such view.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry()?;
    let mut views = Vec::new();
    for table in TABLES {
        if table.columns.iter().any(|column| column.origin == Origin::Source) || table.name == "quarantine" {
            views.push(View { name: table.name.into(), layer: "OpenCode's own columns", doc: table.doc.into() });
        }
        views.push(View { name: format!("raw_{}", table.name), layer: "all columns", doc: table.doc.into() });
    }
    for file in registry.layer(Layer::Staging) {
        views.push(View { name: file.name.clone(), layer: "staging", doc: file.prose.clone() });
    }
    for file in registry.layer(Layer::Mart) {
        let doc = format!("{}. {}", file.grain, file.prose);
        views.push(View { name: file.name.clone(), layer: "mart: in the period, filtered", doc: doc.clone() });
        views.push(View {
            name: format!("{}_history", file.name),
            layer: "mart: without the period's start",
            doc: doc.clone(),
        });
        views.push(View { name: format!("{}_raw", file.name), layer: "mart: with fork copies", doc });
    }
    views.push(View { name: "skills".into(), layer: "staging", doc: "skill files found on disk".into() });
    views.push(View {
        name: "run".into(),
        layer: "the run",
        doc: "one row: period, zone and clock of this run".into(),
    });
    let table = match &args.view {
        None => Table {
            columns: vec![
                texts("view", views.iter().map(|view| Some(view.name.clone())).collect()),
                texts("layer", views.iter().map(|view| Some(view.layer.to_owned())).collect()),
                texts("doc", views.iter().map(|view| Some(view.doc.clone())).collect()),
            ],
        },
        Some(name) => match columns_of_table(name) {
            Some(table) => table,
            None if views.iter().any(|view| view.name == *name) => {
                let ready = context.ready(PeriodSpec::All, None, |_| Ok(vec![name.clone()]))?;
                let mut table = ready.duck.query(
                    "schema",
                    &format!("select column_name as \"column\", lower(column_type) as type from (describe \"{name}\")"),
                    &[],
                )?;
                let names: Vec<String> = (0..table.len()).map(|row| table.get(row, "column").to_text()).collect();
                table.columns.push(units(names.iter().map(String::as_str)));
                table
            }
            None => return Err(unknown("view", name, views.iter().map(|view| view.name.as_str())).into()),
        },
    };
    format::print(&context.printer, &table, &args.output)
}

/// What a column's numbers mean, by its name.
fn units<'a>(names: impl Iterator<Item = &'a str>) -> Column {
    texts("unit", names.map(|name| Unit::of_column(name).map(|unit| unit.word().to_owned())).collect())
}

fn columns_of_table(name: &str) -> Option<Table> {
    let all = name.strip_prefix("raw_");
    let table = TABLES.iter().find(|table| table.name == all.unwrap_or(name))?;
    let columns: Vec<_> = table
        .columns
        .iter()
        .filter(|column| {
            all.is_some() || table.name == "quarantine" || matches!(column.origin, Origin::Source | Origin::Content)
        })
        .collect();
    let kind = |kind| match kind {
        Kind::Text => "varchar",
        Kind::Int => "bigint",
        Kind::Float => "double",
        Kind::Bool => "boolean",
    };
    Some(Table {
        columns: vec![
            texts("column", columns.iter().map(|column| Some(column.name.to_owned())).collect()),
            texts("type", columns.iter().map(|column| Some(kind(column.kind).to_owned())).collect()),
            units(columns.iter().map(|column| column.name)),
            texts("doc", columns.iter().map(|column| Some(column.doc.to_owned())).collect()),
        ],
    })
}
