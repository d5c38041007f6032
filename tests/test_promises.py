"""What SECURITY.md promises, and the tests that hold it: a promise that is added needs a test."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import click
import pytest

from conformance.cli.main import cli

TESTS = Path(__file__).parent
PAGE = TESTS.parent / ".github" / "SECURITY.md"

#: How each promise begins, and the tests of it.
PROMISES = {
    "**Input.** Tokens are read from environment variables.": (
        "test_promises.py::test_no_option_takes_a_token",
        "cli/test_cli_errors.py::test_a_token_in_the_place_of_a_variable_is_refused_and_not_repeated",
    ),
    "**Where they go.** A token is sent to the subject's own origin": (
        "servers/test_campaign_transport.py::test_a_url_at_another_origin_is_no_request",
        "servers/test_campaign_transport.py::test_a_redirect_is_an_answer_and_a_cookie_is_forgotten",
    ),
    "**Clients under test.** A driver or watched program gets tokens": (
        "clients/test_clients_commands.py::test_the_users_own_tokens_are_in_no_environment_and_in_no_message",
        "clients/test_clients_processes.py::test_detached_children_end_and_no_token_of_the_user_is_in_their_environment",
    ),
    "**The proxy** passes a client's token to its upstream server only.": (
        "clients/test_clients_watch.py::test_a_proxy_sends_a_token_to_its_upstream_server_only",
    ),
    "**What is kept.** Captured exchanges carry the name of an account": (
        "servers/test_campaign_transport.py::test_an_exchange_carries_the_account_and_never_the_token",
        "facts/test_facts_corners.py::test_a_bearer_token_becomes_a_name",
    ),
    "*By place.* Credentials, cookies, OAuth fields in any spelling, and relink URLs are removed": (
        "recordings/test_credentials_by_place.py::test_a_field_of_credentials_in_json_is_found_however_its_name_is_spelt",
        "recordings/test_credentials_by_place.py::test_credentials_in_text_of_any_kind_are_concealed_everywhere",
        "recordings/test_credentials_by_place.py::test_anything_else_is_secret",
        "cli/test_cli_check_secrets.py::test_other_credentials_are_secret_too",
    ),
    "*By value.* The tokens of the run are replaced wherever a server echoes them": (
        "recordings/test_redaction_of_secrets.py::test_a_token_is_found_and_replaced_in_every_encoding",
        "servers/test_campaign_sockets.py::test_a_token_that_the_server_echoes_is_in_no_result_of_a_run",
    ),
    "*At a gate.* Before a file is written it is searched once more.": (
        "judging/test_report_files.py::test_nothing_is_written_if_a_secret_is_found",
        "recordings/test_recordings_round_trip.py::test_a_writer_refuses_what_holds_a_token_and_leaves_no_file",
        "cli/test_cli_verify.py::test_no_token_gets_into_the_last_line",
    ),
    "A value of fewer than 8 bytes cannot be told from other text.": (
        "recordings/test_redaction_of_secrets.py::test_short_tokens_and_those_that_are_account_names_are_hidden_by_place_only",
    ),
    "A token that is encrypted, or encoded more than five levels deep, is not searched for.": (
        "recordings/test_redaction_of_secrets.py::test_what_hides_a_token_in_other_encodings_is_removed_as_a_whole",
    ),
    "**Content is not secret to the suite.**": (
        "servers/test_hostile_personal.py::test_what_is_personal_is_replaced_and_what_the_api_works_with_is_not",
        "servers/test_hostile_personal.py::test_verdicts_and_verify_stay_the_same",
    ),
    "Outside loopback, it writes only to calendars that `--calendar` names.": (
        "servers/test_campaign_preflight.py::test_outside_this_machine_calendars_must_be_named",
        "servers/test_campaign_preflight.py::test_only_named_calendars_are_written_to",
    ),
    "It deletes only events that it created, by the journal on disk.": (
        "servers/test_hostile_company.py::test_runs_side_by_side_on_one_account_accuse_nobody_and_leave_nothing",
        "servers/test_campaign_journal.py::test_an_entry_is_on_disk_before_open_returns_and_the_file_goes_with_the_last_one",
        "cli/test_cli_places.py::test_clean_up_takes_the_journal_from_where_the_run_put_it",
    ),
    "`--max-requests` is a hard limit, clean-up included.": (
        "servers/test_campaign_run.py::test_a_budget_is_never_exceeded_and_nothing_is_left_behind",
    ),
    "Answers are not trusted.": (
        "servers/test_hostile_answers.py::test_no_answer_ends_a_run",
        "servers/test_hostile_bounds.py::test_pages_without_end_and_each_with_new_events_stop_at_a_limit_that_is_said",
        "servers/test_hostile_bounds.py::test_a_run_ends_when_its_time_is_up_with_what_was_observed",
    ),
    "`asgi:` and `wsgi:` import the module that you name": (
        "servers/test_hostile_apps.py::test_an_asgi_application_ends_no_run",
        "servers/test_hostile_apps.py::test_a_wsgi_application_ends_no_run",
    ),
    "Files are their owner's alone (mode 0600)": (
        "cli/test_cli_places.py::test_what_a_run_writes_is_its_owners_alone",
        "servers/test_campaign_journal.py::test_a_journal_and_its_folder_are_their_owners_alone",
    ),
}


@cache
def defined_in(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.skipif(not PAGE.exists(), reason="the page is no part of what is distributed")
def test_every_promise_of_the_security_page_has_a_test() -> None:
    items = re.findall(r"^(?:-|\d\.) (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [item for item in items if not item.startswith(tuple(PROMISES))] == []
    assert [begin for begin in PROMISES if not any(item.startswith(begin) for item in items)] == []


@pytest.mark.parametrize("test", [test for tests in PROMISES.values() for test in tests])
def test_the_test_of_a_promise_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert name in defined_in(path)


def test_no_option_takes_a_token() -> None:
    assert isinstance(cli, click.Group)
    secret = re.compile("token|secret|passw|key|credential|authorization")
    options = {option for command in cli.commands.values() for param in command.params for option in param.opts}
    assert {option for option in options if secret.search(option)} == {"--client-secret"}  # ACCOUNT=ENVVAR
