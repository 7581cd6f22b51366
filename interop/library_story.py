"""What every client does with the library's fixture, and what it must see: all of MCP that is more than listing and calling tools.

Each story stands alone. Not here: how a client or a server is started.
"""

import base64
import json
import pathlib

from clients import Refused
from story import expect

ZOO = pathlib.Path(__file__).parents[1] / "crates" / "mcp" / "examples" / "everything" / "zoo.json"
WATCHED = "test://watched-resource"
TEMPLATE = "test://template/{id}/data"


def texts(result):
    expect(not result.get("isError"), "a call to succeed", result)
    return [part.get("text") for part in result["content"]]


def call(client, tool, wanted, **arguments):
    """A call that must answer with exactly this text."""
    seen = texts(client.ask("call", tool=tool, arguments=arguments))
    expect(seen == [wanted], f"{tool} to say {wanted!r}", seen)


def refused(codes, client, do, **fields):
    try:
        seen = client.ask(do, **fields)
    except Refused as error:
        return expect(error.code in codes, f"{do} {fields} to be refused with one of {codes}", error)
    return expect(False, f"{do} {fields} to be refused", seen)


def progress(client):
    result = client.ask("call", tool="test_tool_with_progress", arguments={}, progress=True)
    expect([step[:2] for step in result["progress"]] == [[0, 100], [50, 100], [100, 100]], "three steps, in order", result["progress"])
    expect(texts(result) == ["Everything is done."], "the answer after them", result)


def cancellation(client):
    """The server tells through another tool that it saw it: the call was dropped there."""
    client.ask("cancel", tool="test_wait", arguments={"label": client.label})
    call(client, "test_was_cancelled", f"{client.label} was cancelled", label=client.label)


def elicitation(client):
    content = {"username": "ada", "email": "ada@example.org"}
    for answer, told in (
        ({"action": "accept", "content": content}, f"action=accept, content={json.dumps(content, separators=(',', ':'))}"),
        ({"action": "decline"}, "action=decline, content={}"),
        ({"action": "cancel"}, "action=cancel, content={}"),
    ):
        client.ask("answer", elicitation=answer)
        call(client, "test_elicitation", f"User response: {told}", message="Who are you?")


def sampling(client):
    call(client, "test_sampling", "LLM response: You asked: What is the capital of France?", prompt="What is the capital of France?")


def roots(client):
    call(client, "test_input_required_result_list_roots", "Roots: file:///notes, file:///drafts")


def questions_together(client):
    client.ask("answer", elicitation={"action": "accept", "content": {"name": "Ada"}})
    call(client, "test_input_required_result_multiple_inputs", "You asked: Write a short greeting. Ada, 2 roots")


def subscriptions(client):
    updated, changed = f"updated {WATCHED}", "tools changed"
    client.ask("subscribe", uri=WATCHED)
    for uri in ("test://static-text", WATCHED):
        call(client, "test_update_resource", "Told.", uri=uri)
    heard = client.ask("until", event=updated)["events"]
    expect(heard == [updated], "to hear of the one resource and of no other", heard)
    call(client, "test_trigger_tool_change", "Told.")
    heard = client.ask("until", event=changed)["events"]
    expect(heard == [changed], "to hear of the list of tools", heard)
    client.ask("unsubscribe", uri=WATCHED)
    call(client, "test_update_resource", "Told.", uri=WATCHED)
    call(client, "test_trigger_tool_change", "Told.")
    heard = client.ask("until", event=changed)["events"]
    expect(heard == [changed], "to hear no more of the resource", heard)


def resources(client):
    seen = {resource["uri"]: resource for resource in client.ask("resources")["resources"]}
    expect({"test://static-text", "test://static-binary", WATCHED} <= seen.keys(), "the resources", seen)
    [text] = client.ask("read", uri="test://static-text")["contents"]
    expect(text["text"] == "This is the content of the static text resource.", "its text", text)
    [binary] = client.ask("read", uri="test://static-binary")["contents"]
    expect(base64.b64decode(binary["blob"]).startswith(b"\x89PNG") and binary["mimeType"] == "image/png", "its bytes", binary)
    # Before 2026-07-28 it was -32002, which the TypeScript client 2.x turns into the newer one.
    refused([-32602] if client.modern else [-32002, -32602], client, "read", uri="test://no-such-thing")


def templates(client):
    seen = [template["uriTemplate"] for template in client.ask("templates")["resourceTemplates"]]
    expect(TEMPLATE in seen, "the template", seen)
    for written, meant in (("42", "42"), ("a%20b%C3%A9", "a bé")):
        [content] = client.ask("read", uri=TEMPLATE.replace("{id}", written))["contents"]
        data = json.loads(content["text"])
        expect(data == {"id": meant, "templateTest": True, "data": f"Data for ID: {meant}"}, f"the data of {meant}", data)


def prompts(client):
    seen = {prompt["name"]: prompt for prompt in client.ask("prompts")["prompts"]}
    expect([part["name"] for part in seen["test_prompt_with_arguments"]["arguments"]] == ["arg1", "arg2"], "its arguments", seen)
    told = client.ask("prompt", name="test_prompt_with_arguments", arguments={"arg1": "hello", "arg2": "wörld"})["messages"]
    expect([message["content"]["text"] for message in told] == ["Prompt with arguments: arg1='hello', arg2='wörld'"], "the text", told)
    picture = client.ask("prompt", name="test_prompt_with_image", arguments={})["messages"]
    expect([message["content"]["type"] for message in picture] == ["image", "text"], "a picture and a text", picture)
    refused([-32602], client, "prompt", name="test_prompt_with_arguments", arguments={"arg1": "hello"})
    client.ask("answer", elicitation={"action": "accept", "content": {"context": "winter"}})
    asked = client.ask("prompt", name="test_input_required_result_prompt", arguments={})["messages"]
    expect(asked[0]["content"]["text"] == "Use this context: winter", "a prompt that asked first", asked)


def completions(client):
    for ref, argument, wanted in (
        ({"type": "ref/prompt", "name": "test_prompt_with_arguments"}, {"name": "arg1", "value": "par"}, ["paris", "park", "party"]),
        ({"type": "ref/prompt", "name": "test_prompt_with_arguments"}, {"name": "arg1", "value": "park"}, ["park"]),
        ({"type": "ref/resource", "uri": TEMPLATE}, {"name": "id", "value": "4"}, ["41", "42"]),
    ):
        seen = client.ask("complete", ref=ref, argument=argument)["completion"]["values"]
        expect(seen == wanted, f"{wanted} for {argument}", seen)


def logging(client):
    """On 2026-07-28 each request says what it wants to hear, before that the client says it once."""
    wanted = [f"log info Tool {stage}" for stage in ("execution started", "processing data", "execution completed")]

    def run(level):
        if client.modern:
            extra = {"log_level": level} if level else {}
        else:
            client.ask("level", level=level or "error")
            extra = {}
        said = texts(client.ask("call", tool="test_tool_with_logging", arguments={}, **extra))
        expect(said == ["Everything is logged."], "the answer", said)

    for _ in range(2):
        run("info")
        heard = client.ask("until", event=wanted[-1])["events"]
        expect(heard == wanted, "the three messages, and none of the call that did not want any", heard)
        run(None)


def tasks(client):
    """Calls that go on after their answer: asked about, answered, cancelled."""
    client.ask("answer", elicitation={"action": "accept", "content": {"confirm": True}})
    went = client.ask("task", tool="confirm_delete", arguments={"filename": "a.txt"})
    expect((went["status"], went["asked"]) == ("completed", ["confirm"]), "a task that asks and is completed", went)
    expect(texts(went["result"]) == ["Deleted a.txt."], "what it came to", went)
    went = client.ask("task", tool="slow_compute", arguments={"seconds": 600, "label": client.label}, cancel=True)
    expect(went["status"] == "cancelled", "a task that is cancelled", went)
    refused([-32602], client, "about_task", id="never was")


def any_values(client):
    """A tool whose arguments and answer may be anything, in places: one schema that a client cannot read loses it the whole list."""
    [listed] = [tool for tool in client.list() if tool["name"] == "test_any_value"]
    expect(listed["inputSchema"]["properties"]["any"] == {"description": "Any value."}, "any value to be described", listed)
    given = {"any": {"deep": [1, True, None]}, "nested": {"any": "text", "note": None}}
    result = client.ask("call", tool="test_any_value", arguments=given)
    expect(not result.get("isError") and result["structuredContent"] == given, "what was given", result)


def zoo(client):
    """Every kind of type as argument and as answer: none loses the client its list, and none is lost on the way."""
    listed = {tool["name"]: tool for tool in client.list()}
    for row in json.loads(ZOO.read_text()):
        tool = row["tool"]
        expect(row["arguments"].keys() <= listed[tool]["inputSchema"]["properties"].keys() | {"radius", "side"}, f"every argument of {tool}", listed[tool])
        result = client.ask("call", tool=tool, arguments=row["arguments"])
        expect(not result.get("isError") and result["structuredContent"] == row["answer"], f"what {tool} was given", result)


def contents(client):
    result = client.ask("call", tool="test_multiple_content_types", arguments={})
    kinds = [part["type"] for part in result["content"]]
    expect(kinds == ["text", "image", "resource"], "a text, a picture and a resource", kinds)
    failed = client.ask("call", tool="test_error_handling", arguments={})
    expect(failed.get("isError") is True, "the tool's error as a result", failed)
    refused([-32602], client, "call", tool="no_such_tool", arguments={})


STORIES = [
    contents, any_values, zoo, progress, cancellation, elicitation, sampling, roots, questions_together, subscriptions, resources, templates, prompts,
    completions, logging,
]
# Told to the clients that have them.
FURTHER = {"tasks": tasks}
