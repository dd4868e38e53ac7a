#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Many keys: 10,000 stored ones, 100,000 sealed files. usage: bench/scale.sh [--short]
. "$(dirname "$0")/../tests/lib.sh"
scenario bench-scale python3
sizes='1 10 1000 10000' last=10000 files=100000 seconds=2 rounds=5
[ "${1:-}" != --short ] || { sizes='1 10 200' last=200 files=2000 seconds=0.2 rounds=1; }
scale=$KW_BUILD/bench/scale
run() { "$scale" "$@" || exit 1; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$tee_pid/status"; }
tee_start || {
	show_file "$work/tee.log"
	exit 1
}

echo
echo "## Many stored keys (EC P-256)"
echo
echo "| keys | start until it answers, ms | resident MiB | lookup by name µs | by id µs | signatures a second, one key | all in turn |"
echo "|---|---|---|---|---|---|---|"
missed=0 have=0
one=0
for size in $sizes; do
	run fill "$have" "$size"
	have=$size
	starts='' ones='' alls=''
	for ((i = 0; i < rounds; i++)); do
		tee_stop
		begin=$(date +%s%N)
		# As tee_start, but without the wait of its polling.
		spawn "$work/tee.log" setpriv --reuid "$tee_user" --regid "$(id -g "$tee_user")" --clear-groups -- "$kw_teed" \
			--store "$work/tee/store" --socket "$KEYWARD_SOCKET"
		tee_pid=$spawned
		run ready
		starts+="$((($(date +%s%N) - begin) / 1000000)) "
	done
	read -r by_name by_id <<<"$(run find 2000 "$size")"
	for ((i = 0; i < rounds; i++)); do
		ones+="$(run sign 0 1 "$seconds") "
		alls+="$(run sign 0 "$size" "$seconds") "
	done
	start=$(tr ' ' '\n' <<<"$starts" | grep . | median)
	one=$(tr ' ' '\n' <<<"$ones" | grep . | median)
	all=$(tr ' ' '\n' <<<"$alls" | grep . | median)
	[ -n "${first_lookup:-}" ] || first_lookup=$by_name
	kib=$(resident)
	echo "| $size | $start | $(awk "BEGIN { printf \"%.1f\", $kib / 1024 }") | $by_name | $by_id | $one | $all |"
done

# The same beside a second TEE that has one key only, in turn.
many=$KEYWARD_SOCKET
install -d -o "$tee_user" -g "$(id -g "$tee_user")" -m 755 "$work/few"
spawn "$work/few.log" setpriv --reuid "$tee_user" --regid "$(id -g "$tee_user")" --clear-groups -- "$kw_teed" \
	--store "$work/few/store" --socket "$work/few/tee.sock"
export KEYWARD_SOCKET=$work/few/tee.sock
run ready
run fill 0 1
few_ones='' many_ones='' many_alls=''
for ((i = 0; i < 2 * rounds; i++)); do
	KEYWARD_SOCKET=$work/few/tee.sock few_ones+="$(run sign 0 1 "$seconds") "
	KEYWARD_SOCKET=$many many_ones+="$(run sign 0 1 "$seconds") "
	KEYWARD_SOCKET=$many many_alls+="$(run sign 0 "$last" "$seconds") "
done
export KEYWARD_SOCKET=$many
few_one=$(tr ' ' '\n' <<<"$few_ones" | grep . | median)
many_one=$(tr ' ' '\n' <<<"$many_ones" | grep . | median)
many_all=$(tr ' ' '\n' <<<"$many_alls" | grep . | median)
echo
awk "BEGIN { printf \"Beside a TEE with one key: one of %d keys signs at %.2f of its rate (goal ≥ 0.95), all of them in turn at %.2f; a lookup by name takes %.2f of the time with one key.\\n\", $last, $many_one / $few_one, $many_all / $few_one, $by_name / $first_lookup }"
awk "BEGIN { exit !($start <= 1000 && $kib <= 40 * 1024 && $many_one >= 0.95 * $few_one) }" || missed=1
echo "Store: $(stat -c %s "$work/tee/store/log" 2>/dev/null || echo '?') bytes. Goals: start ≤ 1,000 ms, resident ≤ 40 MiB."

echo
echo "## $files sealed files used in turn, twice"
echo
run sealed "$files" 2 "$tee_pid" >"$work/sealed"
awk '$1 == "used" && !low { low = $3 } $1 == "used" { high = $3 > high ? $3 : high; end = $3 } $1 == "rate" { rates = rates " " $2 }
	END { printf "Resident memory of the TEE: %.1f MiB after the first tenth, %.1f MiB at most, %.1f MiB at the end. Signatures a second in each turn:%s.\n", low / 1024, high / 1024, end / 1024, rates }' "$work/sealed"
if [ "$missed" = 1 ] && [ "${1:-}" != --short ]; then
	echo "A goal is missed."
	exit 1
fi
