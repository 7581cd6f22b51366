//! The effect gate: which effects the operator opened on one connector, and the switch that opens
//! more.

use footbridge_connector::ToolEffect;
use footbridge_mcp::Failure;

use crate::allow::{AllowWord, AllowedEffect, Passage};
use crate::caller::Caller;

/// The effects that the operator opened on one connector. Reading is always open.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    effects: Vec<AllowedEffect>,
    /// Tools that have a word of their own; the last one of a tool counts.
    tools: Vec<(String, Passage)>,
    /// The operator said it; otherwise it is what is open by default.
    is_said: bool,
    /// The backend's own setting that opens writing, such as `X_READ_ONLY=false`, where it has one
    /// and nothing else decides.
    own_switch: Option<String>,
}

impl Gate {
    /// What the operator said.
    pub(crate) fn of_words(words: Vec<AllowWord>) -> Self {
        let mut gate = Self {
            effects: Vec::new(),
            tools: Vec::new(),
            is_said: true,
            own_switch: None,
        };
        for word in words {
            match word {
                AllowWord::Effect(effect) => gate.effects.push(effect),
                AllowWord::Tool(tool, passage) => gate.tools.push((tool, passage)),
            }
        }
        gate
    }

    /// What is open where the operator said nothing, and the setting of the backend's that opens
    /// writing.
    pub(crate) fn by_default(effects: Vec<AllowedEffect>, own_switch: Option<String>) -> Self {
        Self {
            effects,
            tools: Vec::new(),
            is_said: false,
            own_switch,
        }
    }

    /// What becomes of the calls of a tool.
    pub(crate) fn passage(&self, tool: &str, effect: ToolEffect) -> Passage {
        let of_tool = self.tools.iter().rev().find(|(name, _)| name == tool);
        match of_tool {
            Some((_, passage)) if effect != ToolEffect::Read => *passage,
            _ => self.passage_of(effect),
        }
    }

    /// Whether any tool has a word of its own.
    pub(crate) fn names_any(&self) -> bool {
        !self.tools.is_empty()
    }

    /// Whether a tool has a word of its own.
    pub(crate) fn names(&self, tool: &str) -> bool {
        self.tools.iter().any(|(name, _)| name == tool)
    }

    /// What becomes of the calls of tools that have no word of their own.
    pub(crate) fn passage_of(&self, effect: ToolEffect) -> Passage {
        let opening = match effect {
            ToolEffect::Read => return Passage::Open,
            ToolEffect::Write => AllowedEffect::Write,
            ToolEffect::Destroy => AllowedEffect::Destroy,
        };
        if self.effects.contains(&opening) {
            Passage::Open
        } else if self.effects.contains(&AllowedEffect::Propose) {
            Passage::Proposed
        } else {
            Passage::Closed
        }
    }

    /// Whether any effect, or a tool by its name, is carried out at once.
    pub(crate) fn opens_any(&self) -> bool {
        let effects =
            [ToolEffect::Write, ToolEffect::Destroy].map(|effect| self.passage_of(effect));
        let tools = self.tools.iter().map(|(_, passage)| *passage);
        tools.chain(effects).any(|passage| passage == Passage::Open)
    }

    /// The operator said that there is only reading.
    pub(crate) fn only_reads(&self) -> bool {
        self.effects == [AllowedEffect::Read] && self.tools.is_empty()
    }

    /// The operator's word keeps the effect from being carried out at once, for everybody, whatever
    /// secret they have; that of this tool, where one does the same.
    pub(crate) fn is_closed_by_word(&self, effect: ToolEffect, tool: Option<&str>) -> bool {
        let passage = match tool {
            Some(tool) => self.passage(tool, effect),
            None => self.passage_of(effect),
        };
        self.is_said && passage != Passage::Open
    }

    /// What opens an effect beside what is open already: a value of `--allow`, or the backend's own
    /// setting.
    pub(crate) fn switch_for(&self, effect: ToolEffect) -> &str {
        let is_open = |effect| self.passage_of(effect) == Passage::Open;
        match effect {
            ToolEffect::Read | ToolEffect::Write if self.own_switch.is_some() => {
                self.own_switch.as_deref().unwrap_or_default()
            }
            ToolEffect::Destroy if is_open(ToolEffect::Write) => "--allow write,destroy",
            ToolEffect::Write if is_open(ToolEffect::Destroy) => "--allow write,destroy",
            ToolEffect::Destroy => "--allow destroy",
            ToolEffect::Read | ToolEffect::Write => "--allow write",
        }
    }
}

/// An effect as it stands on record.
pub(crate) fn effect_word(effect: ToolEffect) -> &'static str {
    match effect {
        ToolEffect::Read => "read",
        ToolEffect::Write => "write",
        ToolEffect::Destroy => "destroy",
    }
}

/// Refuses what would change something for a caller who may not.
pub(crate) fn check_caller(caller: Caller, effect: ToolEffect, tool: &str) -> Result<(), Failure> {
    if caller.tightened(Passage::Open, effect) == Passage::Closed {
        return Err(Failure::Forbidden(format!(
            "{tool} changes things, and this request asks for less: its client sends the header X-MCP-Readonly, or Footbridge-Allow without \
             the word for it"
        )));
    }
    if effect == ToolEffect::Read || caller.may_write() {
        return Ok(());
    }
    Err(Failure::Forbidden(format!(
        "{tool} changes things, and this request came through a proxy without showing a secret: the operator sets FOOTBRIDGE_TOKEN, which \
         clients then send as a bearer, or starts footbridge with --no-auth if everybody who reaches the proxy may write"
    )))
}

#[cfg(test)]
mod tests {
    use footbridge_connector::ToolEffect;

    use super::{Gate, check_caller};
    use crate::allow::{AllowWord, AllowedEffect, Passage};
    use crate::caller::Caller;

    fn gate_of(words: &[&str]) -> Gate {
        Gate::of_words(words.iter().map(|word| word.parse().unwrap()).collect())
    }

    #[test]
    fn reading_is_always_open_and_each_other_effect_by_its_own_word() {
        let passages = |words: &[&str]| {
            [ToolEffect::Read, ToolEffect::Write, ToolEffect::Destroy]
                .map(|effect| gate_of(words).passage_of(effect))
        };
        use Passage::{Closed, Open, Proposed};
        assert_eq!(passages(&[]), [Open, Closed, Closed]);
        assert_eq!(passages(&["read"]), [Open, Closed, Closed]);
        assert_eq!(passages(&["write"]), [Open, Open, Closed]);
        assert_eq!(passages(&["destroy"]), [Open, Closed, Open]);
        assert_eq!(passages(&["propose"]), [Open, Proposed, Proposed]);
        assert_eq!(passages(&["propose", "write"]), [Open, Open, Proposed]);
        assert_eq!(passages(&["card_create=open"]), [Open, Closed, Closed]);
    }

    #[test]
    fn a_tool_with_a_word_of_its_own_goes_by_the_last() {
        let gate = gate_of(&[
            "write",
            "card_delete=propose",
            "card_move=closed",
            "card_move=open",
            "card_create=closed",
        ]);
        let passage = |tool, effect| gate.passage(tool, effect);
        assert_eq!(
            passage("card_delete", ToolEffect::Destroy),
            Passage::Proposed
        );
        assert_eq!(
            passage("board_delete", ToolEffect::Destroy),
            Passage::Closed
        );
        assert_eq!(passage("card_move", ToolEffect::Write), Passage::Open);
        assert_eq!(passage("card_create", ToolEffect::Write), Passage::Closed);
        assert_eq!(passage("card_update", ToolEffect::Write), Passage::Open);
        assert_eq!(
            gate_of(&["card_list=closed"]).passage("card_list", ToolEffect::Read),
            Passage::Open,
            "reading is always open"
        );
        assert!(
            !gate_of(&["read", "card_create=open"]).only_reads() && gate_of(&["read"]).only_reads()
        );
    }

    #[test]
    fn the_named_switch_opens_what_it_says_and_closes_nothing() {
        assert_eq!(
            gate_of(&["write"]).switch_for(ToolEffect::Destroy),
            "--allow write,destroy"
        );
        assert_eq!(
            gate_of(&[]).switch_for(ToolEffect::Destroy),
            "--allow destroy"
        );
        assert_eq!(gate_of(&[]).switch_for(ToolEffect::Write), "--allow write");
        assert_eq!(
            gate_of(&["destroy"]).switch_for(ToolEffect::Write),
            "--allow write,destroy"
        );
        let own = Gate::by_default(vec![], Some("X_READ_ONLY=false".to_owned()));
        assert_eq!(
            (
                own.switch_for(ToolEffect::Write),
                own.switch_for(ToolEffect::Destroy)
            ),
            ("X_READ_ONLY=false", "--allow destroy")
        );
    }

    #[test]
    fn only_what_the_operator_said_closes_to_everybody() {
        let closed = |gate: Gate| {
            (
                gate.is_closed_by_word(ToolEffect::Write, None),
                gate.is_closed_by_word(ToolEffect::Destroy, None),
            )
        };
        assert_eq!(closed(gate_of(&["read"])), (true, true));
        assert_eq!(closed(gate_of(&["write"])), (false, true));
        assert_eq!(closed(gate_of(&["write", "destroy"])), (false, false));
        assert_eq!(closed(gate_of(&["propose"])), (true, true));
        assert_eq!(
            closed(Gate::by_default(vec![AllowedEffect::Write], None)),
            (false, false)
        );
        assert!(!gate_of(&[]).is_closed_by_word(ToolEffect::Read, None));
        let gate = gate_of(&["destroy", "card_delete=propose", "card_move=open"]);
        let closed = |effect, tool| gate.is_closed_by_word(effect, Some(tool));
        assert!(
            closed(ToolEffect::Destroy, "card_delete")
                && !closed(ToolEffect::Destroy, "board_delete")
        );
        assert!(
            !closed(ToolEffect::Write, "card_move") && closed(ToolEffect::Write, "card_create")
        );
        let word: AllowWord = "write".parse().unwrap();
        assert_eq!(word, AllowWord::Effect(AllowedEffect::Write));
    }

    #[test]
    fn who_may_only_read_reads() {
        for effect in [ToolEffect::Read, ToolEffect::Write, ToolEffect::Destroy] {
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
                effect == ToolEffect::Read
            );
        }
    }
}
