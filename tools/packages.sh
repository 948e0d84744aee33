#!/usr/bin/env bash
# Installs the Debian packages of tools/packages.txt that are missing. Somebody who may not
# install is told which ones are missing, and how to get them; the exit status is then 0
# unless --required is given.
set -euo pipefail
cd "$(dirname "$0")/.."

# has says whether a program is there; PostgreSQL's are not in everybody's PATH.
has() {
	command -v "$1" >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null
}

missing=()
while read -r package program _; do
	case "$package" in '' | '#'*) continue ;; esac
	has "$program" || missing+=("$package")
done <tools/packages.txt

[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	# One package list that cannot be had must not keep us from the others.
	apt-get update -q >/dev/null || echo "apt-get update had errors; going on"
	apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
	exit 0
fi

echo "missing: ${missing[*]}"
echo "Tests that need them are skipped. To have them: sudo apt-get install ${missing[*]}"
[ "${1:-}" != --required ]
