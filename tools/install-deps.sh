#!/usr/bin/env bash
# Install the Debian packages that vsnd's groups of work need (Debian 12, 13).
#
#   tools/install-deps.sh [build] [check] [guest]      default: build
#
# Nothing is asked of the network when everything is there already, and the
# machine's apt configuration is used as it stands.
set -eu

# jack_lsp and its like: in Debian 12 they are part of jackd2.
jack_tools() {
	grep -qx 'VERSION_ID="12"' /etc/os-release || echo jack-example-tools
}

packages_of() {
	case "$1" in
	build) echo gcc libc6-dev meson ninja-build pkgconf python3 libsndfile1-dev libsamplerate0-dev libpipewire-0.3-dev libpulse-dev libasound2-dev libjack-jackd2-dev libjansson-dev libinih-dev libcmocka-dev scdoc ;;
	check) echo clang g++ strace procps pipewire pipewire-bin wireplumber pulseaudio pulseaudio-utils jackd2 libasound2-plugins; jack_tools ;;
	guest) echo zstd sox ;;	# QEMU and the kernel: tests/guest/image.py
	*) echo "install-deps: no group '$1' (build, check, guest)" >&2; return 2 ;;
	esac
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_of() {
	local package
	for package; do
		is_installed "$package" || echo "$package"
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "install-deps: neither root nor sudo; please install: ${missing[*]}" >&2
		return 1
	fi
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive \
		timeout -k 10 400 apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

# Mirrors fail now and then: each command gets a second try.
twice() {
	"$@" || { sleep 3; "$@"; }
}

[ $# -gt 0 ] || set -- build
wanted=()
for group; do
	list=$(packages_of "$group")
	# shellcheck disable=SC2206 # a list of words, meant to be split
	wanted+=($list)
done

mapfile -t missing < <(missing_of "${wanted[@]}")
[ "${#missing[@]}" -gt 0 ] || exit 0

command -v apt-get >/dev/null || {
	echo "install-deps: no apt-get here; please install: ${missing[*]}" >&2
	exit 1
}
echo "install-deps: installing ${missing[*]}"
twice apt update || echo "install-deps: apt-get update failed, going on with the lists that are here" >&2
twice apt install --no-install-recommends "${missing[@]}"
