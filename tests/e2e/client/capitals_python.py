# SPDX-License-Identifier: GPL-3.0-or-later
"""Capitals against Python's str.upper(): every character, the sampler of scripts and the GPL, whole
and as a stream in pieces. Where Python's Unicode is another version than ours the differences are
listed. They may only be characters that one of the two does not map yet: what Unicode maps once, it
maps for ever."""

import os
import subprocess
import sys
import unicodedata

from tap import BUILD, TOP, done, point

FILTER = os.path.join(BUILD, 'tests/unit/common', 'capitals_filter')
SEEDS = ['1', '2', '3']


def capitals(data, *arguments):
    return subprocess.run([FILTER, *arguments], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def every_character():
    return [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF and code != 0x0A]


def name(character):
    return f'U+{ord(character):04X} {unicodedata.name(character, "(no name)")}'


def differences(characters, ours):
    """What we map in another way than Python, as {character: (ours, Python's)}."""
    return {character: (mine, character.upper()) for character, mine in zip(characters, ours)
            if mine != character.upper()}


def main():
    our_version = capitals(b'', 'unicode').decode().strip()
    same_version = unicodedata.unidata_version.startswith(our_version + '.')
    print(f'# ours: Unicode {our_version}; Python: Unicode {unicodedata.unidata_version}')

    characters = every_character()
    ours = capitals('\n'.join(characters).encode()).decode().split('\n')
    point('one line for each character',
          [] if len(ours) == len(characters) else [f'{len(ours)} lines'])
    found = differences(characters, ours)
    for character, (mine, theirs) in found.items():
        print(f'# {name(character)}: ours {ascii(mine)}, Python {ascii(theirs)}')
    print(f'# {len(found)} of {len(characters)} characters differ')
    point('every character as Python has it', [
        f'{name(character)}: ours {ascii(mine)}, Python {ascii(theirs)}'
        for character, (mine, theirs) in found.items()
        if same_version or character not in (mine, theirs)
    ])

    for path in [os.path.join('tests/lib/samples', 'scripts.txt'), 'COPYING']:
        with open(os.path.join(TOP, path), 'rb') as file:
            data = file.read()
        wanted = ''.join(found[c][0] if c in found else c.upper() for c in data.decode()).encode()
        point(f'{path}: whole', [] if capitals(data) == wanted else ['differs'])
        point(f'{path}: as a stream',
              [f'seed {seed}: differs' for seed in SEEDS if capitals(data, seed) != wanted])
    data = b'\xff\xc3' + '\n'.join(characters).encode().replace(b'\n', b'\xe2\x82\n\xed\xa0\x80')
    point('every character amid bytes that are not UTF-8, as a stream', [
        f'seed {seed}: differs from the whole'
        for seed in SEEDS if capitals(data, seed) != capitals(data)
    ])
    done()


main()
