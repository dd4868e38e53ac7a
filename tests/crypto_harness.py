# SPDX-License-Identifier: BSD-2-Clause
"""Talks to wycheproof_harness: one backend of core/crypto.h as a process, and the numbers of algorithms.def."""
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def table(macro):
    """Name to number of each row of include/keyward/algorithms.def that uses the macro."""
    with open(os.path.join(HERE, '../include/keyward/algorithms.def'), encoding='utf-8') as f:
        text = f.read()
    return {name: int(number) for number, name in re.findall(
        rf'^{macro}\((\d+), \w+, "([^"]+)"', text, re.M)}


TYPES = table('KW_KEY_TYPE')
HASHES = table('KW_HASH')
SCHEMES = table('KW_SCHEME')
CIPHERS = table('KW_CIPHER')


def to_arg(value):
    if isinstance(value, int):
        return str(value)
    return value.hex() or '-'


class Refused(Exception):
    """The backend answered with an error; its name is the exception's text."""


class Harness:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = self.process.stdout.readline().strip()

    def __call__(self, command, *args):
        self.process.stdin.write(' '.join([command, *map(to_arg, args)]) + '\n')
        self.process.stdin.flush()
        status, _, rest = self.process.stdout.readline().strip().partition(' ')
        if status == 'ok':
            return bytes.fromhex(rest)
        if status == 'error':
            raise Refused(rest)
        raise SystemExit(f'{self.version}: the harness died at {command} (exit {self.process.wait()})')

    def refuses(self, error, command, *args):
        """True when the command fails with exactly this error."""
        try:
            self(command, *args)
        except Refused as e:
            return str(e) == error
        return False


def rsa_material(e, p, q, bits):
    return e.to_bytes(4, 'big') + p.to_bytes(bits // 16, 'big') + q.to_bytes(bits // 16, 'big')
