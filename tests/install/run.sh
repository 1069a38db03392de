#!/usr/bin/env bash
# Install into an empty place, then build and run a program against what is there.
#
#   tests/install/run.sh BUILD_DIR
set -eu
cd "$(dirname "$0")/../.."

build=$1
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT

# verdict NAME COMMAND...
verdict() {
	local name=$1
	shift
	if "$@"; then
		echo "ok install: $name"
	else
		echo "not ok install: $name: $* failed"
		exit 1
	fi
}

installed() {
	find "$dest" -type f -name "$1" | grep -q .
}

# The installed library, seen as if $dest were the root.
package() {
	PKG_CONFIG_SYSROOT_DIR=$dest PKG_CONFIG_LIBDIR=$pc_dir pkg-config "$@" vsnd
}

compile() {
	# shellcheck disable=SC2046 # flags are words
	cc -std=c11 -Wall -Wextra -Werror -o "$dest/embedder" tests/install/embedder.c \
		$(package --cflags --libs)
}

run_embedder() {
	LD_LIBRARY_PATH=$lib_dir "$dest/embedder"
}

verdict "meson install" meson install -C "$build" --no-rebuild --quiet --destdir "$dest"
for file in vsnd.pc 'libvsnd.so*' vsnd.h audio.h format.h; do
	verdict "$file is there" installed "$file"
done

pc_dir=$(dirname "$(find "$dest" -name vsnd.pc)")
lib_dir=$(dirname "$pc_dir")
verdict "pkg-config knows the version" package --modversion
verdict "an embedder compiles and links" compile
verdict "the embedder runs" run_embedder
for file in vsnd-probe vhost-user-snd vsndctl vhost-user-snd.1 vsnd-probe.1 vsndctl.1; do
	verdict "$file is there" installed "$file"
done
