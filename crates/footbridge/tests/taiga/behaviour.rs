//! What no recorded pair shows of the stand-in, one fact each: the paging of lists, tokens that
//! end, throttling, moving a story to another project, and refusing what it does not know.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::stand_in::{PASSWORD, StandIn};

struct Account {
    http: Client,
    api: String,
    token: String,
    refresh: String,
}

impl Account {
    async fn of(stand_in: &StandIn) -> Self {
        let http = crate::harness::client::http();
        let mut account = Self {
            http,
            api: stand_in.api(),
            token: String::new(),
            refresh: String::new(),
        };
        let body = json!({ "type": "normal", "username": "admin", "password": PASSWORD });
        let (_, login) = account.send(Method::POST, "/auth", Some(body)).await;
        account.token = login["auth_token"].as_str().unwrap().to_owned();
        account.refresh = login["refresh"].as_str().unwrap().to_owned();
        account
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.api));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (
            status,
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default(),
        )
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, path, None).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_cut_at_thirty_rows_unless_more_are_asked_for() {
    let stand_in = StandIn::start().await;
    let account = Account::of(&stand_in).await;
    let lines = (0..40)
        .map(|number| format!("Extra {number}"))
        .collect::<Vec<_>>()
        .join("\n");
    account
        .send(
            Method::POST,
            "/userstories/bulk_create",
            Some(json!({ "project_id": 1, "bulk_stories": lines })),
        )
        .await;
    let rows = |(_, body): (StatusCode, Value)| body.as_array().unwrap().len();
    assert_eq!(rows(account.get("/userstories?project=1").await), 30);
    assert_eq!(rows(account.get("/userstories?project=1&page=3").await), 8);
    assert_eq!(
        rows(account.get("/userstories?project=1&page_size=1000").await),
        68
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_good_once_and_outlives_the_access_token() {
    let stand_in = StandIn::start().await;
    let account = Account::of(&stand_in).await;
    stand_in.world().expire_access_tokens();
    assert_eq!(account.get("/users/me").await.0, StatusCode::UNAUTHORIZED);
    let body = json!({ "refresh": account.refresh });
    let (status, renewed) = account
        .send(Method::POST, "/auth/refresh", Some(body.clone()))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        account
            .send(Method::POST, "/auth/refresh", Some(body))
            .await
            .0,
        StatusCode::UNAUTHORIZED
    );
    let renewed = Account {
        token: renewed["auth_token"].as_str().unwrap().to_owned(),
        ..account
    };
    assert_eq!(renewed.get("/users/me").await.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_ends_by_itself() {
    let stand_in = StandIn::start().await;
    let account = Account::of(&stand_in).await;
    stand_in.world().turn_throttle(1, 2);
    assert_eq!(
        account.get("/users/me").await.0,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(account.get("/users/me").await.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_moves_with_the_status_of_where_it_came_from() {
    let stand_in = StandIn::start().await;
    let account = Account::of(&stand_in).await;
    let new = json!({ "project": 1, "subject": "Wanderer" });
    let (_, story) = account.send(Method::POST, "/userstories", Some(new)).await;
    let path = format!("/userstories/{}", story["id"]);
    let bare = json!({ "project": 2, "version": 1 });
    assert_eq!(
        account.send(Method::PATCH, &path, Some(bare)).await.0,
        StatusCode::FORBIDDEN
    );
    let (status, moved) = account
        .send(
            Method::PATCH,
            &path,
            Some(json!({ "project": 2, "version": 1, "status": 3 })),
        )
        .await;
    assert_eq!(
        (
            status,
            &moved["project"],
            &moved["status_extra_info"]["name"]
        ),
        (StatusCode::OK, &json!(2), &json!("In progress"))
    );
    assert_ne!(moved["ref"], story["ref"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_does_not_know_is_not_made_up() {
    let stand_in = StandIn::start().await;
    let account = Account::of(&stand_in).await;
    assert_eq!(
        account.get("/games?project=1").await.0,
        StatusCode::NOT_IMPLEMENTED
    );
    assert_eq!(account.get("/userstories/").await.0, StatusCode::NOT_FOUND);
}
