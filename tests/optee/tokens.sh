#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Tokens with PINs in the Trusted Application, with real pkcs11-tool: made, used, guessed at, and unlocked, also after the
# board's tee-supplicant was killed.
. "${0%/*}/lib"
export KEYWARD_TEE=optee
module=$(find /usr/lib -name keyward-pkcs11.so | head -n 1)
tool() { pkcs11-tool --module "$module" --slot 1 "$@"; }
says() { grep -qE -- "$1" "$work/out"; }

check "a token is made" tool --init-token --label board --so-pin 87654321
check "the security officer sets the PIN" tool --login --login-type so --so-pin 87654321 --init-pin --pin 4711
check "a key is made" tool --login --pin 4711 --keypairgen --key-type EC:prime256v1 --label k --id 01
echo data >"$work/data"
check "it signs" tool --login --pin 4711 --sign --id 01 --mechanism ECDSA-SHA256 --input-file "$work/data" --output-file "$work/sig"
refuse "not without the PIN" . tool --sign --id 01 --mechanism ECDSA-SHA256 --input-file "$work/data" --output-file "$work/sig"
for i in 1 2 3 4 5 6 7 8 9 10; do
	tool --login --pin "wrong $i" -O >/dev/null 2>&1 && not_ok "a wrong PIN logs in"
done
refuse "after ten wrong ones the right one is refused" PIN_LOCKED tool --login --pin 4711 -O
keyward token list >"$work/out"
check "keyward says that it is locked" says '^1 +board .* locked '
check "the security officer unlocks it" tool --login --login-type so --so-pin 87654321 --init-pin --pin 0815
check "and the key signs" tool --login --pin 0815 --sign --id 01 --mechanism ECDSA-SHA256 --input-file "$work/data" --output-file "$work/sig"
check "the token is deleted" keyward token delete 1 --yes
equal "with its key" "" "$(keyward key list --names 2>/dev/null)"
finish
