#!/usr/bin/env bash
# Runs the tests of the given packages (default: all) with the race detector, on both
# databases: one PostgreSQL serves them all. RACE, which make sets, says how; TESTFLAGS go to
# go test, which leaves vetting to make lint.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p bin
go build -o bin/testreport ./tools/testreport
strict=()
[ "${CI:-}" = true ] && strict=(-strict)

run() {
	# shellcheck disable=SC2086
	go test ${RACE:--race} -vet=off -timeout=8m -json ${TESTFLAGS:-} "$@" | bin/testreport "${strict[@]}"
}

if [ "${1:-}" = --inside ]; then
	shift
	run "$@"
	exit
fi
[ $# -gt 0 ] || set -- ./...

if [ -n "${VIDIMUS_TEST_POSTGRES:-}" ]; then
	run "$@"
elif tools/postgres.sh find; then
	# No test pulls the plug: flushing to the disk would only cost time here.
	export VIDIMUS_REQUIRE_POSTGRES=1 VIDIMUS_TEST_FSYNC=${VIDIMUS_TEST_FSYNC:-off}
	tools/postgres.sh with tools/test.sh --inside "$@"
else
	echo "WITHOUT POSTGRESQL: tests that need it are skipped, or fail in CI"
	run "$@"
fi
