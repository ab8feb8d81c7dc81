#!/usr/bin/env bash
# Whole commands against the floor: `sqlite3 -readonly DB "select sum(length(data)) from part"`, warm cache, same run.
# Usage: benches/whole.sh [FOLDER]     FOLDER takes the generated databases (800 MB each; 6 GB with LARGE=1, GROWTH=1)
#   RUNS=5     how often each command runs
#   LARGE=1    peak memory on a database four times as large, too
#   GROWTH=1   how time grows from 100 MB to 3 GB of part rows, too
#   CCUSAGE=F  the program `ccusage`; default: the one on the PATH, else npm fetches it into FOLDER
# Needs hyperfine, sqlite3, jq and GNU time.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "${1:-$(mktemp -d)}")
mkdir -p "$folder"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/logicoma/target}"
cargo build --release --quiet --bin logicoma --example generate
bin=$CARGO_TARGET_DIR/release/logicoma
runs=${RUNS:-5}

# generate NAME ARGUMENT…: makes FOLDER/NAME.db once, and reads it into the cache.
generate() {
  local name=$1
  shift
  [ -s "$folder/$name.db" ] ||
    "$CARGO_TARGET_DIR/release/examples/generate" "$@" --seed 1 --out "$folder/$name.db" --truth "$folder/$name.truth.json" --no-wal
  cat "$folder/$name.db" >/dev/null
}
options() { echo "--db $folder/$1.db --no-progress --quiet --timezone UTC --now 2026-11-22T12:00:00Z --home $folder"; }
# peak COMMAND…: peak memory in MB.
peak() {
  local kilobytes
  kilobytes=$( { /usr/bin/time -f '%M' "$@" >/dev/null; } 2>&1 | tail -n 1)
  echo $((kilobytes / 1024))
}

generate bench --preset bench
db=$folder/bench.db
common=$(options bench)
store=$folder/store
lean=$folder/lean

ccusage=${CCUSAGE:-$(command -v ccusage || true)}
if [ -z "$ccusage" ] && command -v npm >/dev/null; then
  npm install --silent --prefix "$folder/npm" ccusage@20.0.24 >/dev/null 2>&1 || true
  [ -x "$folder/npm/node_modules/.bin/ccusage" ] && ccusage=$folder/npm/node_modules/.bin/ccusage
fi
mkdir -p "$folder/data"
ln -sf "$db" "$folder/data/opencode.db"
other=()
[ -n "$ccusage" ] && other=(--prepare "true" --command-name "ccusage opencode daily"
  "OPENCODE_DATA_DIR=$folder/data $ccusage opencode daily --json --offline")

generate tiny --preset tiny
tiny="$(options tiny) --store $folder/tiny"
# shellcheck disable=SC2086
"$bin" $tiny metrics run overview >/dev/null

hyperfine --warmup 1 --runs "$runs" --export-json "$folder/times.json" \
  --prepare "true" --command-name "floor" "sqlite3 -readonly $db 'select sum(length(data)) from part'" \
  --prepare "rm -rf $lean" --command-name "extract --no-content, cold" "$bin $common --store $lean extract --no-content" \
  --prepare "rm -rf $store" --command-name "extract, cold" "$bin $common --store $store extract" \
  --prepare "rm -rf $lean" --command-name "report --no-content, from nothing" "$bin $common --store $lean report --no-content --out $folder/out" \
  --prepare "true" --command-name "report, unchanged store" "$bin $common --store $lean report --out $folder/out" \
  --prepare "true" --command-name "extract, unchanged" "$bin $common --store $lean extract" \
  --prepare "rm -rf $lean/marts/*/memo" --command-name "all metrics, marts built, nothing remembered" "$bin $common --store $lean metrics run --json -o $folder/metrics.json" \
  --prepare "true" --command-name "all metrics, unchanged store" "$bin $common --store $lean metrics run --json -o $folder/metrics.json" \
  --prepare "rm -rf $folder/tiny/marts/*/memo" --command-name "one metric, tiny store" "$bin $tiny metrics run overview --json" \
  "${other[@]}" || exit 1

# A hook waits for it after every tool: no shell between, and one file that grows with every run.
hyperfine -N --warmup 5 --runs "$((runs * 40))" --export-json "$folder/emit.json" --command-name "emit" \
  "$bin emit skill --file $folder/events.jsonl --json '{\"skill\":\"dev\",\"success\":true}'"

echo
echo "| command | median s | × floor | user + system s |"
echo "| --- | ---: | ---: | ---: |"
jq -r '.results[0].median as $floor | .results[]
  | "| \(.command) | \(.median * 1000 | round / 1000) | \(.median / $floor * 100 | round / 100) | \((.user + .system) * 100 | round / 100) |"' "$folder/times.json"

jq -r '.results[0] | "| emit | \(.median * 10000 | round / 10000) (bar 0.010) | | \((.user + .system) * 10000 | round / 10000) |"' "$folder/emit.json"

echo
echo "peak memory:"
memory() {
  local name=$1
  rm -rf "$folder/memory"
  for what in "extract --no-content" "report --no-content" "report" "metrics run --json"; do
    [ "$what" = "report --no-content" ] && rm -rf "$folder/memory"
    out=()
    [ "${what%% *}" = report ] && out=(--out "$folder/out")
    # shellcheck disable=SC2046,SC2086
    echo "  $name, $what: $(peak "$bin" $(options "$name") --store "$folder/memory" $what "${out[@]}") MB"
  done
  rm -rf "$folder/memory"
  # shellcheck disable=SC2046
  echo "  $name, extract: $(peak "$bin" $(options "$name") --store "$folder/memory" extract) MB"
  rm -rf "$folder/memory"
}
memory bench
if [ -n "${LARGE:-}" ]; then
  generate large --preset large
  memory large
fi
echo "store: $(du -sm "$store" | cut -f1) MB with content, $(du -sm "$lean" | cut -f1) MB without, of it marts $(du -sm "$lean/marts" | cut -f1) MB"

if [ -n "${GROWTH:-}" ]; then
  echo
  echo "growth (report --no-content, from nothing):"
  for megabytes in 100 300 1000 3000; do
    share=$((megabytes * 1000 / 700))
    generate "growth-$megabytes" --preset bench --sessions $((3 * share)) --messages $((65 * share)) --parts $((264 * share)) \
      --part-bytes $((megabytes * 1000000)) --forks $((38 * share / 1000)) --children $((770 * share / 1000))
    hyperfine --warmup 1 --runs "$runs" --export-json "$folder/growth-$megabytes.json" --prepare "rm -rf $folder/growth" \
      "$bin $(options "growth-$megabytes") --store $folder/growth report --no-content --out $folder/out" >/dev/null 2>&1
    rm -rf "$folder/growth"
    echo "  $megabytes MB: $(jq -r '.results[0].median * 100 | round / 100' "$folder/growth-$megabytes.json") s"
  done
  jq -rs '[.[].results[0].median] as $times | [100, 300, 1000, 3000] as $sizes
    | ([range(4) | ($sizes[.] | log)] | add / 4) as $x | ([$times[] | log] | add / 4) as $y
    | ([range(4) | (($sizes[.] | log) - $x) * (($times[.] | log) - $y)] | add)
      / ([range(4) | (($sizes[.] | log) - $x) * (($sizes[.] | log) - $x)] | add)
    | "  exponent: \(. * 100 | round / 100)"' "$folder"/growth-{100,300,1000,3000}.json
fi
