# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the scenarios of programs with the PKCS #11 module share.

# pkcs11_start: finds the module of the staged product ($module), and starts a TEE.
pkcs11_start()
{
	module=$(find "$KW_STAGE" -name keyward-pkcs11.so -print -quit)
	[ -n "$module" ] || skip_all "$name: the module was not built: libp11-kit-dev is missing"
	# libp11 looks here.
	export PKCS11_MODULE_PATH=$module
	tee_start || not_ok "the TEE starts"
}

tool() { pkcs11-tool --module "$module" "$@"; }

# make_key LABEL ID TYPE [ARGUMENT…]: a key pair, by PKCS #11; its public key is $work/LABEL.pub. (pkcs11-tool writes no SubjectPublicKeyInfo
# of an Ed25519 key.)
make_key()
{
	tool --keypairgen --label "$1" --id "$2" --key-type "${@:3}" >"$work/make.log" 2>&1 && [ "$3" = EC:edwards25519 ] && return
	tool --read-object --type pubkey --id "$2" --output-file "$work/$1.der" >>"$work/make.log" 2>&1 &&
		openssl pkey -pubin -inform DER -in "$work/$1.der" -out "$work/$1.pub" && return
	show_file "$work/make.log"
	not_ok "a key $3 is made"
}

# certificate_for LABEL [SUBJECT]: $work/LABEL.pem, by the test CA, over the public key of make_key.
certificate_for()
{
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/other.key" -subj "${2:-/CN=$1}" \
		-addext "subjectAltName=DNS:$1" -out "$work/$1.csr" 2>/dev/null &&
		openssl x509 -req -in "$work/$1.csr" -force_pubkey "$work/$1.pub" -CA "$work/ca.pem" -CAkey "$work/ca.key" \
			-CAcreateserial -days 30 -copy_extensions copy -out "$work/$1.pem" 2>/dev/null
}

# used KEY COMMAND…: the command succeeds, and the TEE has signed with this key meanwhile.
signatures() { keyward key show "$1" | sed -n 's/^Signatures  *\([0-9]*\).*/\1/p'; }
used()
{
	local key=$1 before after
	before=$(signatures "$key")
	shift
	"$@" || return
	after=$(signatures "$key")
	[ "$after" -gt "$before" ] && return
	echo "the TEE signed nothing with $key: $before signatures before, $after after"
	return 1
}

# libp11_engine: OpenSSL's ENGINE `pkcs11`, told which module by its environment.
libp11_engine()
{
	local engines
	engines=$(openssl version -e | sed 's/.*"\(.*\)"/\1/')
	[ -e "$engines/pkcs11.so" ] || skip_all "$name: libengine-pkcs11-openssl is not installed"
}

# said SENTENCE PATTERN: by the command of the last check
said()
{
	if grep -Eq -- "$2" "$work/check.out"; then
		ok "$1"
	else
		not_ok "$1: nothing says $2"
		show_file "$work/check.out"
	fi
}
