//! The shop as its users meet it, in memory.

use serde_json::json;

use super::{User, shop};

#[tokio::test]
async fn every_thing_of_the_shop_answers() {
    let (user, staff) = shop().unwrap();
    let caller = |is_staff| User {
        name: "ada".to_owned(),
        is_staff,
    };
    let text =
        json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "Hard."}});
    let ada = user.test(caller(false)).answer("description", text);
    let ada = ada.answer(
        "cancelling",
        json!({"action": "accept", "content": {"reason": "late"}}),
    );
    let order = json!({"item": "bolt", "pace": "slow", "count": null, "address": {"street": "a", "city": "b"}});
    assert_eq!(
        ada.call("order_item", order.clone())
            .await
            .unwrap()
            .structured(),
        Some(&order)
    );
    assert_eq!(
        ada.call("cancel_order", json!({"id": 7}))
            .await
            .unwrap()
            .text(),
        "cancelled: late"
    );
    assert_eq!(
        ada.call("describe_item", json!({"item": "bolt"}))
            .await
            .unwrap()
            .text(),
        "Hard."
    );
    assert_eq!(
        ada.call("say_hello", json!({})).await.unwrap().text(),
        "hello"
    );
    assert_eq!(
        ada.read("shop://orders/7").await.unwrap().result()["contents"][0]["text"],
        "order 7 of ada"
    );
    assert!(
        staff
            .test(caller(false))
            .call("ship_orders", json!({}))
            .await
            .is_err()
    );
    assert_eq!(
        staff
            .test(caller(true))
            .call("ship_orders", json!({}))
            .await
            .unwrap()
            .text(),
        "3 shipped"
    );
}
