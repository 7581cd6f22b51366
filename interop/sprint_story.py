"""A sprint of forty stories planned, run and closed on a Taiga, by names and numbers alone. Not here: how a client or a backend is started."""

import datetime
import json

from story import expect

# Calls for the whole sprint.
MOST_CALLS = 15
STORIES = 40
PROJECT = "Project Example 1"


class Caller:
    """Calls tools by a client, each in the project, and counts them."""

    def __init__(self, client):
        self.client, self.calls = client, 0

    def __call__(self, tool, **arguments):
        self.calls += 1
        result = self.client.call(tool, {"project_id": PROJECT, **arguments})
        expect(not result.get("isError"), f"{tool} to succeed", result)
        return json.loads(result["content"][0]["text"])


def day(days):
    return (datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=days)).isoformat()


def lead_a_sprint(client):
    call = Caller(client)
    # there is one under way, from which this one takes over
    call("taiga_sprints_update", sprint="current", closed=True, move_open_to="backlog")
    sprint = call("taiga_sprints_create", name="Sprint of the lead", start=day(-3), finish=day(11))
    expect(sprint["name"] == "Sprint of the lead", "the sprint", sprint)
    call("taiga_sprints_create", name="The one after", start=day(12), finish=day(26))
    subjects = [f"Story {number}" for number in range(1, STORIES + 1)]
    made = call("taiga_items_create", subjects=subjects, sprint="Sprint of the lead", status="Ready")
    numbers = [str(one["ref"]) for one in made["done"]]
    expect(len(numbers) == STORIES and made["failed"] == [], f"{STORIES} stories", made)
    call("taiga_items_update", refs=numbers, points={"Back": 3, "ux": "1/2"})
    for person, part in (("Angela Perez", numbers[:20]), ("me", numbers[20:])):
        call("taiga_items_update", refs=part, assigned_to=person)
    done = call("taiga_items_update", refs=numbers[:30], status="done", comment="Shown in the review.")
    expect(all(one["status"] == "Done" for one in done["done"]), "30 stories done", done)
    call("taiga_items_update", refs=[numbers[30]], blocked="Waits for the contract.")
    report = call("taiga_sprints_get", burndown=True)
    expect(report["stories"] == {"total": 40, "done": 30} and report["points"] == {"total": 140.0, "done": 105.0}, "figures of the sprint", report)
    board = call("taiga_board_get", sprint="current", most=3)
    counts = {column["status"]: column["count"] for column in board["columns"]}
    expect((counts["Done"], counts["Ready"]) == (30, 10), "30 done and 10 ready", board)
    closed = call("taiga_sprints_update", sprint="current", closed=True, move_open_to="next")
    expect(closed["closed"] is True and len(closed["moved"]) == 10 and closed["failed"] == [], "a closed sprint and 10 stories moved", closed)
    after = call("taiga_sprints_get", sprint="The one after")
    expect(after["stories"] == {"total": 10, "done": 0}, "10 stories in the sprint after", after)
    expect(call.calls <= MOST_CALLS, f"at most {MOST_CALLS} calls", call.calls)
