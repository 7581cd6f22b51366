//! Which test shows what the reference server is known to do, and how our exit codes, hints and
//! paths are held; what is done differently stands in docs/differences.md. The names here are
//! checked.

use std::slice::from_ref;

use crate::harness::shown::Shown::{self, By, Differs};
use crate::harness::shown::all_are_shown;

const PINNED: [(&str, Shown); 67] = [
    // who asks
    (
        "the bearer on every request",
        By("ptm/start::every_request_says_who_asks_in_one_session"),
    ),
    (
        "X-PTM-Client with ptm-mcp before the slash",
        By("ptm/start::every_request_says_who_asks_in_one_session"),
    ),
    (
        "X-PTM-MCP-Session, one UUID a process",
        By("ptm/start::every_request_says_who_asks_in_one_session"),
    ),
    (
        "both in the checks too",
        By("ptm/start::every_request_says_who_asks_in_one_session"),
    ),
    // environment
    (
        "a missing address or token is named at once",
        By("ptm/input::missing_blank_and_garbage_settings_are_named_at_once_and_never_shown"),
    ),
    (
        "read only unless PTM_MCP_READ_ONLY=false",
        By("ptm/start::writing_is_closed_until_the_backends_own_setting_opens_it"),
    ),
    (
        "PTM_MCP_TIMEOUT_SECONDS is each request's",
        By("ptm/failing::a_backend_that_is_slow_is_2_after_the_time_of_its_setting"),
    ),
    (
        "1 to 600 seconds",
        By("ptm/input::values_at_their_edges_are_taken"),
    ),
    (
        "0 and 601 are configuration errors",
        By("ptm/input::missing_blank_and_garbage_settings_are_named_at_once_and_never_shown"),
    ),
    (
        "PTM_MCP_LOG_LEVEL",
        By("ptm/start::the_log_has_the_level_of_its_setting"),
    ),
    (
        "one of the Cloudflare pair alone",
        By("ptm/input::missing_blank_and_garbage_settings_are_named_at_once_and_never_shown"),
    ),
    (
        "the pair is sent",
        By("ptm/access::credentials_of_the_settings_pass_and_switch_discovery_off"),
    ),
    (
        "the JWT is sent",
        By("ptm/access::credentials_of_the_settings_pass_and_switch_discovery_off"),
    ),
    (
        "explicit settings switch discovery off",
        By("ptm/access::credentials_of_the_settings_pass_and_switch_discovery_off"),
    ),
    (
        "PTM_CF_AUTO_DISCOVER=false opts out",
        By("ptm/access::without_a_token_the_next_step_is_said"),
    ),
    // Cloudflare Access
    (
        "302, 401 and 403 are challenges",
        By("ptm/access::each_kind_of_challenge_is_passed_with_the_token_of_cloudflared"),
    ),
    (
        "a page to sign in is one",
        By("ptm/access::a_challenge_in_the_middle_is_passed_too_and_a_change_is_made_once"),
    ),
    (
        "cloudflared is asked, and the request sent once more",
        By("ptm/access::a_challenge_in_the_middle_is_passed_too_and_a_change_is_made_once"),
    ),
    (
        "it has its time",
        By("../../connector/src/backend/access/cloudflared::it_has_its_time"),
    ),
    (
        "its output is never logged",
        By("ptm/planted::what_cloudflared_says_is_said_by_nobody_else"),
    ),
    (
        "what fails is the next step in words",
        By("ptm/access::without_a_token_the_next_step_is_said"),
    ),
    // the scrub
    (
        "nothing but a list stays in the environment",
        By("ptm/access::proc_shows_nothing_but_what_is_needed"),
    ),
    (
        "no child sees more",
        By("ptm/access::each_kind_of_challenge_is_passed_with_the_token_of_cloudflared"),
    ),
    (
        "the program starts again",
        Differs("the program starts itself again without them"),
    ),
    // before it serves
    (
        "healthz, auth/me, meta in this order",
        By("ptm/start::every_request_says_who_asks_in_one_session"),
    ),
    (
        "waits of 1, 2, 4, 8, 16 s",
        By(
            "../../connector/tests/suite/preflight::a_failure_that_may_pass_is_tried_again_for_as_long_as_the_file_says",
        ),
    ),
    (
        "what passes is tried again, a definite answer is not",
        By("ptm/failing::a_failure_that_passes_is_waited_for_and_a_refusal_is_not"),
    ),
    (
        "0: clean shutdown",
        By("ptm/failing::an_interruption_after_the_checks_is_130_and_an_end_0_too"),
    ),
    (
        "1: unhandled failure",
        By("ptm/failing::what_is_no_check_is_1"),
    ),
    (
        "2: healthz unreachable",
        By("ptm/failing::a_backend_that_is_down_is_2_and_one_line"),
    ),
    (
        "3 and 4 are refusals alone",
        By("ptm/failing::a_backend_that_goes_down_between_the_checks_is_2"),
    ),
    (
        "3 and 4 are refusals alone: not stated",
        Differs("the code when `/auth/me` or `/meta` does not answer"),
    ),
    (
        "3: the token was rejected",
        By("ptm/failing::a_token_that_is_refused_is_3_on_each_transport"),
    ),
    (
        "4: below 1.9.0 or unparseable",
        By("ptm/failing::a_version_that_is_too_old_or_none_is_4"),
    ),
    (
        "4: garbled",
        By("ptm/failing::an_answer_that_is_garbled_is_4_in_words"),
    ),
    (
        "130: SIGINT",
        By("ptm/failing::an_interruption_during_the_checks_is_130_and_an_end_0"),
    ),
    (
        "who is answered meanwhile",
        By("ptm/start::a_client_is_answered_while_the_checks_run_and_calls_wait_for_them"),
    ),
    (
        "over HTTP too",
        By(
            "ptm/start::over_http_too_a_client_is_answered_while_the_checks_run_and_calls_wait_for_them",
        ),
    ),
    // tools
    (
        "24 tools by name and argument",
        By("ptm/golden::golden_tools_and_resources_as_a_client_sees_them"),
    ),
    (
        "all of them work",
        By("ptm/story::every_tool_and_resource_on_every_transport"),
    ),
    (
        "13 read; 11 are refused with a clear message",
        By("ptm/start::writing_is_closed_until_the_backends_own_setting_opens_it"),
    ),
    (
        "they are listed while closed",
        Differs("not listed; a call by name says `PTM_MCP_READ_ONLY=false`"),
    ),
    (
        "none destroys",
        By("ptm/start::writing_is_closed_until_the_backends_own_setting_opens_it"),
    ),
    (
        "seven fields with their ranges",
        By("ptm/story::values_out_of_range_never_reach_the_backend"),
    ),
    (
        "what is left out is the server's default",
        By("ptm/story::every_tool_and_resource_on_every_transport"),
    ),
    (
        "null or absent stays, [] clears, a list replaces",
        By("ptm/story::every_tool_and_resource_on_every_transport"),
    ),
    (
        "content makes a version, a name does not",
        By("ptm/story::every_tool_and_resource_on_every_transport"),
    ),
    (
        "prompt_text of 500,000 characters",
        By("ptm/story::values_out_of_range_never_reach_the_backend"),
    ),
    (
        "change_summary goes to the audit log",
        By("ptm/access::a_challenge_in_the_middle_is_passed_too_and_a_change_is_made_once"),
    ),
    (
        "activating goes back and forward",
        By("ptm/story::every_tool_and_resource_on_every_transport"),
    ),
    (
        "share, group and transfer are for administrators",
        By("ptm/story::what_the_backend_forbids_is_said_in_its_words_and_ours"),
    ),
    (
        "an owner cannot transfer to themself",
        By("ptm/story::every_tool_and_resource_on_every_transport"),
    ),
    (
        "evaluations are waited for",
        Differs("they wait, with progress, unless `wait: false`"),
    ),
    (
        "progress, for who asks",
        By("ptm/waiting::progress_is_heard_over_stdio_by_who_asks_for_it"),
    ),
    (
        "texts are data",
        By("ptm/story::texts_of_prompts_are_fenced_and_stay_inside"),
    ),
    // errors
    (
        "403, 404, 409: the hint beside the backend's words",
        By("ptm/story::what_the_backend_forbids_is_said_in_its_words_and_ours"),
    ),
    (
        "422: the hint beside the backend's words",
        By("ptm/story::every_tool_and_resource_on_every_transport"),
    ),
    (
        "permissions are the backend's",
        By("ptm/story::what_the_backend_forbids_is_said_in_its_words_and_ours"),
    ),
    (
        "no secret in any of it",
        By("ptm/planted::a_refusal_of_any_call_says_no_secret"),
    ),
    (
        "no secret in a start that fails",
        By("ptm/planted::a_start_that_fails_says_no_secret"),
    ),
    (
        "no secret in what is no answer",
        By("ptm/planted::an_answer_that_is_none_says_no_secret"),
    ),
    // resources
    (
        "five templates",
        By("ptm/golden::golden_tools_and_resources_as_a_client_sees_them"),
    ),
    (
        "text, Markdown and HTML",
        By("ptm/story::every_tool_and_resource_on_every_transport"),
    ),
    (
        "every segment is checked",
        By("ptm/input::addresses_of_resources_and_ids_stay_in_their_place"),
    ),
    // paths
    (
        "the paths that are assumed",
        By("ptm/doctor::a_backend_that_is_as_the_connector_assumes_is_well"),
    ),
    (
        "which of them a backend refuses",
        By("ptm/doctor::without_a_document_it_says_so_and_asks_what_it_can"),
    ),
    (
        "they are assumed",
        Differs("assumed, and marked in `connectors/ptm.yaml`"),
    ),
];

#[test]
fn every_promise_has_its_test_or_its_line() {
    let promises = PINNED.iter();
    all_are_shown(
        env!("CARGO_MANIFEST_DIR"),
        promises.map(|(promise, shown)| (*promise, from_ref(shown))),
    );
}
