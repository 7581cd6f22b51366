"""What comes in by the doors: exposure, closed writes, other hosts and origins, two requests in one."""

import http.client
import json
import re

from program import EMAIL, PASSWORD, Folder, Program, Refused, account, hold, message, outcome, run, token

FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}


def exposed_without_a_secret():
    """Named for others to reach, with writes open: a bearer or the operator's word, at start."""
    said = []
    for option in (["--public-url", "https://board.example.org"], ["--allowed-host", "board.example.org"]):
        data = Folder()
        command = ["serve", "board", "--transport", "http", "--port", "0", "--data", data.path, *option]
        ended = run(*command, timeout=10)
        hold(ended.returncode != 0, f"{option[0]} starts with writes open to everybody", ended.returncode)
        hold("FOOTBRIDGE_TOKEN" in ended.stderr and "--no-auth" in ended.stderr, "the start says what to set", ended.stderr)
        said.append(ended.returncode)
        for more, environment in (["--no-auth"], None), (["--allow", "read"], None), ([], {"FOOTBRIDGE_TOKEN": "t" * 40}):
            Program(*option, *more, data=data.path, environment=environment).end()
    return f"exit codes {said}; it starts with --no-auth, with --allow read, with a bearer"


def forwarded_without_a_secret():
    data = Folder()
    served = Program(data=data.path)
    try:
        served.call("card_create", {"title": "x"}, headers=FORWARDED)
        hold(False, "a forwarded request without a secret writes")
    except Refused as error:
        hold(str(error).startswith("403") or "FOOTBRIDGE_TOKEN" in str(error), "the refusal names the setting", error)
        said = str(error)
    hold(served.call("card_list", {}, headers=FORWARDED)["items"] == [], "it may read, and nothing was written")
    served.call("card_create", {"title": "from here"})
    return said[:120]


def writes_closed_by_the_operator():
    """--allow read holds at the REST door too, whatever the token's scopes are."""
    data = Folder()
    bearer = {"Authorization": f"Bearer {token(data.path)}"}
    open_one = Program(data=data.path)
    card = open_one.call("card_create", {"title": "kept"})["id"]
    open_one.end()
    served = Program("--allow", "read", data=data.path)
    seen = [
        served.ask("POST", "/xapi2/data/card", {"title": "x"}, bearer)[0],
        served.ask("PATCH", f"/xapi2/data/card/{card}", {"title": "x"}, bearer)[0],
        served.ask("DELETE", f"/xapi2/data/card/{card}", headers=bearer)[0],
        served.ask("GET", f"/xapi2/data/card/{card}", headers=bearer)[0],
    ]
    hold(seen == [403, 403, 403, 200], "POST, PATCH, DELETE are 403 and GET is 200", seen)
    hold(served.titles() == ["kept"], "nothing was changed")
    return f"POST, PATCH, DELETE, GET: {seen}"


def other_hosts_and_origins():
    """Rebinding and a page's form: no request from elsewhere writes, at any door."""
    data = Folder()
    account(data.path)
    served = Program(data=data.path)
    body, login = message("card_create", {"title": "x"}), json.dumps({"email": EMAIL, "password": PASSWORD})
    own, seen = f"127.0.0.1:{served.port}", {}
    for name, path, sent, headers in (
        ("host at /mcp", "/mcp", body, {"Host": "evil.example"}),
        ("host at /xapi2", "/xapi2/auth/login", login, {"Host": "evil.example"}),
        ("host with our port", "/mcp", body, {"Host": f"evil.example:{served.port}"}),
        ("origin at /mcp", "/mcp", body, {"Origin": "https://evil.example"}),
        ("origin of another port", "/mcp", body, {"Origin": "http://localhost:1"}),
        ("origin null", "/mcp", body, {"Origin": "null"}),
        ("origin at /xapi2", "/xapi2/auth/login", login, {"Origin": "https://evil.example"}),
        ("a form at /mcp", "/mcp", body, {"Content-Type": "text/plain"}),
        ("a form at /xapi2", "/xapi2/auth/login", login, {"Content-Type": "text/plain"}),
    ):
        seen[name] = served.ask("POST", path, sent, {"Host": own, **headers})[0]
    hold(all(400 <= status < 500 for status in seen.values()), "a request from elsewhere gets in", seen)
    hold(served.titles() == [], "nothing was written")
    hold(served.ask("GET", "/healthz", headers={"Host": "evil.example"})[0] == 200, "health is for everybody")
    return " ".join(f"{status}" for status in seen.values())


def cookies_of_browsers():
    """The cookie of our page, sent by every page that is not ours, as a browser would: nothing is read, written or signed in."""
    data = Folder()
    bearer = "a-bearer-that-clients-share"
    served = Program(data=data.path, environment={"FOOTBRIDGE_TOKEN": bearer})
    own = f"http://127.0.0.1:{served.port}"
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    signing = {"Content-Type": "application/json", "Origin": own}
    connection.request("POST", "/session", json.dumps({"token": bearer}), signing)
    begun = connection.getresponse()
    begun.read()
    hold(begun.status == 204, "our own page signs in", begun.status)
    cookie = {"Cookie": begun.headers["Set-Cookie"].split(";")[0]}
    body = message("card_create", {"title": "x"})
    pages = [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
        {"Origin": f"http://localhost:{served.port}", "Sec-Fetch-Site": "same-site"},
        {"Origin": f"https://127.0.0.1:{served.port}"},
        {"Origin": "null"},
        {"Origin": own, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {},
    ]
    requests = [("POST", "/mcp", body), ("GET", "/session", None), ("POST", "/session", {"token": bearer}), ("DELETE", "/session", None)]
    requests += [("GET", "/approvals", None), ("POST", "/approvals/1/approve", {})]
    statuses = [served.ask(method, path, sent, {**page, **cookie})[0] for page in pages for method, path, sent in requests]
    hold(set(statuses) == {403}, "a page that is not ours uses the cookie", sorted(set(statuses)))
    rebound = served.ask("POST", "/mcp", body, {**cookie, "Host": f"evil.example:{served.port}", "Origin": f"http://evil.example:{served.port}"})[0]
    hold(rebound == 403, "a name of others leads to us", rebound)
    listed = outcome(*served.ask("POST", "/mcp", message("card_list", {}), {**cookie, "Origin": own}))
    hold(listed["items"] == [], "something was written", listed)
    return f"{len(statuses)} requests refused, our own page served"


def two_requests_in_one():
    """Bodies whose end is a matter of opinion: one answer at most, and none to the request inside."""
    data = Folder()
    served = Program(data=data.path)
    inner = message("card_create", {"title": "smuggled"})
    hidden = (
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        f"Content-Length: {len(inner)}\r\n\r\n{inner}"
    )
    head = f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Type: application/json\r\n"
    attempts = [
        f"{head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
        f"{head}Transfer-Encoding: chunked\r\nContent-Length: {len(hidden) + 5}\r\n\r\n0\r\n\r\n{hidden}",
        f"{head}Content-Length: 0\r\nContent-Length: {len(hidden)}\r\n\r\n{hidden}",
        f"{head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{hidden}",
        f"{head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}",
        f"{head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{hidden}",
        f"{head}Content-Length: +0\r\n\r\n{hidden}",
        f"{head}X: y\nContent-Length: 0\r\n Content-Length: {len(hidden)}\r\n\r\n{hidden}",
    ]
    statuses = []
    for attempt in attempts:
        with served.connect(timeout=40) as connection:
            connection.sendall(attempt.encode())
            received = b""
            try:
                connection.shutdown(1)
                while part := connection.recv(65536):
                    received += part
            except OSError:
                pass
        found = re.findall(rb"HTTP/1\.1 (\d{3})", received)
        statuses.append(b"+".join(found).decode() or "closed")
    served.health()
    # Where the program takes chunked as the end, the second is a request of its own, as on any connection; where it is unsure it refuses.
    hold(all(status in ("400", "501", "closed") for status in statuses), "a body with two ends is taken", statuses)
    hold(served.titles() == [], "the request inside was carried out")
    return f"answers {statuses}"


ATTACKS = [exposed_without_a_secret, forwarded_without_a_secret, writes_closed_by_the_operator, other_hosts_and_origins, cookies_of_browsers, two_requests_in_one]
