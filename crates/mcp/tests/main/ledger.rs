//! Which test shows what was promised of the library: what plain.mcp 0.7.1's own tests pin, and
//! what the official conformance suite leaves out, on every transport. What is not kept of the
//! former stands in docs/differences.md. The names here are checked.

use crate::shown::Shown::{self, By, Differs};
use crate::shown::all_are_shown;

/// What plain.mcp's tests pin, in their order.
const PINNED: &[(&str, &[Shown])] = &[
    // dispatch
    (
        "discovery: the id, no capabilities and no instructions where there are none",
        &[By("main/pinned::an_endpoint_says_who_it_is")],
    ),
    (
        "discovery: the revisions",
        &[Differs("discovery names 2026-07-28 only")],
    ),
    (
        "the client's name, version and capabilities are known",
        &[By(
            "main/pinned_requests::a_tool_knows_its_client_in_both_eras",
        )],
    ),
    (
        "a list of nothing is empty",
        &[
            By("main/visibility::hidden_is_the_same_as_unknown_everywhere"),
            Differs("`tools/list` and `resources/list` are `[]`"),
        ],
    ),
    (
        "capabilities that are missing, and only those, are named",
        &[
            By("main/served::only_the_capabilities_that_are_missing_are_named"),
            By("main/http_revisions::a_capability_that_a_tool_needs_must_be_declared"),
        ],
    ),
    (
        "that error names the tool",
        &[Differs("-32021 names the tool")],
    ),
    (
        "results are stamped; lists may be kept and calls may not",
        &[
            By("main/served::lists_may_be_kept_for_a_while_and_calls_may_not"),
            Differs("lists may be kept for 0 ms"),
        ],
    ),
    (
        "a handler's own stamps win",
        &[By(
            "main/methods::results_are_completed_and_say_their_own_words",
        )],
    ),
    (
        "an entry: name, documentation, types, what is required",
        &[By("main/typed_tools::what_a_client_sees_of_typed_tools")],
    ),
    (
        "annotations, and none where none were said",
        &[By(
            "main/pinned::a_name_a_description_and_a_schema_can_be_said_otherwise",
        )],
    ),
    (
        "unknown keys of annotations",
        &[Differs("unknown keys of annotations pass through")],
    ),
    (
        "annotations are inherited",
        &[Differs(
            "annotations and `allowed_for` are inherited from a base class",
        )],
    ),
    (
        "a tool is added; siblings do not have it",
        &[
            By("main/changing::tools_come_go_and_give_way_in_their_places"),
            By("main/pinned::endpoints_share_nothing"),
        ],
    ),
    (
        "a call answers with text",
        &[By(
            "main/typed_tools::arguments_become_the_struct_and_its_answer_the_result",
        )],
    ),
    (
        "an unknown tool",
        &[
            Differs("an unknown tool is a result with `isError`"),
            By("main/calls::what_never_reaches_a_tool_is_an_error_of_the_caller"),
        ],
    ),
    (
        "bad arguments are a result",
        &[By(
            "main/calls::all_problems_with_the_arguments_are_named_at_once",
        )],
    ),
    (
        "a bug is opaque and logged",
        &[By(
            "main/logged::what_fails_inside_is_logged_in_full_and_what_a_model_can_mend_is_not",
        )],
    ),
    (
        "a failure that was told is its sentence and is not logged",
        &[By(
            "main/logged::what_fails_inside_is_logged_in_full_and_what_a_model_can_mend_is_not",
        )],
    ),
    (
        "a tool sees its endpoint",
        &[Differs("a tool reaches its endpoint as `self.mcp`")],
    ),
    (
        "a wrong type is not logged",
        &[By(
            "main/logged::what_fails_inside_is_logged_in_full_and_what_a_model_can_mend_is_not",
        )],
    ),
    (
        "wrong types, enums, nulls, elements of lists, unknown names: each is named",
        &[By(
            "main/pinned::arguments_are_checked_before_the_tool_and_every_wrong_one_is_named",
        )],
    ),
    (
        "an argument without a type",
        &[Differs("an argument without a type takes anything")],
    ),
    (
        "schemas that are not valid",
        &[
            Differs("a schema that is not valid is permissive"),
            By("main/calls::every_build_problem_is_listed"),
        ],
    ),
    (
        "`oneOf` by hand",
        &[By(
            "main/pinned::arguments_are_checked_before_the_tool_and_every_wrong_one_is_named",
        )],
    ),
    (
        "`**kwargs`",
        &[
            Differs("`**kwargs`"),
            By("main/pinned::arguments_are_checked_before_the_tool_and_every_wrong_one_is_named"),
        ],
    ),
    (
        "arguments that are a list",
        &[By(
            "main/served::arguments_that_are_no_object_never_reach_a_tool",
        )],
    ),
    (
        "name, description and schema by default and by hand",
        &[By(
            "main/pinned::a_name_a_description_and_a_schema_can_be_said_otherwise",
        )],
    ),
    (
        "a rule hides and rejects, then allows",
        &[By(
            "main/typed_tools::hidden_is_the_same_as_unknown_and_a_bug_says_nothing",
        )],
    ),
    (
        "the endpoint hides everything",
        &[By(
            "main/visibility::the_hook_narrows_replaces_and_adds_for_one_request",
        )],
    ),
    (
        "schemas of numbers, lists, enums, what is optional",
        &[
            By("main/typed_tools::what_a_client_sees_of_typed_tools"),
            Differs("`T \\| None` is `anyOf` with null"),
        ],
    ),
    (
        "resources are a capability where there are any",
        &[By("main/served::capabilities_are_those_of_the_caller")],
    ),
    (
        "resources: names, descriptions",
        &[By(
            "main/typed_things::what_a_client_sees_of_typed_resources_and_prompts",
        )],
    ),
    (
        "text, bytes, no address, an unknown one",
        &[By("main/served::resources_are_text_or_bytes")],
    ),
    (
        "a hidden resource is an unknown one",
        &[By(
            "main/served::one_set_serves_lists_and_calls_and_hidden_reads_like_unknown",
        )],
    ),
    (
        "a resource of one endpoint is no other's",
        &[By("main/pinned::endpoints_share_nothing")],
    ),
    (
        "templates: listed apart, typed, not across a slash",
        &[By(
            "main/served::templates_are_typed_decoded_and_tried_in_their_order",
        )],
    ),
    (
        "a parameter that does not convert",
        &[Differs(
            "a template's parameter that does not convert is -32602",
        )],
    ),
    (
        "an address and a template",
        &[Differs("a resource with an address and a template")],
    ),
    (
        "content: bytes are encoded, the order is kept",
        &[By(
            "main/typed_tools::content_is_typed_and_encoded_and_messages_come_first",
        )],
    ),
    (
        "a value is JSON in a text",
        &[By(
            "main/typed_tools::structured_output_is_sent_with_its_text",
        )],
    ),
    // HTTP
    (
        "discovery and calls are 200",
        &[By(
            "main/http_revisions::a_request_of_the_modern_era_stands_alone",
        )],
    ),
    (
        "notifications are 202, however they are written",
        &[By(
            "main/pinned_requests::notifications_have_no_answer_however_they_are_written",
        )],
    ),
    (
        "parameters that are a list",
        &[
            By("main/http_doors::what_is_no_message_has_its_code_and_the_connection_lives"),
            Differs("wrong parameters of a known method are HTTP 400"),
        ],
    ),
    (
        "an unknown method, and one that looks like ours",
        &[By(
            "main/pinned_requests::what_is_wrong_with_a_modern_request_is_told_in_the_order_in_which_it_is_read",
        )],
    ),
    (
        "GET and DELETE are 405",
        &[
            By("main/http_doors::only_post_is_served"),
            Differs("GET and DELETE are 405"),
        ],
    ),
    (
        "metadata that is missing is named, before headers are looked at",
        &[By(
            "main/pinned_requests::what_is_wrong_with_a_modern_request_is_told_in_the_order_in_which_it_is_read",
        )],
    ),
    (
        "another version",
        &[By(
            "main/http_revisions::an_unknown_revision_is_400_with_those_we_speak",
        )],
    ),
    (
        "headers that are missing or say something else",
        &[
            By("main/http_headers::a_required_header_that_is_missing_is_refused"),
            By("main/http_headers::a_header_that_says_something_else_is_refused"),
        ],
    ),
    (
        "a name in the Base64 form",
        &[By(
            "main/http_headers::the_name_may_come_in_the_base64_form",
        )],
    ),
    (
        "names of headers in any case",
        &[By(
            "main/pinned_requests::what_is_wrong_with_a_modern_request_is_told_in_the_order_in_which_it_is_read",
        )],
    ),
    (
        "what is no JSON, no object, no JSON-RPC",
        &[By(
            "main/http_doors::what_is_no_message_has_its_code_and_the_connection_lives",
        )],
    ),
    (
        "a list as a body",
        &[
            Differs("batches are refused"),
            By("main/http_revisions::batches_are_of_one_revision"),
        ],
    ),
    (
        "methods of the legacy era are 404",
        &[By(
            "main/http_revisions::methods_that_the_modern_era_does_not_have_are_404",
        )],
    ),
    (
        "that error names the revision",
        &[Differs("an unknown method's error names the revision")],
    ),
    (
        "a fault before the request is read is 500",
        &[
            Differs("a fault in authentication is 500"),
            By("main/http_auth::each_lack_has_its_status_and_its_challenge"),
        ],
    ),
    (
        "a span for each request",
        &[Differs("a span for each request")],
    ),
    (
        "a handler that fails is 200 and -32603",
        &[By("main/methods::each_failure_has_its_code")],
    ),
    (
        "no bearer and a wrong one are 401",
        &[
            By("main/http_callers::any_other_is_told_how_to_enter"),
            Differs("the JSON-RPC code of a refusal is its HTTP status"),
        ],
    ),
    (
        "the right one is let in",
        &[By("main/http_callers::a_caller_that_is_known_is_let_in")],
    ),
    (
        "tools of another endpoint",
        &[By("main/pinned::endpoints_share_nothing")],
    ),
    // legacy clients
    (
        "the version is agreed to; an unknown one gets the newest",
        &[
            By("main/http_revisions::every_legacy_revision_is_agreed_to_and_served"),
            By(
                "main/http_revisions::an_unknown_revision_in_the_handshake_gets_the_newest_with_a_handshake",
            ),
        ],
    ),
    (
        "no version",
        &[Differs("`initialize` without a version gets the newest")],
    ),
    (
        "no session",
        &[
            Differs("no `Mcp-Session-Id`"),
            By("main/sessions::a_session_begins_with_initialize_and_ends_with_delete"),
        ],
    ),
    (
        "`initialize` with the header of 2026-07-28",
        &[Differs("`initialize` with the header of 2026-07-28")],
    ),
    (
        "as claude.ai's proxy does it, from the handshake to a call",
        &[By(
            "main/pinned_requests::a_legacy_client_may_send_headers_of_the_modern_era",
        )],
    ),
    (
        "ping is empty",
        &[By(
            "main/pinned_requests::a_legacy_client_may_send_headers_of_the_modern_era",
        )],
    ),
    (
        "lists carry no stamps",
        &[By(
            "main/pinned_requests::a_legacy_client_may_send_headers_of_the_modern_era",
        )],
    ),
    (
        "an unknown method is 200, without a word of 2026",
        &[By(
            "main/pinned_requests::a_legacy_client_may_send_headers_of_the_modern_era",
        )],
    ),
    (
        "wrong parameters are 200",
        &[By(
            "main/http_revisions::mistakes_of_legacy_clients_have_their_codes",
        )],
    ),
    (
        "a result that is no object is -32603",
        &[By("main/methods::each_failure_has_its_code")],
    ),
    (
        "an unknown version in a header",
        &[
            Differs("an unknown `MCP-Protocol-Version` of a legacy client is served"),
            By(
                "main/http_revisions::a_header_with_an_unknown_revision_is_refused_with_those_we_speak",
            ),
        ],
    ),
    (
        "`initialize` is not served to strangers",
        &[By("main/http_callers::any_other_is_told_how_to_enter")],
    ),
    // OAuth
    (
        "no token, a bad one, a good one, `bearer` in lower case",
        &[By(
            "main/http_auth::each_lack_has_its_status_and_its_challenge",
        )],
    ),
    (
        "who is asking is seen by the tool",
        &[By("notes::everybody_has_their_own_notes")],
    ),
    (
        "the metadata",
        &[
            By("main/http_auth::the_metadata_is_at_its_exact_path"),
            Differs("the protected resource is taken from the request"),
        ],
    ),
    // observability
    (
        "what was refused is logged, in both eras, and once",
        &[
            By("main/logged::what_is_refused_is_logged_once_in_both_eras"),
            Differs("a refusal is a warning in the log"),
        ],
    ),
    (
        "headers of the other era are no reason to refuse",
        &[By(
            "main/pinned_requests::a_legacy_client_may_send_headers_of_the_modern_era",
        )],
    ),
];

/// What the conformance suite leaves out, and on which transport it is shown.
const LEFT_OUT: &[(&str, &[Shown])] = &[
    (
        "negotiation of all five revisions",
        &[
            By("main/stdio_order::every_revision_is_spoken"),
            By("main/stdio_order::the_modern_era_needs_no_handshake_and_stands_beside_one"),
            By("main/http_revisions::every_legacy_revision_is_agreed_to_and_served"),
            By("main/http_revisions::a_request_of_the_modern_era_stands_alone"),
            By("main/sse::a_conversation_goes_out_by_post_and_comes_back_on_the_channel"),
        ],
    ),
    (
        "batches",
        &[
            By("main/stdio_order::batches_need_the_revision_that_has_them"),
            By("main/stdio_talk::a_member_of_a_batch_is_cancelled_by_its_id"),
            By("main/http_revisions::batches_are_of_one_revision"),
            By(
                "main/session_batches::a_member_of_a_batch_is_cancelled_by_its_id_and_the_others_are_answered",
            ),
            By("main/sse::batches_are_of_one_revision_and_each_member_can_be_cancelled"),
        ],
    ),
    (
        "parse errors, and requests that are none",
        &[
            By("main/stdio_bad_input::every_bad_line_has_one_answer"),
            By("main/http_doors::what_is_no_message_has_its_code_and_the_connection_lives"),
            By("main/sse::what_is_no_message_is_told_on_the_channel"),
            By("main/any_bytes::over_http"),
            By("main/any_bytes::over_stdio"),
        ],
    ),
    (
        "parameters that are wrong",
        &[
            By(
                "main/http_revisions::a_known_method_with_wrong_parameters_is_never_an_unknown_method",
            ),
            By("main/http_revisions::mistakes_of_legacy_clients_have_their_codes"),
        ],
    ),
    (
        "any `Accept`",
        &[By("main/http_doors::any_accept_header_is_answered_in_json")],
    ),
    (
        "limits of bodies",
        &[
            By("main/http_doors::a_body_at_the_limit_passes_and_a_longer_one_is_413"),
            By("main/sse_limits::a_body_over_the_limit_is_413_and_the_channel_stands"),
            By("main/stdio_bad_input::a_line_at_the_limit_passes_and_a_longer_one_is_one_error"),
        ],
    ),
    (
        "who is asking",
        &[
            By("main/http_callers::any_other_is_told_how_to_enter"),
            By("main/sessions::a_session_of_somebody_else_is_unknown"),
            By(
                "main/sse_limits::a_channel_that_is_foreign_unknown_or_ended_is_404_and_none_is_400",
            ),
        ],
    ),
    (
        "a disconnect is a cancellation, and in a session it is none",
        &[
            By("main/http_connections::a_client_that_goes_away_cancels_its_call"),
            By("main/voice::a_client_that_leaves_the_stream_cancels_its_call"),
            By("main/sessions::a_lost_stream_is_no_cancellation_and_can_be_come_back_to"),
            By("main/sse::a_question_belongs_to_its_channel"),
            By("main/stdio_end::an_output_that_is_gone_ends_the_connection_at_once"),
        ],
    ),
    (
        "the end with calls in flight",
        &[
            By("main/http_connections::the_end_lets_a_running_call_finish"),
            By("main/http_connections::a_call_that_does_not_finish_is_stopped_at_the_end"),
            By("main/session_streams::a_server_that_ends_lets_the_calls_of_sessions_answer_first"),
            By("main/sse::a_server_that_stops_ends_idle_channels_and_lets_calls_answer"),
            By("main/stdio_end::the_end_of_the_input_lets_running_calls_finish"),
            By("main/stdio_end::a_call_that_does_not_finish_is_stopped"),
            By("main/tasks_doors::tasks_end_with_the_connection_that_alone_served_them"),
        ],
    ),
    (
        "10,000 sessions",
        &[By(
            "main/session_crowd::ten_thousand_sessions_are_opened_used_and_closed",
        )],
    ),
    (
        "a client that never reads",
        &[
            By("main/http_connections::a_client_that_does_not_read_loses_its_connection"),
            By(
                "main/session_streams::a_stream_that_is_never_read_is_cut_and_costs_a_bounded_number_of_messages",
            ),
            By("main/sessions::a_client_that_never_comes_back_costs_a_bounded_number_of_messages"),
            By("main/subscriptions::a_listener_that_does_not_read_is_ended_with_a_result"),
            By(
                "main/sse_limits::a_client_that_never_reads_its_channel_loses_it_and_holds_nobody_up",
            ),
            By(
                "main/stdio_end::a_client_that_does_not_read_fills_only_so_much_memory_and_loses_nothing",
            ),
            By("main/stdio_end::a_client_that_does_not_read_stops_the_tool_that_speaks"),
        ],
    ),
    (
        "the fixture's texts",
        &[
            By("everything/answers::tools_answer_with_every_kind_of_content"),
            By("everything/things::prompts_word_for_word"),
        ],
    ),
];

#[test]
fn every_promise_has_its_test_or_its_line() {
    all_are_shown(
        env!("CARGO_MANIFEST_DIR"),
        PINNED
            .iter()
            .chain(LEFT_OUT)
            .map(|(promise, shown)| (*promise, *shown)),
    );
}
