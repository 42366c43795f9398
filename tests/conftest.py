"""What takes a minute runs first: begun last, it would keep one worker busy while the others have nothing left."""

from __future__ import annotations

import pytest

_LONG = frozenset({
    "test_history_and_messages_tell_the_story",
    "test_a_wheel_in_a_clean_environment_needs_no_checkout",
    "test_the_command_catches_what_the_native_suite_claims_and_says_what_it_does_not",
    "test_a_label_of_the_official_suite_runs_and_the_rest_is_not_forgotten",
    "test_what_did_not_arrive_is_sent_and_what_changed_is_told_again",
    "test_a_kept_hub_gives_the_same_outcomes_again",
    "test_the_good_runs_have_nothing_to_be_explained",
})  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts them in front; the others keep their order."""
    items.sort(key=lambda item: item.name not in _LONG)
