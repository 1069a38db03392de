#!/usr/bin/env bash
# The steps of ./check, by name.  Each prints `ok NAME`, `not ok NAME: reason`
# or `skip NAME: reason`; ./check counts these lines and holds the time limit.
set -eu
cd "$(dirname "$0")/.."

jobs=${VSND_CHECK_JOBS:-2}
enabled=(-Dtests=enabled -Ddaemon=enabled -Dprobe=enabled -Dctl=enabled -Dman=enabled -Dfile=enabled -Dpipewire=enabled -Dpulse=enabled -Dalsa=enabled -Djack=enabled -Dsystemd=enabled)

# Put a word before the names of the tests that standard input reports.
named() {
	sed -u -E "s/^(ok|not ok|skip) /&$1 /"
}

# configure DIR OPTION...: a directory that cannot be brought up to date is
# made anew.
configure() {
	local dir=$1
	shift
	if [ -d "$dir/meson-private" ]; then
		meson setup --reconfigure "$dir" "${enabled[@]}" "$@" && return
		rm -rf "$dir"
	fi
	meson setup "$dir" "${enabled[@]}" "$@"
}

# build DIR OPTION...: one test, "DIR compiles".
build() {
	if configure "$@" && ninja -C "$1" -j "$jobs"; then
		echo "ok $1 compiles"
	else
		echo "not ok $1 compiles: see the log of this step"
		return 1
	fi
}

# meson_tests DIR ARGUMENT...: the tests that meson knows.
meson_tests() {
	local dir=$1 rc=0
	shift
	rm -f "$dir/meson-logs/testlog.json"
	$wrapper meson test -C "$dir" --no-rebuild --num-processes "$jobs" "$@" || rc=$?
	tools/meson-results.py "$dir" || return 1
	return "$rc"
}

# A sanitizer's shadow memory wants the classic address space layout.
no_aslr() {
	if setarch -R true 2>/dev/null; then
		echo "setarch -R"
	fi
}

sanitized() {
	local name=$1 dir=build-$1 sanitizers=$2 suites=$3 rc=0 suite
	local suite_args=()
	for suite in $suites; do
		suite_args+=(--suite "$suite")
	done
	build "$dir" --buildtype=debug -Doptimization=1 -Db_ndebug=false -Db_lundef=false \
		"-Db_sanitize=$sanitizers" -Dc_args=-fno-sanitize-recover=all
	wrapper=$(no_aslr)
	meson_tests "$dir" --timeout-multiplier 3 "${suite_args[@]}" | named "$name" || rc=1
	$wrapper python3 tests/probe/run.py --build="$dir" --quick | named "$name" || rc=1
	return "$rc"
}

# attempt NAME COMMAND...: one test, the command's exit status.
attempt() {
	local name=$1 rc=0
	shift
	"$@" || rc=$?
	if [ "$rc" -eq 0 ]; then
		echo "ok $name"
	else
		echo "not ok $name: $* failed with $rc"
	fi
	return "$rc"
}

step_deps() {
	local rc=0
	attempt "packages to build and check" tools/install-deps.sh build check || rc=1
	attempt "packages for the guest" tools/install-deps.sh guest || rc=1
	return "$rc"
}

# The guest's kernel and QEMU: a download of its own, on Debian 12 from backports.
step_image() {
	attempt "the guest's image" python3 tests/guest/image.py
}

step_build() {
	CC=gcc build build --werror
}

step_unit() {
	meson_tests build
}

step_clang() {
	CC=clang build build-clang --werror
	meson_tests build-clang --suite unit | named clang
}

step_asan() {
	export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
	export UBSAN_OPTIONS=print_stacktrace=1
	CC=gcc sanitized asan address,undefined "unit fuzz daemon"
}

step_tsan() {
	export TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp
	CC=gcc sanitized tsan thread unit
}

step_probe() {
	local rc=0
	python3 tests/probe/run.py --build=build || rc=1
	python3 tests/probe/bench.py --build=build || rc=1
	return "$rc"
}

# conform NAME PROGRAM AUDIO OPTION... [-- PATTERN...]: the conformance suite, or scenarios
# and chapters of it; what it only recommends counts for our own device.
conform() {
	local name=$1 program=$2 audio=$3 rc=0 skips options=()
	shift 3
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	build/vsnd-probe --spawn="build/$program --socket-path={socket} --streams=3,1 --controls $audio" \
		"${options[@]}" --strict conform "${@:2}" >"build/conform-$name.txt" || rc=$?
	sed "s/^/| /" "build/conform-$name.txt" >&2
	sed -n -E -e "s/^pass +([^ ]+) .*/ok conform $name \\1/p" \
		-e "s/^(FAIL|CRASH|HANG|advice|not run) +([^ ]+) +(.*)/not ok conform $name \\2: \\1, \\3/p" \
		"build/conform-$name.txt"
	skips=$(grep -c '^skip ' "build/conform-$name.txt" || true)
	if [ "$skips" -gt 0 ]; then
		echo "skip conform $name: $skips scenarios do not apply, see build/conform-$name.txt"
	fi
	return "$rc"
}

step_conform() {
	local rc=0
	conform null vhost-user-snd --audio=null || rc=1
	conform file vhost-user-snd "--audio=file --file-out={dir}/%s.wav" --played="{dir}/%s.wav" || rc=1
	conform card tests/conform/full-card "--channels=1-6 --audio=file --file-out={dir}/%s.wav" \
		--played="{dir}/%s.wav" || rc=1
	python3 tests/conform/output.py --build=build || rc=1
	python3 tests/conform/defects.py --build=build || rc=1
	conform hooks vhost-user-snd "--audio=test --control-path={dir}/hooks --formats=all" \
		--hooks="{dir}/hooks" -- 'hooks-*' || rc=1
	python3 tests/conform/mutants.py --build=build --sample=5 | named mutant || rc=1
	return "$rc"
}

# audio_tests NAME OPTION...: tests/audio/NAME.py; what it says is kept together.
audio_tests() {
	local name=$1 rc=0
	shift
	python3 "tests/audio/$name.py" --build=build --quick "$@" >"build/audio-$name.txt" 2>&1 || rc=$?
	cat "build/audio-$name.txt"
	return "$rc"
}

# Sound goes at its own pace and leaves the processors idle: two kinds of server at a time, and
# for the minute all of them.
step_audio() {
	local rc=0 others
	audio_tests minute --jobs=4 || rc=1
	(
		rest=0
		audio_tests pulse --jobs=3 || rest=1
		audio_tests jack --jobs=2 || rest=1
		audio_tests latency --jobs=3 || rest=1
		exit "$rest"
	) &
	others=$!
	audio_tests pipewire --jobs=2 || rc=1
	audio_tests alsa --jobs=4 || rc=1
	audio_tests alsa_pulse --jobs=2 || rc=1
	wait "$others" || rc=1
	return "$rc"
}

step_rt() {
	local rc=0
	bench/steady.py --build=build --periods=300 --tap || rc=1
	tests/rt/priority.py --build=build || rc=1
	return "$rc"
}

step_guest() {
	if [ -f tests/guest/run.py ]; then
		python3 tests/guest/run.py --quick --build=build
	else
		echo "not ok guest: tests/guest/run.py is missing"
	fi
}

step_style() {
	tools/style.py
}

step_install() {
	tests/install/run.sh build
}

set -o pipefail
wrapper=
"step_$1"
