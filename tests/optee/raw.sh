#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Invocations that no client of ours makes, of every kind and as different users: an answer each, and no crash.
. "${0%/*}/lib"

# run USER PART [ROUNDS]: the program's ok and not ok lines count as ours.
run()
{
	user=$1
	shift
	as "$user" "$tests/raw_client" "$@" >"$work/out" 2>&1
	counts=$(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$work/out")
	if [ -z "$counts" ]; then
		not_ok "raw_client $* of $user ends with counts"
		show_file "$work/out"
		return
	fi
	sed -E '$d' "$work/out" | sed -E "s/^(ok|not ok) - /&$user: /"
	passed=$((passed + ${counts% *}))
	failed=$((failed + ${counts#* }))
}

run root types
run alice sizes
run root random 3000
run alice random 1000
run root race 3000
run alice sessions
run root sessions
finish
