#!/usr/bin/env bash
# Starts a throw-away PostgreSQL for tests, on a socket in a temporary directory.
#
#	postgres.sh with COMMAND…   runs the command with VIDIMUS_TEST_POSTGRES set
#	postgres.sh find            says by its exit status whether there is one
#	postgres.sh serve           prints the address, serves until standard input ends
#
# The server and its files are gone afterwards, however the end came. Commits are not
# flushed to the disk when VIDIMUS_TEST_FSYNC=off. Exit status 77: no PostgreSQL here.
set -euo pipefail

find_bin() {
	local initdb
	initdb=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -1 || true)
	[ -n "$initdb" ] || initdb=$(command -v initdb || true)
	[ -n "$initdb" ] || return 77
	dirname "$(readlink -f "$initdb")"
}

bin=$(find_bin) || { echo "no PostgreSQL: initdb is neither in PATH nor in /usr/lib/postgresql" >&2; exit 77; }

# PostgreSQL refuses root, so root lends it the account that the package made.
as=()
if [ "$(id -u)" = 0 ]; then
	id postgres >/dev/null 2>&1 || { echo "no PostgreSQL: root needs the account postgres to run it" >&2; exit 77; }
	as=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi

[ "${1:-}" != find ] || exit 0

# Not under TMPDIR: a socket's path must stay short.
dir=$(mktemp -d /tmp/vidimus-postgres.XXXXXX)
[ ${#as[@]} -eq 0 ] || chown postgres: "$dir"
cd "$dir"

clean() {
	trap '' INT TERM HUP PIPE
	"${as[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

start() {
	"${as[@]}" "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C -N >"$dir/log" 2>&1 &&
		"${as[@]}" "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 60 -o "-c listen_addresses='' \
			-c unix_socket_directories=$dir -c max_connections=300 -c fsync=${VIDIMUS_TEST_FSYNC:-on} \
			-c shared_buffers=64MB" start >>"$dir/log" 2>&1 </dev/null
}
start || { cat "$dir/log" "$dir/server.log" >&2; exit 1; }
url="postgres://postgres@/postgres?host=$dir"

case "${1:-}" in
with)
	shift
	export VIDIMUS_TEST_POSTGRES=$url
	cd "$OLDPWD"
	"$@"
	;;
serve)
	echo "$url"
	# Whoever started us may be gone before we are: nothing more is written.
	exec >/dev/null 2>&1
	cat
	;;
*)
	echo "usage: postgres.sh with COMMAND… | find | serve" >&2
	exit 2
	;;
esac
