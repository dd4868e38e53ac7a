#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The PKCS #11 module with keys in OP-TEE: its answers to calls of every kind, and two processes with the same objects.
. "${0%/*}/lib"
export KEYWARD_TEE=optee
module=/usr/lib/aarch64-linux-gnu/pkcs11/keyward-pkcs11.so
said() { sed -n 's/^not ok/# not ok/p; /^#/p' "$work/check.out"; }

keyward key generate pkcs11-cli --type ec-p256 --purpose sign >/dev/null
check "a key of the command line is found, and signs" "$tests/bench_pkcs11" -t 1 0.1 "$module" 1234 pkcs11-cli ec
check "calls at any time, in any state, by threads and children" "$tests/pkcs11_states" "$module" 50
said
check "two processes make, find, use and destroy the same objects" "$tests/pkcs11_two_processes" "$module" 4 2 1
said
check "none of them is left" sh -c '! keyward key list | grep -q shared-'
keyward key delete pkcs11-cli --yes
finish
