#!/usr/bin/python3
"""Random texts, read by clearconf and by ClearML: what ClearML accepts is never
refused, and never another value without a warning, in both dialects.

    compare.py READ_TEXTS [--seconds N | --texts N] [--seed N]

ClearML is the parser of its SDK where CLEARML_SDK_SRC names a checkout of that,
else the model of its rules beside this file."""
import argparse
import json
import os
import random
import subprocess
import sys
import time

import texts

BATCH = 200
DIALECTS = ('clearml', 'strict')
OUTCOMES = ('same', 'refused by both', 'taken with a warning only here',
            'different with a warning',
            'taken silently only here', 'refused', 'different silently')
FAULTS = OUTCOMES[-2:]


class Reader:
    """read_texts, in one dialect."""

    def __init__(self, program, dialect):
        self.process = subprocess.Popen(
            [program, dialect], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, text):
        data = text.encode()
        self.process.stdin.write(b'%d\n%s' % (len(data), data))
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit('read_texts died of:\n' + text)
        return json.loads(line)


def canonical(value):
    """1 and 1.0 differ."""
    return json.dumps(value, sort_keys=True)


def outcome(accepted, value, answer):
    """One of OUTCOMES."""
    warned = bool(answer.get('warnings'))
    if not accepted:
        if 'error' in answer:
            return 'refused by both'
        return ('taken with a warning only here' if warned
                else 'taken silently only here')
    if 'error' in answer:
        return 'refused'
    if canonical(answer['value']) == canonical(value):
        return 'same'
    return 'different with a warning' if warned else 'different silently'


def oracle():
    if os.environ.get('CLEARML_SDK_SRC'):
        import clearml_sdk
        return 'ClearML\'s own parser', clearml_sdk.read
    import model
    return 'the model', model.read


class Counts:
    def __init__(self, verbose):
        self.texts = 0
        self.verbose = verbose
        self.of = {(d, o): 0 for d in DIALECTS for o in OUTCOMES}

    def add(self, dialect, what, text, value, answer):
        self.of[dialect, what] += 1
        if what in FAULTS or what in self.verbose:
            print('--- %s, %s\n%s    ClearML: %s\n    here:    %s' % (
                dialect, what, text, canonical(value), json.dumps(answer)),
                flush=True)

    def faults(self):
        return sum(self.of[d, o] for d in DIALECTS for o in FAULTS)

    def print(self, name):
        print('%d texts, compared with %s' % (self.texts, name))
        for what in OUTCOMES:
            print('  %-32s' % what, '  '.join(
                '%s %d' % (d, self.of[d, what]) for d in DIALECTS))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument('read_texts')
    arguments.add_argument('--seconds', type=float)
    arguments.add_argument('--texts', type=int, default=10 ** 9)
    arguments.add_argument('--seed', type=int)
    arguments.add_argument('--show', action='append', default=[],
                           help='print texts of this outcome too')
    options = arguments.parse_args()
    readers = {d: Reader(options.read_texts, d) for d in DIALECTS}
    name, read = oracle()
    counts = Counts(options.show)
    seed = options.seed or random.randrange(1 << 30)
    print('seed %d' % seed)
    source = random.Random(seed)
    end = time.monotonic() + (options.seconds or 10 ** 9)
    while counts.texts < options.texts and time.monotonic() < end:
        text = texts.text_of(source, source.choice(texts.KINDS))
        accepted, value = read(text)
        for dialect, reader in readers.items():
            answer = reader.read(text)
            what = outcome(accepted, value, answer)
            counts.add(dialect, what, text, value, answer)
        counts.texts += 1
    counts.print(name)
    return 1 if counts.faults() else 0


if __name__ == '__main__':
    sys.exit(main())
