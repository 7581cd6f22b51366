//! The questions that are asked of a Prompt Test Manager: the calls by default tools, and what the
//! answers cost a model. `docs/questions-ptm.md` is made from here; `INSTA_UPDATE=always` writes it
//! anew.

use serde_json::json;

use crate::harness::questions::{Asked, QuestionPage, one};
use crate::served::Served;
use crate::stand_in::{OWNER, StandIn};

fn questions() -> Vec<Asked> {
    let of_prompt = json!({ "prompt_id": "PROMPT" });
    vec![
        one("Which prompts are there?", "list_prompts", json!({})),
        one(
            "Which prompt is about this?",
            "list_prompts",
            json!({ "search": "greet" }),
        ),
        one("What does a prompt say?", "get_prompt", of_prompt.clone()),
        one("How is it tested?", "get_prompt_tests", of_prompt.clone()),
        one(
            "Which versions has it?",
            "list_prompt_versions",
            of_prompt.clone(),
        ),
        one(
            "How did its last runs end?",
            "list_runs",
            json!({ "prompt_id": "PROMPT", "limit": 5 }),
        ),
        one(
            "Which optimisations were made of it?",
            "get_optimization_history",
            of_prompt,
        ),
        one(
            "With which models can it be evaluated?",
            "list_providers",
            json!({}),
        ),
        (
            "What did a month of evaluations cost?",
            Err("PTM tells no costs."),
        ),
        (
            "Who changed a prompt last, and why?",
            Err("The audit log has no path that is known; a version tells its summary."),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_questions_of_who_keeps_prompts_take_a_call_and_some_hundred_tokens() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OWNER).await;
    let listed = served.succeed("list_prompts", json!({})).await;
    let prompt = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let page = QuestionPage {
        file: "questions-ptm.md",
        title: "What is asked of a Prompt Test Manager",
        place: "in the sample of the tests",
        words: &[("PROMPT", prompt)],
    };
    page.hold(&served, questions()).await;
    served.end().await;
}
