#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Clients that break every rule, take all they can get, or are not who they should be, against a real keyward-teed.
. "$(dirname "$0")/lib.sh"
scenario host-hostile setpriv
ulimit -n "$(ulimit -Hn)"
rounds=300 churn=5000
[ "$KW_LONG" = 0 ] || rounds=20000 churn=100000
tee_start || not_ok "the TEE starts"
check "a key that only root may use" keyward key generate target --type ec-p256 --purpose sign
id=$(keyward key show target --json | grep -oE '"id": *"[0-9a-f]{64}"' | grep -oE '[0-9a-f]{64}')

# run USER PROGRAM PART [ARGUMENT…]: the program's ok and not ok lines count as ours.
run()
{
	local user=$1 program=$2 good bad
	shift 2
	install -m 755 "$KW_BUILD/tests/$program" "$work/"
	as "$user" "$work/$program" "$KEYWARD_SOCKET" "$@" >"$work/run.out" 2>"$work/run.err"
	sed -E "/^[0-9]+ passed/d; s/^(ok|not ok) - /&$user: /" "$work/run.out"
	read -r good bad <<<"$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$work/run.out" | tail -n 1)"
	if [ -z "${good:-}" ]; then
		not_ok "$program $1 ends with counts"
		show_file "$work/run.err"
	else
		passed=$((passed + good)) failed=$((failed + bad))
		[ "$bad" -eq 0 ] || show_file "$work/run.err"
	fi
}

descriptors() { find "/proc/$tee_pid/fd" -mindepth 1 | wc -l; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$tee_pid/status"; }
refusals() { keyward status --json | grep -oE '"refusals": *[0-9]+' | grep -oE '[0-9]+'; }
settled() { [ "$(descriptors)" -le "$1" ]; }

run nobody host_hostile frames
before=$(descriptors)
run nobody host_hostile descriptors
check "none of the descriptors that were passed is left" wait_for 10 settled "$before"
run nobody host_hostile commands "$rounds" "$id"
run root host_hostile commands "$rounds" "$id"
run nobody host_hostile pipelining
run nobody host_hostile silence
run root host_flood fairness
if [ "$(ulimit -Hn)" -ge 5000 ]; then
	run root host_flood crowd 2048
else
	skip "too few descriptors to try 2,048 connections of one user"
fi
run root host_flood long

# Each user's calls are refused and counted, and the administrator reads who it was.
before=$(refusals)
run nobody host_hostile refused 100 "$id"
equal "100 more refusals are counted" $((before + 100)) "$(refusals)"
check "the log names the user, the command and the reason" \
	grep -E "refused sign of uid $(id -u nobody): the caller is not on the access list" "$work/tee.log"
lines=$(grep -c "refused sign of uid" "$work/tee.log")
check "the log is not flooded: $lines lines" [ "$lines" -le 40 ]

# Warm first, so that buffers that stay are there already.
run nobody host_hostile churn 500
wait_for 10 settled 60
fds=$(descriptors) memory=$(resident)
run nobody host_hostile churn "$churn"
check "no descriptor is left of them" wait_for 10 settled "$fds"
# Sanitizers keep freed memory to find its use.
if nm -D "$kw_teed" | grep -q __asan; then
	skip "memory is not measured in a build with sanitizers"
else
	grown=$(($(resident) - memory))
	check "resident memory has not grown with them: by $grown KiB" [ "$grown" -le 512 ]
fi

check "the TEE is still the one that was started" alive "$tee_pid"
check "the key still signs" keyward key csr target --subject /CN=a.example -o "$work/target.csr"
tee_stop
equal "an orderly stop ends with 0" 0 $?
check "nothing crashed" no_crash "$work/tee.log"
finish
