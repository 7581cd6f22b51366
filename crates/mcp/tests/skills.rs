//! Skills as a client meets them: listed, got, read and held to their manifest; seen by those who
//! may; refused at the start where they are wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly; the exemption for tests covers only the test functions themselves"
)]

#[path = "main/schemas.rs"]
#[allow(dead_code, reason = "the other tests need all of it")]
mod schemas;
#[path = "main/wire.rs"]
#[allow(dead_code, reason = "the other tests need all of it")]
mod wire;

use std::path::Path;

use footbridge_mcp::{BuildProblems, CacheScope, Call, Endpoint, Resource, ResourceBody, Skills};
use footbridge_mcp::{limits, testing::TestClient};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use schemas::MODERN;
use wire::InMemory as _;

const REFUNDS: &str =
    "---\nname: refunds\ndescription: Refund an order.\nlicense: MIT\n---\nSee `mails/`.\n";
const NESTED: &str = "---\nname: mails\ndescription: Write a mail.\n---\n";
const PIXEL: &[u8] = &[0x89, b'P', 0xff, 0];

struct Person {
    is_staff: bool,
}

fn knows() -> Value {
    json!({ "extensions": { "io.modelcontextprotocol/skills": {} } })
}

fn files() -> Skills<Person> {
    let files: [(&str, &[u8]); 5] = [
        ("refunds/SKILL.md", REFUNDS.as_bytes()),
        ("refunds/mails/SKILL.md", NESTED.as_bytes()),
        ("refunds/mails/über uns.md", b"Hello."),
        ("refunds/mails/logo.png", PIXEL),
        (
            "greet/SKILL.md",
            b"---\nname: greet\ndescription: Greet.\n---\nHello.",
        ),
    ];
    Skills::embedded(files)
}

fn shop(skills: Skills<Person>) -> Endpoint<Person> {
    Endpoint::builder("shop", "1")
        .skills(skills)
        .build()
        .unwrap()
}

fn client(endpoint: &Endpoint<Person>) -> TestClient<Person> {
    endpoint
        .client(Person { is_staff: false })
        .capabilities(knows())
}

async fn result(client: &TestClient<Person>, method: &str, params: Value) -> Value {
    client
        .request(method, params)
        .await
        .unwrap()
        .result()
        .clone()
}

async fn refusal(client: &TestClient<Person>, method: &str, params: Value) -> (i64, String) {
    let error = client.request(method, params).await.unwrap_err();
    (error.code, error.message)
}

fn uris(list: &Value, key: &str) -> Vec<String> {
    let of = |entry: &Value| entry["uri"].as_str().unwrap().to_owned();
    list[key].as_array().unwrap().iter().map(of).collect()
}

fn problems(files: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let skills: Skills<Person> = Skills::embedded(files);
    let built: Result<_, BuildProblems> = Endpoint::builder("shop", "1").skills(skills).build();
    built.unwrap_err().to_string()
}

#[tokio::test]
async fn a_skill_is_listed_with_every_file_and_read_by_its_addresses() {
    let client = client(&shop(files().under("acme/shop")));
    let list = result(&client, "skills/list", json!({})).await;
    assert_eq!(
        (&list["ttlMs"], &list["cacheScope"]),
        (&json!(60_000), &json!("private"))
    );
    assert_eq!(
        uris(&list, "skills"),
        [
            "skill://acme/shop/greet/SKILL.md",
            "skill://acme/shop/refunds/SKILL.md",
            "skill://acme/shop/refunds/mails/SKILL.md",
        ]
    );
    let refunds = &list["skills"][1];
    assert_eq!(
        refunds["frontmatter"],
        json!({"name": "refunds", "description": "Refund an order.", "license": "MIT"})
    );
    let files = refunds["resources"].as_array().unwrap();
    assert_eq!(files.len(), 4, "those of the nested skill among them");
    for file in files {
        let read = result(&client, "resources/read", json!({"uri": file["uri"]})).await;
        let contents = &read["contents"][0];
        assert_eq!(contents["uri"], file["uri"]);
        let bytes = match contents["text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => PIXEL.to_vec(),
        };
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(file["digest"], format!("sha256:{digest}"));
        assert_eq!(file["size"], bytes.len());
        assert_eq!(read["ttlMs"], 60_000);
    }
    assert_eq!(files[2]["uri"], "skill://acme/shop/refunds/mails/logo.png");
    assert_eq!(
        files[3]["uri"],
        "skill://acme/shop/refunds/mails/%C3%BCber%20uns.md"
    );

    let got = result(&client, "skills/get", json!({"uri": refunds["uri"]})).await;
    assert_eq!((&got["skill"], &got["ttlMs"]), (refunds, &json!(60_000)));
    assert_eq!(got["resultType"], "complete");
    for uri in [
        "skill://acme/shop/refunds",
        "skill://acme/shop/refunds/mails/logo.png",
        "skill://acme/shop/greet/../refunds/SKILL.md",
        "skill://nobody/SKILL.md",
        "file:///etc/passwd",
    ] {
        let (code, text) = refusal(&client, "skills/get", json!({"uri": uri})).await;
        assert_eq!((code, text.contains(uri)), (-32602, true), "{text}");
    }
    assert_eq!(refusal(&client, "skills/get", json!({})).await.0, -32602);
    let traversal = json!({"uri": "skill://acme/shop/refunds/../../../etc/passwd"});
    assert_eq!(
        refusal(&client, "resources/read", traversal).await.0,
        -32602
    );
}

#[tokio::test]
async fn a_folder_is_read_one_level_at_a_time() {
    let client = client(&shop(files().under("acme")));
    let read =
        async |uri: &str| result(&client, "resources/directory/read", json!({"uri": uri})).await;
    let folder = read("skill://acme/refunds").await;
    schemas::is_valid(MODERN, "Resource", &folder["resources"][0]);
    assert_eq!(
        folder["resources"],
        json!([
            {"uri": "skill://acme/refunds/SKILL.md", "name": "refunds", "description": "Refund an order.",
             "mimeType": "text/markdown", "size": REFUNDS.len()},
            {"uri": "skill://acme/refunds/mails", "name": "mails", "mimeType": "inode/directory"}
        ])
    );
    assert_eq!(
        (&folder["resultType"], folder.get("ttlMs")),
        (&json!("complete"), None)
    );
    assert_eq!(
        uris(&read("skill://acme/refunds/mails").await, "resources"),
        [
            "skill://acme/refunds/mails/%C3%BCber%20uns.md",
            "skill://acme/refunds/mails/SKILL.md",
            "skill://acme/refunds/mails/logo.png",
        ]
    );
    assert_eq!(uris(&read("skill://acme").await, "resources").len(), 2);
    for uri in [
        "skill://",
        "skill:/",
        "skill:",
        "",
        "skill://acme/",
        "skill://acme/refunds/SKILL.md",
        "skill://x",
    ] {
        let params = json!({"uri": uri});
        assert_eq!(
            refusal(&client, "resources/directory/read", params).await.0,
            -32602,
            "{uri}"
        );
    }
}

#[tokio::test]
async fn who_does_not_know_skills_sees_what_was_there_before() {
    let with_resource = |builder: footbridge_mcp::EndpointBuilder<Person>| {
        builder.resource(Resource::new("a://b", "b", |_: Call<Person>| async {
            Ok(ResourceBody::from("b"))
        }))
    };
    let alone = shop(files());
    let beside = with_resource(Endpoint::builder("shop", "1"))
        .skills(files())
        .build()
        .unwrap();
    let before = with_resource(Endpoint::builder("shop", "1"))
        .build()
        .unwrap();
    let stranger = |endpoint: &Endpoint<Person>| {
        endpoint
            .client(Person { is_staff: true })
            .capabilities(json!({}))
    };
    for method in ["server/discover", "resources/list"] {
        let (with, without) = (stranger(&beside), stranger(&before));
        assert_eq!(
            result(&with, method, json!({})).await,
            result(&without, method, json!({})).await
        );
    }
    let discovered = result(&stranger(&alone), "server/discover", json!({})).await;
    assert_eq!(discovered["capabilities"], json!({}));
    assert_eq!(
        refusal(&stranger(&alone), "resources/list", json!({}))
            .await
            .0,
        -32601
    );
    // What somebody was told by another way, they may read and ask for.
    let uri = json!({"uri": "skill://greet/SKILL.md"});
    result(&stranger(&alone), "resources/read", uri.clone()).await;
    result(&stranger(&alone), "skills/get", uri).await;

    let knows = client(&beside);
    let discovered = result(&knows, "server/discover", json!({})).await;
    assert_eq!(
        discovered["capabilities"],
        json!({"resources": {}, "extensions": {"io.modelcontextprotocol/skills": {"directoryRead": true}}})
    );
    let listed = result(&knows, "resources/list", json!({})).await;
    assert_eq!(
        uris(&listed, "resources"),
        [
            "a://b",
            "skill://greet/SKILL.md",
            "skill://refunds/SKILL.md",
            "skill://refunds/mails/SKILL.md"
        ]
    );
    let everybody = shop(files().announced_to_everybody());
    let discovered = result(&stranger(&everybody), "server/discover", json!({})).await;
    assert!(discovered["capabilities"]["extensions"]["io.modelcontextprotocol/skills"].is_object());

    let text = "---\nname: a\ndescription: b\n---\n";
    let one = shop(Skills::embedded([("a/SKILL.md", text)]));
    let discovered = result(&client(&one), "server/discover", json!({})).await;
    assert_eq!(
        discovered["capabilities"]["extensions"],
        json!({"io.modelcontextprotocol/skills": {}}),
        "there is no folder to read"
    );
    let params = json!({"uri": "skill://a"});
    assert_eq!(
        refusal(&client(&one), "resources/directory/read", params)
            .await
            .0,
        -32601
    );
    let none = Endpoint::builder("shop", "1").build().unwrap();
    assert_eq!(
        refusal(&client(&none), "skills/list", json!({})).await.0,
        -32601
    );
}

#[tokio::test]
async fn a_skill_is_seen_by_those_who_may() {
    let ruled = || {
        files().allowed_for(|call: &Call<Person>, path| {
            call.caller.is_staff || path == "refunds/mails"
        })
    };
    let endpoint = shop(ruled());
    let guest = client(&endpoint);
    let staff = endpoint
        .client(Person { is_staff: true })
        .capabilities(knows());
    assert_eq!(
        uris(&result(&staff, "skills/list", json!({})).await, "skills").len(),
        3
    );
    let list = result(&guest, "skills/list", json!({})).await;
    assert_eq!(uris(&list, "skills"), ["skill://refunds/mails/SKILL.md"]);
    let list = result(&guest, "resources/list", json!({})).await;
    assert_eq!(uris(&list, "resources"), ["skill://refunds/mails/SKILL.md"]);
    let hidden = json!({"uri": "skill://refunds/SKILL.md"});
    let unknown = json!({"uri": "skill://never/SKILL.md"});
    for method in ["skills/get", "resources/read", "resources/directory/read"] {
        let (code, text) = refusal(&guest, method, hidden.clone()).await;
        let (other, other_text) = refusal(&guest, method, unknown.clone()).await;
        assert_eq!(
            (code, text.replace("refunds", "never")),
            (other, other_text),
            "hidden is unknown"
        );
    }
    let folder = result(
        &guest,
        "resources/directory/read",
        json!({"uri": "skill://refunds"}),
    )
    .await;
    assert_eq!(uris(&folder, "resources"), ["skill://refunds/mails"]);

    let hooked = Endpoint::builder("shop", "1")
        .skills(files())
        .visible(|_, mut visible| {
            visible.retain_resources(|uri| !uri.starts_with("skill://refunds"));
            visible
        });
    let list = result(&client(&hooked.build().unwrap()), "skills/list", json!({})).await;
    assert_eq!(uris(&list, "skills"), ["skill://greet/SKILL.md"]);
    let public = Endpoint::builder("shop", "1")
        .cache_scope(CacheScope::Public)
        .skills(ruled());
    assert!(
        public
            .build()
            .unwrap_err()
            .to_string()
            .contains("CacheScope::Public")
    );
}

#[tokio::test]
async fn lists_of_skills_have_pages() {
    let text = |name: &str| format!("---\nname: {name}\ndescription: b\n---\n");
    let files = (0..5).map(|n| (format!("s{n}/SKILL.md"), text(&format!("s{n}"))));
    let more = (0..5).map(|n| (format!("s0/f{n}.md"), String::new()));
    let skills: Skills<Person> = Skills::embedded(files.chain(more));
    let size = std::num::NonZeroUsize::new(2).unwrap();
    let endpoint = Endpoint::builder("shop", "1")
        .page_size(size)
        .skills(skills)
        .build()
        .unwrap();
    let client = client(&endpoint);
    for (method, key, mut params, expected) in [
        ("skills/list", "skills", json!({}), 5),
        (
            "resources/directory/read",
            "resources",
            json!({"uri": "skill://s0"}),
            6,
        ),
    ] {
        let (mut seen, mut pages) = (Vec::new(), 0);
        loop {
            let page = result(&client, method, params.clone()).await;
            seen.extend(uris(&page, key));
            pages += 1;
            match page.get("nextCursor") {
                Some(cursor) => params["cursor"] = cursor.clone(),
                None => break,
            }
        }
        seen.dedup();
        assert_eq!((seen.len(), pages), (expected, 3), "{seen:?}");
        params["cursor"] = json!("bm9uZQ");
        assert_eq!(refusal(&client, method, params).await.0, -32602);
    }
}

#[test]
fn what_is_wrong_with_skills_is_said_all_at_once() {
    let good = |name: &str| format!("---\nname: {name}\ndescription: b\n---\n");
    let text = problems([
        ("../a/SKILL.md", good("a")),
        ("b/.hidden/SKILL.md", good("hidden")),
        ("/c/SKILL.md", good("c")),
        ("d\\e/SKILL.md", good("e")),
        ("f/SKILL.md", "No front matter.".to_owned()),
        ("g/SKILL.md", good("other")),
        ("h/SKILL.md", good("../h")),
        ("i/SKILL.md", good("i") + &"x".repeat(10 * 1024 * 1024)),
        (
            "j/SKILL.md",
            good("j") + &"x".repeat(limits::SKILL_TEXT_BYTES),
        ),
        ("k/SKILL.md", good("k")),
        ("k/SKILL.md", good("k")),
        ("SKILL.md", good("top")),
    ]);
    for line in [
        r#""../a/SKILL.md": no part of a path is empty or begins with a dot, as `..` does"#,
        r#""b/.hidden/SKILL.md": no part of a path"#,
        r#""/c/SKILL.md": no part of a path"#,
        r#""d\\e/SKILL.md": a path has no backslash"#,
        r#""f/SKILL.md": it has no front matter"#,
        r#""g/SKILL.md": `name` is "other" and its folder is "g": they must be the same"#,
        r#""h/SKILL.md": `name` is "../h", but must be"#,
        r#""i/SKILL.md": it has more than 4194304 bytes"#,
        r#""j/SKILL.md": it has more than 524288 bytes"#,
        r#""k/SKILL.md": the path is used twice"#,
        r#""SKILL.md": `name` is "top" and its folder is """#,
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert_eq!(text.lines().count(), 11);
    let strays = problems([("a/SKILL.md", good("a")), ("b/notes.md", String::new())]);
    assert!(
        strays.contains(r#""b/notes.md": it lies in no skill"#),
        "{strays}"
    );
    let many = (0..=limits::SKILL_FILES).map(|n| (format!("a/{n}.md"), String::new()));
    let skills: Skills<Person> =
        Skills::embedded(many.chain([("a/SKILL.md".to_owned(), good("a"))]));
    let text = Endpoint::builder("shop", "1")
        .skills(skills)
        .build()
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("it has 514 files, and a skill has 512 at most"),
        "{text}"
    );
    let large = (0..5).map(|n| (format!("a/{n}.md"), "x".repeat(limits::SKILL_FILE_BYTES)));
    let skills: Skills<Person> =
        Skills::embedded(large.chain([("a/SKILL.md".to_owned(), good("a"))]));
    let text = Endpoint::builder("shop", "1")
        .skills(skills)
        .build()
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("bytes, and a skill has 16777216 at most"),
        "{text}"
    );
    for place in ["../up", "a//b", "/a", ".a", "a b", "a/"] {
        let skills: Skills<Person> = Skills::embedded([("a/SKILL.md", good("a"))]).under(place);
        let text = Endpoint::builder("shop", "1")
            .skills(skills)
            .build()
            .unwrap_err()
            .to_string();
        assert!(text.contains("a path of skills has segments"), "{text}");
    }
    let twice = Endpoint::builder("shop", "1")
        .skills(files())
        .skills(files())
        .build();
    assert!(twice.unwrap_err().to_string().contains("is used twice"));
}

fn write(folder: &Path, path: &str, text: &str) {
    let place = folder.join(path);
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(place, text).unwrap();
}

#[tokio::test]
async fn a_folder_of_skills_is_read_without_what_is_hidden_or_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("refunds/SKILL.md", REFUNDS),
        ("refunds/mails/SKILL.md", NESTED),
        ("refunds/.secret", "no"),
        (".git/SKILL.md", "no"),
        ("notes.md", "beside"),
        ("team/notes.md", "beside"),
        (
            "team/greet/SKILL.md",
            "---\nname: greet\ndescription: Greet.\n---\n",
        ),
    ] {
        write(folder.path(), path, text);
    }
    let client = client(&shop(Skills::in_folder(folder.path())));
    let list = result(&client, "skills/list", json!({})).await;
    assert_eq!(
        uris(&list, "skills"),
        [
            "skill://refunds/SKILL.md",
            "skill://refunds/mails/SKILL.md",
            "skill://team/greet/SKILL.md"
        ]
    );
    assert_eq!(list["skills"][0]["resources"].as_array().unwrap().len(), 2);
    // What is served is what was there at the start, so its digests hold.
    write(folder.path(), "refunds/SKILL.md", "changed");
    let read = result(
        &client,
        "resources/read",
        json!({"uri": "skill://refunds/SKILL.md"}),
    )
    .await;
    assert_eq!(read["contents"][0]["text"], REFUNDS);
}

#[cfg(unix)]
#[test]
fn a_link_in_a_folder_of_skills_is_not_followed() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(
        outside.path(),
        "secret/SKILL.md",
        "---\nname: secret\ndescription: b\n---\n",
    );
    write(
        folder.path(),
        "a/SKILL.md",
        "---\nname: a\ndescription: b\n---\n",
    );
    let link = |to: &Path, place: &str| {
        std::os::unix::fs::symlink(to, folder.path().join(place)).unwrap();
    };
    link(&outside.path().join("secret"), "secret");
    link(Path::new("/etc/passwd"), "a/passwd.md");
    let built = |folder: &Path| {
        let skills: Skills<Person> = Skills::in_folder(folder);
        Endpoint::builder("shop", "1")
            .skills(skills)
            .build()
            .unwrap_err()
            .to_string()
    };
    let text = built(folder.path());
    assert_eq!(
        text.matches("it is a link, and links are not followed")
            .count(),
        2,
        "{text}"
    );
    assert!(!text.contains("root:"));
    assert!(built(&folder.path().join("a")).contains("it is a skill itself"));
    assert!(built(&folder.path().join("a/SKILL.md")).contains("it is no folder"));
    assert!(built(&folder.path().join("nowhere")).contains("it cannot be read"));
    let deep = "d/".repeat(limits::SKILL_DEPTH + 1);
    write(folder.path(), &format!("{deep}x"), "");
    assert!(built(folder.path()).contains("folders deep"));
    write(folder.path(), "b/SKILL.md", &"x".repeat(10 * 1024 * 1024));
    assert!(built(folder.path()).contains("b/SKILL.md\": it has more than"));
}
