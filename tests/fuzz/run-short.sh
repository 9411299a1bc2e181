#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs each fuzzer for two seconds, as a test: each fuzz_*.c must be built and have a corpus.
# FUZZ_SECONDS says how long instead; README says how to look for real.

top=${abs_top_srcdir:-$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)}
build=${abs_top_builddir:-$top/build}
seconds=${FUZZ_SECONDS:-2}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
n=0
failed=0

# point FAULT WHAT: no fault is a success.
point()
{
	n=$((n + 1))
	if [ -z "$1" ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2: $1"
		failed=1
	fi
}

# An input that broke it is lost with the folder, so it is printed.
show_crashes()
{
	for input in crash-* leak-* timeout-* oom-*; do
		[ -f "$input" ] || continue
		echo "# $input (base64):"
		base64 "$input" | sed 's/^/#   /'
		rm -f "$input"
	done
}

fuzz_one()
{
	name=$1
	corpus=$top/tests/fuzz/corpus/$name
	fuzzer=$build/tests/fuzz/fuzz_$name
	fault=
	if ! [ -x "$fuzzer" ]; then
		fault="it is not built"
	elif [ -z "$(ls -A "$corpus" 2>/dev/null)" ]; then
		fault="it has no corpus"
	else
		mkdir new
		# libFuzzer writes what it finds into the first folder.
		"$fuzzer" -max_total_time="$seconds" new "$corpus" >log 2>&1 || fault="it broke"
		tail -n 1 log | sed 's/^/# /'
		[ -z "$fault" ] || sed 's/^/# /' log
		show_crashes
		rm -rf new
	fi
	point "$fault" "$name"
}

for source in "$top"/tests/fuzz/fuzz_*.c; do
	name=${source##*/fuzz_}
	fuzz_one "${name%.c}"
done
echo "1..$n"
exit $failed
