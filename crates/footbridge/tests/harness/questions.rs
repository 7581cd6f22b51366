//! Questions that people ask of a backend every day, with the calls that answer them: by listed tools,
//! in few calls and few tokens. A page of the documentation is made of them.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use tiktoken_rs::o200k_base_singleton;

use super::golden::assert_golden;
use super::served::Served;

/// Tokens of the answer that half of the questions may cost.
const MEDIAN_TOKENS: usize = 300;
/// Tokens that none may pass.
const MOST_TOKENS: usize = 1_500;
/// Calls that none may pass.
const MOST_CALLS: usize = 3;

/// What is asked, and how; none where the backend does not tell.
pub(crate) type Asked = (
    &'static str,
    Result<Vec<(&'static str, Value)>, &'static str>,
);

/// A question that one call answers.
pub(crate) fn one(question: &'static str, tool: &'static str, arguments: Value) -> Asked {
    (question, Ok(vec![(tool, arguments)]))
}

/// A page of questions.
pub(crate) struct QuestionPage<'q> {
    /// Its name in `docs`.
    pub(crate) file: &'q str,
    pub(crate) title: &'q str,
    /// Of what size the project or board is that is asked about.
    pub(crate) place: &'q str,
    /// Words of arguments, each with what is sent in its place.
    pub(crate) words: &'q [(&'q str, String)],
}

impl QuestionPage<'_> {
    /// Asks every question, holds calls and tokens to their limits, and the page to what came.
    pub(crate) async fn hold(&self, served: &Served, questions: Vec<Asked>) {
        let listed = served.tool_names().await;
        let Self { title, place, .. } = self;
        let mut page = format!(
            "# {title}\n\nEach question by the tools that are listed by default, and the tokens (o200k) of the \
             answer, {place}. Made by a test, which holds half of the answers below 300 tokens and each \
             below 1,500.\n\n| question | call | tokens |\n|---|---|---:|\n",
        );
        let mut costs = Vec::new();
        for (question, calls) in questions {
            let calls = match calls {
                Ok(calls) => calls,
                Err(why) => {
                    writeln!(page, "| {question} | {why} | |").unwrap();
                    continue;
                }
            };
            assert!(calls.len() <= MOST_CALLS, "{question}");
            let (mut told, mut cost) = (Vec::new(), 0);
            for (tool, arguments) in calls {
                assert!(
                    listed.iter().any(|name| name == tool),
                    "{tool} is not listed"
                );
                let text = arguments.to_string();
                // a bar would end the cell
                told.push(format!("`{tool} {}`", text.replace('|', "\\|")));
                let sent = self
                    .words
                    .iter()
                    .fold(text, |text, (word, value)| text.replace(word, value));
                let arguments = serde_json::from_str(&sent).unwrap();
                cost += tokens(&served.text(tool, arguments).await);
            }
            assert!(cost <= MOST_TOKENS, "{question}: {cost} tokens");
            costs.push(cost);
            // what a day's date costs is not the same every day
            let about = cost.div_ceil(10) * 10;
            writeln!(page, "| {question} | {} | {about} |", told.join(", ")).unwrap();
        }
        costs.sort_unstable();
        let median = costs[costs.len() / 2];
        assert!(median <= MEDIAN_TOKENS, "{median} of {costs:?}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        assert_golden(&path.join(self.file), &page);
    }
}

pub(crate) fn tokens(text: &str) -> usize {
    o200k_base_singleton().encode_ordinary(text).len()
}
