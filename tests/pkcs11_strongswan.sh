#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# strongSwan's pki with keys in the TEE: requests, certificates, a CA.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pkcs11_steps.sh"
scenario pkcs11-strongswan pkcs11-tool pki openssl
[ -e /usr/lib/ipsec/plugins/libstrongswan-pkcs11.so ] ||
	skip_all "pkcs11-strongswan: libstrongswan-extra-plugins is not installed"
pkcs11_start
make_key ec 01 EC:prime256v1
make_key rsa 02 rsa:2048
cat >"$work/strongswan.conf" <<-CONF
	libstrongswan {
		plugins {
			pkcs11 {
				modules {
					keyward {
						path = $module
					}
				}
			}
		}
	}
CONF
export STRONGSWAN_CONF=$work/strongswan.conf
# It always asks for a PIN; without a terminal, on standard input. The token does not look at it.
pki_tool() { echo 0000 | setsid -w pki "$@" --outform pem; }
# pki_to FILE COMMAND…
pki_to()
{
	pki_tool "${@:2}" >"$work/$1" 2>"$work/pki.log" || {
		cat "$work/pki.log"
		return 1
	}
}
for key in 01:ec 02:rsa; do
	name=${key#*:} id=${key%:*}
	check "pki makes a request with the $name key" used $name pki_to $name.csr --req --keyid $id --dn "CN=$name" --san "$name.test"
	check "OpenSSL verifies it" openssl req -in "$work/$name.csr" -noout -verify
	check "pki makes a CA with the $name key" used $name pki_to $name.ca --self --ca --keyid $id --dn "CN=$name CA"
	check "OpenSSL verifies it" openssl verify -CAfile "$work/$name.ca" -check_ss_sig "$work/$name.ca"
	check "which signs a request" used $name pki_to issued.pem --issue --in "$work/ec.csr" --type pkcs10 --cacert "$work/$name.ca" --cakeyid $id
	check "OpenSSL verifies that" openssl verify -CAfile "$work/$name.ca" "$work/issued.pem"
done
refuse "a key that is not there" "failed" pki_tool --req --keyid 77 --dn CN=none
finish
