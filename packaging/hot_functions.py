#!/usr/bin/env python3
"""The functions that the program runs from its start to its first answers: hot_functions.txt, which ordering-cc puts side by side.

Usage: packaging/hot_functions.py take|check PROGRAM

  take     writes the list anew, by the functions that PROGRAM runs; needs valgrind
  check    fails when PROGRAM does not have most of the listed functions: then the list is to be taken anew

PROGRAM has its symbols, or PROGRAM.debug beside it has them. A name stands in the list as the linker knows it, without what each build
makes anew: the hash of a symbol, and the marks of crates in it.
"""

import bisect
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LIST = HERE / "hot_functions.txt"
# Of the listed functions so many must be there. Fewer are no fault of the program: it only rests in more memory than it needs.
ENOUGH = 0.85
# Connectors that start without their backend, with addresses where nobody answers.
NOWHERE = "http://127.0.0.1:9"
STARTS = (
    ([], {}),
    (["taiga"], {"TAIGA_API_URL": f"{NOWHERE}/api/v1", "TAIGA_AUTH_TOKEN": "none"}),
)


def name(symbol):
    """A symbol without its hash (`17h…E`, at the end) and without the marks of crates (`Cs…_`, in the newer form of names)."""
    return re.sub(r"Cs[0-9A-Za-z]*_(?=\d)", "C", re.sub(r"17h[0-9a-f]{16}E", "E", symbol))


def functions(program):
    """Every function of a program that has its symbols: where it begins, its size, its symbol; by address."""
    listed = subprocess.run(["nm", "--print-size", program], capture_output=True, text=True, check=True).stdout
    found = (line.split() for line in listed.splitlines())
    return sorted((int(row[0], 16), int(row[1], 16), row[3]) for row in found if len(row) == 4 and row[2] in "tTwW")


def listed():
    return set(LIST.read_text().split())


def with_symbols(program):
    beside = program.with_name(f"{program.name}.debug")
    return beside if beside.exists() else program


# ── what a program runs ──


def addresses(profile, program):
    """Every address of the program in a profile of callgrind; most lines tell the distance from the line before."""
    objects, here, address, is_call = {}, None, 0, False
    for line in profile.read_text().splitlines():
        if found := re.match(r"(c?ob)=\((\d+)\)(?: (.*))?", line):
            if found[3]:
                objects[found[2]] = found[3]
            here = objects[found[2]] if found[1] == "ob" else here
        elif line.startswith("calls="):
            is_call = True
        elif found := re.match(r"(0x|[+-])([0-9a-f]+) |\* ", line):
            sign, digits = found[1], found[2]
            if sign == "0x":
                address = int(digits, 16)
            elif sign:
                address += int(sign + digits)
            # The line after a call counts what the other function did.
            if not is_call and here == str(program):
                yield address
            is_call = False


def run(program):
    """Starts the program over stdio and HTTP and asks it a little, under callgrind; answers the profiles' addresses."""
    sys.path[:0] = [str(HERE.parent / part) for part in ("bench", "interop", "interop/suite")]
    import measure
    from server import Server

    whoami = measure.request("modern", "tools/call", name="whoami", arguments={})
    cards = measure.request("modern", "tools/call", name="card_list", arguments={"limit": 20})
    lists = [measure.request(era, "tools/list") for era in ("modern", "legacy")]
    found = set()
    with tempfile.TemporaryDirectory(prefix="footbridge-hot-") as folder:
        folder = pathlib.Path(folder)
        callgrind = lambda out: ["valgrind", "--tool=callgrind", "--dump-instr=yes", f"--callgrind-out-file={out}", str(program), "serve"]  # noqa: E731
        for number, (words, variables) in enumerate(STARTS):
            out = folder / f"stdio-{number}"
            environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TOKIO_WORKER_THREADS": "1", **variables}
            asked = "".join(measure.encoded({**body, "id": id}) + "\n" for id, (_, body) in enumerate([lists[0], whoami] if not words else lists[:1]))
            command = [*callgrind(out), *words, "--transport", "stdio", "--data", str(folder / "data")]
            done = subprocess.run(command, input=asked, env=environment, capture_output=True, text=True)
            if '"tools"' not in done.stdout:
                raise SystemExit(f"{program} gave no list over stdio: {done.stdout[:300]} {done.stderr[-600:]}")
            found.update(addresses(out, program))
        out = folder / "http"
        with Server([*callgrind(out), "--transport", "http", "--port", "0", "--data", str(folder / "data")], {"TOKIO_WORKER_THREADS": "1"}) as server:
            for request in (whoami, *lists, cards):
                measure.post(server.url, *request, 2)
        found.update(addresses(out, program))
    return found


def take(program):
    ran = run(program)
    known = functions(with_symbols(program))
    starts = [start for start, _, _ in known]
    hot = set()
    for address in ran:
        last = bisect.bisect_right(starts, address) - 1
        # Functions that are alike may share an address.
        for index in range(last, -1, -1):
            start, size, symbol = known[index]
            if start != starts[last]:
                break
            if address < start + size:
                hot.add(name(symbol))
    LIST.write_text("".join(f"{one}\n" for one in sorted(hot)))
    print(f"{len(hot)} functions of {len(known)}")


def check(program):
    wanted = listed()
    known = functions(with_symbols(program))
    there = {name(symbol) for _, _, symbol in known} & wanted
    size = sum(size for _, size, symbol in known if name(symbol) in wanted)
    print(f"{len(there)} of {len(wanted)} hot functions are in {program.name}: {size / 2**20:.1f} MiB")
    if len(there) < ENOUGH * len(wanted):
        raise SystemExit(f"fewer than {ENOUGH:.0%}: take them anew with packaging/hot_functions.py take {program}")


def main():
    match sys.argv[1:]:
        case ["take", program]:
            take(pathlib.Path(program).resolve())
        case ["check", program]:
            check(pathlib.Path(program).resolve())
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
