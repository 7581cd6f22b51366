"""The official Python client, 1.x or 2.x, behind one JSON command a line; what to ask it is in the stories, not here.

Usage: client.py (legacy | modern) (stdio COMMAND [ARGUMENT...] | http URL | sse URL)
"""

import asyncio
import contextlib
import json
import sys

import anyio
import mcp
import mcp.types as types
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters, stdio_client

IS_2 = hasattr(mcp, "Client")
PROTOCOL_ERROR = mcp.MCPError if IS_2 else mcp.McpError
# How long something that is awaited may take to come, in seconds.
EVENT_SECONDS = 30


def plain(value):
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


class User:
    """Who answers the server's questions, and hears what it tells."""

    def __init__(self):
        self.elicitation = {"action": "cancel"}
        self.events = []
        # On 2026-07-28 what changes comes by a subscription of its own, and to the message handler as well.
        self.subscribes = False
        self._news = asyncio.Event()

    async def elicit(self, _context, _params):
        return types.ElicitResult(**self.elicitation)

    async def sample(self, _context, params):
        asked = params.messages[-1].content
        text = types.TextContent(type="text", text=f"You asked: {(asked[0] if isinstance(asked, list) else asked).text}")
        return types.CreateMessageResult(role="assistant", content=text, model="none")

    async def roots(self, _context):
        return types.ListRootsResult(roots=[types.Root(uri="file:///notes"), types.Root(uri="file:///drafts")])

    async def hear(self, message):
        if isinstance(message, Exception) or not hasattr(message, "model_dump"):
            return
        told = plain(message)
        params = told.get("params") or {}
        method = told.get("method")
        if method == "notifications/message":
            self.note(f"log {params['level']} {params['data']}")
        elif method == "notifications/resources/updated" and not self.subscribes:
            self.note(f"updated {params['uri']}")
        elif method == "notifications/tools/list_changed" and not self.subscribes:
            self.note("tools changed")

    def note(self, event):
        self.events.append(event)
        self._news.set()

    async def until(self, event):
        """Everything heard until this event, which comes last."""
        with anyio.fail_after(EVENT_SECONDS):
            while event not in self.events:
                self._news.clear()
                await self._news.wait()
        heard = self.events.index(event) + 1
        events, self.events = self.events[:heard], self.events[heard:]
        return events


TASKS = "io.modelcontextprotocol/tasks"

if IS_2:
    from typing import Any, Literal

    from mcp.client.extension import ClientExtension, ResultClaim
    from pydantic import TypeAdapter

    class HandedOut(types.Result):
        """The result of a call that became a task."""

        result_type: Literal["task"] = "task"
        task_id: str

    class AboutTask(types.Request[dict[str, Any], str]):
        """`tasks/get`, `tasks/update`, `tasks/cancel`."""

        name_param = "taskId"

    async def about_task(session, method, task, **more):
        request = AboutTask(method=method, params={"taskId": task, **more})
        return await session.send_request(request, TypeAdapter(dict[str, Any]))

    class Tasks(ClientExtension):
        """The client has the extension's doors, and leaves what goes through them to its user: this follows a task to its end."""

        identifier = TASKS

        def __init__(self, user):
            self.user = user
            # How the last one went, and whether it is to be cancelled once it has begun.
            self.went, self.cancels = {}, False

        def claims(self):
            return [ResultClaim(result_type="task", model=HandedOut, resolve=self.follow)]

        async def follow(self, handed_out, context):
            task, asked = handed_out.task_id, []
            if self.cancels:
                await about_task(context.session, "tasks/cancel", task)
            while (state := await about_task(context.session, "tasks/get", task))["status"] in ("working", "input_required"):
                if questions := state.get("inputRequests"):
                    asked += questions
                    answers = dict.fromkeys(questions, self.user.elicitation)
                    await about_task(context.session, "tasks/update", task, inputResponses=answers)
            self.went = {"status": state["status"], "asked": asked, "result": state.get("result")}
            return types.CallToolResult(content=[], is_error=True)


class Session:
    """The commands."""

    def __init__(self, client, user, tasks=None):
        self.client, self.user, self.tasks = client, user, tasks
        self._listening = {}

    async def list(self):
        return plain(await self.client.list_tools())

    async def call(self, tool, arguments, progress=False, log_level=None):
        steps = []

        async def step(done, total, message):
            steps.append([done, total, message])

        extra = {"progress_callback": step} if progress else {}
        if log_level:
            extra["meta"] = {"io.modelcontextprotocol/logLevel": log_level}
        return plain(await self.client.call_tool(tool, arguments, **extra)) | ({"progress": steps} if progress else {})

    async def cancel(self, tool, arguments):
        """Calls a tool and cancels the call at its first progress."""
        begun = asyncio.Event()

        async def step(*_):
            begun.set()

        if not IS_2:
            request = self.client._request_id  # 1.x leaves it to its user to find the id and to send the notification
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: self.client.call_tool(tool, arguments, progress_callback=step))
            with anyio.fail_after(EVENT_SECONDS):
                await begun.wait()
            if not IS_2:
                params = types.CancelledNotificationParams(requestId=request, reason="the story goes on")
                await self.client.send_notification(types.ClientNotification(types.CancelledNotification(params=params)))
            group.cancel_scope.cancel()
        return {}

    async def task(self, tool, arguments, cancel=False):
        """Calls a tool whose call becomes a task, and follows that."""
        self.tasks.went, self.tasks.cancels = {}, cancel
        await self.client.call_tool(tool, arguments)
        return self.tasks.went

    async def about_task(self, id):
        return await about_task(self.client.session, "tasks/get", id)

    async def resources(self):
        return plain(await self.client.list_resources())

    async def templates(self):
        return plain(await self.client.list_resource_templates())

    async def read(self, uri):
        return plain(await self.client.read_resource(uri))

    async def prompts(self):
        return plain(await self.client.list_prompts())

    async def prompt(self, name, arguments):
        return plain(await self.client.get_prompt(name, arguments))

    async def complete(self, ref, argument):
        kind = types.PromptReference if ref["type"] == "ref/prompt" else types.ResourceTemplateReference
        return plain(await self.client.complete(kind(**ref), argument))

    async def answer(self, elicitation):
        self.user.elicitation = elicitation
        return {}

    async def level(self, level):
        return plain(await self.client.set_logging_level(level))

    async def subscribe(self, uri):
        """To one resource, and to the list of tools where that has to be asked for."""
        if self.user.subscribes:
            await self._listen(uri, resource_subscriptions=[uri])
            await self._listen("tools", tools_list_changed=True)
            return {}
        return plain(await self.client.subscribe_resource(uri))

    async def unsubscribe(self, uri):
        if self.user.subscribes:
            await self._listening.pop(uri).aclose()
            return {}
        return plain(await self.client.unsubscribe_resource(uri))

    async def until(self, event):
        return {"events": await self.user.until(event)}

    async def _listen(self, name, **wanted):
        stack = contextlib.AsyncExitStack()
        subscription = await stack.enter_async_context(self.client.listen(**wanted))

        async def follow():
            async for event in subscription:
                self.user.note(f"updated {event.uri}" if hasattr(event, "uri") else "tools changed")

        reader = asyncio.create_task(follow())
        stack.callback(reader.cancel)
        self._listening[name] = stack

    async def close(self):
        for stack in reversed(self._listening.values()):
            await stack.aclose()


async def answer(session):
    """Carries out commands until the end of input."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        try:
            reply = await getattr(session, command.pop("do"))(**command)
        except PROTOCOL_ERROR as error:
            reply = {"error": {"code": error.error.code, "message": error.error.message}}
        print(json.dumps(reply), flush=True)
    await session.close()


def streams(transport, target):
    if transport == "stdio":
        return stdio_client(StdioServerParameters(command=target[0], args=target[1:]))
    if transport == "sse":
        return sse_client(target[0])
    from mcp.client.streamable_http import streamable_http_client

    return streamable_http_client(target[0])


async def main(era, transport, target):
    user = User()
    asked = {"elicitation_callback": user.elicit, "sampling_callback": user.sample, "list_roots_callback": user.roots}
    if IS_2:
        opened = streams(transport, target)
        tasks, mode = Tasks(user), "legacy" if era == "legacy" else "auto"
        async with mcp.Client(opened, mode=mode, message_handler=user.hear, extensions=[tasks], **asked) as client:
            print(json.dumps({"protocolVersion": client.protocol_version}), flush=True)
            user.subscribes = client.protocol_version >= "2026"
            await answer(Session(client, user, tasks))
        return
    async with streams(transport, target) as opened, mcp.ClientSession(opened[0], opened[1], message_handler=user.hear, **asked) as session:
        started = await session.initialize()
        print(json.dumps({"protocolVersion": started.protocolVersion}), flush=True)
        await answer(Session(session, user))


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
