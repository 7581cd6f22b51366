//! Which test shows what was promised of Taiga: the 49 behaviours that the reference's tests pin,
//! and the 17 ways in which a real Taiga is not what the reference takes it for. What is not shown
//! stands in docs/differences.md. The names here are checked.

use std::slice::from_ref;

use crate::harness::shown::Shown::{self, By, Differs};
use crate::harness::shown::all_are_shown;

const PINNED: [(&str, Shown); 49] = [
    // actions
    (
        "a missing key is a 401 with its text",
        By("taiga/actions::the_key_comes_first"),
    ),
    (
        "a wrong key is a 401 with its text",
        By("taiga/actions::the_key_comes_first"),
    ),
    (
        "projects are searched whatever the case; rows hold what is there",
        By("taiga/pinned::rows_keep_only_the_keys_that_are_there"),
    ),
    (
        "the member is me",
        By("taiga/pinned::projects_are_mine_unless_a_member_is_named_and_the_search_stays_here"),
    ),
    (
        "a member that is named wins; the search stays here",
        By("taiga/pinned::projects_are_mine_unless_a_member_is_named_and_the_search_stays_here"),
    ),
    (
        "stories need a project",
        By("taiga/actions::refusals_are_the_sentences_that_clients_know"),
    ),
    (
        "filters are typed, tags keep their order, search is q",
        By("taiga/pinned::filters_of_stories_are_read_and_passed_on"),
    ),
    (
        "an error of Taiga is a 400 with its message",
        By("taiga/pinned::what_taiga_refuses_is_a_400_with_its_message"),
    ),
    (
        "a story needs a project",
        By("taiga/actions::refusals_are_the_sentences_that_clients_know"),
    ),
    (
        "an error while creating is a 400",
        By("taiga/pinned::what_taiga_refuses_is_a_400_with_its_message"),
    ),
    (
        "a status by its name",
        By("taiga/actions::every_kind_of_item_lives_and_dies"),
    ),
    (
        "a link names the field that is missing",
        By("taiga/actions::refusals_are_the_sentences_that_clients_know"),
    ),
    (
        "a link passes both ids",
        By("taiga/pinned::a_link_passes_both_ids_and_answers_with_the_link"),
    ),
    (
        "a project needs an id",
        By("taiga/actions::refusals_are_the_sentences_that_clients_know"),
    ),
    (
        "a project by its id",
        By("taiga/actions::reading_answers_with_the_records_of_the_reference"),
    ),
    (
        "a project needs a slug",
        By("taiga/actions::refusals_are_the_sentences_that_clients_know"),
    ),
    (
        "a project by its slug",
        By("taiga/actions::reading_answers_with_the_records_of_the_reference"),
    ),
    (
        "a status by its slug; status and version are all that is sent",
        By("taiga/pinned::an_update_sends_what_was_given_and_the_version_that_was_read"),
    ),
    (
        "a story with nothing to change",
        By("taiga/actions::refusals_are_the_sentences_that_clients_know"),
    ),
    (
        "a story is deleted",
        By("taiga/actions::every_kind_of_item_lives_and_dies"),
    ),
    (
        "an epic is created",
        By("taiga/pinned::what_is_created_is_sent_as_it_was_given"),
    ),
    (
        "an epic with nothing to change",
        By("taiga/actions::refusals_are_the_sentences_that_clients_know"),
    ),
    (
        "an epic is deleted",
        By("taiga/actions::every_kind_of_item_lives_and_dies"),
    ),
    (
        "user_story_id of a task is sent as user_story",
        By("taiga/pinned::what_is_created_is_sent_as_it_was_given"),
    ),
    (
        "a task: status and version are all that is sent",
        By("taiga/pinned::an_update_sends_what_was_given_and_the_version_that_was_read"),
    ),
    (
        "a task is deleted",
        By("taiga/actions::every_kind_of_item_lives_and_dies"),
    ),
    (
        "the severity of an issue is sent",
        By("taiga/pinned::what_is_created_is_sent_as_it_was_given"),
    ),
    (
        "an issue: status and version are all that is sent",
        By("taiga/pinned::an_update_sends_what_was_given_and_the_version_that_was_read"),
    ),
    (
        "an issue is deleted",
        By("taiga/actions::every_kind_of_item_lives_and_dies"),
    ),
    // tools
    (
        "a story takes a status name, tags, a sprint and attributes",
        By("taiga/pinned::a_story_update_reaches_every_field"),
    ),
    (
        "the same idempotency key twice is one task",
        By("taiga/keys::the_same_call_is_carried_out_once_however_often_it_is_made"),
    ),
    (
        "a 409 says which version is the latest",
        By("taiga/pinned::a_task_takes_names_and_dates_and_a_409_names_the_latest_version"),
    ),
    (
        "tasks by a status name, in pages",
        By("taiga/pinned::tasks_and_sprints_and_people_are_found"),
    ),
    (
        "a status name needs a project",
        By("taiga/story_refusals::unknown_and_ambiguous_names_are_answered_with_the_choices"),
    ),
    (
        "people are searched",
        By("taiga/story::every_reading_tool_answers_and_every_deleted_thing_is_gone"),
    ),
    (
        "sprints are searched by slug",
        By("taiga/pinned::tasks_and_sprints_and_people_are_found"),
    ),
    (
        "people without the right to see them all",
        Differs("asks a route that does not exist"),
    ),
    (
        "a date that is none",
        By("taiga/pinned::a_task_takes_names_and_dates_and_a_409_names_the_latest_version"),
    ),
    // the command line
    (
        "list-projects: one request, JSON on stdout, nothing on stderr",
        By("taiga/command_line::every_option_goes_where_the_reference_sends_it"),
    ),
    (
        "list-stories: every option in its order",
        By("taiga/command_line::every_option_goes_where_the_reference_sends_it"),
    ),
    (
        "get-project",
        By("taiga/command_line::every_option_goes_where_the_reference_sends_it"),
    ),
    (
        "get-project-by-slug",
        By("taiga/command_line::every_option_goes_where_the_reference_sends_it"),
    ),
    (
        "create-story: the whole body",
        By("taiga/command_line::every_option_goes_where_the_reference_sends_it"),
    ),
    (
        "update-story: what was given alone",
        By("taiga/command_line::every_option_goes_where_the_reference_sends_it"),
    ),
    (
        "delete-story",
        By("taiga/command_line::every_option_goes_where_the_reference_sends_it"),
    ),
    (
        "create-epic: the status as a number",
        By("taiga/command_line::every_option_goes_where_the_reference_sends_it"),
    ),
    (
        "update-task",
        By("taiga/command_line::every_option_goes_where_the_reference_sends_it"),
    ),
    (
        "delete-issue",
        By("taiga/command_line::every_option_goes_where_the_reference_sends_it"),
    ),
    (
        "a refusal says HTTP and its status",
        By("taiga/command_line::a_refusal_says_http_and_its_status"),
    ),
];

const TRAPS: [(&str, Shown); 17] = [
    (
        "a conflict is a 400 with a text under version",
        By("taiga/story::a_story_by_names_from_finding_the_project_to_its_epic"),
    ),
    (
        "the headers of pages have other names",
        By("taiga/story::a_list_is_complete_page_by_page"),
    ),
    (
        "a list ends after 30 rows",
        By("taiga/story::a_list_is_complete_page_by_page"),
    ),
    (
        "an epic in a story is ignored",
        By("taiga/story::an_epic_is_linked_through_its_own_route_and_only_once"),
    ),
    (
        "custom attributes in a story are ignored",
        By("taiga/story::custom_attributes_go_by_name_and_leave_the_others_alone"),
    ),
    (
        "the type of an issue is type",
        By("taiga/pinned::what_is_created_is_sent_as_it_was_given"),
    ),
    (
        "of several tags the last one counts",
        By("taiga/pinned::filters_of_stories_are_read_and_passed_on"),
    ),
    (
        "the search for users is ignored, and rows hold no e-mail",
        By("taiga/story::every_reading_tool_answers_and_every_deleted_thing_is_gone"),
    ),
    (
        "a superuser sees users of every project",
        By("taiga/traps::people_of_a_project_are_its_members_whoever_asks"),
    ),
    (
        "users of a project have no route of their own",
        By("taiga/traps::people_of_a_project_are_its_members_whoever_asks"),
    ),
    (
        "rows hold no description and no epic",
        By("taiga/traps::a_description_comes_with_the_item_not_with_the_list"),
    ),
    (
        "every call logs in",
        By("taiga/hostile::a_login_that_fails_on_the_thousandth_call_says_so_and_is_made_up_for"),
    ),
    (
        "moving to another project",
        Differs("a story cannot be moved to another project"),
    ),
    (
        "dependencies that are not pinned",
        Differs("versions of what it is built of"),
    ),
    (
        "a public host name",
        By("program/doors::public_and_allowed_hosts_are_let_in"),
    ),
    (
        "where messages are posted to over SSE",
        By("taiga/traps::messages_are_taken_at_every_address_that_was_ever_documented"),
    ),
    (
        "a file of settings beside the program",
        By("program/environment_file::the_example_holds_every_variable_and_can_be_used_as_it_is"),
    ),
];

#[test]
fn every_promise_has_its_test_or_its_line() {
    let promises = PINNED.iter().chain(&TRAPS);
    all_are_shown(
        env!("CARGO_MANIFEST_DIR"),
        promises.map(|(promise, shown)| (*promise, from_ref(shown))),
    );
}
