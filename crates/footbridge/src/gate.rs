//! The effect gate: which effects the operator opened on one connector, and the switch that opens
//! more.

use footbridge_connector::Effect;
use footbridge_mcp::Failure;

use crate::caller::Caller;
use crate::cli::Allow;

/// The effects that the operator opened on one connector. Reading is always open.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    allowed: Vec<Allow>,
    /// The operator said it; otherwise it is what is open by default.
    is_said: bool,
    /// The backend's own setting that opens writing, such as `X_READ_ONLY=false`, where it has one
    /// and nothing else decides.
    own_switch: Option<String>,
}

impl Gate {
    /// What the operator said.
    pub(crate) fn said(allowed: Vec<Allow>) -> Self {
        Self {
            allowed,
            is_said: true,
            own_switch: None,
        }
    }

    /// What is open where the operator said nothing, and the setting of the backend's that opens
    /// writing.
    pub(crate) fn by_default(allowed: Vec<Allow>, own_switch: Option<String>) -> Self {
        Self {
            allowed,
            is_said: false,
            own_switch,
        }
    }

    pub(crate) fn is_open(&self, effect: Effect) -> bool {
        match effect {
            Effect::Read => true,
            Effect::Write => self.allowed.contains(&Allow::Write),
            Effect::Destroy => self.allowed.contains(&Allow::Destroy),
        }
    }

    /// The operator said that there is only reading.
    pub(crate) fn only_reads(&self) -> bool {
        self.allowed == [Allow::Read]
    }

    /// The operator's word closes the effect to everybody, whatever secret they have.
    pub(crate) fn is_closed_by_word(&self, effect: Effect) -> bool {
        self.is_said && !self.is_open(effect)
    }

    /// What opens an effect beside what is open already: a value of `--allow`, or the backend's own
    /// setting.
    pub(crate) fn switch_for(&self, effect: Effect) -> &str {
        match effect {
            Effect::Read | Effect::Write if self.own_switch.is_some() => {
                self.own_switch.as_deref().unwrap_or_default()
            }
            Effect::Destroy if self.is_open(Effect::Write) => "--allow write,destroy",
            Effect::Write if self.is_open(Effect::Destroy) => "--allow write,destroy",
            Effect::Destroy => "--allow destroy",
            Effect::Read | Effect::Write => "--allow write",
        }
    }
}

/// Refuses what would change something for a caller who may not.
pub(crate) fn check_caller(caller: Caller, effect: Effect, tool: &str) -> Result<(), Failure> {
    if effect == Effect::Read || caller.may_write() {
        return Ok(());
    }
    Err(Failure::Forbidden(format!(
        "{tool} changes things, and this request came through a proxy without showing a secret: the operator sets FOOTBRIDGE_TOKEN, which \
         clients then send as a bearer, or starts footbridge with --no-auth if everybody who reaches the proxy may write"
    )))
}

#[cfg(test)]
mod tests {
    use footbridge_connector::Effect;

    use super::{Gate, check_caller};
    use crate::caller::Caller;
    use crate::cli::Allow;

    #[test]
    fn reading_is_always_open_and_each_other_effect_by_its_own_word() {
        let gate = |allowed: &[Allow]| Gate::said(allowed.to_vec());
        assert!(gate(&[]).is_open(Effect::Read));
        assert!(!gate(&[]).is_open(Effect::Write) && !gate(&[]).is_open(Effect::Destroy));
        assert!(
            gate(&[Allow::Write]).is_open(Effect::Write)
                && !gate(&[Allow::Write]).is_open(Effect::Destroy)
        );
        assert!(
            !gate(&[Allow::Destroy]).is_open(Effect::Write)
                && gate(&[Allow::Destroy]).is_open(Effect::Destroy)
        );
    }

    #[test]
    fn the_named_switch_opens_what_it_says_and_closes_nothing() {
        assert_eq!(
            Gate::said(vec![Allow::Write]).switch_for(Effect::Destroy),
            "--allow write,destroy"
        );
        assert_eq!(
            Gate::said(vec![]).switch_for(Effect::Destroy),
            "--allow destroy"
        );
        assert_eq!(
            Gate::said(vec![]).switch_for(Effect::Write),
            "--allow write"
        );
        assert_eq!(
            Gate::said(vec![Allow::Destroy]).switch_for(Effect::Write),
            "--allow write,destroy"
        );
        let own = Gate::by_default(vec![], Some("X_READ_ONLY=false".to_owned()));
        assert_eq!(
            (
                own.switch_for(Effect::Write),
                own.switch_for(Effect::Destroy)
            ),
            ("X_READ_ONLY=false", "--allow destroy")
        );
    }

    #[test]
    fn only_what_the_operator_said_closes_to_everybody() {
        let closed = |gate: Gate| {
            (
                gate.is_closed_by_word(Effect::Write),
                gate.is_closed_by_word(Effect::Destroy),
            )
        };
        assert_eq!(closed(Gate::said(vec![Allow::Read])), (true, true));
        assert_eq!(closed(Gate::said(vec![Allow::Write])), (false, true));
        assert_eq!(
            closed(Gate::said(vec![Allow::Write, Allow::Destroy])),
            (false, false)
        );
        assert_eq!(
            closed(Gate::by_default(vec![Allow::Write], None)),
            (false, false)
        );
        assert!(!Gate::said(vec![]).is_closed_by_word(Effect::Read));
    }

    #[test]
    fn who_may_only_read_reads() {
        for effect in [Effect::Read, Effect::Write, Effect::Destroy] {
            for caller in [
                Caller::LocalUser,
                Caller::Terminal,
                Caller::HttpClient(None),
                Caller::ActionClient,
            ] {
                assert!(
                    check_caller(caller, effect, "card_create").is_ok(),
                    "{caller:?} {effect:?}"
                );
            }
            assert_eq!(
                check_caller(Caller::Forwarded, effect, "card_create").is_ok(),
                effect == Effect::Read
            );
        }
    }
}
