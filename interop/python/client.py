"""The official Python client, 1.x or 2.x, behind one JSON command a line; what to ask it is in story.py, not here.

Usage: client.py (legacy | modern) (stdio COMMAND [ARGUMENT...] | http URL)
"""

import asyncio
import json
import sys

import mcp
from mcp.client.stdio import StdioServerParameters, stdio_client


async def answer(session, call_error):
    """Carries out commands until the end of input."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        try:
            if command["do"] == "list":
                tools = (await session.list_tools()).tools
                reply = {"tools": [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]}
            else:
                result = await session.call_tool(command["tool"], command["arguments"])
                reply = result.model_dump(mode="json", by_alias=True, exclude_none=True)
        except call_error as error:
            reply = {"error": {"code": error.error.code, "message": error.error.message}}
        print(json.dumps(reply), flush=True)


async def main(era, transport, target):
    if hasattr(mcp, "Client"):  # 2.x
        server = StdioServerParameters(command=target[0], args=target[1:]) if transport == "stdio" else target[0]
        async with mcp.Client(server, mode="legacy" if era == "legacy" else "auto") as client:
            print(json.dumps({"protocolVersion": client.protocol_version}), flush=True)
            await answer(client, mcp.MCPError)
        return
    if transport == "stdio":
        opened = stdio_client(StdioServerParameters(command=target[0], args=target[1:]))
    else:
        from mcp.client.streamable_http import streamable_http_client

        opened = streamable_http_client(target[0])
    async with opened as streams, mcp.ClientSession(streams[0], streams[1]) as session:
        started = await session.initialize()
        print(json.dumps({"protocolVersion": started.protocolVersion}), flush=True)
        await answer(session, mcp.McpError)


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
