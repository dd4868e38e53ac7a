#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The PKCS #11 module in the hands of hostile and careless programs, and between users who do not trust each other.
. "$(dirname "$0")/lib.sh"
scenario pkcs11-hostile pkcs11-tool
. "$(dirname "$0")/pkcs11_steps.sh"
# nobody makes no keys
tee_args=(--creator user:games --creator user:man)
pkcs11_start

# Memory that was freed is not what it was.
export MALLOC_PERTURB_=165
check "threads, children and wrong calls leave the module whole" "$KW_BUILD/tests/pkcs11_hostile" "$module"
unset MALLOC_PERTURB_

# --- Users who do not trust each other ---

install -m 755 "$KW_BUILD/tests/pkcs11_hostile" "$work"
by() { as "$1" pkcs11-tool --module "$module" "${@:2}"; }

# What games shares under the label and id of man's key
check "a user has a key" by man --keypairgen --key-type EC:prime256v1 --label mine --id 01
check "another one makes a key with the same id" by games --keypairgen --key-type rsa:2048 --label theirs --id 01
shared=$(as games keyward key list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])')
check "and lets the first one use it" as games keyward key allow "$shared" user:man
echo "some data" >"$work/data"
check "who signs with his own all the same" by man --sign --id 01 --mechanism ECDSA-SHA256 --input-file "$work/data" --output-file /dev/null

# A key whose value may be read, by those who can wrap it
check "a key that may leave" by games --keygen --key-type AES:16 --label leaves --id 02 --extractable
check "is shown to who may use it" as games keyward key allow leaves user:nobody
check "who searches for its value, and finds nothing" as nobody "$work/pkcs11_hostile" "$module" by-value
finish
