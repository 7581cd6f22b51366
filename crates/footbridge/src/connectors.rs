//! The connectors that come with the program: their names, their files, and where their requests go. Opens nothing.

use footbridge_connector::Connector;

use crate::exit::Trouble;

/// A connector under the name it is served by.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    pub(crate) name: &'static str,
    file: &'static str,
    text: &'static str,
    pub(crate) reached: Reached,
}

/// Where a connector's requests go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// To the board in this process.
    InProcess,
    /// Over the network.
    Network,
}

const BOARD_FILE: &str = include_str!("../../../connectors/board.yaml");
const TAIGA_FILE: &str = include_str!("../../../connectors/taiga.yaml");

/// The board's file is there twice, with two upstreams: the local board, and a Production Board somewhere else.
const BUILT_IN: [BuiltIn; 3] = [
    BuiltIn { name: "board", file: "connectors/board.yaml", text: BOARD_FILE, reached: Reached::InProcess },
    BuiltIn { name: "prodmcp", file: "connectors/board.yaml", text: BOARD_FILE, reached: Reached::Network },
    BuiltIn { name: "taiga", file: "connectors/taiga.yaml", text: TAIGA_FILE, reached: Reached::Network },
];

/// The connector that is served when none is named.
pub(crate) const DEFAULT: &str = "board";

/// The built-in connector of that name.
pub(crate) fn named(name: &str) -> Result<&'static BuiltIn, Trouble> {
    BUILT_IN.iter().find(|known| known.name == name).ok_or_else(|| {
        let names: Vec<_> = BUILT_IN.iter().map(|known| known.name).collect();
        Trouble::usage(format!("there is no connector {name:?}; there are: {}", names.join(", ")))
    })
}

impl BuiltIn {
    /// Compiles its file.
    pub(crate) fn compile(&self) -> Result<Connector, Trouble> {
        footbridge_connector::compile(self.file, self.text).map_err(Trouble::failed)
    }
}
