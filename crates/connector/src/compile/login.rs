//! The login: what is exchanged for a token, and how the token is carried.

use http::{HeaderName, header};

use super::filters::Filters;
use super::scope::Scope;
use crate::connector::{Exchange, Login};
use crate::definition::Definition;
use crate::place::Placed;
use crate::problem::Found;

pub(super) fn settle<'d>(
    definition: &'d Definition,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Option<Login> {
    let login = &definition.upstream.login.as_ref()?.value;
    let secrets = Scope::new(definition, &[]).with_secrets();
    let mut exchange =
        |written: [&'d Placed<String>; 3], part: &str, body: &Scope<'_>, found: &mut Found| {
            let [post, sent, token] = written;
            let path = filters.path(
                post,
                &format!("{part}.post"),
                &Scope::new(definition, &[]),
                found,
            );
            if path
                .as_ref()
                .is_some_and(|path| path.names().next().is_some())
            {
                found.add(
                    post.place,
                    format!("{part}.post"),
                    "the path of a login has nothing to fill in",
                );
            }
            Exchange {
                path: post.value.clone(),
                body: filters.add(sent, &format!("{part}.body"), body, found),
                token: filters.add(
                    token,
                    &format!("{part}.token"),
                    &Scope::new(definition, &[]),
                    found,
                ),
            }
        };
    let first = exchange(
        [&login.post, &login.body, &login.token],
        "upstream.login",
        &secrets,
        found,
    );
    let renew = login.renew.as_ref().map(|renew| {
        exchange(
            [&renew.post, &renew.body, &renew.token],
            "upstream.login.renew",
            &secrets.clone().with("$login"),
            found,
        )
    });
    let me = login
        .me
        .as_ref()
        .map(|me| filters.add(me, "upstream.login.me", &Scope::new(definition, &[]), found));
    let name = login
        .header
        .as_ref()
        .map_or(Ok(header::AUTHORIZATION), |name| {
            HeaderName::from_bytes(name.value.as_bytes()).map_err(|_| name)
        });
    let name = name.unwrap_or_else(|written| {
        found.add(
            written.place,
            "upstream.login.header",
            format!("`{}` is not a header name", written.value),
        );
        header::AUTHORIZATION
    });
    if let Some(scheme) = &login.scheme
        && !scheme.value.bytes().all(|b| b.is_ascii_graphic())
    {
        found.add(
            scheme.place,
            "upstream.login.scheme",
            format!("`{}` is not one word", scheme.value),
        );
    }
    let scheme = login
        .scheme
        .as_ref()
        .map_or("Bearer", |scheme| scheme.value.as_str())
        .to_owned();
    Some(Login {
        exchange: first,
        header: name,
        scheme,
        renew,
        me,
    })
}
