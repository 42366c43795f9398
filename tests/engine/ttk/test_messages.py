"""What is sent is what the reference engine's HTTP library makes of a collection's request."""

from __future__ import annotations

from typing import Any

import pytest

from harness.engine.ttk.messages import WRITTEN, assertion_request, callback_routes, target_url


def test_white_space_at_the_end_of_a_path_does_not_reach_the_hub() -> None:
    document = {"url": "http://hub.test/", "path": "/transfers/ "}
    assert target_url(document) == "http://hub.test/transfers/"
    assert target_url({**document, "path": "/a b", "queryParams": {"x": 1}}) == "http://hub.test/a b?x=1"


def test_an_assertion_finds_a_header_in_lower_case_and_as_the_collection_wrote_it() -> None:
    document = {"headers": {"content-type": "text/plain"}, WRITTEN: ["Content-Type", "Gone"], "tests": {}}
    assert assertion_request(document) == {"headers": {"content-type": "text/plain", "Content-Type": "text/plain"}}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "also"),
    [
        ("POST", "/participants/MSISDN/1", {}, {"fspId": "owner"}, ("owner",)),
        ("POST", "/participants/MSISDN/1/sub", {}, {"fspId": "owner"}, ("owner",)),
        ("POST", "/participants/MSISDN/1", {"fspiop-destination": "other"}, {"fspId": "owner"}, ("other",)),
        ("POST", "/participants/MSISDN/1", {}, {"fspId": 7}, ()),
        ("POST", "/participants/MSISDN/1", {}, None, ()),
        ("GET", "/participants/MSISDN/1", {"fspiop-destination": "other"}, None, ()),
        ("POST", "/quotes", {"fspiop-destination": "other"}, {"quoteId": "1", "fspId": "owner"}, ()),
    ],
)
def test_the_answer_to_a_registration_may_come_to_the_owner(
    method: str, path: str, headers: dict[str, str], body: Any, also: tuple[str, ...]
) -> None:
    document = {"method": method, "path": path, "headers": {"fspiop-source": "me", **headers}, "body": body}
    routes = callback_routes("fspiop", document)
    assert routes is not None
    assert (routes.fsp, routes.also) == ("me", also)
