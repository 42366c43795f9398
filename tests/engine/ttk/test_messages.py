"""What is sent is what the reference engine's HTTP library makes of a collection's request."""

from __future__ import annotations

from harness.engine.ttk.messages import WRITTEN, assertion_request, target_url


def test_white_space_at_the_end_of_a_path_does_not_reach_the_hub() -> None:
    document = {"url": "http://hub.test/", "path": "/transfers/ "}
    assert target_url(document) == "http://hub.test/transfers/"
    assert target_url({**document, "path": "/a b", "queryParams": {"x": 1}}) == "http://hub.test/a b?x=1"


def test_an_assertion_finds_a_header_in_lower_case_and_as_the_collection_wrote_it() -> None:
    document = {"headers": {"content-type": "text/plain"}, WRITTEN: ["Content-Type", "Gone"], "tests": {}}
    assert assertion_request(document) == {"headers": {"content-type": "text/plain", "Content-Type": "text/plain"}}
