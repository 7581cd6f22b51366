#!/usr/bin/env python3
"""Makes inputs of seeds: the same ones from the same seeds and number, on any machine. Writes them as files and prints nothing.

Usage: inputs.py SEEDS COUNT INTO
"""

import pathlib
import random
import shutil
import sys

SEED = 20260728
LONGEST_BYTES = 4096

# What means something to one reader or another.
TOKENS = [
    *(bytes([byte]) for byte in b"\0\t\n\r \"'\\{}[]():,;#&*!|>%@`<-=+?~./_$^"), b"\r\n", b"\n\n", b"\n  ", b"- ", b": ", b"{ ", b" }", b"---\n", b"...\n", b"&a ",
    b"*a", b"<<: ", b"!!str ", b"|-\n", b">+\n", b"null", b"true", b"false", b"~", b"0", b"-1", b"1e999", b"-0.0", b"0x10", b"18446744073709551616",
    b"9223372036854775807", b"%2F", b"%00", b"%C3", b"{+x}", b"{x}", b"{?q}", b"../", b"//", b"=?base64?", b"?=", b"data:", b"id:", b"event:",
    b"\\u0000", b"\\ud800", b"\\ud83d\\ude00", "é".encode(), "\u2028".encode(), "\ufeff".encode(), "\u200b".encode(), "😀".encode(), b"\xff", b"\xc3",
    b"\xed\xa0\x80", b"[" * 60, b"{\"a\":" * 60, b"(" * 60, b"if . then . else . end", b"def f: f; f", b"reduce . as $x (0; .)", b".[]?", b"$ref",
    b"_meta", b"jsonrpc", b"method", b"params", b"steps", b"get: /x", b"path", b"paths",
]


def edited(text, seeds, chance):
    """One edit of a text."""
    at, to = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    to = min(to, at + chance.choice((1, 4, 16, 64, 4096)))
    other = chance.choice(seeds)
    begin = chance.randrange(len(other) + 1)
    piece = other[begin : begin + chance.choice((1, 8, 32, 128))]
    how = chance.randrange(8)
    if how <= 2:
        return text[:at] + chance.choice(TOKENS) + text[at:]
    if how == 3:
        return text[:at] + text[to:]
    if how == 4:
        return text[:to] + text[at:to] * chance.choice((1, 2, 20)) + text[to:]
    if how == 5:
        return text[:at] + piece + text[to:]
    if how == 6 and at < len(text):
        return text[:at] + bytes([text[at] ^ 1 << chance.randrange(8)]) + text[at + 1 :]
    return text[:at] + chance.choice(TOKENS) + text[to:]


def main(folder, count, into):
    seeds = [path.read_bytes() for path in sorted(pathlib.Path(folder).iterdir())]
    shutil.rmtree(into, ignore_errors=True)
    into = pathlib.Path(into)
    into.mkdir(parents=True)
    chance = random.Random(SEED)
    for number in range(int(count)):
        text = chance.choice(seeds)
        for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
            text = edited(text, seeds, chance)[:LONGEST_BYTES]
        (into / f"{number:05}").write_bytes(text)


main(*sys.argv[1:])
