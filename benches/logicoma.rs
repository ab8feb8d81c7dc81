//! Extract, metrics and render, each on its own, on a generated database (`LOGICOMA_BENCH_DB` names another one).

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may stop at the first surprise")]

use camino::{Utf8Path, Utf8PathBuf};
use criterion::{Criterion, Throughput};
use logicoma::engine::duck::Duck;
use logicoma::engine::scope::{Filter, Scope};
use logicoma::engine::{self, Wanted, fanout, marts};
use logicoma::extract::catalog::Places;
use logicoma::extract::opencode::Progress;
use logicoma::extract::opencode::locate::Found;
use logicoma::extract::{Request, refresh};
use logicoma::model::period::PeriodSpec;
use logicoma::registry::Registry;
use logicoma::render::model::{ChartSpec, Filters, MetricResult, Period, Provenance, REPORT_SCHEMA_VERSION, Report};
use logicoma::render::{RenderOptions, render_report};
use logicoma::store::Store;

struct Silent;

impl Progress for Silent {
    fn table(&self, _: &str, _: &str, _: u64) {}
    fn advance(&self, _: u64, _: u64) {}
}

fn database(folder: &Utf8Path) -> Utf8PathBuf {
    if let Ok(path) = std::env::var("LOGICOMA_BENCH_DB") {
        return path.into();
    }
    let compressed = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo/demo.db.zst");
    let path = folder.join("demo.db");
    std::fs::write(&path, zstd::decode_all(&*std::fs::read(compressed).expect("demo")).expect("zstd"))
        .expect("written");
    path
}

fn extract(store: &Store, path: &Utf8Path, content: bool) {
    let request = Request {
        found: &[Found { name: "bench".into(), path: path.to_owned() }],
        places: &Places::default(),
        content: Some(content),
        full: true,
        zone: &jiff::tz::TimeZone::UTC,
        now: 0,
    };
    refresh(store, &request, &Silent).expect("extracted");
}

/// A report of everything that was measured, without a period to compare it with.
fn report(measured: &[fanout::Measured<'_>]) -> Report {
    let metric = |one: &fanout::Measured<'_>| {
        let file = one.metric;
        let chart = &file.chart;
        MetricResult {
            name: file.name.clone(),
            family: file.family.clone().unwrap_or_default(),
            title: file.title.clone(),
            prose: file.prose.clone(),
            grain: file.grain.clone(),
            evidence: file.evidence.word().to_owned(),
            better: logicoma::render::model::Better::Neutral,
            chart: ChartSpec { kind: chart.kind.clone(), x: chart.x.clone(), y: chart.y.clone(), by: chart.by.clone() },
            is_pipeline: file.engine == logicoma::metric::EngineKind::Polars,
            sql: engine::body(file).to_owned(),
            result: one.result.as_ref().map(Clone::clone).map_err(ToString::to_string),
        }
    };
    Report {
        schema_version: REPORT_SCHEMA_VERSION,
        title: "OpenCode, all time".into(),
        period: Period { name: "all".into(), timezone: "UTC".into(), is_all: true, ..Period::default() },
        compared_with: None,
        filters: Filters::default(),
        theme: "default".into(),
        now: "2026-11-22T12:00:00.000Z".into(),
        stamp: None,
        is_redacted: false,
        metrics: measured.iter().map(metric).collect(),
        previous: std::collections::BTreeMap::new(),
        history: Vec::new(),
        findings: Vec::new(),
        provenance: Provenance::default(),
    }
}

fn main() {
    let temporary = tempfile::tempdir().expect("temporary folder");
    let folder = Utf8Path::from_path(temporary.path()).expect("a readable name");
    let db = database(folder);
    let store = Store::at(&folder.join("store"));
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();

    let mut group = criterion.benchmark_group("extract");
    group.throughput(Throughput::Bytes(std::fs::metadata(&db).expect("database").len()));
    group.bench_function("without content", |bencher| bencher.iter(|| extract(&store, &db, false)));
    group.bench_function("with content", |bencher| bencher.iter(|| extract(&store, &db, true)));
    group.finish();

    // The others need a store, also when only they are asked for.
    extract(&store, &db, true);
    let registry = Registry::load(&[]).expect("registry");
    let manifest = store.manifest().expect("manifest");
    let shop = marts::Workshop { store: &store, manifest: &manifest, registry: &registry };
    marts::ensure(&shop, &Wanted::all()).expect("marts");
    let duck = Duck::open(2, store.root()).expect("duckdb");
    marts::show_all(&duck, &shop, &Wanted::all()).expect("marts");
    engine::tables(&duck, &store, &manifest, &registry, &Wanted::all(), None).expect("views");
    let now = "2026-11-22T12:00:00Z".parse().expect("clock");
    let zone = jiff::tz::TimeZone::UTC;
    let scope = Scope {
        period: PeriodSpec::All.resolve(now, &zone).expect("period"),
        now,
        zone,
        zone_name: "UTC".into(),
        project: Filter::default(),
        model: Filter::default(),
        agent: Filter::default(),
        count_forks: false,
    };
    engine::scoped(&duck, &registry, &scope, &Wanted::all()).expect("views");
    let metrics = registry.metrics();
    let mut group = criterion.benchmark_group("metrics");
    group.bench_function("all", |bencher| {
        bencher.iter(|| fanout::measure(&duck, &metrics, &scope.period).expect("measured"));
    });
    group.finish();

    let report = report(&fanout::measure(&duck, &metrics, &scope.period).expect("measured"));
    let mut group = criterion.benchmark_group("render");
    for (name, is_redacted) in [("report", false), ("report, redacted", true)] {
        let report = Report { is_redacted, ..report.clone() };
        let bytes = render_report(&report, &RenderOptions::default()).expect("rendered").html.len();
        group.throughput(Throughput::Bytes(u64::try_from(bytes).unwrap_or(u64::MAX)));
        group.bench_function(name, |bencher| {
            bencher.iter(|| render_report(&report, &RenderOptions::default()).expect("rendered"));
        });
    }
    group.finish();
    criterion.final_summary();
}
