"""Our ``expect`` says what chai 4.4.1 says, word for word."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engine.ttk.script import ScriptHost, World
from harness.model.outcome import Outcome

HERE = Path(__file__).parent
JS = Path(__file__).parents[3] / "harness" / "engine" / "ttk" / "js"
FACTS: dict[str, str] = json.loads((HERE / "chai_facts.json").read_text("utf-8"))
"""Expression to ``ok`` or ``Name: message``, as chai 4.4.1 on Node answered. Made by compare_with_chai.js --facts."""


@pytest.fixture(scope="module")
def host() -> Iterator[ScriptHost]:
    with ScriptHost() as host:
        yield host


def test_each_recorded_answer_of_chai_is_ours_too(host: ScriptHost) -> None:
    results = host.run_assertions(list(FACTS), World())
    said = {
        expression: "ok" if result.outcome in (Outcome.PASSED, Outcome.HOLLOW) else result.message
        for expression, result in zip(FACTS, results, strict=True)
    }
    # An error's text is chai's with our reason before it; the name of the exception is not part of a message.
    wanted = {expression: answer.partition(": ")[2] or answer for expression, answer in FACTS.items()}
    assert len(FACTS) > 1_500
    assert {e: (said[e], wanted[e]) for e in FACTS if not said[e].endswith(wanted[e])} == {}


def test_all_expressions_agree_with_the_real_chai(tmp_path: Path) -> None:
    folder = os.environ.get("HARNESS_CHAI")
    node = shutil.which("node")
    if not folder or not node:
        pytest.skip("set HARNESS_CHAI to a folder with chai 4.4.1 installed, with node on the path, to compare with it")
    script = str(HERE / "compare_with_chai.js")
    done = subprocess.run([node, script, folder, str(JS)], capture_output=True, text=True, timeout=120, check=True)
    found = json.loads(done.stdout)
    assert found["expressions"] > 3_000
    assert found["differences"] == []


@pytest.mark.parametrize(
    "source",
    [
        "expect(1).to.be.nul",
        "expect(1).to.equals2(1)",
        "expect(1).to.be.a.length(1)",
        "expect(1).equal.foo",
    ],
)
def test_a_word_that_chai_does_not_have_is_an_error(host: ScriptHost, source: str) -> None:
    assert host.run_assertions([source], World())[0].outcome is Outcome.ERROR


@pytest.mark.parametrize(
    "source", ["", "// nothing", "expect(1)", "expect(1).to.be.a", "if (false) { expect(1).to.equal(2) }"]
)
def test_what_executes_no_check_is_hollow(host: ScriptHost, source: str) -> None:
    assert host.run_assertions([source], World())[0].outcome is Outcome.HOLLOW


def test_a_failed_comparison_gives_both_values(host: ScriptHost) -> None:
    result = host.run_assertions(["expect(response.status).to.equal(202)"], World(response={"status": 400}))[0]
    assert (result.outcome, result.message) == (Outcome.FAILED, "expected 400 to equal 202")
    assert (result.expected, result.actual) == (202, 400)
