#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# RAUC with keys in the TEE: bundles are signed with the module, and encrypted ones opened.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pkcs11_steps.sh"
scenario pkcs11-rauc pkcs11-tool rauc mksquashfs openssl
libp11_engine
pkcs11_start
make_ca
make_key ec 01 EC:prime256v1
make_key rsa 02 rsa:3072
make_key device-rsa 03 rsa:2048 --usage-decrypt
make_key device-ec 04 EC:prime256v1 --usage-derive
for key in ec rsa device-rsa device-ec; do
	certificate_for $key
done
mkdir "$work/content"
head -c 100000 /dev/urandom >"$work/content/rootfs.img"
address() { echo "pkcs11:token=Keyward;object=$1;type=private"; }
# By RAUC's own environment, and no other.
unset PKCS11_MODULE_PATH
export RAUC_PKCS11_MODULE=$module

# manifest FORMAT
manifest()
{
	printf '%s\n' '[update]' compatible=test version=1 '[bundle]' "format=$1" '[image.rootfs]' filename=rootfs.img \
		>"$work/content/manifest.raucm"
}
bundle() { rauc bundle --cert="$work/$1.pem" --key="$(address "$1")" --keyring="$work/ca.pem" "$work/content" "$2"; }
manifest verity
for key in ec rsa; do
	check "RAUC signs a bundle with the $key key" used $key bundle $key "$work/$key.raucb"
	check "RAUC accepts it without any module" env -u RAUC_PKCS11_MODULE rauc info --keyring="$work/ca.pem" "$work/$key.raucb"
	said "signed by that key" "CN = $key"
done
check "RAUC signs a bundle again with another key" used ec rauc resign --cert="$work/ec.pem" --key="$(address ec)" \
	--keyring="$work/ca.pem" --signing-keyring="$work/ca.pem" "$work/rsa.raucb" "$work/again.raucb"
refuse "a certificate of another key makes no bundle" "failed|mismatch" rauc bundle --cert="$work/rsa.pem" --key="$(address ec)" \
	"$work/content" "$work/wrong.raucb"
check "and leaves none" test ! -e "$work/wrong.raucb"

# --- Encrypted bundles: their manifest is a CMS for the device at the end of the file, before 8 bytes with its length ---

manifest crypt
check "RAUC makes and signs a bundle to encrypt" used ec bundle ec "$work/crypt.raucb"
# envelope NAME: of $work/NAME.raucb
envelope()
{
	python3 - "$work/$1.raucb" "$work/$1.cms" <<'PY'
import sys
data = open(sys.argv[1], "rb").read()
length = int.from_bytes(data[-8:], "big")
open(sys.argv[2], "wb").write(data[-8 - length:-8])
PY
}
# open_manifest NAME KEY: as RAUC does where its configuration takes addresses of PKCS #11: CMS_decrypt with the ENGINE's key
open_manifest()
{
	envelope "$1"
	PKCS11_MODULE_PATH=$module openssl cms -decrypt -inform DER -in "$work/$1.cms" -engine pkcs11 -keyform engine \
		-inkey "$(address "$2")" -recip "$work/$2.pem" -out "$work/$1.signed" &&
		openssl cms -verify -inform DER -in "$work/$1.signed" -CAfile "$work/ca.pem" -purpose any -out "$work/$1.manifest" &&
		grep -q '^crypt-key=' "$work/$1.manifest"
}
for type in rsa ec; do
	check "RAUC encrypts a bundle for the $type key of a device" rauc encrypt --to="$work/device-$type.pem" --keyring="$work/ca.pem" \
		"$work/crypt.raucb" "$work/for-$type.raucb"
	check "its manifest is opened with the key in the TEE" open_manifest for-$type device-$type
done
refuse "and not with another" "Error decrypting|failure" open_manifest for-rsa rsa

# RAUC 1.8 takes addresses for signing only; for opening, a file. The key's file for the OpenSSL provider is one.
keyward key pem device-rsa -o "$work/device.key" >/dev/null
printf '%s\n' '[system]' compatible=test bootloader=noop '[keyring]' path=ca.pem '[encryption]' key=device.key cert=device-rsa.pem >"$work/system.conf"
info() { OPENSSL_CONF=$kw_conf rauc -c "$work/system.conf" info "$work/for-rsa.raucb"; }
check "RAUC opens it itself by the OpenSSL provider" info
said "and shows the manifest" "Compatible:.*'test'"
finish
