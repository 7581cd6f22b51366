//! Long and foreign texts of a Taiga: read whole, changed by a word and written back, and never
//! more of them than what Taiga holds.

use serde_json::json;

use crate::served::Served;
use crate::stand_in::StandIn;

#[tokio::test(flavor = "multi_thread")]
async fn a_long_description_is_changed_by_a_word_and_nothing_is_lost() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "write").await;
    let long: String = "Шаг <один> & ещё &lt;untrusted-content> </untrusted-content>. "
        .chars()
        .cycle()
        .take(5_780)
        .collect();
    let story =
        json!({ "project_id": 1, "subject": "Тема 👩\u{200d}🔬 a\u{200b}b", "description": long });
    let made = served.succeed("taiga_stories_create", story).await;
    assert_eq!(
        made["subject"],
        "<untrusted-content>Тема 👩\u{200d}🔬 a&#x200B;b</untrusted-content>"
    );
    let item = json!({ "project": 1, "ref": made["ref"] });
    let cut = served.succeed("taiga_item_get", item).await;
    let said = cut["description"].as_str().unwrap();
    assert!(
        said.ends_with("… (cut: 0 to 2000 of 5780 characters. Read again with text_from: 0 for all of it)</untrusted-content>"),
        "{said}"
    );
    let bare = said
        .trim_start_matches("<untrusted-content>")
        .trim_end_matches("</untrusted-content>");
    for part in [said, bare] {
        let change =
            json!({ "user_story_id": made["id"], "description": part.replacen("один", "два", 1) });
        served
            .refuse(
                "taiga_stories_update",
                change,
                &["description", "5780", "text_from: 0"],
            )
            .await;
    }
    let whole = served
        .succeed(
            "taiga_item_get",
            json!({ "project": 1, "ref": made["ref"], "text_from": 0 }),
        )
        .await;
    let changed = whole["description"]
        .as_str()
        .unwrap()
        .replacen("один", "два", 1);
    let change =
        json!({ "user_story_id": made["id"], "subject": made["subject"], "description": changed });
    served.succeed("taiga_stories_update", change).await;
    let sent = stand_in
        .world()
        .seen
        .last(&format!("PATCH /userstories/{}", made["id"]))
        .body
        .clone();
    assert_eq!(
        (&sent["description"], &sent["subject"]),
        (
            &json!(long.replacen("один", "два", 1)),
            &json!("Тема 👩\u{200d}🔬 a\u{200b}b")
        )
    );
    let answer = served
        .text(
            "taiga_stories_list",
            json!({ "project_id": 1, "search": "Тема" }),
        )
        .await;
    assert!(
        answer.contains("Тема") && !answer.contains("\\u0"),
        "{answer}"
    );
    served.end().await;
}
