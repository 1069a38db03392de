#!/usr/bin/env bash
# Measure everything and write doc/performance.md from it; on a machine that has
# nothing else to do.
#
# usage: bench/run.sh [--build=build] [--quick] [--no-guest] [--page-only]
#
# The figures stay in build/bench, so that --page-only can write the page again.
set -eu
cd "$(dirname "$0")/.."

build=build rounds=7 seconds=2 long=60 guest_rounds=7 guest_seconds=5 clean=60 guest=yes measure=yes
for word in "$@"; do
	case $word in
	--build=*) build=${word#*=} ;;
	--quick) rounds=3 seconds=1 guest_rounds=5 guest_seconds=5 clean=60 ;;
	--no-guest) guest=no ;;
	--page-only) measure=no ;;
	*) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 2 ;;
	esac
done
out=$build/bench
small=build-small
mkdir -p "$out"

daemon="$build/vhost-user-snd --socket-path={socket}"
file="$daemon --audio=file --file-out={dir}/%s.wav"

# bench NAME SPAWN OPTION... PART...
bench() {
	local name=$1 spawn=$2
	shift 2
	echo "$name ..." >&2
	$beside "$build/vsnd-probe" --spawn="$spawn" --json "$@" >"$out/$name.json.new"
	mv "$out/$name.json.new" "$out/$name.json"
}

if [ "$measure" = yes ]; then
	beside=
	bench messages "$daemon --null-pace=fast" --rounds="$rounds" --seconds="$seconds" bench messages
	bench steady "$daemon" --versus="$file" --rounds="$rounds" --seconds="$seconds" bench steady
	bench latency "$daemon" --versus="$file" --rounds="$rounds" --seconds="$seconds" bench latency
	bench start "$daemon" --versus="$file" --rounds="$rounds" bench start
	bench scale "$daemon --streams=64,0" --rounds=1 --seconds="$seconds" bench scale
	bench scale64 "$daemon --streams=64,0" --rounds=1 --seconds="$long" --from=64 bench scale
	meson setup "$small" -Dauto_features=disabled -Ddaemon=enabled -Dfile=enabled \
		-Dsystemd=enabled >"$out/small.log" 2>&1 || cat "$out/small.log" >&2
	ninja -C "$small" vhost-user-snd >>"$out/small.log" 2>&1
	bench start-small "$small/vhost-user-snd --socket-path={socket}" \
		--versus="$small/vhost-user-snd --socket-path={socket} --audio=file --file-out={dir}/%s.wav" \
		--rounds="$rounds" bench start
	if command -v pipewire wireplumber pw-cli >/dev/null; then
		beside=bench/with_pipewire.py
		bench pipewire "$daemon --audio=pipewire --target=vsnd-test-sink" --rounds="$rounds" \
			--seconds="$seconds" bench steady latency start
	fi
	if [ "$guest" = yes ]; then
		echo "guest ..." >&2
		bench/guest.py --build="$build" --rounds="$guest_rounds" --seconds="$guest_seconds" \
			--clean="$clean" --json >"$out/guest.json.new"
		mv "$out/guest.json.new" "$out/guest.json"
	fi
fi
bench/page.py "$out" doc
