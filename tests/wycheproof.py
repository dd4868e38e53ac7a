#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Runs Wycheproof vectors through one backend: wycheproof.py HARNESS VECTORS.

The TEE verifies no signatures, so the vectors of verification are used for their messages only: the
backend signs them and libcrypto verifies. Four kinds of passes are counted apart:
  exact    our result is the vector's, byte for byte
  refused  an input that the vector calls invalid is refused, or answered as our interface promises
  made-up  bad PKCS #1 v1.5 padding is answered with a message that is not the padded block's
  signed   our signature of the vector's message verifies with libcrypto
"""
import collections
import json
import os
import random
import sys

from crypto_harness import CIPHERS, HASHES, SCHEMES, TYPES, Harness, Refused, rsa_material

KINDS = ['exact', 'refused', 'made-up', 'signed']


def hash_number(name):
    """"SHA-256" to ours; None for what Keyward does not offer."""
    return HASHES.get(name.lower().replace('-', ''))


def factor(n, e, d):
    """The primes of n (NIST SP 800-56B, appendix C)."""
    odd = d * e - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    source = random.Random(1)
    while True:
        x = pow(source.randrange(2, n - 1), odd, n)
        for _ in range(twos):
            y = x * x % n
            if y == 1 and x not in (1, n - 1):
                p = next(f for f in (gcd(x - 1, n), gcd(x + 1, n)) if 1 < f < n)
                return p, n // p
            x = y


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


def number(text):
    return int(text, 16)


class Run:
    def __init__(self, harness):
        self.harness = harness
        self.total = collections.Counter()

    def file(self, path):
        name = os.path.basename(path)[:-len('_test.json')]
        with open(path, encoding='utf-8') as f:
            groups = json.load(f)['testGroups']
        self.name = name
        self.count = collections.Counter()
        self.why = collections.Counter()
        self.prepare = None
        for group in groups:
            HANDLERS[group['type']](self, group)
        parts = [f'{self.count[k]} {k}' for k in KINDS if self.count[k]]
        parts += [f"{self.count['failed']} FAILED"] if self.count['failed'] else []
        parts += [f'{n} skipped ({why})' for why, n in self.why.items()]
        print(f'{name}: ' + ', '.join(parts))
        self.total += self.count

    def result(self, kind, good, test):
        if good:
            self.count[kind] += 1
            return
        self.count['failed'] += 1
        print(f"{self.name}: test {test['tcId']} failed ({kind}): {test['comment']}")

    def skip(self, why, n):
        self.count['skipped'] += n
        self.why[why] += n

    def rsa_key(self, group):
        """Imports the group's private key, so that import's checks are on the path as well."""
        k = group['privateKey']
        n, e = number(k['modulus']), number(k['publicExponent'])
        if 'prime1' in k:
            p, q = number(k['prime1']), number(k['prime2'])
        else:
            p, q = factor(n, e, number(k['privateExponent']))
        return TYPES[f"rsa-{group['keySize']}"], rsa_material(e, p, q, group['keySize'])

    def fresh_key(self, type_name):
        """One new key for a file."""
        if not self.prepare:
            private = self.harness('generate', TYPES[type_name])
            self.prepare = (private, self.harness('public', TYPES[type_name], private))
        return self.prepare

    def sign_and_verify(self, group, type_name, scheme, hash_id, salt=0):
        private, public = self.fresh_key(type_name)
        for t in group['tests']:
            message = bytes.fromhex(t['msg'])
            args = (SCHEMES[scheme], hash_id, salt, message)
            good = False
            try:
                signature = self.harness('sign', TYPES[type_name], private, *args)
                self.harness('verify', TYPES[type_name], public, *args, signature)
                good = True
            except Refused:
                pass
            self.result('signed', good, t)


def sig_gen(run, group):
    if group['keySize'] not in (2048, 3072, 4096):
        return run.skip('key size that is not offered', len(group['tests']))
    hash_id = hash_number(group['sha'])
    if not hash_id:
        return run.skip(f"{group['sha']} is not offered", len(group['tests']))
    if number(group['privateKey']['publicExponent']) < 65537:
        # These have primes of unequal size, too: our encoding has no room for them.
        return run.skip('public exponent below 65537 is not offered', len(group['tests']))
    key_type, material = run.rsa_key(group)
    private = run.harness('import', key_type, material)
    for t in group['tests']:
        signature = run.harness('sign', key_type, private, SCHEMES['rsa-pkcs1'], hash_id, 0,
                                bytes.fromhex(t['msg']))
        run.result('exact', signature.hex() == t['sig'], t)


def oaep(run, group):
    key_type, material = run.rsa_key(group)
    private = run.harness('import', key_type, material)
    hashes = hash_number(group['sha']), hash_number(group['mgfSha'])
    for t in group['tests']:
        args = ('decrypt', key_type, private, 1, *hashes, bytes.fromhex(t['label']), bytes.fromhex(t['ct']))
        if t['result'] == 'invalid':
            run.result('refused', run.harness.refuses('DECRYPT', *args), t)
        else:
            run.result('exact', run.harness(*args).hex() == t['msg'], t)


def pkcs1_decrypt(run, group):
    key_type, material = run.rsa_key(group)
    private = run.harness('import', key_type, material)
    n = number(group['privateKey']['modulus'])
    d = number(group['privateKey']['privateExponent'])
    size = group['keySize'] // 8
    for t in group['tests']:
        ciphertext = bytes.fromhex(t['ct'])
        args = ('decrypt', key_type, private, 0, 0, 0, b'', ciphertext)
        value = int.from_bytes(ciphertext, 'big')
        if t['result'] != 'invalid':
            run.result('exact', run.harness(*args).hex() == t['msg'], t)
        elif len(ciphertext) != size or value >= n:
            run.result('refused', run.harness.refuses('DECRYPT', *args), t)
        else:
            answer = run.harness(*args)
            block = pow(value, d, n).to_bytes(size, 'big')
            good = answer == run.harness(*args) and len(answer) <= size - 11
            run.result('made-up', good and (len(answer) < 4 or answer not in block), t)


def mac(run, group):
    for t in group['tests']:
        tag = run.harness('hmac_with', HASHES['sha256'], bytes.fromhex(t['key']), bytes.fromhex(t['msg']))
        if group['keySize'] == 256 and run.harness('hmac', bytes.fromhex(t['key']), bytes.fromhex(t['msg'])) != tag:
            tag = b''
        same = tag[:group['tagSize'] // 8].hex() == t['tag']
        run.result('exact' if t['result'] == 'valid' else 'refused', same == (t['result'] == 'valid'), t)


def aead(run, group):
    if group['ivSize'] > 8 * 64:
        return run.skip('nonce of more than 64 bytes', len(group['tests']))
    for t in group['tests']:
        key, iv, aad, msg, ct, tag = (bytes.fromhex(t[k]) for k in ('key', 'iv', 'aad', 'msg', 'ct', 'tag'))
        args = (TYPES[f"aes-{group['keySize']}"], key, CIPHERS['aes-gcm'])
        if not iv:
            run.result('refused', run.harness.refuses('BAD_ALGORITHM', 'cipher', *args, 0, iv, aad, ct, tag), t)
        elif t['result'] == 'invalid':
            run.result('refused', run.harness.refuses('DECRYPT', 'cipher', *args, 0, iv, aad, ct, tag), t)
        else:
            run.result('exact', run.harness('cipher', *args, 1, iv, aad, msg, tag) == ct + tag and
                       run.harness('cipher', *args, 0, iv, aad, ct, tag) == msg, t)
        if (group['keySize'], group['ivSize'], group['tagSize']) != (256, 96, 128):
            continue
        if t['result'] == 'invalid':
            run.result('refused', run.harness.refuses('CORRUPT', 'open', key, iv, aad, ct, tag), t)
        else:
            run.result('exact', run.harness('seal', key, iv, aad, msg) == ct + tag and
                       run.harness('open', key, iv, aad, ct, tag) == msg, t)


def key_wrap(run, group):
    """In RFC 3394 what is wrapped has whole halves, and in RFC 5649 there are no keys of no bytes."""
    padded = int(run.name == 'aes_kwp')
    for t in group['tests']:
        key, msg, ct = (bytes.fromhex(t[k]) for k in ('key', 'msg', 'ct'))
        args = (TYPES[f"aes-{group['keySize']}"], key, padded)
        if t['result'] != 'valid':
            run.result('refused', run.harness.refuses('DECRYPT', 'unwrap', *args, ct), t)
        else:
            run.result('exact', run.harness('wrap', *args, msg) == ct and
                       run.harness('unwrap', *args, ct) == msg, t)


def hkdf(run, group):
    for t in group['tests']:
        secret, salt, info = (bytes.fromhex(t[k]) for k in ('ikm', 'salt', 'info'))
        args = ('hkdf', HASHES['sha256'], 3, secret, salt, info, t['size'])
        if t['result'] == 'invalid':
            run.result('refused', run.harness.refuses('BAD_ALGORITHM', *args), t)
        else:
            run.result('exact', run.harness(*args).hex() == t['okm'], t)


def agree(run, t, type_name, private, peer):
    """What the vectors call acceptable (small order, unusual encodings) may be refused or answered."""
    args = ('agree', TYPES[type_name], private, peer)
    refused = run.harness.refuses('BAD_KEY', *args)
    if refused:
        run.result('refused', t['result'] != 'valid', t)
    else:
        run.result('exact', t['result'] != 'invalid' and run.harness(*args).hex() == t['shared'], t)


def ecdh(run, group):
    """Keys are points for us: only vectors whose SubjectPublicKeyInfo is the curve's usual one have one to give."""
    curve, size = {'secp256r1': ('ec-p256', 32), 'secp384r1': ('ec-p384', 48),
                   'secp521r1': ('ec-p521', 66)}[group['curve']]
    head = {'ec-p256': '3059301306072a8648ce3d020106082a8648ce3d030107034200',
            'ec-p384': '3076301006072a8648ce3d020106052b81040022036200',
            'ec-p521': '30819b301006072a8648ce3d020106052b8104002303818600'}[curve]
    for t in group['tests']:
        if not t['public'].startswith(head):
            run.skip('public key that is not a named curve in its usual encoding', 1)
            continue
        private = number(t['private'])
        if private >> 8 * size:
            run.skip('private key that is out of range', 1)
            continue
        agree(run, t, curve, private.to_bytes(size, 'big'), bytes.fromhex(t['public'][len(head):]))


def xdh(run, group):
    for t in group['tests']:
        agree(run, t, 'x25519', bytes.fromhex(t['private']), bytes.fromhex(t['public']))


def ecdsa(run, group):
    curve = {'secp256r1': 'ec-p256', 'secp384r1': 'ec-p384', 'secp521r1': 'ec-p521'}[group['publicKey']['curve']]
    run.sign_and_verify(group, curve, 'ecdsa', hash_number(group['sha']))


def eddsa(run, group):
    run.sign_and_verify(group, 'ed25519', 'eddsa', 0)


def pss(run, group):
    run.sign_and_verify(group, f"rsa-{group['keySize']}", 'rsa-pss', hash_number(group['sha']), group['sLen'])


def pkcs1_verify(run, group):
    run.sign_and_verify(group, f"rsa-{group['keySize']}", 'rsa-pkcs1', hash_number(group['sha']))


HANDLERS = {
    'RsassaPkcs1Generate': sig_gen,
    'RsaesOaepDecrypt': oaep,
    'RsaesPkcs1Decrypt': pkcs1_decrypt,
    'MacTest': mac,
    'AeadTest': aead,
    'KeywrapTest': key_wrap,
    'HkdfTest': hkdf,
    'EcdhTest': ecdh,
    'XdhComp': xdh,
    'EcdsaVerify': ecdsa,
    'EddsaVerify': eddsa,
    'RsassaPssVerify': pss,
    'RsassaPkcs1Verify': pkcs1_verify,
}

FILES = ['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384', 'ecdsa_secp521r1_sha512', 'ed25519',
         'rsa_pkcs1_1024_sig_gen', 'rsa_pkcs1_2048_sig_gen', 'rsa_pkcs1_3072_sig_gen', 'rsa_pkcs1_4096_sig_gen',
         'rsa_pss_2048_sha256_mgf1_32', 'rsa_signature_2048_sha256', 'rsa_oaep_2048_sha256_mgf1sha256',
         'rsa_pkcs1_2048', 'hmac_sha256', 'aes_gcm', 'aes_wrap', 'aes_kwp', 'hkdf_sha256',
         'ecdh_secp256r1', 'ecdh_secp384r1', 'ecdh_secp521r1', 'x25519']


def main():
    harness, vectors = sys.argv[1:]
    paths = [os.path.join(vectors, f'{name}_test.json') for name in FILES]
    if not os.path.isdir(vectors):
        print(f'skipped: no Wycheproof vectors in {vectors}')
        return 77
    missing = [p for p in paths if not os.path.exists(p)]
    if missing:
        print('missing: ' + ' '.join(missing))
        return 1
    run = Run(Harness(harness))
    print(run.harness.version)
    for path in paths:
        run.file(path)
    passed = sum(run.total[k] for k in KINDS)
    print(', '.join(f'{run.total[k]} {k}' for k in KINDS))
    print(f"{passed} passed, {run.total['failed']} failed, {run.total['skipped']} skipped")
    return 1 if run.total['failed'] or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
