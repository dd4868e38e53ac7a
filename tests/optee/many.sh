#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Many stored keys: each is found and signs, and neither reads the storage. bench/optee/many.sh measures it with 1,000.
. "${0%/*}/lib"
export KEYWARD_TEE=optee
keys=60
# How often tee-supplicant has read a file: OP-TEE's storage has no other way to one.
reads() { sed -n 's/^syscr: //p' "/proc/$(pidof tee-supplicant)/io"; }

before=$(reads)
check "$keys keys are stored" "$tests/scale" fill 0 $keys
check "which reads files: what counts them works" test "$(reads)" -gt "$before"
check "each is found once" "$tests/scale" find $keys $keys
before=$(reads)
check "each is found again, by name and by id" "$tests/scale" find $keys $keys
check "and signs" "$tests/scale" sign 0 $keys 1
equal "without that a file is read" "$before" "$(reads)"
check "status tells the secure memory in use" sh -c 'keyward status | grep -E "^Memory +[0-9]+ KiB in use, of [0-9]+ KiB"'
for n in $(seq 0 $((keys - 1))); do
	keyward key delete "$(printf 'key%08u' "$n")" --yes >/dev/null || not_ok "key $n is deleted"
done

# Many keys open at once, from files: 3,000 once left gaps in the heap that no command's buffers fitted in.
check "3,000 sealed keys are made and used in turn" "$tests/scale" sealed 3000 1 $$
check "a key is still made" keyward key generate many-still
check "and shown" keyward key show many-still
check "and deleted" keyward key delete many-still --yes
finish
