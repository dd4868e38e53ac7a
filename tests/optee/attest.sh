#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Statements of the Trusted Application about keys; the verifier needs no TEE. This board's hardware unique key is zero.
. "${0%/*}/lib"
export KEYWARD_TEE=optee
cd "$work" || exit 1
verify() { KEYWARD_TEE=host keyward attest verify "$@"; }
field() { sed -n "s/.*\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" | head -n 1; }

keyward attest key -o device.pem 2>warning
check "the device's key is written" grep -q 'BEGIN PUBLIC KEY' device.pem
check "with a warning, for everybody can compute it here" grep -q 'do not trust this key' warning
equal "it is the same each time" "$(cat device.pem)" "$(keyward attest key 2>/dev/null)"
challenge=$(openssl rand -hex 32)
for type in ec-p256 ed25519 rsa-2048; do
	keyward key generate "attest-$type" --type "$type" --purpose sign,csr >/dev/null
	keyward key show "attest-$type" --pubkey >"$type.pub"
	check "a statement about a key of $type" keyward key attest "attest-$type" --challenge "$challenge" -o "$type.cbor"
	refuse "is refused, for it proves nothing" "hardware unique key is zero" \
		verify "$type.cbor" --device-key device.pem --challenge "$challenge" --key "$type.pub"
	check "and is genuine but for that" verify "$type.cbor" --device-key device.pem --challenge "$challenge" --key "$type.pub" \
		--require generated,kept --trial
done
verify ec-p256.cbor --device-key device.pem --trial >page
check "the page says OP-TEE and its version" grep -q '^TEE  *OP-TEE, version .* in OP-TEE .*4\.' page
check "and that it is worth nothing" grep -q '^WORTH NOTHING' page
verify ec-p256.cbor --device-key device.pem --trial --json >page.json
equal "JSON: the kind of TEE" optee "$(field kind <page.json)"
equal "JSON: the device's secret" absent "$(field device-secret <page.json)"
equal "JSON: the secure world" present "$(field secure-world <page.json)"
refuse "another key" "another key" verify ec-p256.cbor --device-key device.pem --key rsa-2048.pub --trial
refuse "another challenge" "another challenge" verify ec-p256.cbor --device-key device.pem --challenge "${challenge}00" --trial
refuse "another device" "not the key of a device|another device" verify ec-p256.cbor --device-key ed25519.pub --trial
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out plain.pem 2>/dev/null
keyward key import attest-imported plain.pem --purpose sign >/dev/null 2>&1
keyward key attest attest-imported -o imported.cbor
equal "an imported key says so" imported "$(verify imported.cbor --device-key device.pem --trial --json | field origin)"
keyward key seal --type ec-p384 --purpose sign -o sealed.pem >/dev/null
keyward key attest sealed.pem -o sealed.cbor
equal "a sealed key says so" true "$(verify sealed.cbor --device-key device.pem --trial --json | field sealed)"
refuse "somebody who may not see a key" "alice .* may not use the key" as alice env KEYWARD_TEE=optee keyward key attest attest-imported
for name in $(keyward key list --names | grep '^attest-'); do
	check "delete $name" keyward key delete "$name" --yes
done
finish
