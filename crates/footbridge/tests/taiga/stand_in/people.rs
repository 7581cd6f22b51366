//! Who asks, and who there is: login, rotating refresh tokens, users, memberships.

use serde_json::{Value, json};

use super::answer::{Answer, Reply};
use super::asked::Asked;
use super::lists;
use super::recording;
use super::sample::PASSWORD;
use super::world::{User, World};

/// The account of the token; none without one. A token that is not good is refused.
pub(crate) fn who(world: &World, asked: &Asked) -> Result<Option<u64>, Answer> {
    let Some(header) = asked.header("authorization") else {
        return Ok(None);
    };
    let known = match header.split_once(' ') {
        Some(("Bearer", token)) => world.access_tokens.get(token),
        Some(("Application", token)) => world.application_tokens.get(token),
        _ => None,
    };
    known.copied().map(Some).ok_or_else(|| {
        let message = json!({
            "detail": "Given token not valid for any token type", "code": "token_not_valid",
            "messages": [{ "token_class": "AccessToken", "token_type": "access", "message": "Token is invalid or expired" }]
        });
        Answer::json(401, message).with("www-authenticate", "Bearer realm=\"api\"")
    })
}

pub(crate) fn login(world: &mut World, asked: &Asked) -> Reply {
    let body = asked.object()?;
    world.seen.logins += 1;
    if body.get("type").and_then(Value::as_str) != Some("normal") {
        return Err(Answer::bad_request("invalid login type"));
    }
    Answer::require(&body, &["password"], asked.required())?;
    if !body.contains_key("email") {
        Answer::require(&body, &["username"], asked.required())?;
    }
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_lowercase()
    };
    let given = if body.contains_key("username") {
        text("username")
    } else {
        text("email")
    };
    let user = world
        .users
        .iter()
        .find(|user| user.username == given || user.email == given);
    let good = body["password"] == PASSWORD && !world.turned.refuse_logins;
    let Some(user) = user.filter(|_| good).cloned() else {
        return Err(Answer::jwt(
            "invalid_credentials",
            "No active account found with the given credentials",
        ));
    };
    let mut record = recording::record("login ok");
    record.extend(profile(&user));
    let (access, refresh) = tokens(world, user.id);
    record.insert("auth_token".into(), json!(access));
    record.insert("refresh".into(), json!(refresh));
    Ok(Answer::ok(Value::Object(record)))
}

/// A refresh token is good once.
pub(crate) fn refresh(world: &mut World, asked: &Asked) -> Reply {
    let body = asked.object()?;
    world.seen.refreshes += 1;
    Answer::require(&body, &["refresh"], asked.required())?;
    let given = body["refresh"].as_str().unwrap_or_default();
    let Some(user) = world.refresh_tokens.remove(given) else {
        return Err(Answer::jwt(
            "token_not_valid",
            "Token is invalid or expired",
        ));
    };
    let (access, refresh) = tokens(world, user);
    Ok(Answer::ok(
        json!({ "auth_token": access, "refresh": refresh }),
    ))
}

fn tokens(world: &mut World, user: u64) -> (String, String) {
    let number = world.next_id("token");
    let (access, refresh) = (
        format!("access-token-{number}"),
        format!("refresh-token-{number}"),
    );
    world.access_tokens.insert(access.clone(), user);
    world.refresh_tokens.insert(refresh.clone(), user);
    (access, refresh)
}

/// A user as lists show one: no e-mail.
pub(crate) fn row(user: &User) -> Value {
    let mut record = recording::record("users anonymous");
    for (key, value) in profile(user) {
        if record.contains_key(&key) {
            record.insert(key, value);
        }
    }
    Value::Object(record)
}

fn profile(user: &User) -> [(String, Value); 6] {
    [
        ("id".into(), json!(user.id)),
        ("username".into(), json!(user.username)),
        ("full_name".into(), json!(user.full_name)),
        ("full_name_display".into(), json!(user.full_name)),
        ("gravatar_id".into(), json!(format!("{:032x}", user.id))),
        ("email".into(), json!(user.email)),
    ]
}

/// A user as an own route shows one: with the e-mail only for oneself and for superusers.
fn detail(world: &World, me: Option<u64>, user: &User) -> Value {
    let may_see_all = me.is_some_and(|me| me == user.id || world.user(me).is_superuser);
    let mut record = recording::record("me");
    record.extend(profile(user));
    if !may_see_all {
        record.shift_remove("email");
        record.shift_remove("uuid");
    }
    Value::Object(record)
}

pub(crate) fn me(world: &World, me: Option<u64>) -> Reply {
    let id = me.ok_or_else(Answer::not_authenticated)?;
    Ok(Answer::ok(detail(world, me, world.user(id))))
}

pub(crate) fn user(world: &World, me: Option<u64>, id: u64) -> Reply {
    let user = world
        .users
        .iter()
        .find(|user| user.id == id)
        .ok_or_else(|| Answer::missing("No User matches the given query."))?;
    Ok(Answer::ok(detail(world, me, user)))
}

pub(crate) fn by_username(world: &World, asked: &Asked, me: Option<u64>) -> Reply {
    let wanted = asked.parameter("username").unwrap_or_default();
    let user = world
        .users
        .iter()
        .find(|user| user.username == wanted)
        .ok_or_else(|| Answer::missing("No User matches the given query."))?;
    Ok(Answer::ok(detail(world, me, user)))
}

/// `search` is ignored; `project` restricts, except for a superuser.
pub(crate) fn list(world: &World, asked: &Asked, me: Option<u64>) -> Reply {
    let is_superuser = me.is_some_and(|me| world.user(me).is_superuser);
    let project = asked.id_parameter("project").filter(|_| !is_superuser);
    let is_shown = |user: &&User| match project {
        Some(project) => world.may_see(project, me) && world.is_member(project, user.id),
        None => true,
    };
    lists::page(
        asked,
        world.users.iter().filter(is_shown).map(row).collect(),
    )
}

/// E-mails only for those who run the project.
pub(crate) fn memberships(world: &World, asked: &Asked, me: Option<u64>) -> Reply {
    let project = asked
        .id_parameter("project")
        .and_then(|id| world.projects.get(&id))
        .filter(|project| world.may_see(project.id, me));
    let Some(project) = project else {
        return lists::page(asked, Vec::new());
    };
    let is_admin = me.is_some_and(|me| project.admins.contains(&me) || world.user(me).is_superuser);
    let row = |(position, id): (usize, &u64)| {
        let user = world.user(*id);
        let mut record = recording::record(if is_admin {
            "memberships"
        } else {
            "memberships as non-admin"
        });
        let own = json!({
            "id": position + 1, "user": id, "project": project.id, "role": project.catalogues["roles"][3]["id"], "role_name": "Back",
            "is_admin": project.admins.contains(id), "full_name": user.full_name, "project_name": project.name,
            "project_slug": project.slug, "is_owner": *id == 11, "gravatar_id": format!("{id:032x}")
        });
        record.extend(super::sample::object(own));
        if is_admin {
            record.insert("email".into(), json!(user.email));
            record.insert("user_email".into(), json!(user.email));
        }
        Value::Object(record)
    };
    lists::page(asked, project.members.iter().enumerate().map(row).collect())
}
