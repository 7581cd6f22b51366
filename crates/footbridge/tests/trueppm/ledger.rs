//! Which test shows what the tests of the reference pin, and which of its defects are mended; what
//! is done differently stands in docs/differences.md. The names here are checked.

use std::slice::from_ref;

use crate::harness::shown::Shown::{self, By, Differs};
use crate::harness::shown::all_are_shown;

const PINNED: [(&str, Shown); 49] = [
    // settings
    (
        "/api/v1 is appended once, slashes at the end are cut",
        By("trueppm/boot::an_address_is_taken_with_and_without_its_suffix"),
    ),
    (
        "a missing address or token is named",
        By("trueppm/boot::settings_are_named_all_at_once_and_never_said"),
    ),
    (
        "a blank token is a missing one",
        By("trueppm/boot::settings_are_named_all_at_once_and_never_said"),
    ),
    (
        "settings do not show the token",
        By("trueppm/hostile::a_token_is_said_nowhere"),
    ),
    // command line
    (
        "no variables: code 2 and Configuration error",
        By("program/links::mistakes_in_settings_begin_as_in_the_program_of_that_name"),
    ),
    (
        "each transport by its name",
        By("trueppm/boot::every_transport_of_the_reference_is_served"),
    ),
    // before it serves
    (
        "auth/me/ is asked with the token",
        By("trueppm/boot::every_transport_of_the_reference_is_served"),
    ),
    (
        "a refused token ends the start",
        By("trueppm/boot::a_refused_token_ends_the_start_in_one_line"),
    ),
    (
        "503 is no refusal of the token",
        By("trueppm/boot::a_backend_that_is_down_ends_the_start_in_one_line"),
    ),
    (
        "nothing is served before that",
        By("trueppm/boot::a_refused_token_ends_the_start_in_one_line"),
    ),
    (
        "no log and no error holds the token",
        By("trueppm/hostile::a_token_is_said_nowhere"),
    ),
    // tools
    (
        "exactly the 18 names",
        By("trueppm/golden::golden_tools_as_a_client_sees_them"),
    ),
    (
        "none creates, updates, deletes or sets",
        By("trueppm/golden::the_connector_file_issues_nothing_but_get"),
    ),
    (
        "the README says how many",
        By("trueppm/golden::the_readme_says_how_many_tools_there_are"),
    ),
    // refusals
    (
        "a whole envelope is read",
        By("trueppm/errors::a_refusal_says_its_kind"),
    ),
    (
        "a withheld constraint is left out",
        By("trueppm/errors::a_refusal_says_its_kind"),
    ),
    (
        "eight bodies that are none",
        By("trueppm/errors::a_refusal_says_its_kind"),
    ),
    (
        "a missing verdict is a refusal",
        By("trueppm/errors::a_refusal_says_its_kind"),
    ),
    (
        "identity refusal (token_identity)",
        By("trueppm/errors::a_token_that_ends_is_told_and_one_that_comes_back_works"),
    ),
    (
        "policy refusal (capability_scope)",
        By("trueppm/errors::a_refusal_says_its_kind"),
    ),
    (
        "HTTP 404.",
        Differs("Unexpected response from PATH: HTTP 404."),
    ),
    // what is kept of a record
    (
        "null and empty go, 0 and false stay",
        By("trueppm/why::a_what_if_says_how_far_the_finish_moves"),
    ),
    (
        "a long text is cut and fenced",
        By("trueppm/hostile::a_long_text_is_cut_and_says_how_long_it_was"),
    ),
    (
        "after 200 characters",
        Differs("after 2,000, and the cut says how long the text was"),
    ),
    (
        "only six keys are fenced",
        Differs("every text that people write"),
    ),
    (
        "caller_role: label, ordinal, none",
        By("trueppm/lists::a_role_is_its_label_else_its_number_else_left_out"),
    ),
    // lists
    (
        "projects with roles",
        By("trueppm/story::every_tool_answers_on_every_transport_and_only_reads"),
    ),
    (
        "a project with its overview",
        By("trueppm/story::every_tool_answers_on_every_transport_and_only_reads"),
    ),
    (
        "filters are sent, unset ones are not",
        By("trueppm/lists::filters_that_trueppm_has_are_sent_and_unset_ones_are_not"),
    ),
    (
        "since is updated_after",
        By("trueppm/lists::assignee_and_updated_after_are_applied_here"),
    ),
    (
        "updated_after beats since",
        Differs("both names of one argument at once are refused"),
    ),
    (
        "pages are followed",
        By("trueppm/lists::a_thousand_tasks_come_in_pages"),
    ),
    ("truncated", Differs("pages of 50 rows, or `limit`")),
    (
        "an empty page with a next one ends the list",
        Differs("the rows behind such a page are given"),
    ),
    (
        "a board asks for tasks by project alone",
        By("trueppm/lists::a_board_of_more_cards_than_fit_says_so"),
    ),
    (
        "a summary counts critical tasks",
        By("trueppm/why::a_summary_names_the_finish_and_how_many_tasks_drive_it"),
    ),
    (
        "everything else passes through",
        By("trueppm/story::every_tool_answers_on_every_transport_and_only_reads"),
    ),
    (
        "a what-if sends what was given",
        By("trueppm/lists::a_what_if_sends_exactly_what_was_given"),
    ),
    (
        "false and zero survive",
        By("trueppm/story::every_tool_answers_on_every_transport_and_only_reads"),
    ),
    (
        "a derivation of scheduled_start",
        By("trueppm/lists::a_derivation_of_every_quantity_is_passed_on"),
    ),
    (
        "health of a sprint, and none without a project",
        By("trueppm/lists::a_sprint_has_the_health_of_its_project"),
    ),
    // why
    (
        "a simulation: driver, days, finish",
        By("trueppm/why::a_simulation_says_its_premium_in_calendar_days_and_its_driver"),
    ),
    (
        "a simulation without figures has none",
        By("trueppm/why::a_simulation_says_its_premium_in_calendar_days_and_its_driver"),
    ),
    ("working days", Differs("that is what TruePPM counts")),
    (
        "a what-if: later, earlier, unchanged",
        By("trueppm/why::a_what_if_says_how_far_the_finish_moves"),
    ),
    (
        "a summary: finish and count",
        By("trueppm/why::a_summary_names_the_finish_and_how_many_tasks_drive_it"),
    ),
    (
        "a task: critical, with float, without",
        By("trueppm/why::a_task_says_what_its_float_is"),
    ),
    // errors
    (
        "401 in a tool",
        By("trueppm/errors::a_token_that_ends_is_told_and_one_that_comes_back_works"),
    ),
    (
        "404 in a tool",
        By("trueppm/errors::errors_say_what_trueppm_said_and_what_to_do"),
    ),
];

const DEFECTS: [(&str, Shown); 20] = [
    (
        "one session's end kills all",
        By("trueppm/sessions::a_hundred_sessions_of_streamable_http_end_and_one_stays"),
    ),
    (
        "no check before serving over HTTP",
        By("trueppm/boot::a_refused_token_ends_the_start_in_one_line"),
    ),
    (
        "the token goes to any host",
        By("trueppm/hostile::the_token_stays_at_home"),
    ),
    (
        "filters that do nothing",
        By("trueppm/lists::assignee_and_updated_after_are_applied_here"),
    ),
    (
        "a summary without its figures",
        By("trueppm/refused_parts::a_summary_says_which_of_its_parts_are_missing"),
    ),
    (
        "hidden velocity",
        By("trueppm/story::a_team_member_sees_the_velocity"),
    ),
    (
        "working days",
        By("trueppm/why::a_simulation_says_its_premium_in_calendar_days_and_its_driver"),
    ),
    (
        "the distribution",
        By("trueppm/sizes::answers_are_worth_their_tokens"),
    ),
    ("sizes", By("trueppm/sizes::answers_are_worth_their_tokens")),
    (
        "lost details of errors",
        By("trueppm/errors::errors_say_what_trueppm_said_and_what_to_do"),
    ),
    (
        "a timeout without words",
        By("trueppm/errors::no_answer_is_told_with_its_time"),
    ),
    (
        "ids that leave their place",
        By("trueppm/hostile::an_id_never_leaves_its_place_in_the_address"),
    ),
    (
        "fences with holes",
        By("trueppm/hostile::every_text_of_a_user_is_fenced_and_stays_inside"),
    ),
    (
        "empty because not allowed",
        By("trueppm/refused_parts::what_may_not_be_read_is_refused_and_not_empty"),
    ),
    (
        "get_task and list_tasks disagree",
        By("trueppm/story::every_tool_answers_on_every_transport_and_only_reads"),
    ),
    (
        "health that is not there",
        By("trueppm/lists::a_sprint_has_the_health_of_its_project"),
    ),
    (
        "no lookup by name",
        By("trueppm/story::every_tool_answers_on_every_transport_and_only_reads"),
    ),
    (
        "what stands beside my work",
        By("trueppm/lists::my_work_goes_on_page_by_page"),
    ),
    (
        "the version of the SDK",
        Differs("`footbridge` with its own"),
    ),
    (
        "nothing is sent again",
        By("trueppm/lists::a_page_that_fails_once_is_asked_for_again"),
    ),
];

#[test]
fn every_promise_has_its_test_or_its_line() {
    let promises = PINNED.iter().chain(&DEFECTS);
    all_are_shown(
        env!("CARGO_MANIFEST_DIR"),
        promises.map(|(promise, shown)| (*promise, from_ref(shown))),
    );
}
