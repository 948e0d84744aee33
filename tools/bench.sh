#!/usr/bin/env bash
# bench.sh PATTERN PACKAGE…: runs benchmarks and no tests. PostgreSQL flushes every commit
# to the disk here, or its figures would mean nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
pattern=$1
shift
run=(go test -run='^$' -bench="$pattern" -benchmem "$@")
if tools/postgres.sh find; then
	VIDIMUS_TEST_FSYNC=on exec tools/postgres.sh with "${run[@]}"
fi
exec "${run[@]}"
