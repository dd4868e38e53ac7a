#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# 1,000 keys stored in OP-TEE on the emulated board, beside one: how long the store takes to open after a boot, what a
# lookup by name reads of the storage, signatures, memory. Compare the ratios, not the times: see docs/PERFORMANCE.md.
# usage: bench/optee/many.sh [--short]        after tools/qemu/build
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
keys=1000 seconds=5 rounds=5
[ "${1:-}" != --short ] || { keys=100 seconds=1 rounds=1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/keyward-many.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/share"
cat >"$work/share/measure" <<'END'
export KEYWARD_TEE=optee
have=$1 keys=$2 seconds=$3 rounds=$4
scale=/usr/libexec/keyward-tests/scale
# In hundredths of a second, which is what the kernel tells.
now() { sed 's/\.//; s/ .*//' /proc/uptime; }
# How often tee-supplicant has read a file: OP-TEE's storage has no other way to one.
reads() { sed -n 's/^syscr: //p' "/proc/$(pidof tee-supplicant)/io"; }
begin=$(now)
"$scale" ready || exit 1
echo "open $(($(now) - begin)) $(reads)"
begin=$(now)
"$scale" fill "$have" "$keys" || exit 1
echo "fill $(($(now) - begin))"
# The first lookup of each may read its page; those after that are what is measured.
"$scale" find "$keys" "$keys" >/dev/null # all of them: 7919 is prime
i=0
while [ $i -lt "$rounds" ]; do
	before=$(reads)
	echo "find $("$scale" find 500 "$keys") $(($(reads) - before))"
	before=$(reads)
	echo "one $("$scale" sign 0 1 "$seconds") $(($(reads) - before))"
	[ "$keys" = 1 ] || echo "all $("$scale" sign 0 "$keys" "$seconds")"
	i=$((i + 1))
done
keyward status | sed -n 's/^Memory  */memory /p; s/^Keys  */stored /p'
END

# board HAVE KEYS: prints what was measured; there are HAVE keys before.
board()
{
	"$top/tools/qemu/run" --no-build --logs "$work/logs" --share "$work/share" --disk "$work/disk" \
		sh /share/measure "$1" "$2" "$seconds" "$rounds"
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# figure FILE WORD COLUMN
figure() { awk -v word="$2" -v column="$3" '$1 == word { print $column }' "$1" | median; }

board 0 1 >"$work/few" && board 1 "$keys" >"$work/filled" && board "$keys" "$keys" >"$work/many" || exit 1
echo "| keys | until the store answers, after a boot, ms | lookup by name, µs | by id, µs | times a file was read until then | by 1,000 lookups | signatures a second, one key | all in turn | times a file was read meanwhile |"
echo "|---|---|---|---|---|---|---|---|---|"
for what in few many; do
	f=$work/$what
	echo "| $(sed -n 's/^stored \([0-9]*\).*/\1/p' "$f") | $(($(figure "$f" open 2) * 10)) | $(figure "$f" find 2) |" \
		"$(figure "$f" find 3) | $(figure "$f" open 3) | $(figure "$f" find 4) | $(figure "$f" one 2) | $(figure "$f" all 2) | $(figure "$f" one 3) |"
done
echo
echo "Storing $((keys - 1)) new keys took $(($(figure "$work/filled" fill 2) * 10 / (keys - 1))) ms each. Memory: $(sed -n 's/^memory //p' "$work/many")."
awk -v few="$(figure "$work/few" one 2)" -v many="$(figure "$work/many" one 2)" -v all="$(figure "$work/many" all 2)" \
	-v open="$(figure "$work/many" open 2)" 'BEGIN {
	printf "One of many signs at %.2f of the rate of one alone, all in turn at %.2f (two boots: what the machine does meanwhile counts).\n", many / few, all / few
	printf "Goal: open in 1,000 ms or less, which is %s.\n", open <= 100 ? "reached" : "missed" }'
