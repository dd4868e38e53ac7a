#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The board itself, before Keyward: OP-TEE runs, its storage works, and only those can reach it who should.
. "${0%/*}/lib"

# OP-TEE's own PKCS #11, which keeps what it has in OP-TEE's storage. It has no key; to say so it has to be asked.
pkcs11="$tests/bench_pkcs11 1 1 libckteec.so 1234 none ec"
linux_found_optee() { dmesg | grep -q 'optee: initialized driver'; }

check "Linux found OP-TEE" linux_found_optee
equal "the device belongs to the group of its clients" "root teeclnt 660" "$(stat -c '%U %G %a' /dev/tee0)"
equal "the device of tee-supplicant belongs to root alone" "root root 600" "$(stat -c '%U %G %a' /dev/teepriv0)"
check "tee-supplicant runs" pidof tee-supplicant
refuse "a Trusted Application answers root" "no key 'none' in any token" $pkcs11
refuse "and a user of the group" "no key 'none' in any token" as alice $pkcs11
refuse "but no other user" "user nobody .* may not use /dev/tee0" as nobody keyward --tee optee status
check "its storage is where tee-supplicant keeps it" test -s /var/lib/optee-client/data/tee/dirf.db
check "alice's folder is her own" as alice touch /home/alice/file
refuse "and not bob's" "Permission denied" as bob touch /home/alice/other
check "the network's loopback is up" ping -c 1 127.0.0.1
check "the folder shared with the host can be written" sh -c 'echo board >/share/written && rm /share/written'
finish
