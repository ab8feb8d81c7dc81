"""Other engines read the store: pyarrow, DuckDB, polars and pandas agree with `logicoma query` on every table.

usage: read.py LOGICOMA STORE_OR_SNAPSHOT…

For every table: the Hive partitions are recognised as columns, the types are those of `logicoma schema`, and rows, NULLs and
sums of every column are the same in all engines. Prints what was compared; exits 1 at the first difference.
"""

import json
import pathlib
import subprocess
import sys

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.compute
import pyarrow.dataset

ARROW = {"varchar": {"string", "large_string"}, "bigint": {"int64"}, "double": {"double"}, "boolean": {"bool"}}
compared = 0


def same(what, ours, theirs):
    """Compares a figure of another engine with ours."""
    global compared
    compared += 1
    close = ours == theirs
    if not close and isinstance(ours, float) and isinstance(theirs, float):
        close = abs(ours - theirs) <= 1e-9 * max(1.0, abs(ours))
    if not close:
        sys.exit(f"{what}: logicoma says {ours!r}, it is {theirs!r}")


def ask(program, store, sql):
    """Rows of a query as logicoma gives them."""
    command = [program, "--store", str(store), "--no-extract", "query", "-c", sql, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def describe(program, store, table):
    """Columns with their types, as logicoma's own views have them."""
    first = ask(program, store, f"select * from raw_{table} limit 1")
    names = list(first[0]) if first else []
    types = ask(program, store, "select " + ", ".join(f'any_value(typeof("{name}")) as "{name}"' for name in names) + f" from raw_{table}")
    return [(name, types[0][name].lower()) for name in names]


def figures(columns):
    """SQL for rows, and for each column values that are there and a sum over them."""
    parts = ["count(*) as row_count"]
    for name, kind in columns:
        parts.append(f'count("{name}") as "n_{name}_n"')
        if kind == "varchar":
            parts.append(f'cast(coalesce(sum(length("{name}")), 0) as bigint) as "s_{name}_s"')
        elif kind == "boolean":
            parts.append(f'cast(coalesce(sum(cast("{name}" as integer)), 0) as bigint) as "s_{name}_s"')
        elif kind == "double":
            parts.append(f'coalesce(sum("{name}"), 0.0) as "s_{name}_s"')
        else:
            parts.append(f'cast(coalesce(sum(cast("{name}" as hugeint)), 0) as varchar) as "s_{name}_s"')
    return ", ".join(parts)


def arrow_figure(column, kind):
    """The same sum in pyarrow."""
    if kind == "varchar":
        return pyarrow.compute.sum(pyarrow.compute.utf8_length(column)).as_py() or 0
    if kind == "boolean":
        return pyarrow.compute.sum(column).as_py() or 0
    if kind == "double":
        return float(pyarrow.compute.sum(column).as_py() or 0.0)
    return str(sum(value for value in column.to_pylist() if value is not None))


def check(program, store):
    """Holds one store against all engines."""
    store = pathlib.Path(store)
    manifest = {}
    for path in sorted(store.glob("manifest*.json")):
        for table, entry in json.loads(path.read_text())["tables"].items():
            manifest.setdefault(table, []).extend(entry["files"])
    for table, files in sorted(manifest.items()):
        if not files:
            continue
        folder = store / table
        columns = describe(program, store, table)
        partitions = [part.split("=")[0] for part in files[0]["path"].split("/")[1:-1]]
        assert partitions[-1] == "week", partitions
        ours = ask(program, store, f"select {figures(columns)} from raw_{table}")[0]
        same(f"{table}: rows in the manifest", ours["row_count"], sum(file["rows"] for file in files))

        hive = pyarrow.dataset.partitioning(
            pyarrow.schema([(name, pyarrow.string()) for name in partitions]), flavor="hive"
        )
        arrow = pyarrow.dataset.dataset(folder, format="parquet", partitioning=hive).to_table()
        same(f"{table}: rows in pyarrow", ours["row_count"], arrow.num_rows)
        frame = polars.scan_parquet(folder, hive_partitioning=True).collect()
        same(f"{table}: rows in polars", ours["row_count"], frame.height)
        read = f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true)"
        same(f"{table}: rows in DuckDB", ours["row_count"], duckdb.sql(f"select count(*) from {read}").fetchall()[0][0])
        pandas_frame = pandas.read_parquet(folder)
        same(f"{table}: rows in pandas", ours["row_count"], len(pandas_frame))
        for name in partitions:
            values = sorted({part.split("=", 1)[1] for file in files for part in file["path"].split("/") if part.startswith(name + "=")})
            same(f"{table}: partitions in pyarrow", values, sorted(set(arrow.column(name).to_pylist())))
            same(f"{table}: partitions in polars", values, sorted(frame[name].cast(polars.String).unique().to_list()))
            same(f"{table}: partitions in pandas", values, sorted(pandas_frame[name].astype(str).unique()))
            rows = duckdb.sql(f'select distinct cast("{name}" as varchar) from {read} order by 1').fetchall()
            same(f"{table}: partitions in DuckDB", values, [row[0] for row in rows])
        there = set(arrow.column_names)
        known = [(name, kind) for name, kind in columns if name in there]
        theirs = duckdb.sql(f"select {figures(known)} from {read}").fetchall()[0]
        names = [description[0] for description in duckdb.sql(f"select {figures(known)} from {read}").description]
        by_duckdb = dict(zip(names, theirs))
        for name, kind in known:
            if name not in partitions and str(arrow.schema.field(name).type) not in ARROW[kind]:
                sys.exit(f"{table}.{name}: {kind} is {arrow.schema.field(name).type} in Parquet")
            count = ours[f"n_{name}_n"]
            same(f"{table}.{name}: values in pyarrow", count, arrow.num_rows - arrow.column(name).null_count)
            same(f"{table}.{name}: values in polars", count, frame.height - frame[name].null_count())
            same(f"{table}.{name}: values in pandas", count, int(pandas_frame[name].notna().sum()))
            same(f"{table}.{name}: values in DuckDB", count, by_duckdb[f"n_{name}_n"])
            total = ours[f"s_{name}_s"]
            same(f"{table}.{name}: sum in DuckDB", total, by_duckdb[f"s_{name}_s"])
            if name not in partitions:
                same(f"{table}.{name}: sum in pyarrow", total, arrow_figure(arrow.column(name), kind))
                series = frame[name]
                if kind == "varchar":
                    same(f"{table}.{name}: sum in polars", total, int(series.str.len_chars().sum() or 0))
                elif kind == "double":
                    same(f"{table}.{name}: sum in polars", total, float(series.sum() or 0.0))
        missing = [name for name, _ in columns if name not in there and ours[f"n_{name}_n"] > 0]
        if missing:
            sys.exit(f"{table}: columns {missing} are not in the Parquet files")
        print(f"{store.name}  {table}: {ours['row_count']} rows, {len(known)} columns, {len(files)} files, partitions {partitions}")


if len(sys.argv) < 3:
    sys.exit(__doc__)
for folder in sys.argv[2:]:
    check(sys.argv[1], folder)
versions = ", ".join(f"{module.__name__} {module.__version__}" for module in (pyarrow, duckdb, polars, pandas))
print(f"{compared} figures agree in {versions}")
