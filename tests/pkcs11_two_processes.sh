#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Processes and threads with the same PKCS #11 objects at once; a great many signatures and sessions, and what memory they take.
. "$(dirname "$0")/lib.sh"
scenario pkcs11-two-processes
module=$(find "$KW_STAGE" -name keyward-pkcs11.so -print -quit)
[ -n "$module" ] || skip_all "pkcs11-two-processes: the module was not built: libp11-kit-dev is missing"
tee_start || not_ok "the TEE starts"

seconds=5 signatures=40000
[ "$KW_LONG" = 0 ] || seconds=60 signatures=1000000
said() { grep -E '^(#|not ok)' "$work/check.out" | sed 's/^not ok/# not ok/'; }

check "two processes create, find, use and destroy the same objects" \
	"$KW_BUILD/tests/pkcs11_two_processes" "$module" $seconds 2 1
said
check "so do eight threads of one process" "$KW_BUILD/tests/pkcs11_two_processes" "$module" $seconds 1 8
said
check "and three processes with three threads each" "$KW_BUILD/tests/pkcs11_two_processes" "$module" $seconds 3 3
said
check "nothing is left" sh -c '! keyward key list | grep -q shared-'
check "$signatures signatures by eight processes with 10,000 sessions each: no process grows, nor the TEE" \
	"$KW_BUILD/tests/pkcs11_growth" "$module" $signatures 8 "$tee_pid"
said
check "no crash is in the TEE's log" no_crash "$work/tee.log"
finish
