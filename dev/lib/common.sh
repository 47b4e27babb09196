# For the scripts in dev/: where things are, how to say something, who runs what. Sourced, never run.
# shellcheck shell=bash

set -euo pipefail
umask 022
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
OLDEST_NODE=18.13.0

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "error: $*"
	exit 1
}

is_root() {
	[ "$(id -u)" = 0 ]
}

# Runs a command as root: directly, or through sudo.
as_root() {
	if is_root; then
		"$@"
	elif ! command -v sudo >/dev/null; then
		die "root is needed and sudo is not there. As root: $*"
	elif [ -t 0 ] || sudo -n true 2>/dev/null; then
		sudo -- "$@"
	else
		die "root is needed and sudo wants a password, but there is no terminal. As root: $*"
	fi
}

# Root in somebody else's checkout installs packages and does nothing more itself: the script goes on as the owner, so
# that no file of root's stays where the owner cannot remove it.
continue_as_owner() { # SCRIPT ARGUMENT...
	local uid gid name
	uid=$(stat -c %u "$TOP")
	gid=$(stat -c %g "$TOP")
	if ! is_root || [ "$uid" = 0 ]; then
		return 0
	fi
	name=$(getent passwd "$uid" | cut -d: -f1) || true
	say "going on as the owner of the checkout (${name:-user $uid})"
	local groups=--clear-groups home=/nonexistent
	if [ -n "$name" ]; then
		groups=--init-groups
		home=$(getent passwd "$uid" | cut -d: -f6)
	fi
	exec setpriv --reuid "$uid" --regid "$gid" "$groups" --reset-env env HOME="$home" PATH="$PATH" "$@"
}

# The first node on the path that is new enough comes first from here on, else Debian's. False when there is none.
choose_node() {
	local node
	while read -r node; do
		if [ -x "$node" ] && version_at_least "$("$node" --version 2>/dev/null)" "$OLDEST_NODE"; then
			PATH=$(dirname "$node"):$PATH
			return 0
		fi
	done < <(type -ap node; echo /usr/bin/node)
	return 1
}

version_at_least() { # HAVE WANT
	[ "$(printf '%s\n%s\n' "${1#v}" "$2" | sort -V | head -n 1)" = "$2" ]
}

processors() {
	nproc 2>/dev/null || echo 1
}

# The folder itself, made when it is not there; or, when its path is longer than what goes into it allows, another one
# in the temp folder that is the same in every run.
short_folder() { # FOLDER MOST
	local folder=$1
	if [ ${#folder} -gt "$2" ]; then
		folder=/tmp/calltab-$(id -u)-$(cksum <<<"$1" | cut -d' ' -f1)
		mkdir -m 0700 "$folder" 2>/dev/null || true
		if [ ! -O "$folder" ] || [ -L "$folder" ]; then
			die "$folder belongs to somebody else"
		fi
	elif [ ! -d "$folder" ]; then
		mkdir -p "$folder"
	fi
	echo "$folder"
}
