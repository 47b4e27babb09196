# A private PostgreSQL for dev/run, in one folder: data/ and the socket. No TCP; who may enter the folder may enter the
# database. Sourced after common.sh.
#
# PostgreSQL refuses to run as root. For root it runs as the user `postgres` of Debian's package, with leave to walk
# through folders of root's, and the files belong to that user inside a checkout that is root's anyway. For everybody
# else it runs as himself. (Root in somebody else's checkout never comes here: continue_as_owner.)
# shellcheck shell=bash

CLUSTER_PORT=5432 # part of the socket's name only
LONGEST_SOCKET_FOLDER=$((107 - ${#CLUSTER_PORT} - 11))

cluster_programs() {
	local newest
	newest=$(find /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)
	[ -n "$newest" ] || die "PostgreSQL is not installed: dev/setup run"
	dirname "$newest"
}

# Words to put before a command that has to run as PostgreSQL's user. It ends with its parent, even when that is killed:
# in the same call, because a later change of user would undo it.
cluster_user() {
	printf '%s\n' setpriv --pdeathsig QUIT
	if is_root; then
		printf '%s\n' --reuid postgres --regid postgres --clear-groups --inh-caps=-all,+dac_override \
			--ambient-caps=-all,+dac_override --bounding-set=-all,+dac_override --no-new-privs
	fi
	echo --
}

cluster_make() { # FOLDER
	local programs user
	programs=$(cluster_programs)
	if [ -e "$1/data/PG_VERSION" ]; then
		[ "$(cat "$1/data/PG_VERSION")" = "$(basename "$(dirname "$programs")")" ] ||
			die "the data in $1 is of PostgreSQL $(cat "$1/data/PG_VERSION"): dev/run --fresh forgets it"
		return
	fi
	rm -rf "$1"
	mkdir -p "$1"
	chmod 0700 "$1"
	! is_root || chown postgres:postgres "$1"
	mapfile -t user < <(cluster_user)
	# made beside its place: an initdb that was interrupted is no cluster
	(cd "$1" && "${user[@]}" "$programs/initdb" --pgdata "$1/data.new" --username=postgres --auth=trust \
		--encoding=UTF8 --locale=C.UTF-8 --no-instructions) >"$1.initdb.log" 2>&1 ||
		die "initdb failed: $(tail -n 5 "$1.initdb.log")"
	mv "$1/data.new" "$1/data"
	rm -f "$1.initdb.log"
}

cluster_remove() { # FOLDER
	rm -rf "$1"
}

# The folder of the socket: short enough for a socket's path.
cluster_socket_folder() { # FOLDER
	short_folder "$1" $LONGEST_SOCKET_FOLDER
}

cluster_command() { # FOLDER; one word a line
	cluster_user
	printf '%s\n' "$(cluster_programs)/postgres" -D "$1/data" -p $CLUSTER_PORT -c listen_addresses= \
		-c "unix_socket_directories=$(cluster_socket_folder "$1")" -c unix_socket_permissions=0700 \
		-c timezone=UTC -c log_timezone=UTC -c log_min_messages=warning
}

cluster_wait() { # FOLDER PID
	local i
	for ((i = 0; i < 300; i++)); do
		"$(cluster_programs)/pg_isready" -q -U postgres -d postgres -h "$(cluster_socket_folder "$1")" -p $CLUSTER_PORT && return 0
		kill -0 "$2" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

cluster_url() { # FOLDER DATABASE ROLE
	# a slash may stand in a query as it is; blanks and the like may not
	local socket
	socket=$(cluster_socket_folder "$1")
	socket=${socket//%/%25}
	socket=${socket// /%20}
	socket=${socket//&/%26}
	echo "postgresql://$3@/$2?host=${socket//#/%23}&port=$CLUSTER_PORT"
}

cluster_sql() { # FOLDER DATABASE <SQL
	"$(cluster_programs)/psql" -q -X -v ON_ERROR_STOP=1 -o /dev/null "$(cluster_url "$1" "$2" postgres)"
}

cluster_has_database() { # FOLDER NAME
	[ "$("$(cluster_programs)/psql" -X -A -t -c "select 1 from pg_database where datname = '$2'" \
		"$(cluster_url "$1" postgres postgres)")" = 1 ]
}
