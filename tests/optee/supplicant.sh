#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tee-supplicant ends, hangs, and is started again: under the signatures of servers, and under changes. The kernel keeps
# its device busy as long as a process waits for what it was about to do, so whoever waits must give up for it to start.
. "${0%/*}/lib"

export KEYWARD_TEE=optee
start() { tee-supplicant -d; }
running() { pidof tee-supplicant; }
stopped() { ! pidof tee-supplicant; }
kill_it()
{
	kill -KILL "$(pidof tee-supplicant)"
	wait_for 10 stopped
}
as_before() { [ "$(keyward key list --names | sort)" = "$(sort "$work/names")" ]; }

keyward key list --names >"$work/names"

# Servers have their keys open in the TEE, and notice nothing.
"$tests/board_load" "$work/over" >"$work/load.out" 2>&1 &
load=$!
sleep 2
for round in 1 2 3 4 5; do
	kill_it
	sleep 0.5
	check "tee-supplicant starts again under load, $round" wait_for 30 start
	sleep 0.5
done
touch "$work/over"
wait "$load"
grep -E '^(ok|not ok|#)' "$work/load.out" >"$work/lines"
while read -r line; do
	case $line in
	'ok - '*) ok "${line#ok - }" ;;
	'not ok - '*) not_ok "${line#not ok - }" ;;
	*) echo "$line" ;;
	esac
done <"$work/lines"
check "the load ended by itself" grep -q '^[0-9]* passed, 0 failed$' "$work/load.out"
check "its keys are gone" as_before

# Who has to change something while there is none is told so, soon.
kill_it
refuse "a change without tee-supplicant says what is missing" "tee-supplicant does not run.*not known" \
	keyward key generate supplicant-none
check "status needs no storage" keyward status
check "it starts again" wait_for 30 start
check "and the change that failed was not made" as_before

# One that hangs: the same.
check "a key is made" keyward key generate supplicant-old
kill -STOP "$(pidof tee-supplicant)"
refuse "a change while it hangs says whom it waits for" "tee-supplicant.*not known" \
	keyward key rename supplicant-old supplicant-new
kill -CONT "$(pidof tee-supplicant)"
check "then a change is made" keyward key generate supplicant-again
check "and undone" keyward key delete supplicant-again --yes
keyward key list --names | grep '^supplicant-' >"$work/either"
check "the key has its old name or the new one" grep -qxE 'supplicant-(old|new)' "$work/either"
check "it is deleted" keyward key delete "$(cat "$work/either")" --yes
check "and there was one" as_before

# Killed at any moment of many changes: what was acknowledged is there.
: >"$work/made"
(
	for n in 1 2 3 4 5 6 7 8 9 10; do
		keyward key generate "supplicant-$n" --type ed25519 >/dev/null 2>>"$work/failed" && echo "supplicant-$n" >>"$work/made"
	done
	: >"$work/all"
) &
changes=$!
for round in 1 2; do
	sleep 0.$round
	kill_it
	wait_for 60 start || not_ok "tee-supplicant does not start, $round"
done
wait "$changes"
check "the changes came to an end" test -e "$work/all"
check "some were made" test -s "$work/made"
if [ -s "$work/failed" ]; then
	check "those that failed say why" sh -c '! grep -v -E "tee-supplicant|not known" "$0"' "$work/failed"
fi
keyward key list --names >"$work/now"
for name in $(cat "$work/made"); do
	grep -qx "$name" "$work/now" || not_ok "$name was acknowledged and is not there"
done
for name in $(grep '^supplicant-' "$work/now"); do
	keyward key delete "$name" --yes >/dev/null 2>&1 || not_ok "$name cannot be deleted"
done
check "all is as before" as_before
finish
