#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Java's SunPKCS11 with keys in the TEE: a keystore in which keytool makes keys, requests and certificates.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pkcs11_steps.sh"
scenario pkcs11-java pkcs11-tool keytool openssl
pkcs11_start
make_ca
# Without the attributes, Java makes keys for its session and asks later for copies of them on the token.
cat >"$work/java.cfg" <<-CONF
	name = Keyward
	library = $module
	slot = 0
	attributes(generate, CKO_PRIVATE_KEY, *) = {
	  CKA_TOKEN = true
	}
	attributes(generate, CKO_PUBLIC_KEY, *) = {
	  CKA_TOKEN = true
	}
CONF
keystore()
{
	timeout 60 keytool -keystore NONE -storetype PKCS11 -addprovider SunPKCS11 -providerArg "$work/java.cfg" \
		-providerName SunPKCS11-Keyward -storepass 0000 "$@" </dev/null
}
# keystore_to FILE ARGUMENT…
keystore_to() { keystore "${@:2}" >"$work/$1"; }
made() { keyward key list | grep -c "^id:[0-9a-f]* *$1 "; }
check "keytool makes an EC key with a certificate" keystore -genkeypair -alias java -keyalg EC -groupname secp256r1 -dname CN=java
check "and an RSA key" keystore -genkeypair -alias jrsa -keyalg RSA -keysize 2048 -dname CN=jrsa
check "keytool lists the keystore" keystore -list
said "with the one" '^java, PrivateKeyEntry'
said "and the other" '^jrsa, PrivateKeyEntry'
equal "both were made in the TEE" "1 1" "$(made ec-p256) $(made rsa-2048)"
check "none was brought from outside" sh -c '! pkcs11-tool --module "$1" -O --type privkey | grep Access: | grep -v "never extractable, local"' sh "$module"
check "keytool makes a request with the RSA key" keystore_to jrsa.csr -certreq -alias jrsa
check "OpenSSL verifies it" openssl req -in "$work/jrsa.csr" -noout -verify
check "keytool gives the certificate out" keystore_to java.pem -exportcert -rfc -alias java
check "OpenSSL verifies it" openssl verify -CAfile "$work/java.pem" -check_ss_sig "$work/java.pem"
sign_request "$work/jrsa.csr" "$work/jrsa.pem"
cat "$work/ca.pem" >>"$work/jrsa.pem"
check "keytool takes the CA's certificate for it" keystore -importcert -noprompt -alias jrsa -file "$work/jrsa.pem"
check "another program finds it beside the key" pkcs11-tool --module "$module" --read-object --type cert --id 6a727361 -o "$work/found.der"
check "as it was issued" cmp "$work/found.der" <(openssl x509 -in "$work/jrsa.pem" -outform DER)
check "keytool deletes a key" keystore -delete -alias java
equal "the TEE has it no more" 0 "$(made ec-p256)"
finish
