#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Keys cross from one backend to the other: crypto_cross.py HARNESS HARNESS.

A store that one backend wrote must be good for the other, so the private encoding, the public key and
everything that has no randomness in it must be the same in both, also messages made up for bad padding.
"""
import itertools
import sys

from crypto_harness import CIPHERS, HASHES, SCHEMES, TYPES, Harness, Refused

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
    if name == 'x25519':
        return
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


def bytes_of(n):
    return bytes(i * 7 % 251 for i in range(n))


def cross_agreement(a, b, name, private, peer):
    args = ('agree', TYPES[name], private, peer)
    check(a(*args) == b(*args), f'{name}: not the same agreed secret')


def cross_secrets(maker, user):
    """What depends on lengths: one sees both libraries at each boundary of blocks."""
    for size in (128, 192, 256):
        key = (TYPES[f'aes-{size}'], bytes_of(size // 8))
        for n in (*range(0, 66), 64000):
            data = bytes_of(n)
            same(maker, user, 'cmac', *key, data)
            for mode in ('ecb', 'cbc', 'ctr', 'gcm'):
                for iv_len in {'ecb': (0,), 'gcm': (1, 12, 16, 64)}.get(mode, (16,)):
                    iv = bytes([255] * iv_len)
                    tag = bytes(16) if mode == 'gcm' else b''
                    aad = bytes_of(n % 21) if mode == 'gcm' else b''
                    sealed = same(maker, user, 'cipher', *key, CIPHERS[f'aes-{mode}'], 1, iv, aad, data, tag)
                    if sealed is None:
                        check(n % 16 and mode in ('ecb', 'cbc'), f'{mode} of {n} bytes is refused')
                        continue
                    back = same(maker, user, 'cipher', *key, CIPHERS[f'aes-{mode}'], 0, iv, aad,
                                sealed[:n], sealed[n:])
                    check(back == data, f'aes-{size}-{mode}: {n} bytes do not come back')
    for h in HASHES.values():
        for n in (1, 16, 63, 64, 65, 127, 128):
            same(maker, user, 'hmac_with', h, bytes_of(n), bytes_of(3 * n))
            same(maker, user, 'hkdf', h, 3, bytes_of(n), bytes_of(n % 5), bytes_of(n % 7), 3 * n)


def same(a, b, *args):
    """The result of both, None when both refuse with the same error."""
    answers = []
    for harness in (a, b):
        try:
            answers.append(harness(*args))
        except Refused as e:
            answers.append(str(e))
    check(answers[0] == answers[1], f'not the same: {args[0]} {args[1:3]}')
    return answers[0] if isinstance(answers[0], bytes) else None


def main():
    harnesses = [Harness(path) for path in sys.argv[1:]]
    for maker, user in itertools.permutations(harnesses):
        cross_secrets(maker, user)
        for name, number in TYPES.items():
            if name.startswith(('aes', 'hmac')):
                continue
            private = maker('generate', number)
            check(user('import', number, material_of(name, private)) == private,
                  f'{name}: {user.version} imports another key than {maker.version} made')
            check(user('public', number, private) == maker('public', number, private),
                  f'{name}: not the same public key')
            cross_signatures(maker, user, name, private)
            if name.startswith(('ec-', 'x25519')):
                cross_agreement(maker, user, name, private, maker('public', number, user('generate', number)))
            if name.startswith('rsa'):
                sealed = user('encrypt', number, private, 2, 2, b'label', b'message')
                check(maker('decrypt', number, private, 1, 2, 2, b'label', sealed) == b'message', f'{name}: OAEP')
                cross_rejection(maker, user, name, private)
    print(f'{checks - failures} passed, {failures} failed')
    return 1 if failures or not checks else 0


if __name__ == '__main__':
    sys.exit(main())
