#!/bin/sh
# The actions of a running Footbridge from a shell, with curl and nothing else of ours.
#   ACTIONS_BASE_URL=https://tools.example.org ACTION_PROXY_API_KEY=... actions.sh list-projects
set -eu

usage() {
    cat <<'END'
actions.sh [--base-url URL] COMMAND [VALUE]...

  list-projects [SEARCH]
  list-epics PROJECT_ID...
  list-statuses PROJECT_ID
  create-story PROJECT_ID SUBJECT [DESCRIPTION]
  add-story-to-epic EPIC_ID STORY_ID

URL is that of the server, else TAIGA_PROXY_BASE_URL; the key is ACTION_PROXY_API_KEY.
END
}

base=${TAIGA_PROXY_BASE_URL-}
[ "${1-}" != --help ] || { usage; exit 0; }
[ "${1-}" != --base-url ] || { base=${2-}; shift; [ $# -eq 0 ] || shift; }
[ -n "$base" ] || { echo "actions.sh: give --base-url, or set TAIGA_PROXY_BASE_URL" >&2; exit 2; }
[ -n "${ACTION_PROXY_API_KEY-}" ] || { echo "actions.sh: set ACTION_PROXY_API_KEY" >&2; exit 2; }
[ $# -gt 0 ] || { usage >&2; exit 2; }

# The key goes by standard input, so that no list of processes shows it.
ask() {
    printf 'header = "X-Api-Key: %s"\n' "$ACTION_PROXY_API_KEY" \
        | curl --silent --show-error --fail-with-body --config - "$@"
    echo
}
read_action() { # the action, then NAME=VALUE
    action=$1
    shift
    for value; do
        set -- "$@" --data-urlencode "$value"
        shift
    done
    ask --get "$@" "${base%/}/actions/$action"
}
quoted() { # a text as a string of JSON
    printf '%s' "$1" | tr -d '\000-\010\013-\037' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/	/\\t/g' \
        | awk '{ printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }'
}
whole() { # a whole number, as JSON has it
    case $1 in
        '' | *[!0-9]*) echo "actions.sh: '$1' is no id; an id is a number" >&2; exit 2 ;;
    esac
    printf '%s' "$1"
}
write_action() { # the action, the body
    ask --header 'Content-Type: application/json' --data-binary "$2" "${base%/}/actions/$1"
}
needs() { # how many values the command needs at least, how many there are
    [ "$2" -ge "$1" ] || { usage >&2; exit 2; }
}

command=$1
shift
case $command in
    list-projects) if [ $# -gt 0 ]; then read_action list_projects "search=$1"; else read_action list_projects; fi ;;
    list-epics)
        needs 1 $#
        for id; do
            set -- "$@" "project_id=$id"
            shift
        done
        read_action list_epics "$@"
        ;;
    list-statuses) needs 1 $#; read_action statuses "project_id=$1" ;;
    create-story)
        needs 2 $#
        project=$(whole "$1")
        body="{\"project_id\": $project, \"subject\": \"$(quoted "$2")\""
        [ $# -lt 3 ] || body="$body, \"description\": \"$(quoted "$3")\""
        write_action create_story "$body}"
        ;;
    add-story-to-epic)
        needs 2 $#
        epic=$(whole "$1")
        story=$(whole "$2")
        write_action add_story_to_epic "{\"epic_id\": $epic, \"user_story_id\": $story}"
        ;;
    *) echo "actions.sh: '$command' is no command" >&2; usage >&2; exit 2 ;;
esac
