#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Programs and a token with a PIN: each gives the PIN as it does with any other, and none gets a signature without.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pkcs11_steps.sh"
scenario pkcs11-pins pkcs11-tool openssl ssh-agent ssh-add ssh-keygen p11tool certtool curl certutil modutil rauc pki keytool nginx
libp11_engine
pkcs11_start
make_ca
pin=471147 so=87654321
tool --slot 1 --init-token --label vault --so-pin $so >"$work/init.log" 2>&1 &&
	tool --slot 1 --login --login-type so --so-pin $so --init-pin --pin $pin >>"$work/init.log" 2>&1 || show_file "$work/init.log"
echo $pin >"$work/pin"
at() { tool --slot 1 --login --pin $pin "$@"; }
for key in ec:01:EC:prime256v1 rsa:02:rsa:2048; do
	IFS=: read -r label id type <<<"$key"
	check "a key $type is made on the token" at --keypairgen --label $label --id $id --key-type "$type"
	at --read-object --type pubkey --id $id --output-file "$work/$label.der" >/dev/null 2>&1
	openssl pkey -pubin -inform DER -in "$work/$label.der" -out "$work/$label.pub"
	certificate_for $label
done
[ "$failed" -eq 0 ] || finish
address() { echo "pkcs11:token=vault;object=$1;type=private"; }

# --- Each with the PIN, and with a wrong one ---

# with_pin SENTENCE KEY PATTERN COMMAND…: the command, given a PIN as its last argument
with_pin()
{
	check "$1" used "$2" "${@:4}" $pin
	refuse "and with a wrong PIN does not" "$3" "${@:4}" 000000
	# The right one in between: wrong ones in a row lock the token.
	at -O >/dev/null 2>&1
}
export SSH_AUTH_SOCK=$work/agent.sock SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force
printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$LD_LIBRARY_PATH" /usr/lib/openssh/ssh-pkcs11-helper >"$work/helper"
chmod 755 "$work/helper"
agent_signs()
{
	local result
	printf '#!/bin/sh\necho %s\n' "$1" >"$SSH_ASKPASS"
	chmod 755 "$SSH_ASKPASS"
	ssh-add -s "$module" && ssh-add -L | grep ' rsa$' >"$work/rsa.ssh" && rm -f "$work/init.log.sig" &&
		ssh-keygen -q -Y sign -f "$work/rsa.ssh" -n test "$work/init.log"
	result=$?
	ssh-add -e "$module" >/dev/null 2>&1
	return $result
}
SSH_PKCS11_HELPER=$work/helper spawn "$work/agent.log" ssh-agent -D -a "$SSH_AUTH_SOCK" -P "$module"
wait_for 10 test -S "$SSH_AUTH_SOCK"
with_pin "ssh-agent asks for it and signs" rsa "agent refused|Could not add|not found|failed" agent_signs

gnutls_signs()
{
	printf 'cn = ec\n' >"$work/template"
	GNUTLS_PIN=$1 certtool --provider "$module" --generate-request --load-privkey "$(address ec)" --template "$work/template" \
		--load-pubkey "$(address ec | sed s/private/public/)" --outfile "$work/gnutls.csr" </dev/null
}
with_pin "certtool takes it from the environment and signs" ec "PIN|PKCS" gnutls_signs

engine_signs()
{
	openssl dgst -sha256 -engine pkcs11 -keyform engine -sign "$(address rsa);pin-value=$1" -out "$work/sig" "$work/init.log" </dev/null
}
with_pin "OpenSSL's ENGINE takes it from the address and signs" rsa "Login failed|PIN|not found|Could not" engine_signs

mkdir "$work/db"
certutil -N -d "sql:$work/db" --empty-password
modutil -force -dbdir "sql:$work/db" -add Keyward -libfile "$module" >/dev/null 2>&1
nss_signs()
{
	echo "$1" >"$work/nss.pin"
	certutil -R -d "sql:$work/db" -h vault -f "$work/nss.pin" -k 01 -s CN=ec -a -o "$work/nss.csr"
}
with_pin "certutil takes it from a file and signs" ec "password|PIN" nss_signs

mkdir "$work/content"
head -c 5000 /dev/urandom >"$work/content/rootfs.img"
printf '%s\n' '[update]' compatible=test version=1 '[bundle]' format=verity '[image.rootfs]' filename=rootfs.img >"$work/content/manifest.raucm"
rauc_signs()
{
	rm -f "$work/update.raucb"
	RAUC_PKCS11_MODULE=$module RAUC_PKCS11_PIN=$1 rauc bundle --cert="$work/rsa.pem" --key="$(address rsa)" \
		--keyring="$work/ca.pem" "$work/content" "$work/update.raucb"
}
with_pin "RAUC takes it from the environment and signs" rsa "failed|error" rauc_signs

printf 'libstrongswan {\nplugins {\npkcs11 {\nmodules {\nkeyward {\npath = %s\n}\n}\n}\n}\n}\n' "$module" >"$work/strongswan.conf"
pki_signs() { echo "$1" | STRONGSWAN_CONF=$work/strongswan.conf setsid -w pki --req --keyid 02 --dn CN=rsa --outform pem; }
with_pin "pki asks for it and signs" rsa "login|failed" pki_signs

printf 'name = Keyward\nlibrary = %s\nslot = 1\n' "$module" >"$work/java.cfg"
openssl x509 -in "$work/ec.pem" -outform DER -out "$work/ec.cert"
at --write-object "$work/ec.cert" --type cert --id 01 --label ec >/dev/null 2>&1
java_signs()
{
	timeout 60 keytool -keystore NONE -storetype PKCS11 -addprovider SunPKCS11 -providerArg "$work/java.cfg" -certreq -alias ec -storepass "$1" </dev/null
}
with_pin "keytool takes it as the store's password and signs" ec "PIN_INCORRECT|error" java_signs

# --- nginx: the master logs in, and each of its children for itself ---

read -r port_ec port_rsa <<<"$(free_ports 2)"
mkdir "$work/nginx"
cat >"$work/engine.cnf" <<-CNF
	openssl_conf = init
	[init]
	engines = engines
	[engines]
	pkcs11 = pkcs11_engine
	[pkcs11_engine]
	engine_id = pkcs11
	MODULE_PATH = $module
	PIN = $pin
	init = 0
CNF
cat >"$work/nginx.conf" <<-CONF
	user root;
	daemon off;
	worker_processes 2;
	env KEYWARD_SOCKET;
	pid $work/nginx/pid;
	ssl_engine pkcs11;
	events { worker_connections 64; }
	http {
		access_log off;
		client_body_temp_path $work/nginx/body;
		proxy_temp_path $work/nginx/proxy;
		fastcgi_temp_path $work/nginx/fastcgi;
		uwsgi_temp_path $work/nginx/uwsgi;
		scgi_temp_path $work/nginx/scgi;
		ssl_session_cache off;
		ssl_protocols TLSv1.2 TLSv1.3;
		server {
			listen 127.0.0.1:$port_ec ssl;
			ssl_certificate $work/ec.pem;
			ssl_certificate_key "engine:pkcs11:$(address ec)";
		}
		server {
			listen 127.0.0.1:$port_rsa ssl;
			ssl_certificate $work/rsa.pem;
			ssl_certificate_key "engine:pkcs11:$(address rsa)";
		}
	}
CONF
OPENSSL_CONF=$work/engine.cnf spawn "$work/nginx.log" nginx -c "$work/nginx.conf" -e "$work/nginx.log"
nginx_pid=$spawned
check "nginx starts with keys of the token" wait_for_port "$port_rsa"
for version in 1.2 1.3; do
	check "nginx signs with the EC key, TLS $version" used ec handshake "$port_ec" ec $version
	check "nginx signs with the RSA key, TLS $version" used rsa handshake "$port_rsa" rsa $version
done
# The login ends with the TEE. New workers log in anew.
tee_restart
kill -HUP "$nginx_pid"
check "and after a restart of the TEE and a reload" used ec wait_for 20 handshake "$port_ec" ec 1.3
[ "$failed" -eq 0 ] || show_file "$work/nginx.log"
finish
