#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Power cuts while keys are made, renamed and deleted in OP-TEE: ten, or a hundred in the long variant. After each cut
# the board starts again on the same disk, and every acknowledged change must be there (tests/optee/power.c). The disk
# keeps or loses, sector by sector, what was not flushed. At the end the same with a disk that ignores flushes: this
# must be noticed, or the test could not fail.
# usage: KW_QEMU_BUILD=build-qemu tests/optee_power.sh     after tools/qemu/build
. "$(dirname "$0")/lib.sh"
name=optee-power
work=$(mktemp -d "${TMPDIR:-/tmp}/keyward-$name.XXXXXX")
trap cleanup EXIT
trap 'exit 130' HUP INT TERM
built=${KW_QEMU_BUILD:-$top/build-qemu}
cuts=10
[ "$KW_LONG" = 0 ] || cuts=100
disk=(--disk "$work/disk" --write-cache)
program=/usr/libexec/keyward-tests/board_power

has() { grep -q -- "$1" "$2"; }
board() { "$top/tools/qemu/run" --no-build --share "$work/share" --logs "$work/logs" --timeout 300 "$@" >"$work/out" 2>"$work/err"; }
writes_or_ended() { has '^writing$' "$work/cut" || gone_or_zombie "$spawned"; }
# Changes that the journals say were begun, and not how they ended
open_changes() { tail -qn 1 "$work"/share/journal-* | grep -cvE '^(done|not)\b'; }

journal_lines() { cat "$work"/share/journal-* 2>/dev/null | wc -l; }
grown_to() { [ "$(journal_lines)" -ge "$1" ] || gone_or_zombie "$spawned"; }

# cut_power ARGUMENT…: start the board, and cut its power after some changes, in another. False when it did not come
# to write, or a change failed.
cut_power()
{
	: >"$work/cut"
	spawn "$work/cut" "$top/tools/qemu/run" --no-build --share "$work/share" --logs "$work/logs" "${disk[@]}" "$@" \
		"$program" /share
	wait_for 120 writes_or_ended
	has '^writing$' "$work/cut" || return 1
	wait_for 120 grown_to $(($(journal_lines) + RANDOM % 24))
	sleep "$(printf '0.%03d' $((RANDOM % 500)))"
	stop_process "$spawned" USR1 2>/dev/null
	has 'power cut: ' "$work/cut"
}

show_cut()
{
	show_file "$work/cut"
	show_file "$work/logs/secure.log" 15
}

mkdir -p "$work/share"
board "${disk[@]}" "$program" /share check
equal "a first start makes the storage" 0 $?
[ "$failed" = 0 ] || { show_file "$work/out"; show_file "$work/err"; finish; }

inside=0 met=0 losing=0 dropped=0 compacted=0 before=0
for ((n = 1; n <= cuts; n++)); do
	if ! cut_power; then
		not_ok "after cut $((n - 1)) all is there"
		show_cut
		finish
	fi
	read -r kept cached <<<"$(sed -nE 's/.*power cut: ([0-9]+) of ([0-9]+) cached.*/\1 \2/p' "$work/cut")"
	bytes=$(sed -nE 's/^# the log has ([0-9]+) bytes$/\1/p' "$work/cut")
	[ "$bytes" -ge "$before" ] || compacted=$((compacted + 1))
	before=$bytes
	[ "$(open_changes)" = 0 ] || inside=$((inside + 1))
	[ "$cached" = 0 ] || met=$((met + 1))
	[ "$kept" = "$cached" ] || losing=$((losing + 1))
	dropped=$((dropped + cached - kept))
	echo "# cut $n: $(open_changes) changes under way, $((cached - kept)) of $cached cached sectors lost; $(grep -E '^ok' "$work/cut")"
done
board "${disk[@]}" "$program" /share check
equal "after $cuts power cuts every acknowledged change is there" 0 $?
grep -E '^(ok|not ok|#)' "$work/out" | sed -E 's/^(ok|not ok)/# \1/'
[ "$failed" = 0 ] || show_file "$work/err"
echo "# $inside of $cuts cuts in a change; $met met sectors that were not flushed, $losing lost some, $dropped in all; $compacted compactions in between"
# Cuts that interrupt nothing, or lose nothing, would prove nothing.
check "most cuts were in a change" test $((inside * 2)) -gt "$cuts"
check "and met what was not flushed" test $((met * 2)) -gt "$cuts"

# Each of these cuts has four chances in five to lose something: not to see it in 10 is a fault of the test.
noticed=
for ((n = 1; n <= 10 && !${#noticed}; n++)); do
	cut_power --lying-disk || noticed=$(grep -hE '^not ok|disk cannot be mounted' "$work/cut")
done
check "with a disk that ignores flushes, lost keys are noticed" test -n "$noticed"
head -n 3 <<<"$noticed" | sed 's/^/# /'
finish
