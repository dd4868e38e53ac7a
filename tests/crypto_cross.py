#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Keys cross from one backend to the other: crypto_cross.py HARNESS HARNESS.

A store that one backend wrote must be good for the other, so the private encoding, the public key and
everything that has no randomness in it must be the same in both, also messages made up for bad padding.
"""
import itertools
import sys

from crypto_harness import HASHES, SCHEMES, TYPES, Harness

failures = 0
checks = 0


def check(good, what):
    global failures, checks
    checks += 1
    if not good:
        failures += 1
        print('failed: ' + what)


def schemes_of(name):
    """(scheme, hash, salt, whether the signature is always the same)"""
    if name.startswith('rsa'):
        for h in HASHES.values():
            yield SCHEMES['rsa-pkcs1'], h, 0, True
            yield SCHEMES['rsa-pss'], h, 0, True
            yield SCHEMES['rsa-pss'], h, 32, False
    elif name.startswith('ec'):
        for h in HASHES.values():
            yield SCHEMES['ecdsa'], h, 0, False
    else:
        yield SCHEMES['eddsa'], 0, 0, True


def material_of(name, private):
    if not name.startswith('rsa'):
        return private
    return private[:4 + int(name[4:]) // 8]


def cross_signatures(maker, user, name, private):
    public = maker('public', TYPES[name], private)
    for scheme, hash_id, salt, fixed in schemes_of(name):
        args = (TYPES[name], private, scheme, hash_id, salt, b'crossing')
        signature = user('sign', *args)
        what = f'{name} scheme {scheme} hash {hash_id} salt {salt} from {maker.version} in {user.version}'
        try:
            user('verify', TYPES[name], public, scheme, hash_id, salt, b'crossing', signature)
            check(True, what)
        except Exception as e:
            check(False, f'{what}: {e}')
        if fixed:
            check(signature == maker('sign', *args), what + ': not the same signature')


def cross_rejection(a, b, name, private):
    """Random blocks have bad padding, but for one in 100,000."""
    size = int(name[4:]) // 8
    for i in range(8):
        block = bytes([0, i + 1] * (size // 2))
        args = ('decrypt', TYPES[name], private, 0, 0, 0, b'', block)
        check(a(*args) == b(*args), f'{name}: not the same made-up message')


def main():
    harnesses = [Harness(path) for path in sys.argv[1:]]
    for maker, user in itertools.permutations(harnesses):
        for name, number in TYPES.items():
            private = maker('generate', number)
            check(user('import', number, material_of(name, private)) == private,
                  f'{name}: {user.version} imports another key than {maker.version} made')
            check(user('public', number, private) == maker('public', number, private),
                  f'{name}: not the same public key')
            cross_signatures(maker, user, name, private)
            if name.startswith('rsa'):
                cross_rejection(maker, user, name, private)
    print(f'{checks - failures} passed, {failures} failed')
    return 1 if failures or not checks else 0


if __name__ == '__main__':
    sys.exit(main())
