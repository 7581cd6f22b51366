"""A disk that fills, files that go away, a store that is busy: what is acknowledged is there, what is refused says one thing, and writes go on."""

import contextlib
import resource
import signal
import subprocess
import threading

from program import Folder, Program, Refused, Skipped, Watch, hold, message, run, together, until
from stand_in import SETTINGS, StandIn

TEXT = "a long story " * 300


@contextlib.contextmanager
def small_disk():
    """A directory on a file system of 2 MiB, and how to give it more room."""
    folder = Folder()
    place = folder.path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "siege", str(place)], capture_output=True, text=True)
    if mounted.returncode != 0:
        raise Skipped("a small file system cannot be mounted here: " + mounted.stderr.strip())
    try:
        yield place, lambda: subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def fill(served):
    """Writes until the disk is full; the titles that were acknowledged, and what the refusal said."""
    acknowledged = []
    for number in range(2000):
        try:
            served.call("card_create", {"title": f"fill {number}", "description": TEXT})
        except Refused as error:
            return acknowledged, str(error)
        acknowledged.append(f"fill {number}")
    hold(False, "the disk does not fill")


def says_one_thing(sentence):
    changed, unknown = "nothing was changed" in sentence.lower(), "not known" in sentence.lower()
    hold(changed != unknown, "a refused write says one thing: nothing was changed, or not known", sentence)
    hold("defect" not in sentence, "a full disk is no defect of ours", sentence)


def heals(served, give_room):
    acknowledged, refusal = fill(served)
    says_one_thing(refusal)
    ready, reason = served.ask("GET", "/readyz")
    hold(ready == 503, "/readyz knows that the disk is full", (ready, reason))
    served.health()
    give_room()
    for number in range(4):
        served.call("card_create", {"title": f"after {number}"})
        acknowledged.append(f"after {number}")
    hold(served.ask("GET", "/readyz")[0] == 200, "/readyz knows that there is room again", served.ask("GET", "/readyz"))
    titles = served.titles()
    hold(sorted(titles) == sorted(acknowledged), "what was acknowledged is there, and nothing else", (len(titles), len(acknowledged)))
    return f"{len(acknowledged)} acknowledged, 0 lost, writes go on; it said: {refusal[:120]}"


def disk_full_and_room_again():
    with small_disk() as (place, give_room):
        served = Program(data=place)
        try:
            return heals(served, give_room)
        finally:
            served.end()


def file_limit_reached_and_lifted():
    """The same without a file system of its own: no file of the program may grow beyond so many bytes."""
    data = Folder()

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, resource.RLIM_INFINITY))

    served = Program(data=data.path, preexec=limited)
    acknowledged, refusal = fill(served)
    says_one_thing(refusal)
    resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for number in range(4):
        served.call("card_create", {"title": f"after {number}"})
        acknowledged.append(f"after {number}")
    titles = served.titles()
    hold(sorted(titles) == sorted(acknowledged), "what was acknowledged is there, and nothing else", (len(titles), len(acknowledged)))
    return f"{len(acknowledged)} acknowledged, 0 lost, writes go on; it said: {refusal[:120]}"


def files_deleted_while_it_serves():
    data = Folder()
    served = Program(data=data.path)
    served.call("card_create", {"title": "before"})
    files = [path for path in data.path.rglob("*") if path.is_file()]
    for path in files:
        path.unlink()
    refused = 0
    for number in range(4):
        try:
            served.call("card_create", {"title": f"lost {number}"})
        except Refused as error:
            says_one_thing(str(error))
            refused += 1
    hold(refused == 4, "a create is acknowledged whose file is gone", 4 - refused)
    ready, reason = served.ask("GET", "/readyz")
    hold(ready == 503, "/readyz knows that the file is gone", (ready, reason))
    return f"{refused} of 4 creates refused, /readyz {ready}"


def files_replaced_while_it_serves():
    """Somebody puts a saved copy back without stopping the program: the copy stays as it is."""
    data, saved = Folder(), Folder()
    before = Program(data=data.path)
    before.call("card_create", {"title": "saved"})
    hold(before.stop() == 0, "the program does not end well")
    for path in data.path.iterdir():
        if path.is_file():
            (saved.path / path.name).write_bytes(path.read_bytes())
    served = Program(data=data.path)
    served.call("card_create", {"title": "later"})
    for path in [path for path in data.path.iterdir() if path.is_file()]:
        path.unlink()
    for path in saved.path.iterdir():
        (data.path / path.name).write_bytes(path.read_bytes())
    refused = 0
    for number in range(4):
        try:
            served.call("card_create", {"title": f"lost {number}"})
        except Refused:
            refused += 1
    hold(refused == 4, "a create is acknowledged that goes to another file", 4 - refused)
    hold(served.ask("GET", "/readyz")[0] == 503, "/readyz knows that the file is another")
    hold(served.stop() == 0, "the program does not end well")
    again = Program(data=data.path)
    titles = again.titles()
    hold(titles == ["saved"], "the copy is as it was saved", titles)
    return "4 of 4 creates refused, the copy is whole"


def damaged_pages():
    data = Folder()
    served = Program(data=data.path)
    for number in range(200):
        served.call("card_create", {"title": f"card {number}", "description": TEXT})
    hold(served.stop() == 0, "the program does not end well")
    [file] = [path for path in data.path.iterdir() if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"]
    size = file.stat().st_size
    with file.open("r+b") as pages:
        for place in range(8 * 4096, size - 4096, 3 * 4096):
            pages.seek(place)
            pages.write(b"\xa5" * 4096)
    try:
        served = Program(data=data.path)
    except Exception as error:  # it may refuse to start, in words
        hold("panick" not in str(error), "the start says what is wrong", error)
        return "it does not start on damaged pages"
    until(lambda: served.ask("GET", "/readyz")[0] == 503, "/readyz does not know that pages are damaged")
    served.health()
    return "/readyz 503"


def keys_of_one_caller():
    """One kind of caller takes every key there is; another one has room."""
    data, backend, refusals, taken = Folder(), StandIn(), [], [0] * 12
    served = Program(backend.file, "--allow", "write", data=data.path, environment=SETTINGS)

    def one(writer):
        for number in range(10_100 // 12 + 1):
            # Large answers take the room of many.
            try:
                served.call("make", {"title": "key", "idempotency_key": f"{writer}/{number}"})
                taken[writer] += 1
            except Refused as error:
                refusals.append(str(error))
                return

    try:
        together(12, one)
        hold(len(refusals) == 12 and all("nothing was done" in refusal for refusal in refusals), "a full table refuses, and says so", refusals[:1])
        hold(sum(backend.made.values()) == sum(taken), "what was refused was not made", (sum(backend.made.values()), sum(taken)))
        lines = [
            '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"s","version":"1"}}}',
            '{"jsonrpc":"2.0","method":"notifications/initialized"}', message("make", {"title": "mine", "idempotency_key": "mine"}), "",
        ]
        piped = run("serve", backend.file, "--transport", "stdio", "--allow", "write", "--data", data.path, stdin="\n".join(lines), environment=SETTINGS)
        hold(backend.made["mine"] == 1, "another caller has no room for a key", piped.stdout[-300:] + piped.stderr[-300:])
    finally:
        backend.end()
    return f"{sum(taken)} keys taken, then: {refusals[0][:80]}; another caller had room"


def searches_that_nobody_waits_for():
    """Expensive searches whose callers leave: reading goes on, and the end comes."""
    data = Folder()
    served = Program(data=data.path)
    for number in range(1_000):
        served.call("card_create", {"title": f"card {number}", "description": "x" * 4_000})
    body = message("card_list", {"q": "x" * 199 + "z"}).encode()
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    ends, stop = [], threading.Event()
    with Watch(served) as watch:
        for _ in range(5):
            connections = [served.connect() for _ in range(4)]
            for connection in connections:
                connection.sendall(head + body)
            stop.wait(0.3)
            for connection in connections:
                connection.close()
        for _ in range(10):
            ends.append(len(served.call("card_list", {"limit": 5})["items"]))
    hold(ends == [5] * 10, "lists are read meanwhile", ends)
    connection = served.connect()
    connection.sendall(head + body)
    hold(served.stop() == 0, "the program does not end well during a search")
    return f"20 searches left alone, 10 of 10 lists read, {watch}"


ATTACKS = [
    disk_full_and_room_again, file_limit_reached_and_lifted, files_deleted_while_it_serves, files_replaced_while_it_serves, damaged_pages,
    keys_of_one_caller, searches_that_nobody_waits_for,
]
