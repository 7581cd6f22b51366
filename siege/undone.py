"""Writes that are cut, killed, and made by a crowd: each once or known to be unknown, and undone around what people did."""

import collections
import http.client
import http.server
import itertools
import json
import os
import random
import re
import socket
import threading
import time

from program import Crowd, Folder, Program, Refused, answered, hold, run, together, token, until

FILE = """
format: 1
connector: {name}
title: {name}
instructions: None.
settings: {{ {key}: {{ required: true, secret: true, description: Key. }} }}
upstream: {{ base: "{origin}/v1", headers: {{ Authorization: "Bearer {{settings.{key}}}" }} }}
records:
  {name}:
    get: "/things/{{id}}"
    patch: "/things/{{id}}"
    create: {{ post: /things }}
    delete: "/things/{{id}}"
    version: .version
    name: .title
    fields: [title, note, owner]
tools:
  - name: {name}_make
    title: Make
    description: Make a thing.
    effect: write
    input: &fields
      title: {{ type: string, description: Title. }}
      note: {{ type: string, description: Note. }}
      owner: {{ type: string, description: Owner. }}
    steps: [{{ post: /things, body: '$args' }}]
    makes: {name}
  - name: {name}_change
    title: Change
    description: Change a thing.
    effect: write
    input: {{ <<: *fields, id: {{ type: string, description: Id., required: true }} }}
    before: {{ get: "/things/{{id}}" }}
    steps: [{{ patch: "/things/{{id}}", body: '($args | del(.id)) + {{version: $before.version}}' }}]
    changes: {{ {name}: $args.id }}
"""
SEED = int(os.environ.get("SIEGE_SEED", "20260728"))
# How many: as few as the gate allows itself, or all.
IS_SMALL = os.environ.get("SIEGE_SIZE") == "small"
WRITERS = 8


class Things:
    """A backend that keeps things with versions, and counts what was written."""

    def __init__(self, name, count=0):
        self.name, self.things, self.lock, self.made = name, {}, threading.RLock(), 0
        # How often each value was written by a request, which are unique.
        self.written = collections.Counter()
        for _ in range(count):
            self.add({"title": f"{name} {self.made}", "note": "", "owner": "nobody"})

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(handler, status, value):
                body = json.dumps(value).encode()
                handler.send_response(status)
                handler.send_header("Content-Type", "application/json")
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def thing(handler):
                return self.things.get(handler.path.rpartition("/")[2])

            def body(handler):
                return json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))

            def do_GET(handler):
                with self.lock:
                    thing = handler.thing()
                    handler.answer(200 if thing else 404, dict(thing or {}))

            def do_POST(handler):
                fields = handler.body()
                with self.lock:
                    self.written.update(fields.values())
                    handler.answer(201, self.add(fields))

            def do_PATCH(handler):
                fields = handler.body()
                with self.lock:
                    thing = handler.thing()
                    if thing is None:
                        return handler.answer(404, {})
                    if fields.pop("version") != thing["version"]:
                        return handler.answer(409, {"detail": "another version"})
                    self.written.update(fields.values())
                    self.change(thing["id"], fields)
                    handler.answer(200, thing)

            def do_DELETE(handler):
                with self.lock:
                    thing = self.things.pop(handler.path.rpartition("/")[2], None)
                    handler.answer(200 if thing else 404, {})

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # the program is killed while it asks

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._folder = Folder()
        self.key = f"{name.upper()}_KEY"
        self.settings = {self.key: "k" * 20}

    def add(self, fields):
        with self.lock:
            self.made += 1
            thing = {"title": "", "note": "", "owner": "", **fields, "id": f"t{self.made}", "version": 1}
            self.things[thing["id"]] = thing
            return thing

    def change(self, number, fields):
        with self.lock:
            thing = self.things[number]
            thing.update(fields)
            thing["version"] += 1

    def fields(self):
        """Every field of every thing."""
        with self.lock:
            things = self.things.values()
            return {(thing["id"], name): thing[name] for thing in things for name in ("title", "note", "owner")}

    def file(self, port=None):
        path = self._folder.path / f"{self.name}.yaml"
        path.write_text(FILE.format(name=self.name, key=self.key, origin=f"http://127.0.0.1:{port or self.port}"))
        return path

    def end(self):
        self._server.shutdown()
        self._server.server_close()


class CuttingProxy:
    """Hands bytes on, and cuts a connection after so many of them, drawn anew after each cut, until it has cut so often."""

    def __init__(self, port, cuts, draw):
        self._port, self._draw, self.left, self.cut = port, draw, cuts, 0
        self._lock, self._until = threading.Lock(), draw.randint(1, 3000)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._port))
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._hand_on, args=(one, other), daemon=True).start()

    def _allowed(self, size):
        """How many of these bytes go on; fewer than all before a cut."""
        with self._lock:
            if not self.left:
                return size
            if size < self._until:
                self._until -= size
                return size
            allowed, self._until = self._until - 1, self._draw.randint(1, 3000)
            self.left, self.cut = self.left - 1, self.cut + 1
            return allowed

    def _hand_on(self, one, other):
        try:
            while data := one.recv(1 << 16):
                allowed = self._allowed(len(data))
                other.sendall(data[:allowed])
                if allowed < len(data):
                    break
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def end(self):
        self._listener.close()


def keyed(served, tool, arguments, key):
    meta = {"footbridge/idempotency_key": key}
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    # One that was found carried out is answered in words.
    return answered(*served.ask("POST", "/mcp", body))


def changes(data, *arguments):
    """Every change on record."""
    found, before = [], []
    while True:
        listed = run("changes", "list", "--json", "--limit", "200", "--data", data, *arguments, *before)
        hold(listed.returncode == 0, "changes cannot be listed", listed.stderr)
        page = json.loads(listed.stdout)
        found += page["changes"]
        if not page["has_more"]:
            return found
        before = ["--before", str(found[-1]["id"])]


def shown(data, number):
    detail = run("changes", "show", number, "--json", "--data", data)
    hold(detail.returncode == 0, "a change cannot be shown", detail.stderr)
    return json.loads(detail.stdout)


def cut_and_killed_while_writing():
    """Every write is on record; what is done is at the backend once, what failed is not there, and what nobody knows is found out."""
    cuts = 24 if IS_SMALL else 200
    draw, data, things = random.Random(SEED), Folder(), Things("thing")
    proxy = CuttingProxy(things.port, cuts, random.Random(SEED + 1))
    file = things.file(proxy.port)
    acknowledged, refused, lock = set(), {}, threading.Lock()
    kills = 0

    def start():
        return Program(file, "--allow", "write,destroy", data=data.path, environment=things.settings)

    def write(mark, tool, arguments):
        while True:
            served = current[0]
            try:
                keyed(served, tool, arguments, mark)
                with lock:
                    acknowledged.add(mark)
                return
            except Refused as why:
                with lock:
                    refused[mark] = str(why)
                return
            except (OSError, http.client.HTTPException):
                # again under its key, once the program is back
                until(lambda: current[0] is not served, "no program came back")

    def one(writer):
        for number in itertools.count():
            if not proxy.left:
                return
            mark = f"mark/{writer}/{number}"
            if number % 4 == 3:
                write(mark, "thing_make", {"title": "made", "note": mark})
            else:
                write(mark, "thing_change", {"id": things.add({"title": "there"})["id"], "note": mark})

    current = [start()]
    crowd = Crowd(WRITERS, one)
    try:
        while crowd.is_at_work():
            goal = proxy.cut + draw.randint(5, 15)
            until(lambda: proxy.cut >= goal or not crowd.is_at_work(), "nothing is cut any more")
            if not crowd.is_at_work():
                break
            current[0].kill()
            current[0] = start()
            kills += 1
        crowd.join()
        hold(proxy.cut == cuts, "so many were to be cut", proxy.cut)
        hold(current[0].stop() == 0, "the program does not end well")

        once = [mark for mark, count in things.written.items() if count > 1 and str(mark).startswith("mark/")]
        hold(not once, "a write is made twice", once)
        unknown = [change["id"] for change in changes(data.path, "--state", "unknown")]
        # What nobody knows is found out by looking at the record; nothing is sent for that.
        before = things.fields()
        if unknown:
            looked = run("changes", "undo", *unknown, "--dry-run", "--file", file, "--data", data.path, environment=things.settings)
            hold(looked.returncode == 0, "what is unknown cannot be looked at", looked.stderr)
        hold(things.fields() == before, "a look changed something")
        # A write that was found not carried out is made again under its key: another change of the same mark.
        ends, left = collections.defaultdict(list), 0
        for change in changes(data.path):
            detail = shown(data.path, change["id"])
            ended = change.get("state", "done")
            ends[detail["arguments"]["note"]].append((ended, detail))
            if ended == "unknown":
                left += 1
                hold(change["tool"] == "thing_make", "a change of a record is still unknown", detail)
            else:
                hold(ended in ("done", "failed"), "a change has no end", detail)
        state = {}
        for mark, changed in ends.items():
            states = [ended for ended, _ in changed]
            state[mark] = next((ended for ended in ("done", "unknown", "failed") if ended in states))
            hold(states.count("done") <= 1, "a write is done twice", changed)
            if "unknown" not in states:
                hold(bool(things.written[mark]) == ("done" in states), f"a change is {state[mark]}, and the backend knows better", changed)
        lost = [mark for mark in things.written if str(mark).startswith("mark/") and mark not in state]
        hold(not lost, "writes that nobody recorded", lost)
        wrong = [mark for mark in acknowledged if state.get(mark) != "done"]
        hold(not wrong, "acknowledged writes are not done", wrong)
        silent = [mark for mark, why in refused.items() if things.written[mark] and not re.search("not known|is not answered|may have|was sent", why)]
        hold(not silent, "a refused write was made, and its caller was not told", [(mark, refused[mark]) for mark in silent[:3]])

        # And all of it is undone: the things that were there are as they were, those that were made are gone.
        ended = run(
            "changes", "undo", "--since", "1h", "--yes", "--allow", "write,destroy", "--file", file, "--data", data.path, environment=things.settings,
        )
        hold(ended.returncode == 0, "it cannot be undone", (ended.stdout[-500:], ended.stderr))
        notes = [thing["note"] for thing in things.things.values() if thing["title"] == "there" and thing["note"]]
        hold(not notes, "a change is not undone", notes[:3])
        made = sum(thing["title"] == "made" for thing in things.things.values())
        hold(made <= left, "what was made is still there", (made, left))
    finally:
        proxy.end()
        things.end()
    states = collections.Counter(state.values())
    return f"{cuts} cuts, {kills} kills, {len(state)} writes: {dict(states)}, {len(unknown) - left} of {len(unknown)} unknown found out, 0 lost, 0 twice"


def a_crowd_is_undone():
    """Agents write to three backends at once while people edit; one undo brings back every field that people left alone."""
    agents, writes, people, edits = (10, 100, 5, 50) if IS_SMALL else (50, 1000, 10, 500)
    data, backends = Folder(), [Things("alpha", 30), Things("beta", 30)]
    files = [backend.file() for backend in backends]
    environment = {name: value for backend in backends for name, value in backend.settings.items()}
    bearer = {"Authorization": f"Bearer {token(data.path)}"}
    served = Program("board", *files, "--allow", "write,destroy", data=data.path, environment=environment)

    def by_hand(method, path, body):
        status, text = 503, ""
        # in a crowd the database may be busy: nothing was changed then, and a person tries again
        for _ in range(20):
            if status == 503:
                status, text = served.ask(method, f"/xapi2/data/card{path}", body, bearer)
        hold(status in (200, 201), "the board's own door refuses", (status, text))
        return json.loads(text)

    def cards():
        rows, cursor = [], None
        while True:
            page = served.call(f"{prefix}card_list", {"limit": 100, **({"cursor": cursor} if cursor else {})})
            rows, cursor = rows + page["items"], page.get("next_cursor")
            if not cursor:
                return {(row["id"], name): row.get(name) for row in rows for name in ("title", "description", "assignee")}

    def fields():
        return {**{("board", *key): value for key, value in cards().items()}, **{(one.name, *key): value for one in backends for key, value in one.fields().items()}}

    status, text = served.ask("POST", "/mcp", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
    names = {tool["name"] for tool in json.loads(text)["result"]["tools"]}
    prefix = "" if "card_list" in names else "board_"
    for number in range(30):
        by_hand("POST", "", {"title": f"card {number}", "description": "", "assignee": "nobody"})
    at_first = fields()
    ids = {name: sorted({key[1] for key in at_first if key[0] == name}) for name in ("board", "alpha", "beta")}
    own = {"board": ("title", "description", "assignee"), "alpha": ("title", "note", "owner"), "beta": ("title", "note", "owner")}
    refused = collections.Counter()

    def agent(number):
        draw = random.Random(f"{SEED} agent {number}")
        for turn in range(writes // agents):
            where, mark = draw.choice(("board", "alpha", "beta")), f"agent {number}/{turn}"
            given = {name: f"{mark} {name}" for name in draw.sample(own[where], draw.randint(1, 2))}
            try:
                if draw.random() < 0.1:
                    given = {"title": mark, **given}
                    served.call(f"{prefix}card_create" if where == "board" else f"{where}_make", given)
                else:
                    given["id"] = draw.choice(ids[where])
                    served.call(f"{prefix}card_update" if where == "board" else f"{where}_change", given)
            except Refused as why:
                known = ("changed by someone else", "another version", "busy with other writes")
                hold(any(words in str(why) for words in known), "an agent is refused", why)
                refused[where] += 1

    touched = set()

    def person(number):
        draw = random.Random(f"{SEED} person {number}")
        for turn in range(edits // people):
            where = draw.choice(("board", "alpha", "beta"))
            # some fields are left alone by people
            thing, name = draw.choice(ids[where][:20]), draw.choice(own[where][:2])
            value = f"person {number}/{turn}"
            touched.add((where, thing, name))
            if where == "board":
                by_hand("PATCH", f"/{thing}", {name: value})
            else:
                next(one for one in backends if one.name == where).change(thing, {name: value})
            time.sleep(draw.random() / 100)

    try:
        together(agents + people, lambda number: agent(number) if number < agents else person(number - agents))
        after_all = fields()
        arguments = ["--yes", "--json", "--allow", "write,destroy", "--data", data.path]
        arguments += [part for file in files for part in ("--file", file)]
        # the agents' own: what people wrote at the board's door may be on record too
        ended = run("changes", "undo", "--since", "1h", "--caller", caller(data.path), *arguments, environment=environment, timeout=300)
        hold(ended.returncode == 0, "the undo fails", (ended.stdout[-1000:], ended.stderr[-1000:]))
        now = fields()
        alone = [key for key in at_first if key not in touched]
        wrong = [(key, at_first[key], after_all[key], now.get(key)) for key in alone if now.get(key) != at_first[key]]
        hold(not wrong, "a field that people left alone is not as it was", wrong[:3])
        theirs = [key for key in at_first if str(after_all[key]).startswith("person ")]
        overwritten = [(key, after_all[key], now.get(key)) for key in theirs if now.get(key) != after_all[key]]
        hold(not overwritten, "a person's value is overwritten", overwritten[:3])
        more = {key[:2] for key in now} - {key[:2] for key in at_first}
        hold(not more, "what agents made is still there", list(more)[:3])
    finally:
        for backend in backends:
            backend.end()
    return (
        f"{agents} agents, {writes} writes, {sum(refused.values())} of them refused for a version, {edits} edits of people: "
        f"{len(alone)} fields as they were, {len(theirs)} of people untouched"
    )


def caller(data):
    """The caller as whom the agents wrote."""
    first = changes(data, "--tool", "alpha_change")[0]
    return shown(data, first["id"])["caller"]


ATTACKS = [cut_and_killed_while_writing, a_crowd_is_undone]
