#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Two users of OP-TEE: neither can use, see or change the other's keys; whom the owner allows can use one.
. "${0%/*}/lib"

export KEYWARD_TEE=optee
signs_as()
{
	as "$1" sh -c 'KEYWARD_TEE=optee exec openssl dgst -provider keyward -provider default -sha256 -sign "$0" -out "$1" "$2"' \
		"$2" "$work/$1/signature" "$work/message"
}
refusals() { keyward key show users-shared --json | sed -n 's/.*"refusals": \([0-9]*\).*/\1/p'; }

for user in alice bob; do
	mkdir "$work/$user"
	chown "$user" "$work/$user"
done
echo "a message" >"$work/message"
check "root makes a key that alice may use" keyward key generate users-shared --purpose sign --allow user:alice
check "its file is written" keyward key pem users-shared -o "$work/shared.pem"
chmod 644 "$work/shared.pem"
keyward key show users-shared --pubkey >"$work/shared.pub"
equal "the access list has her name" 1 "$(keyward key show users-shared | grep -c '^Allowed *user:alice')"
check "alice signs with it" signs_as alice "$work/shared.pem"
check "and the signature is good" \
	openssl dgst -sha256 -verify "$work/shared.pub" -signature "$work/alice/signature" "$work/message"

before=$(refusals)
refuse "bob is refused" "user bob \(uid 1002\) may not use the key 'users-shared'.*keyward --tee optee key allow users-shared user:bob" \
	signs_as bob "$work/shared.pem"
check "and nothing is written for him" test ! -s "$work/bob/signature"
check "the refusal is counted" test "$(refusals)" -gt "$before"
refuse "bob may not see it" "may not see the key" as bob keyward key show users-shared
equal "nor is it in his list" "" "$(as bob keyward key list --names 2>/dev/null)"
refuse "bob may not allow himself" "may not change the key" as bob keyward key allow users-shared user:bob
refuse "nor delete it" "may not (see|change) the key" as bob keyward key delete users-shared --yes
refuse "alice may use it but not delete it" "may not change the key" as alice keyward key delete users-shared --yes
refuse "neither makes keys" "may not create keys in OP-TEE" as alice keyward key generate users-alice

check "bob is allowed" keyward key allow users-shared user:bob
check "and signs" signs_as bob "$work/shared.pem"
check "alice is denied" keyward key deny users-shared user:alice
refuse "and refused from then on" "may not use the key" signs_as alice "$work/shared.pem"

# A sealed key is a file that anybody may have.
check "a sealed key that alice may use" \
	keyward key seal --type ec-p256 --purpose sign --allow user:alice -o "$work/sealed.pem"
chmod 644 "$work/sealed.pem"
check "alice signs with it" signs_as alice "$work/sealed.pem"
refuse "bob does not" "may not use the key" signs_as bob "$work/sealed.pem"

# OP-TEE is told one user and no groups: nobody gets in by mistake, and the owner is told.
check "a group on the list is said to be without effect" \
	sh -c 'keyward key allow users-shared group:alice 2>&1 | grep -q "OP-TEE is told who the user is"'
refuse "and has none" "may not use the key" signs_as alice "$work/shared.pem"
check "the key is deleted" keyward key delete users-shared --yes
refuse "its file is of no use then" "is not in OP-TEE" signs_as bob "$work/shared.pem"
finish
