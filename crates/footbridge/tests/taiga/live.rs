//! What was seen of a Taiga in use and no other test holds: versions that callers pass, long lists,
//! names in other letters, blocks without a note, characters that no database takes.

use serde_json::json;
use tiktoken_rs::o200k_base_singleton;

use crate::served::{Served, items};
use crate::stand_in::{Kind, StandIn};

/// Tokens of the longest answer.
const MOST_TOKENS: usize = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_was_and_an_old_one_are_told_apart() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "write").await;
    let update = |version: u64, subject: &str| json!({ "user_story_id": 1, "version": version, "subject": subject });
    let first = served
        .succeed(
            "taiga_stories_update",
            json!({ "user_story_id": 1, "subject": "First" }),
        )
        .await;
    let latest = first["version"].as_u64().unwrap();
    let future = [
        "version 177",
        "never had",
        &format!("the latest is {latest}"),
    ];
    served
        .refuse(
            "taiga_stories_update",
            update(177, "Of the future"),
            &future,
        )
        .await;
    let old = [
        "someone else",
        "subject",
        &format!("The latest version is {latest}"),
    ];
    served
        .refuse("taiga_stories_update", update(latest - 1, "Late"), &old)
        .await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_too_long_says_so_and_goes_on_and_letters_stay_letters() {
    let stand_in = StandIn::start().await;
    {
        let mut world = stand_in.world();
        let template = world.items[&(Kind::Story, 1)].clone();
        for number in 0..600 {
            let mut story = template.clone();
            story.id = 10_000 + number;
            story.reference = 10_000 + number;
            let subject = format!("Перенести данные клиентов в новую систему, часть {number}");
            story.fields.insert("subject".into(), json!(subject));
            world.items.insert((Kind::Story, story.id), story);
        }
    }
    let served = Served::start(&stand_in, "read").await;
    let mut arguments = json!({ "project_id": 1, "limit": 620, "order_by": "-ref" });
    let mut seen = std::collections::BTreeSet::new();
    let mut pages = 0;
    loop {
        let text = served.text("taiga_stories_list", arguments.clone()).await;
        let tokens = o200k_base_singleton().encode_ordinary(&text).len();
        assert!(tokens <= MOST_TOKENS, "{tokens} tokens");
        assert!(!text.contains("\\u04"), "letters are letters");
        let page: serde_json::Value = serde_json::from_str(&text).unwrap();
        seen.extend(
            items(&page)
                .iter()
                .map(|story| story["id"].as_u64().unwrap()),
        );
        pages += 1;
        let Some(cursor) = page.get("next_cursor") else {
            assert_eq!(page["total_count"], seen.len());
            break;
        };
        arguments["cursor"] = cursor.clone();
    }
    assert!(
        pages > 1 && seen.len() > 600,
        "{pages} pages of {}",
        seen.len()
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_without_a_note_a_null_character_counts_and_epics_are_told() {
    let stand_in = StandIn::start().await;
    let epic = { stand_in.world().links[0].epic };
    {
        let mut world = stand_in.world();
        let story = world.items.get_mut(&(Kind::Story, 4)).unwrap();
        story.fields.insert("is_blocked".into(), json!(true));
        story.fields.insert("blocked_note".into(), json!(""));
    }
    let served = Served::start(&stand_in, "write").await;
    let stories = served
        .succeed("taiga_stories_list", json!({ "project_id": 1 }))
        .await;
    let blocked = items(&stories)
        .iter()
        .find(|story| story["id"] == 4)
        .unwrap();
    assert_eq!(blocked["blocked"], true, "{blocked}");
    let comments = json!({ "project": 1, "ref": blocked["ref"] });
    let comments = served.succeed("taiga_comments_list", comments).await;
    assert_eq!(comments["total_count"], items(&comments).len());
    let with_epic = json!({ "project_id": 1, "subject": "Of an epic", "epic_id": epic });
    let made = served.succeed("taiga_stories_create", with_epic).await;
    assert!(made["epics"].to_string().len() > 2, "{made}");

    let sent = stand_in.world().seen.sent.len();
    let null = json!({ "project_id": 1, "subject": "a\0b" });
    served
        .refuse("taiga_stories_create", null, &["subject", "NUL"])
        .await;
    let lines: Vec<String> = stand_in.world().seen.lines()[sent..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect();
    assert!(
        lines.iter().all(|line| line.starts_with("GET ")),
        "{lines:?}"
    );
    served.end().await;
}
