#!/usr/bin/env bash
# Whole commands against the floor: `sqlite3 -readonly DB "select sum(length(data)) from part"`, warm cache, same run.
# Usage: benches/whole.sh [FOLDER]   (FOLDER takes the generated database, about 800 MB; default: a temporary one)
# Needs hyperfine, sqlite3, jq and GNU time.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
db=$folder/bench.db
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/logicoma/target}"
cargo build --release --quiet --bin logicoma --example generate
bin=$CARGO_TARGET_DIR/release/logicoma
[ -s "$db" ] || "$CARGO_TARGET_DIR/release/examples/generate" --preset bench --seed 1 --out "$db" --truth "$folder/bench.truth.json" --no-wal

common="--db $db --no-progress --quiet --timezone UTC --now 2026-11-22T12:00:00Z --home $folder"
store=$folder/store
lean=$folder/lean
cat "$db" >/dev/null

hyperfine --warmup 1 --runs "${RUNS:-5}" --export-json "$folder/times.json" \
  --prepare "true" --command-name "floor" "sqlite3 -readonly $db 'select sum(length(data)) from part'" \
  --prepare "rm -rf $lean" --command-name "extract --no-content, cold" "$bin $common --store $lean extract --no-content" \
  --prepare "rm -rf $store" --command-name "extract, cold" "$bin $common --store $store extract" \
  --prepare "rm -rf $lean" --command-name "report --no-content, from nothing" "$bin $common --store $lean report --no-content --out $folder/out" \
  --prepare "true" --command-name "report, unchanged store" "$bin $common --store $lean report --out $folder/out" \
  --prepare "true" --command-name "extract, unchanged" "$bin $common --store $lean extract" \
  --prepare "true" --command-name "all metrics, unchanged store" "$bin $common --store $lean metrics run --json -o $folder/metrics.json"

echo
echo "| command | median s | × floor |"
echo "| --- | ---: | ---: |"
jq -r '.results[0].median as $floor | .results[] | "| \(.command) | \(.median * 1000 | round / 1000) | \(.median / $floor * 100 | round / 100) |"' "$folder/times.json"

echo
echo "peak memory:"
for what in "extract --no-content" "extract" "report"; do
  rm -rf "$folder/memory"
  target=$folder/memory
  [ "$what" = report ] && target=$lean
  kilobytes=$( { /usr/bin/time -f '%M' "$bin" $common --store "$target" $what $([ "$what" = report ] && echo --out "$folder/out") >/dev/null; } 2>&1 | tail -n 1)
  echo "  $what: $((kilobytes / 1024)) MB"
done
echo "store: $(du -sm "$store" | cut -f1) MB with content, $(du -sm "$lean" | cut -f1) MB without"
