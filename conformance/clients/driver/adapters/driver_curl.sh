#!/bin/sh
# Drives curl, for a client that is no library: calls of the API as a shell script makes them, with jq for the JSON.
#
# Run it by `cronofy-conformance certify -- sh driver_curl.sh`.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# What a request says, as assignments for the shell: each value is quoted.
read_request='@sh "id=\(.id) method=\(.method) base=\(.params.base_url // "") new_token=\(.params.access_token // "")
    calendar=\(.params.calendar_id // "") event=\(.params.event | tojson) event_id=\(.params | {event_id} | tojson)
    query=\([(.params.params // {} | to_entries[] | "\(.key)=\(.value | tostring | @uri)"),
             (.params.calendar_ids // [] | .[] | "calendar_ids%5B%5D=\(@uri)")] | join("&"))"'

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
    next="$base_url/v1/events?$query"
    : >"$folder/pages"
    while [ -n "$next" ]; do
        call GET "$next" || return 1
        cat "$folder/body" >>"$folder/pages"
        next=$(jq --raw-output '.pages.next_page // empty' "$folder/body")
    done
    result "$(jq --slurp --compact-output '{events: map(.events[])}' "$folder/pages")"
}

while IFS= read -r line; do
    eval "$(printf '%s' "$line" | jq --raw-output "$read_request")"
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
