"""What every client does with the board, and what it must see. Not here: how a client or a server is started."""

import json

READ_AND_WRITE = [
    "board_list", "board_get", "board_create", "board_update",
    "card_list", "card_get", "card_create", "card_update", "whoami", "query",
]
ALL = [
    "board_list", "board_get", "board_create", "board_update", "board_delete",
    "card_list", "card_get", "card_create", "card_update", "card_delete", "whoami", "query",
]
PRIORITIES = ["low", "medium", "high", "critical"]
MANY_CARDS = 450
PAGE = 200


class StoryError(Exception):
    """The client saw something else than it should have."""


def expect(condition, what, seen):
    if not condition:
        raise StoryError(f"expected {what}, saw {str(seen)[:1500]}")


def succeed(client, tool, **arguments):
    """The value of a call that must succeed: one content, compact JSON as text."""
    result = client.call(tool, arguments)
    expect(not result.get("isError"), f"{tool} to succeed", result)
    content = result["content"]
    # behind what a write gives stands its receipt
    expect([part["type"] for part in content] in (["text"], ["text", "text"]), f"text from {tool}", content)
    expect(all(part["text"].startswith("change ") for part in content[1:]), f"a receipt from {tool}", content)
    value = json.loads(content[0]["text"])
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    expect(content[0]["text"] == compact, "compact JSON", content[0]["text"])
    return value


def refuse(client, tool, *needles, **arguments):
    """The text of a call that must be refused with a result that a model can read, holding every needle."""
    result = client.call(tool, arguments)
    expect(result.get("isError") is True, f"{tool} to be refused", result)
    text = "\n".join(part["text"] for part in result["content"])
    for needle in needles:
        expect(needle in text, f"the refusal of {tool} to name {needle!r}", text)
    return text


def ids(page):
    return [item["id"] for item in page["items"]]


def use_the_board(client, create_many):
    """With the defaults: reading and writing are open, destroying is closed. Answers a card for `destroy`."""
    tools = client.list()
    expect([tool["name"] for tool in tools] == READ_AND_WRITE, f"the tools {READ_AND_WRITE}", [tool["name"] for tool in tools])
    for tool in tools:
        expect(tool["description"] and tool["inputSchema"]["type"] == "object", "a description and an object schema", tool)

    columns = [{"key": "todo", "title": "To do"}, {"key": "doing", "title": "Doing", "wip_limit": 2}, {"key": "done", "title": "Done"}]
    board = succeed(client, "board_create", name="Release", columns=columns)
    expect(board["name"] == "Release" and board["columns"] == columns, "the board as it was sent", board)

    cards = []
    for number, title in enumerate(["Write the notes", "Tag the Zürich build", "Tell 日本 🚀"]):
        card = succeed(client, "card_create", title=title, status="todo", board_id=board["id"], position=number, priority=PRIORITIES[number])
        expect(card["title"] == title and card["status"] == "todo" and card["board_id"] == board["id"], "the card as it was sent", card)
        cards.append(card["id"])

    moved = succeed(client, "card_update", id=cards[1], status="doing")
    expect(moved["status"] == "doing" and moved["title"] == "Tag the Zürich build", "the moved card, else unchanged", moved)

    for key in ("status", "data__status"):
        doing = succeed(client, "card_list", filter={key: "doing"})
        expect(ids(doing) == [cards[1]], f"only the moved card by {key}", doing)
        todo = succeed(client, "card_list", filter={key: "todo"})
        expect(ids(todo) == [cards[0], cards[2]], f"the two others by {key}", todo)

    heap = succeed(client, "board_create", name="Heap")["id"]
    made = create_many(client, heap, MANY_CARDS)
    seen, cursor, sizes = [], {}, []
    while True:
        page = succeed(client, "card_list", filter={"board_id": heap}, limit=PAGE, **cursor)
        seen += ids(page)
        sizes.append(len(page["items"]))
        if not page.get("next_cursor") or len(sizes) > MANY_CARDS:
            break
        cursor = {"cursor": page["next_cursor"]}
    expect(sizes == [200, 200, 50], "pages of 200, 200 and 50", sizes)
    expect(len(set(seen)) == MANY_CARDS and set(seen) == set(made), f"all {MANY_CARDS} cards, none twice", len(set(seen)))

    refuse(client, "card_create", "priority", *PRIORITIES, title="x", priority="urgent")
    if client.calls_unlisted:
        refuse(client, "card_delete", "--allow", id=cards[0])
    else:  # then the switch must be known from the instructions
        expect("--allow" in client.instructions, "the instructions to name the switch", client.instructions)
    expect(succeed(client, "card_get", id=cards[0])["id"] == cards[0], "the card to be still there", cards[0])
    return cards[0]


def destroy(client, card):
    """With everything open, on the same data: the refused delete goes through, once the user agrees where the client can ask."""
    names = [tool["name"] for tool in client.list()]
    expect(names == ALL, f"the tools {ALL}", names)
    if client.answers:
        client.ask("answer", elicitation={"action": "decline"})
        refuse(client, "card_delete", "did not agree", id=card)
        expect(succeed(client, "card_get", id=card)["id"] == card, "the card to be still there", card)
        client.ask("answer", elicitation={"action": "accept", "content": {"confirm": True}})
    expect(succeed(client, "card_delete", id=card) == {"deleted": card}, "the deleted id", card)
    refuse(client, "card_get", id=card)


def create_by_calls(client, board, count):
    """Makes cards through the client itself."""
    return [succeed(client, "card_create", title=f"Card {number}", board_id=board, position=number)["id"] for number in range(count)]
