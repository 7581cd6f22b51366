//! The fixture's skills: one with a folder in it, and one nested in that.

use footbridge_mcp::Skills;

/// They are announced to everybody, since the suite does not say that it knows skills.
pub(crate) fn skills() -> Skills<()> {
    let files = [
        (
            "field-notes/SKILL.md",
            "---\nname: field-notes\ndescription: Take notes in the field and file them.\n\
             license: MIT\nmetadata:\n  version: \"1.0\"\n---\n# Field notes\n\nPick a template \
             from `templates/`.\n",
        ),
        (
            "field-notes/templates/walk.md",
            "# Walk\n\nWhere, when, what.\n",
        ),
        (
            "field-notes/templates/talk.md",
            "# Talk\n\nWith whom, about what.\n",
        ),
        (
            "field-notes/filing/SKILL.md",
            "---\nname: filing\ndescription: File the notes of a day.\n---\nOne folder a day.\n",
        ),
    ];
    Skills::embedded(files).announced_to_everybody()
}
