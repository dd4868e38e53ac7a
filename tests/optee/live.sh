#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The host TEE's own tests, from the same sources, of the Trusted Application: rights, purposes, identities, malformed
# requests (core/test_dispatch.c), secret keys (core/test_secret.c, test_secret_requests.c, test_derive.c, test_wrap.c), hostile ones (tests/host_hostile.c), and the library's (client/test_real.c).
. "${0%/*}/lib"
export KEYWARD_TEE=optee
rounds=30
[ "${KW_LONG:-0}" = 0 ] || rounds=1000

# cases PROGRAM: each of its cases counts as ours.
cases()
{
	"$tests/$1" >"$work/out" 2>&1
	status=$?
	sed -nE "s/^\[       OK \] (.*)/ok - $1: \1/p; s/^\[  FAILED  \] ([^ ]*[a-z]).*/not ok - $1: \1/p" "$work/out" | sort -u
	good=$(grep -c '^\[       OK \]' "$work/out")
	bad=$(grep -c '^\[  FAILED  \] [a-z]' "$work/out")
	[ "$bad" -eq 0 ] || sed -n '/ERROR/,/FAILED/p' "$work/out" | sed 's/^/#   /'
	passed=$((passed + good)) failed=$((failed + bad))
	equal "$1 ends with 0, and had cases" "0 yes" "$status $([ "$good" -gt 0 ] && echo yes)"
}

# hostile UID PART ARGUMENT…: its ok and not ok lines count as ours.
hostile()
{
	"$tests/live_hostile" "$@" >"$work/out" 2>&1
	counts=$(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$work/out")
	if [ -z "$counts" ]; then
		not_ok "live_hostile $* ends with counts"
		show_file "$work/out"
		return
	fi
	sed -E '$d' "$work/out" | sed -E "s/^(ok|not ok) - /&uid $1: /"
	passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
}
refusals() { keyward status --json | sed -n 's/.*"refusals": *\([0-9]*\).*/\1/p'; }

cases live_dispatch
cases live_objects
cases live_secret
cases live_secret_requests
cases live_derive
cases live_wrap
cases live_tokens
cases live_client
check "a key that only root may use" keyward key generate live-target --type ec-p256 --purpose sign
id=$(keyward key show live-target --json | sed -n 's/.*"id": *"\([0-9a-f]*\)".*/\1/p')
equal "its id" 64 "${#id}"
hostile 65534 commands "$rounds" "$id"
hostile 0 commands "$rounds" "$id"
before=$(refusals)
hostile 1001 refused 100 "$id"
equal "100 more refusals are counted" $((before + 100)) "$(refusals)"
check "the key still signs" keyward key csr live-target --subject /CN=a.example -o "$work/target.csr"
check "and is deleted" keyward key delete live-target --yes
finish
