#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench/run goes through: every table has its figures. Whether they are good is for a quiet machine to say.
. "$(dirname "$0")/lib.sh"
scenario bench python3 nginx
[ -x "$KW_BUILD/bench/bench_sign" ] || skip_all "bench: not built"
export KW_STAGE
timeout 900 "$top/bench/run" --build "$KW_BUILD" --short >"$work/out" 2>&1
equal "bench/run --short ends with 0" 0 $?
for type in ec-p256 rsa-2048 rsa-4096 ed25519; do
	for processes in 1 2 8; do
		check "$type, $processes processes: figures of libcrypto, Keyward and SoftHSM2" \
			grep -E "^\| $type \| $processes \| [0-9,]+ \| [0-9,]+ \| [0-9.]+ \| .* \| [0-9,]+ \| [0-9.]+ \|$" "$work/out"
	done
done
for type in ec-p256 rsa-2048 rsa-4096 ed25519; do
	for threads in 1 2 8; do
		check "$type, $threads threads by PKCS #11: figures of SoftHSM2 and Keyward" \
			grep -E "^\| $type \| $threads \| [0-9,]+ \| [0-9,]+ \| [0-9.]+ \| (≥ [0-9.]+|–) \|$" "$work/out"
	done
done
check "nginx: figures with EC and RSA keys" sh -c 'test "$(grep -cE "^\| (ec-p256|rsa-2048) \| ratio \| [0-9.]+ " "$1")" = 2' sh "$work/out"
check "many keys: figures" grep -E '^\| 200 \| [0-9]+ \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \|$' "$work/out"
check "sealed files: figures" grep -E '^Resident memory of the TEE: [0-9.]+ MiB after' "$work/out"
[ "$failed" -eq 0 ] || show_file "$work/out" 60
finish
