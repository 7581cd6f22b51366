"""How a figure is taken: requests as a client sends them, wrk, callgrind, /proc. Which figures, and their table, are in `run`."""

import http.client
import json
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.parse

from server import Server

HERE = pathlib.Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1.0.0"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
# Requests before and while callgrind counts.
WARM_UP, COUNTED = 200, 500


def request(era, method, **params):
    """Headers and body (a dictionary with the placeholder id) of one request."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if era == "modern":
        params["_meta"] = META
        headers |= {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
    else:
        headers["MCP-Protocol-Version"] = "2025-11-25"
    return headers, {"jsonrpc": "2.0", "id": 123456789, "method": method, "params": params}


def encoded(body):
    return json.dumps(body, separators=(",", ":"))


def echo(arguments):
    """A call of `echo` on 2026-07-28; it repeats `message` and takes what else there is."""
    return request("modern", "tools/call", name="echo", arguments=arguments)


def rows(size):
    """Arguments of about so many bytes: many small objects, as a table or a list of records is sent."""
    row = {"id": 100_000, "subject": "A card with a title of the usual length", "status": "in_progress", "tags": ["backend", "urgent"], "points": 2.5,
           "done": False}
    return {"message": "ok", "rows": [{**row, "id": 100_000 + number} for number in range(size // (len(encoded(row)) + 1))]}


def text(size):
    """Arguments of about so many bytes: one text, as a document or a file is sent."""
    sentence = "A sentence of the usual length, with \"quotes\" and\nlines. "
    return {"message": (sentence * (size // len(sentence) + 1))[:size]}


def cpu_us(server, headers, body, warm_up=50, times=500):
    """CPU of a running server for one request, over one connection."""
    post(server.url, headers, body, warm_up)
    before = cpu_seconds(server.process.pid)
    post(server.url, headers, body, times)
    return (cpu_seconds(server.process.pid) - before) * 1e6 / times


def post(url, headers, body, times):
    """Sends the request `times` times over one connection; every answer must be a result. Answers the last one's length."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    for number in range(times):
        connection.request("POST", address.path, encoded({**body, "id": number}), headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200 or b'"result"' not in text or b'"isError":true' in text:
            raise RuntimeError(f"{url}: {answer.status} {text[:300]}")
    connection.close()
    return len(text)


def result(url, headers, body):
    """The JSON that one call gives."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    connection.request("POST", address.path, json.dumps(body), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return json.loads(answer["result"]["content"][0]["text"])


def instructions(command, headers, body):
    """User-space instructions for one request, under callgrind with one worker thread."""
    with tempfile.TemporaryDirectory(prefix="footbridge-bench-") as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        callgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--collect-jumps=no", f"--callgrind-out-file={out}"]
        with Server([*callgrind, *command], {"TOKIO_WORKER_THREADS": "1"}) as server:
            def instrument(switch):
                subprocess.run(["callgrind_control", "-i", switch, str(server.process.pid)], check=True, capture_output=True)

            post(server.url, headers, body, WARM_UP)
            instrument("on")
            post(server.url, headers, body, COUNTED)
            instrument("off")
        total = re.findall(r"^(?:totals|summary): (\d+)", out.read_text(), re.M)[-1]
        return int(total) / COUNTED


def start_instructions(command):
    """User-space instructions of a program over stdio from its start to its first list of tools, and its end."""
    _, body = request("modern", "tools/list")
    with tempfile.TemporaryDirectory(prefix="footbridge-bench-") as folder:
        out = pathlib.Path(folder) / "callgrind.out"
        callgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
        words = [str(word) for word in [*callgrind, *command]]
        environment = {**os.environ, "TOKIO_WORKER_THREADS": "1"}
        done = subprocess.run(words, input=encoded(body) + "\n", env=environment, capture_output=True, text=True, check=True)
        if '"result"' not in done.stdout:
            raise RuntimeError(f"{command}: {done.stdout[:300]} {done.stderr[-300:]}")
        return int(re.findall(r"^(?:totals|summary): (\d+)", out.read_text(), re.M)[-1])


def wall_ms(command, times):
    """The median of so many runs of a program that must end well, in milliseconds."""
    runs = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run([str(word) for word in command], check=True, capture_output=True)
        runs.append((time.perf_counter() - started) * 1e3)
    return statistics.median(runs)


def build_cpu_seconds(folder):
    """CPU of a build from nothing, of the compiler and all it starts."""
    subprocess.run(["cargo", "fetch", "--quiet"], cwd=folder, check=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["cargo", "build", "--quiet", "--target-dir", folder / "target"], cwd=folder, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid, key):
    """`VmRSS` now, or `VmHWM`, the most it ever was."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1024
    raise KeyError(key)


def open_sessions(server, count):
    """Opens legacy sessions over one connection, each greeted as a client does; answers their ids."""
    address = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    params = {"protocolVersion": "2025-11-25", "capabilities": {"roots": {}, "sampling": {}}, "clientInfo": {"name": "bench", "version": "1.0.0"}}
    ids = []
    for number in range(count):
        hello = {"jsonrpc": "2.0", "id": number, "method": "initialize", "params": params}
        connection.request("POST", address.path, json.dumps(hello), headers)
        answer = connection.getresponse()
        answer.read()
        ids.append(answer.headers["Mcp-Session-Id"])
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        connection.request("POST", address.path, json.dumps(ready), {**headers, "Mcp-Session-Id": ids[-1], "MCP-Protocol-Version": "2025-11-25"})
        connection.getresponse().read()
    connection.close()
    return ids


def open_stream(server, session):
    """Opens the GET stream of a session and waits until it has begun; answers its socket, to be kept."""
    address = urllib.parse.urlsplit(server.url)
    stream = socket.create_connection((address.hostname, address.port))
    stream.sendall(f"GET {address.path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMcp-Session-Id: {session}\r\n"
                   "MCP-Protocol-Version: 2025-11-25\r\n\r\n".encode())
    if not stream.recv(4096).startswith(b"HTTP/1.1 200"):
        raise RuntimeError("the stream did not begin")
    return stream


def load(server, headers, body, connections, seconds):
    """Loads a running server with wrk; requests a second, CPU a request, latency."""
    environment = {
        **os.environ,
        "BODY": encoded(body),
        "HEADERS": "\n".join(f"{name}: {value}" for name, value in headers.items()),
    }
    before = cpu_seconds(server.process.pid)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(HERE / "requests.lua"), server.url]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    after = cpu_seconds(server.process.pid)
    requests, micros, errors, p50, p99 = map(int, re.search(r"^RESULT (.*)$", done.stdout, re.M).group(1).split())
    if errors:
        raise RuntimeError(f"{errors} of {requests} requests failed:\n{done.stdout}")
    return {"per_second": requests * 1e6 / micros, "cpu_us": (after - before) * 1e6 / requests, "p50_us": p50, "p99_us": p99}


def stdio(client, starts, calls, pipelined, era, tool, arguments, command):
    """One run of the stdio client; its JSON line."""
    words = [client, starts, calls, pipelined, era, tool, json.dumps(arguments), "--", *command]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stderr.strip()[-1000:]}")
    return json.loads(done.stdout)


def machine():
    """What the figures were taken on, without its name."""
    cpu = next(line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) // 1024 // 1024
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    valgrind = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{os.cpu_count()} × {cpu}, {memory + 1} GiB, Linux {os.uname().release.split('-')[0]}, rustc {rustc}, {valgrind}"
