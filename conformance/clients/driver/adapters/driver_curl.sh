#!/bin/sh
# Drives curl, for a client that is no library: calls of the API as a shell script makes them, with jq for the JSON.
#
# Run it by `cronofy-conformance certify -- sh driver_curl.sh`.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# What a request says, as a line of assignments for the shell: each value is quoted.
read_request='
    @sh "id=\(.id) method=\(.method) base=\(.params.base_url // "") new_token=\(.params.access_token // "") "
    + @sh "calendar=\(.params.calendar_id // "") event=\(.params.event | tojson) "
    + @sh "event_id=\(.params | {event_id} | tojson) "
    + @sh "query=\([(.params.params // {} | to_entries[] | "\(.key)=\(.value | tostring | @uri)"),
                    (.params.calendar_ids // [] | .[] | "calendar_ids%5B%5D=\(@uri)")] | join("&"))"'

# What a page says, likewise: where the next one is, and its events, without the brackets around them.
read_page='@sh "next=\(.pages.next_page // "") page=\(.events | tojson[1:-1])"'

# call METHOD URL [BODY]: leaves the body of the answer in a file, and its status in $status; 000 is no answer.
call() {
    status=$(printf '%s' "${3-}" | curl --silent --globoff --request "$1" "$2" ${3+--data-binary @-} \
        --header "Authorization: Bearer $token" --header 'Content-Type: application/json; charset=utf-8' \
        --output "$folder/body" --write-out '%{http_code}')
    case $status in 2*) ;; *) return 1 ;; esac
}

result() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "${1-"{}"}"; }

error() {
    printf '{"jsonrpc":"2.0","id":%s,"error":{"code":%s,"message":"%s","data":%s}}\n' "$id" "$1" "$2" "$3"
}

refused() {
    errors=null
    [ "$status" = 422 ] && errors=$(jq --compact-output .errors "$folder/body")
    [ "$status" = 000 ] && error -32000 'no answer' null || error -32000 "HTTP $status" "{\"status\":$status,\"errors\":$errors}"
}

read_events() {
    next="$base_url/v1/events?$query" found=
    while [ -n "$next" ]; do
        call GET "$next" || return 1
        eval "$(jq --raw-output "$read_page" "$folder/body")"
        found="$found${found:+${page:+,}}$page"
    done
    result "{\"events\":[$found]}"
}

# One jq reads all requests: to start one costs more than what it does.
jq --unbuffered --raw-output "$read_request" | while IFS= read -r assignments; do
    eval "$assignments"
    events="${base_url-}/v1/calendars/$calendar/events"
    case $method in
    start) base_url=$base token=$new_token && result '{"client":"curl","language":"sh"}' ;;
    upsert_event) if call POST "$events" "$event"; then result; else refused; fi ;;
    read_events) read_events || refused ;;
    delete_event) if call DELETE "$events" "$event_id"; then result; else refused; fi ;;
    list_calendars) if call GET "$base_url/v1/calendars"; then result "$(jq --compact-output . "$folder/body")"; else refused; fi ;;
    stop) result && break ;;
    *) error -32601 "curl has no $method" null ;;
    esac
done
