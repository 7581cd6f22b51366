"""Writers whose program, connection or patience ends: what was acknowledged is there, and nothing is there twice."""

import http.client
import itertools
import signal
import time

from program import Crowd, Folder, Program, Refused, hold, message, together, until
from stand_in import SETTINGS, StandIn

WRITERS = 12


def held(titles, acknowledged, sent=None):
    kept = set(titles)
    hold(len(kept) == len(titles), "a card is there twice", len(titles) - len(kept))
    hold(acknowledged <= kept, "acknowledged cards are lost", len(acknowledged - kept))
    if sent is not None:
        hold(kept <= sent, "cards that nobody sent", len(kept - sent))


def write_until_gone(served, name, acknowledged, sent):
    """Creates cards, one after another on each of many connections, until the program is gone."""

    def one(writer):
        for number in itertools.count():
            title = f"{name}/{writer}/{number}"
            sent.add(title)
            try:
                served.call("card_create", {"title": title})
            except (Refused, OSError, http.client.HTTPException):
                return
            acknowledged.add(title)

    return Crowd(WRITERS, one)


def killed_under_writers():
    data, acknowledged, sent = Folder(), set(), set()
    rounds = 6
    for number in range(rounds):
        served = Program(data=data.path)
        before = len(acknowledged)
        crowd = write_until_gone(served, number, acknowledged, sent)
        until(lambda: len(acknowledged) >= before + 40 * (number + 1), "writes do not get through")
        served.kill()
        crowd.join()
    served = Program(data=data.path)
    held(served.titles(), acknowledged, sent)
    return f"{rounds} rounds, {len(acknowledged)} acknowledged, 0 lost, 0 twice"


def cut_in_mid_write():
    data, acknowledged, sent = Folder(), set(), set()
    served = Program(data=data.path)
    cuts = 600

    def one(writer):
        for number in range(cuts // WRITERS):
            title = f"cut/{writer}/{number}"
            sent.add(title)
            body = message("card_create", {"title": title}).encode()
            head = (
                f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Type: application/json\r\n"
                f"Accept: application/json, text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode()
            with served.connect() as connection:
                # In the head, in the body, after it, and while the answer comes.
                whole = head + body
                how = (writer + number) % 4
                connection.sendall(whole if how >= 2 else whole[: len(head) // 2] if how == 0 else whole[:-5])
                if how == 3 and b'"isError"' not in (answer := connection.recv(4096)) and b" 200 " in answer[:20]:
                    acknowledged.add(title)

    together(WRITERS, one)
    served.health()
    held(served.titles(), acknowledged, sent)
    hold(served.stop() == 0, "the program does not end well")
    return f"{cuts} connections cut, {len(acknowledged)} acknowledged, 0 lost, 0 twice"


def keyed_writes_under_kill():
    """Each write is made again under its key until it is answered for good, however often the program is killed meanwhile."""
    data, backend, settled, unknown = Folder(), StandIn(), set(), set()
    total, kills = 240, 0

    def start():
        return Program(backend.file, "--allow", "write", data=data.path, environment=SETTINGS)

    def one(writer):
        for number in range(total // WRITERS):
            title = f"key/{writer}/{number}"
            while title not in settled and title not in unknown:
                served = current[0]
                try:
                    served.call("make", {"title": title, "idempotency_key": title})
                    settled.add(title)
                except Refused as error:
                    # Whether it was made before the kill nobody knows: the program says so and does not try again.
                    hold("not known" in str(error), "a keyed write is refused", error)
                    unknown.add(title)
                except (OSError, http.client.HTTPException):
                    until(lambda: current[0] is not served, "no program came back")

    current = [start()]
    crowd = Crowd(WRITERS, one)
    try:
        while crowd.is_at_work() and kills < 6:
            before = len(settled) + len(unknown)
            until(lambda: len(settled) + len(unknown) >= before + 25 or not crowd.is_at_work(), "keyed writes do not get through")
            current[0].kill()
            current[0] = start()
            kills += 1
        crowd.join()
        hold(len(settled) + len(unknown) == total, "writes without an outcome", total - len(settled) - len(unknown))
        hold(max(backend.made.values()) == 1, "a write is made twice", [title for title, count in backend.made.items() if count > 1])
        hold(settled <= set(backend.made), "an acknowledged write is not made", len(settled - set(backend.made)))
        # The same call with the same key gives the first answer, and makes nothing.
        for title in sorted(settled)[:20]:
            hold(current[0].call("make", {"title": title, "idempotency_key": title})["title"] == title, "the first answer comes again")
        hold(max(backend.made.values()) == 1, "a write is made twice")
    finally:
        backend.end()
    return f"{kills} kills, {len(settled)} done, {len(unknown)} not known, 0 lost, 0 twice"


def drained_by(number):
    data, acknowledged, sent = Folder(), set(), set()
    served = Program(data=data.path)
    crowd = write_until_gone(served, number.name, acknowledged, sent)
    until(lambda: len(acknowledged) >= 100, "writes do not get through")
    served.signal(number)
    code = served.wait()
    crowd.join()
    hold(code == 0, f"{number.name} is not drained", code)
    again = Program(data=data.path)
    titles = again.titles()
    held(titles, acknowledged, sent)
    # What was begun was answered: a card that is there was acknowledged.
    hold(set(titles) == acknowledged, "calls under way were carried out and not answered", len(set(titles) - acknowledged))
    return f"{len(acknowledged)} acknowledged, 0 missing, 0 unanswered"


def drained_by_sigterm():
    return drained_by(signal.SIGTERM)


def drained_by_sighup():
    return drained_by(signal.SIGHUP)


def soaked():
    """Mixed load for a while: every answer is right."""
    data, answers = Folder(), [0] * WRITERS
    served = Program("--allow", "write,destroy", data=data.path)
    ends = time.monotonic() + 15

    def one(worker):
        while time.monotonic() < ends:
            card = served.call("card_create", {"title": f"soak {worker}", "description": "soaked " * 50})
            served.call("card_update", {"id": card["id"], "title": f"soaked {worker}"})
            found = served.call("card_list", {"limit": 20})
            hold(found["items"], "a list is empty")
            hold(served.call("card_get", {"id": card["id"]})["title"] == f"soaked {worker}", "a card is not as it was written")
            served.call("card_delete", {"id": card["id"]})
            answers[worker] += 5

    before = served.memory()
    together(WRITERS, one)
    return f"{sum(answers)} answers, no failure, {before:.0f} -> {served.memory():.0f} MB"


ATTACKS = [killed_under_writers, cut_in_mid_write, keyed_writes_under_kill, drained_by_sigterm, drained_by_sighup, soaked]
