#!/usr/bin/env bash
# Fails, and shows how it should look, when a Go file is not formatted by gofmt.
set -euo pipefail
cd "$(dirname "$0")/.."
diff=$(find . \( -name node_modules -o -name bin -o -name .git -o -name testdata \) -prune -o -name '*.go' -print0 | xargs -0 gofmt -d)
[ -z "$diff" ] && exit 0
echo "$diff"
echo "not formatted: run gofmt -w on these files" >&2
exit 1
