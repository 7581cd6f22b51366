"""Holds the PowerShell of packages and pages to its grammar, and what the helper of the actions asks to what there is. Prints a line for each problem.

Run by `site`, with the Python of `python/requirements-powershell.txt`: there is no PowerShell to run it.
"""

import pathlib
import re

import tree_sitter
import tree_sitter_powershell

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
HELPER = ROOT / "packaging/actions/actions-proxy.ps1"


def faults(node):
    """The places that the grammar does not know."""
    if node.type == "ERROR" or node.is_missing:
        yield node.start_point[0] + 1
    for child in node.children if node.has_error else ():
        yield from faults(child)


def sources():
    """Each file and each block of a page, by its name."""
    for path in sorted(ROOT.glob("packaging/**/*.ps1")):
        yield str(path.relative_to(ROOT)), path.read_text()
    for page in sorted(ROOT.glob("docs/**/*.md")):
        for block in re.findall(r"```powershell\n(.*?)```", page.read_text(), re.S):
            yield str(page.relative_to(ROOT)), block


def problems():
    found = dict.fromkeys(("helper", "page"), 0)
    helper = HELPER.read_text()
    _, _, actions = (ROOT / "connectors/taiga.yaml").read_text().partition("\nactions:\n")
    known = set(re.findall(r"^  (\w+):$", actions, re.M))
    asked = re.findall(r"(?:Read|Write)-Action '(\w+)'", helper)
    commands = re.search(r"ValidateSet\((.*?)\)", helper).group(1).replace("'", "").split(", ")
    parameters = set(re.findall(r"\] \$(\w+)", helper))
    yield from (f"{HELPER.name} asks the action {name!r}, which there is not" for name in asked if name not in known)
    for name, text in sources():
        found["helper" if name.endswith(".ps1") else "page"] += 1
        yield from (f"{name}: line {line} is no PowerShell" for line in faults(PARSER.parse(text.encode()).root_node))
        for command, rest in re.findall(r"actions-proxy\.ps1 (\S+)(.*)", text):
            if command not in commands:
                yield f"{name}: the helper has no command {command!r}"
            yield from (f"{name}: the helper has no parameter -{used}" for used in re.findall(r" -(\w+)", rest) if used not in parameters)
    if not all(found.values()) or not asked:
        yield f"nothing was found to look at: {found}, {len(asked)} actions"


for problem in problems():
    print(problem)
