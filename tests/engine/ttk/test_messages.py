"""What is sent is what the reference engine's HTTP library makes of a collection's request."""

from __future__ import annotations

from harness.engine.ttk.messages import target_url


def test_white_space_at_the_end_of_a_path_does_not_reach_the_hub() -> None:
    document = {"url": "http://hub.test/", "path": "/transfers/ "}
    assert target_url(document) == "http://hub.test/transfers/"
    assert target_url({**document, "path": "/a b", "queryParams": {"x": 1}}) == "http://hub.test/a b?x=1"
