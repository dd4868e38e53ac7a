#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# test_symbols.sh LIBRARY HEADER MANUAL COMPILER…: the library exports the functions of its header and nothing else,
# the manual page describes each of them, and the library needs libc alone.
export LC_ALL=C
library=$1 header=$2 manual=$3
shift 3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
status=0

same()
{
	if [ -s "$work/$1" ] && diff "$work/$1" "$work/$2"; then
		echo "ok - $3"
	else
		echo "not ok - $3"
		status=1
	fi
}

"$@" -E -P "$header" | grep -oE '\bkw_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u >"$work/declared"
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
same declared exported "the exported symbols are the functions of $(basename "$header") (< declared, > exported)"

grep -oE '^\.Fn kw_[a-z0-9_]+' "$manual" | cut -d' ' -f2 | sort -u >"$work/described"
same declared described "$(basename "$manual") describes each of them (< declared, > described)"

# The sanitizers bring libraries of their own.
readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^lib(a|ub|t)san|^libclang_rt|^ld-linux' >"$work/needed"
echo libc.so.6 >"$work/libc"
if grep -qE '^lib(m|gcc_s|pthread|dl|rt|resolv)\.' "$work/needed" && nm -D "$library" | grep -q '__asan\|__tsan'; then
	echo "ok - # SKIP needs libc alone: built with sanitizers"
else
	same libc needed "it needs libc alone"
fi
exit $status
