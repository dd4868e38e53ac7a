#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 of the TEE under load: 1,000 times in the long variant, 40 times in the short one.
. "$(dirname "$0")/lib.sh"
scenario storage-kill setpriv
kills=40
[ "$KW_LONG" = 0 ] || kills=1000
tee_start
stop_process "$tee_pid"
equal "an orderly stop ends with 0" 0 $?
"$KW_BUILD/tests/storage_kill" "$kills" setpriv --reuid "$tee_user" --regid "$(id -g "$tee_user")" --clear-groups -- \
	"$kw_teed" --store "$work/tee/store" --socket "$KEYWARD_SOCKET" >"$work/out" 2>"$work/err"
status=$?
grep -vE '^[0-9]+ passed' "$work/out"
read -r good bad <<<"$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$work/out" | tail -n 1)"
if [ -z "${good:-}" ]; then
	not_ok "storage_kill ends with counts (status $status)"
	show_file "$work/err"
else
	passed=$((passed + good)) failed=$((failed + bad))
	[ "$bad" -eq 0 ] || show_file "$work/err" 10
fi
finish
