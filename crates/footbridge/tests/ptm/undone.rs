//! What an agent did to a Prompt Test Manager is undone around what people changed meanwhile, the
//! undo too, over MCP and from the command line after a restart. All of it is undone by steps or by
//! other tools, whole or not at all.

use serde_json::{Value, json};

use crate::harness::process::{Home, Running};
use crate::harness::served::changes_of;
use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::{ADMIN, StandIn, World};

/// What there is, but for the versions that are not active, which stay.
fn picture(world: &World) -> Value {
    let prompts = world.prompts.iter().map(|(id, prompt)| {
        json!({
            "id": id,
            "name": prompt.name,
            "description": prompt.description,
            "owner": prompt.owner,
            "shared": prompt.shared,
            "groups": prompt.groups,
            "active": prompt.versions[prompt.active - 1],
        })
    });
    let running = world.optimizations.values();
    let running = running.filter(|one| one.status == "running").count();
    json!({ "prompts": prompts.collect::<Vec<_>>(), "running": running })
}

async fn agent(home: Home, stand_in: &StandIn) -> Served {
    let variables = settings(stand_in, ADMIN);
    Served::at(
        home,
        Via::Stdio,
        &["ptm", "--allow", "write,destroy"],
        variables,
        has_no_secret,
    )
    .await
}

async fn twelve_changes(served: &Served) {
    let of = |id: &str, mut fields: Value| {
        fields["prompt_id"] = json!(id);
        fields
    };
    let changed = |id: &str, mut fields: Value| {
        fields["change_summary"] = json!("As asked");
        of(id, fields)
    };
    for (tool, arguments) in [
        (
            "update_prompt",
            changed("greeting", json!({ "name": "Renamed" })),
        ),
        (
            "update_prompt",
            changed("greeting", json!({ "prompt_text": "Say hi." })),
        ),
        (
            "activate_prompt_version",
            of("greeting", json!({ "version": 1 })),
        ),
        ("share_prompt", of("greeting", json!({}))),
        (
            "add_prompt_to_group",
            of("greeting", json!({ "group_id": "friends" })),
        ),
        (
            "remove_prompt_from_group",
            of("greeting", json!({ "group_id": "core" })),
        ),
        (
            "transfer_prompt_ownership",
            of("greeting", json!({ "new_owner": "bob" })),
        ),
        (
            "update_prompt",
            changed("secret-plan", json!({ "description": "Other" })),
        ),
        ("share_prompt", of("secret-plan", json!({}))),
        (
            "add_prompt_to_group",
            of("secret-plan", json!({ "group_id": "friends" })),
        ),
        ("submit_optimization", of("secret-plan", json!({}))),
        (
            "update_prompt",
            changed("secret-plan", json!({ "name": "New plan" })),
        ),
    ] {
        served.succeed(tool, arguments).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_did_is_undone_around_what_people_changed() {
    let stand_in = StandIn::start().await;
    let at_first = picture(&stand_in.world());
    let served = agent(Home::new(), &stand_in).await;
    twelve_changes(&served).await;

    // people give the one prompt a name and the other a description of their own, and a group
    {
        let mut world = stand_in.world();
        world.prompts.get_mut("greeting").unwrap().name = "A person's".to_owned();
        let plan = world.prompts.get_mut("secret-plan").unwrap();
        plan.description = "Theirs".to_owned();
        plan.groups.push("people".to_owned());
    }
    let after_all = picture(&stand_in.world());

    let (plan, end) = served.undo(json!({ "since": "1h" })).await;
    let conflicts = plan["conflicts"].as_array().unwrap();
    let named: Vec<_> = conflicts
        .iter()
        .map(|one| ["before", "ours", "now"].map(|key| plain(&one[key])))
        .collect();
    assert_eq!(
        named,
        [
            ["About Plan", "Other", "Theirs"],
            ["Greeting", "Renamed", "A person's"]
        ],
        "{plan}"
    );
    let left: Vec<&Value> = plan["left"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["change"])
        .collect();
    assert_eq!(left, [8, 1], "{plan}");
    let mut expected = at_first.clone();
    expected["prompts"][1]["name"] = json!("A person's");
    expected["prompts"][2]["description"] = json!("Theirs");
    expected["prompts"][2]["groups"] = json!(["core", "people"]);
    assert_eq!(picture(&stand_in.world()), expected, "{end}");

    // once is enough
    let again = served.succeed("changes_undo", json!({ "ids": [4] })).await;
    assert!(
        again["left"][0]["because"]
            .to_string()
            .contains("undone already by change"),
        "{again}"
    );

    // the undo is undone: what was taken back is called again
    let (plan, again) = served.undo(json!({ "ids": changes_of(&end) })).await;
    assert!(plan["undo"][0].get("call_again").is_some(), "{plan}");
    assert_eq!(
        grouped(picture(&stand_in.world())),
        grouped(after_all),
        "{again}"
    );

    // and that from the command line, after a restart
    let home = served.moves_out().await;
    let ids: Vec<String> = changes_of(&again).iter().map(Value::to_string).collect();
    let mut arguments = vec!["changes", "undo", "--allow", "write,destroy", "--yes"];
    arguments.extend(ids.iter().map(String::as_str));
    let mut command = home.command(&arguments);
    let ended = Running::start(command.envs(settings(&stand_in, ADMIN))).ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    has_no_secret(&ended.stdout);
    assert_eq!(
        grouped(picture(&stand_in.world())),
        grouped(expected),
        "{ended:?}"
    );
}

/// A text without its fence.
fn plain(value: &Value) -> String {
    let text = value.as_str().unwrap();
    let inside = text.strip_prefix("<untrusted-content>");
    let inside = inside.and_then(|text| text.strip_suffix("</untrusted-content>"));
    inside.unwrap_or(text).to_owned()
}

/// The order of groups is that in which they were added.
fn grouped(mut picture: Value) -> Value {
    for prompt in picture["prompts"].as_array_mut().unwrap() {
        let groups = prompt["groups"].as_array_mut().unwrap();
        groups.sort_by_key(Value::to_string);
    }
    picture
}
