//! The login: what is exchanged for a token, and how the token is carried.

use http::{HeaderName, header};

use super::compilation::Compilation;
use super::scope::FilterScope;
use crate::connector::{Exchange, LoginPlan, RollPlan};
use crate::jq::Variable;
use crate::place::Placed;

impl<'d> Compilation<'d> {
    pub(super) fn login(&mut self) -> Option<LoginPlan> {
        let login = &self.definition.upstream.login.as_ref()?.value;
        let secrets = FilterScope::new(self.definition, &[]).with_secrets();
        let first = self.exchange(
            [&login.post, &login.body, &login.token],
            "upstream.login",
            &secrets,
        );
        let renew = login.renew.as_ref().map(|renew| {
            self.exchange(
                [&renew.post, &renew.body, &renew.token],
                "upstream.login.renew",
                &secrets.clone().with(Variable::Login),
            )
        });
        let me = login.me.as_ref().map(|me| {
            self.filter(
                me,
                "upstream.login.me",
                &FilterScope::new(self.definition, &[]),
            )
        });
        let name = login
            .header
            .as_ref()
            .map_or(Ok(header::AUTHORIZATION), |name| {
                HeaderName::from_bytes(name.value.as_bytes()).map_err(|_| name)
            });
        let name = name.unwrap_or_else(|written| {
            self.found.add(
                written.place,
                "upstream.login.header",
                format!("`{}` is not a header name", written.value),
            );
            header::AUTHORIZATION
        });
        if let Some(scheme) = &login.scheme
            && !scheme.value.bytes().all(|b| b.is_ascii_graphic())
        {
            self.found.add(
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
        let rolls = login.rolls.as_ref().and_then(|rolls| {
            let header = HeaderName::from_bytes(rolls.header.value.as_bytes());
            if header.is_err() {
                self.found.add(
                    rolls.header.place,
                    "upstream.login.rolls.header",
                    format!("`{}` is not a header name", rolls.header.value),
                );
            }
            Some(RollPlan {
                header: header.ok()?,
                except: rolls.except.as_ref().map(|except| except.value.clone()),
            })
        });
        let asks = login.asks.iter().filter_map(|setting| {
            let is_known = self.definition.settings.get(&setting.value).is_some();
            if !is_known {
                self.found.add(
                    setting.place,
                    "upstream.login.asks",
                    format!("there is no setting `{}`", setting.value),
                );
            }
            is_known.then(|| setting.value.clone())
        });
        let asks = asks.collect();
        Some(LoginPlan {
            exchange: first,
            header: name,
            scheme,
            renew,
            me,
            asks,
            rolls,
        })
    }

    /// The setting in whose place a pasted token is kept.
    pub(super) fn token_setting(&mut self) -> Option<String> {
        let token = self.definition.upstream.token.as_ref()?;
        let setting = self.definition.settings.get(&token.value);
        if setting.is_none_or(|setting| !setting.secret) {
            self.found.add(
                token.place,
                "upstream.token",
                format!("`{}` is no secret among the settings", token.value),
            );
        }
        Some(token.value.clone())
    }

    /// What is sent for a token: where to, the body, and where the answer says the token.
    fn exchange(
        &mut self,
        [post, body, token]: [&'d Placed<String>; 3],
        part: &str,
        scope: &FilterScope<'_>,
    ) -> Exchange {
        let plain = FilterScope::new(self.definition, &[]);
        let path = self.path(post, &format!("{part}.post"), &plain);
        if path.is_some_and(|path| path.names().next().is_some()) {
            self.found.add(
                post.place,
                format!("{part}.post"),
                "the path of a login has nothing to fill in",
            );
        }
        Exchange {
            path: post.value.clone(),
            body: self.filter(body, &format!("{part}.body"), scope),
            token: self.filter(token, &format!("{part}.token"), &plain),
        }
    }
}
