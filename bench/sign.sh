#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Starts a TEE with a key of each type for bench/run, which measures.
. "$(dirname "$0")/../tests/lib.sh"
scenario bench-sign python3 openssl
make_ca
tee_start || {
	show_file "$work/tee.log"
	exit 1
}
for type in ec-p256 rsa-2048 rsa-4096 ed25519; do
	file_key "$type" "$type"
	# SoftHSM2 and Keyward get the very key that libcrypto uses.
	keyward key import "$type" "$work/$type.file.key" --purpose tls-server >/dev/null &&
		keyward key pem "$type" -o "$work/$type.key" >/dev/null || exit 1
	# PKCS #11 callers sign digests, which a TLS key does not.
	keyward key generate "p11-$type" --type "$type" --purpose sign >/dev/null || exit 1
done
"$top/bench/run" "$@" --build "$KW_BUILD" --sign-in "$work"
