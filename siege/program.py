"""The program under attack: started, asked, measured, ended. Ends only what it started."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).parent
PROGRAM = pathlib.Path(os.environ.get("FOOTBRIDGE_BINARIES", HERE.parent / "target" / "release")) / "footbridge"
PASSWORD = "correct horse battery staple"
EMAIL = "ada@example.org"

# How long anything may take before the attack counts as won, in seconds.
PATIENCE = 60

ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
RUNNING = []


class NotHeld(Exception):
    """An attack got through."""


class Skipped(Exception):
    """This machine does not allow the attack."""


def hold(condition, what, seen=None):
    if not condition:
        raise NotHeld(f"{what}; seen: {seen}" if seen is not None else what)


def clean_environment(more=None):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FOOTBRIDGE_", "PRODMCP_")) and name != "PORT"}
    # What writes without a pause is what is meant here: the brakes are looked at elsewhere.
    unbraked = {"FOOTBRIDGE_WRITES_PER_MINUTE": "1000000", "FOOTBRIDGE_WRITES_PER_HOUR": "10000000"}
    return {**kept, **unbraked, **(more or {})}


class Folder:
    """A directory for a store, gone at the end."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="footbridge-siege-")
        self.path = pathlib.Path(self._folder.name)
        RUNNING.append(self)

    def end(self):
        self._folder.cleanup()


def run(*arguments, stdin="", environment=None, timeout=PATIENCE):
    """A verb of the program, to its end."""
    command = [str(PROGRAM), *map(str, arguments)]
    try:
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, env=clean_environment(environment))
    except subprocess.TimeoutExpired:
        raise NotHeld(f"it goes on, and should have ended: {' '.join(command[1:])}") from None


class Program:
    """The program serving over HTTP."""

    def __init__(self, *arguments, data, environment=None, preexec=None):
        command = [str(PROGRAM), "serve", *map(str, arguments), "--transport", "http", "--port", "0", "--data", str(data)]
        self.lines, self.port, self._is_up, self._found = [], None, False, threading.Event()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=clean_environment(environment), preexec_fn=preexec,
        )
        RUNNING.append(self)
        threading.Thread(target=self._read, daemon=True).start()
        self._found.wait(PATIENCE)
        hold(self._is_up, "the program did not start", self.lines)

    def _read(self):
        for line in self.process.stdout:
            if len(self.lines) < 2000:
                self.lines.append(line.rstrip())
            if match := ADDRESS.search(line):
                self.port = self.port or int(match.group(1))
            # The last of the lines that say where it is.
            if line.strip().startswith("status "):
                self._is_up = True
                self._found.set()
        self._found.set()

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Its exit code; that it does not end is a failure."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise NotHeld("the program did not end") from None

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def memory(self, which="VmRSS"):
        """MB of memory, now or, as VmHWM, at the highest."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{which}:\s+(\d+) kB", status).group(1)) / 1024

    def connect(self, source="127.0.0.1", timeout=PATIENCE):
        return socket.create_connection(("127.0.0.1", self.port), timeout, (source, 0))

    def ask(self, method, path, body=None, headers=None, source="127.0.0.1", timeout=PATIENCE):
        """Status and text of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout, source_address=(source, 0))
        try:
            given = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"} if body is not None else {}
            connection.request(method, path, body if body is None or isinstance(body, (bytes, str)) else json.dumps(body), {**given, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def call(self, tool, arguments, headers=None, source="127.0.0.1", timeout=PATIENCE):
        """What a tool answers; a refusal is raised with its text."""
        status, text = self.ask("POST", "/mcp", message(tool, arguments), headers, source, timeout)
        return outcome(status, text)

    def health(self, source="127.0.0.1"):
        """Whether /healthz answers, and the milliseconds that took."""
        started = time.monotonic()
        status, text = self.ask("GET", "/healthz", source=source)
        hold(status == 200, "/healthz does not answer", (status, text))
        return (time.monotonic() - started) * 1000

    def titles(self):
        """The title of every card."""
        titles, cursor = [], None
        while True:
            page = self.call("card_list", {"limit": 100, **({"cursor": cursor} if cursor else {})})
            titles += [card["title"] for card in page["items"]]
            cursor = page.get("next_cursor")
            if not cursor:
                return titles


class Refused(Exception):
    """A tool said no, or the door did."""


def message(tool, arguments):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})


def outcome(status, text):
    return json.loads(answered(status, text))


def answered(status, text):
    """The text that a tool answers, which need not be JSON."""
    if status != 200:
        raise Refused(f"{status}: {text}")
    if text.startswith(("event:", "data:", "id:", ":")):
        text = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")][-1]
    answer = json.loads(text)
    if "error" in answer:
        raise Refused(answer["error"]["message"])
    said = answer["result"]["content"][0]["text"]
    if answer["result"].get("isError"):
        raise Refused(said)
    return said


def token(data):
    """A token of the account that tools act as."""
    made = run("token", "create", "siege", "--json", "--data", data)
    hold(made.returncode == 0, "a token cannot be made", made.stderr)
    return json.loads(made.stdout)["token"]


def account(data):
    """An account to log in with."""
    added = run("account", "add", "ada", "--email", EMAIL, "--password", "--data", data, stdin=PASSWORD + "\n")
    hold(added.returncode == 0, "an account cannot be added", added.stderr)


def together(count, act):
    """Runs so many at once and waits for all; what they raise is raised."""
    errors = []

    def one(number):
        try:
            act(number)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


class Crowd:
    """So many at once in the background; what they raise is raised where they are waited for."""

    def __init__(self, count, act):
        self._errors = []
        self._thread = threading.Thread(target=self._run, args=(count, act), daemon=True)
        self._thread.start()

    def _run(self, count, act):
        try:
            together(count, act)
        except Exception as error:
            self._errors.append(error)

    def is_at_work(self):
        return self._thread.is_alive()

    def join(self):
        self._thread.join()
        if self._errors:
            raise self._errors[0]


def until(condition, what):
    """Waits for a condition."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        hold(time.monotonic() < limit, what)
        time.sleep(0.05)


class Watch:
    """The longest that /healthz took to answer meanwhile, in milliseconds; that it does not answer is a failure."""

    def __init__(self, served, source="127.0.0.1"):
        self.longest, self.answers, self.error, self._done = 0.0, 0, None, threading.Event()

        def look():
            while not self._done.is_set():
                try:
                    self.longest = max(self.longest, served.health(source))
                    self.answers += 1
                except Exception as error:
                    self.error = error
                    return
                self._done.wait(0.2)

        self._thread = threading.Thread(target=look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._done.set()
        self._thread.join()
        if kind is None:
            hold(self.error is None and self.answers, "/healthz does not answer meanwhile", self.error)

    def __str__(self):
        return f"/healthz {self.answers} times, at most {self.longest:.0f} ms"


def end_all():
    """Ends what was started and is still there."""
    while RUNNING:
        RUNNING.pop().end()
