//! The recorded exchanges, sent to the stand-in: same status, same refusals word for word, same
//! counts and links, same records.

use serde_json::Value;

use crate::stand_in::sample::token_of;
use crate::stand_in::{StandIn, recording};

/// Keys whose values hang on who asks and on how long a project was padded, not on what the
/// stand-in keeps.
const FREE: [&str; 3] = ["can_edit", "can_delete", "can_edit_estimates"];

#[tokio::test]
async fn the_stand_in_answers_as_the_recorded_instance_did() {
    let stand_in = StandIn::start().await;
    stand_in.world().no_budgets();
    let http = crate::harness::client::http();
    let mut faults = Vec::new();
    let mut compared = 0;
    for exchange in recording::all() {
        assert_eq!(exchange.request.method, "GET");
        let address = format!("{}{}", stand_in.url, exchange.request.target);
        let answer = http
            .get(address)
            .bearer_auth(token_of(&exchange.account))
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let text = String::from_utf8(answer.bytes().await.unwrap().to_vec()).unwrap();
        let text = text.replace(&stand_in.url, "http://trueppm.test");
        let given: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}: {text}", exchange.label));
        let mut found = Vec::new();
        if status == exchange.response.status {
            compare(&exchange.response.body, &given, "", &mut found);
        } else {
            found.push(format!(
                "status {status} was {}: {text}",
                exchange.response.status
            ));
        }
        compared += 1;
        faults.extend(
            found
                .into_iter()
                .map(|fault| format!("{} {}: {fault}", exchange.label, exchange.request.target)),
        );
    }
    assert!(
        faults.is_empty(),
        "{} differences:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert_eq!(compared, 40);
}

/// Everything that was recorded is there, the same. Lists were cut to six items when they were
/// recorded, so they may be longer.
fn compare(recorded: &Value, given: &Value, place: &str, faults: &mut Vec<String>) {
    match (recorded, given) {
        (Value::Object(recorded), Value::Object(given)) => {
            for (key, value) in recorded
                .iter()
                .filter(|(key, _)| !FREE.contains(&key.as_str()))
            {
                match given.get(key) {
                    Some(given) => compare(value, given, &format!("{place}.{key}"), faults),
                    None => faults.push(format!("{place}.{key} is missing")),
                }
            }
            faults.extend(
                given
                    .keys()
                    .filter(|key| !recorded.contains_key(*key))
                    .map(|key| format!("{place}.{key} is made up")),
            );
        }
        (Value::Array(recorded), Value::Array(given)) => {
            if given.len() < recorded.len() || (given.len() > recorded.len() && recorded.len() != 6)
            {
                faults.push(format!(
                    "{place} has {} items, not {}",
                    given.len(),
                    recorded.len()
                ));
            }
            for (index, (recorded, given)) in recorded.iter().zip(given).enumerate() {
                compare(recorded, given, &format!("{place}[{index}]"), faults);
            }
        }
        _ if recorded == given => {}
        _ => faults.push(format!("{place}: {given} was {recorded}")),
    }
}
