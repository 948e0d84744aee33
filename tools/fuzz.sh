#!/usr/bin/env bash
# Runs every fuzz target of the repository for FUZZTIME (default 10s), four at a time, so
# that some run while others are compiled. It
# finds them itself. What a failing one found is left in its testdata/fuzz: commit it.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${FUZZTIME:-10s}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# One line a target: folder and name.
targets=$(grep -rhoE --include='*_test.go' -H '^func Fuzz[A-Za-z0-9_]*\(' internal cmd 2>/dev/null |
	sed -E 's|/[^/]*_test\.go:func (Fuzz[A-Za-z0-9_]*)\(| \1|' | sort -u || true)
if [ -z "$targets" ]; then
	echo "no fuzz targets"
	exit 0
fi

one() {
	local dir=$1 name=$2 log
	log=$logs/$(tr / _ <<<"$dir").$name
	fuzz() { go test -vet=off -tags=fuzz "./$dir" -run='^$' -fuzz="^$name\$" -fuzztime="$time" -fuzzminimizetime=50x -parallel=1 >"$log" 2>&1; }
	# Little time for making inputs smaller: it would take that of looking for new ones.
	# The engine sometimes calls its own stop at the end of the time a failure; then no
	# input was found, and a second run tells.
	if fuzz || { grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log" && fuzz; }; then
		echo "ok  	vidimus/$dir $name	$(grep -oE 'execs: [0-9]+' "$log" | tail -1)"
	else
		echo "FAIL	vidimus/$dir $name"
		cat "$log"
		return 1
	fi
}
export -f one
export logs time

# shellcheck disable=SC2086
xargs -P 4 -n 2 bash -c 'one "$@"' one <<<"$targets"
