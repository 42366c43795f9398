"""JavaScript of collections is run as collections need it, and cannot take the run with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from harness.engine.ttk.script import Limits, ScriptHost, World
from harness.model.outcome import Outcome

LIMITS = Limits(assertions_s=0.5, script_s=1.0, step_s=0.5, memory_bytes=64 * 1024 * 1024)
MEMORY_BOMB = "const held = []; while (true) held.push(new Array(100000).fill('x' + held.length))"


@pytest.fixture
def host() -> Iterator[ScriptHost]:
    with ScriptHost(LIMITS) as host:
        yield host


def outcome(host: ScriptHost, source: str, world: World | None = None) -> tuple[Outcome, str]:
    result = host.run_assertions([source], world or World())[0]
    return result.outcome, result.message


class TestOutcomes:
    def test_an_absent_callback_fails_the_assertion_that_reads_it(self, host: ScriptHost) -> None:
        found = outcome(host, "expect(callback.headers['date']).to.exist")
        assert found == (Outcome.FAILED, "Cannot read properties of null (reading 'headers')")

    def test_malformed_data_fails(self, host: ScriptHost) -> None:
        world = World(response={"body": "{"})
        assert outcome(host, "expect(JSON.parse(response.body).a).to.exist", world)[0] is Outcome.FAILED

    @pytest.mark.parametrize("source", ["expect(", "return 1", "expect(nobody).to.exist", "function f() { f() } f()"])
    def test_a_broken_assertion_is_an_error(self, host: ScriptHost, source: str) -> None:
        assert outcome(host, source)[0] is Outcome.ERROR

    @pytest.mark.parametrize("source", ["while (true) {}", MEMORY_BOMB, "/(a+)+$/.test('a'.repeat(40) + 'b')"])
    def test_one_that_never_ends_is_an_error_and_its_neighbours_are_untouched(
        self, host: ScriptHost, source: str
    ) -> None:
        plain = "expect(1).to.equal(1)"
        results = host.run_assertions([plain, source, plain], World())
        assert [one.outcome for one in results] == [Outcome.PASSED, Outcome.ERROR, Outcome.PASSED]
        assert results[1].message.startswith("was stopped: ")

    def test_large_buffers_are_refused(self, host: ScriptHost) -> None:
        found = outcome(host, "expect(new Uint8Array(1e9).length).to.equal(1)")
        assert found == (Outcome.FAILED, "Array buffer allocation failed")


class TestScripts:
    def test_a_script_writes_environment_and_request_variables(self, host: ScriptHost) -> None:
        found = host.run_script("environment.b = environment.a + 1; requestVariables.c = [1]", World({"a": 1}))
        assert (found.environment, found.request_variables, found.error) == ({"a": 1, "b": 2}, {"c": [1]}, "")

    def test_writes_before_a_throw_stay(self, host: ScriptHost) -> None:
        found = host.run_script("environment.b = 1; throw new Error('no')", World({"a": 1}))
        assert (found.environment, found.error) == ({"a": 1, "b": 1}, "no")

    def test_response_and_callback_are_undefined_before_the_request(self, host: ScriptHost) -> None:
        source = "environment.seen = [typeof response, typeof callback, typeof request]"
        assert host.run_script(source, World({}, {}, request={})).environment["seen"] == [
            "undefined",
            "undefined",
            "object",
        ]

    def test_sleeping_and_timers_take_their_time(self, host: ScriptHost) -> None:
        began = time.monotonic()
        found = host.run_script(
            "setTimeout(() => { environment.timer = true }, 10); await custom.sleep(50)", World({"a": 1})
        )
        assert found.environment == {"a": 1, "timer": True}
        assert time.monotonic() - began >= 0.05

    @pytest.mark.parametrize(
        "call",
        [
            "await websocket.connect('ws://x', 'y')",
            "await axios({})",
            "await axios.get('http://x')",
            "await inboundEvent.getMessage('x', 1)",
        ],
    )
    def test_a_host_function_that_is_not_there_says_so_even_when_caught(self, host: ScriptHost, call: str) -> None:
        refused = host.run_script(call, World())
        assert refused.error.endswith("is not available in this version of the harness")
        caught = host.run_script(f"try {{ {call} }} catch (e) {{}}", World())
        assert caught.error == ""
        assert caught.unavailable == refused.unavailable != ()

    def test_a_guard_that_is_off_asks_for_nothing(self, host: ScriptHost) -> None:
        source = "if (environment.ENABLE_WS_ASSERTIONS===true) { await websocket.connect('ws://x', 'y') }"
        assert host.run_script(source, World({"ENABLE_WS_ASSERTIONS": False})).error == ""

    def test_functions_handed_in_are_called_with_json_and_their_failure_is_the_scripts(self) -> None:
        def get(asked: dict[str, Any]) -> object:
            if asked["url"] == "bad":
                raise ValueError("refused")
            return {"status": 200, "data": asked["url"]}

        with ScriptHost(LIMITS, {"axios.get": get}) as host:
            source = """
              environment.good = (await axios.get('a')).data
              try { await axios.get('bad') } catch (problem) { environment.bad = problem.message }"""
            assert host.run_script(source, World()).environment == {"good": "a", "bad": "refused"}

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ("while (true) {}", "not finished after 0.5 s"),
            ("while (true) { await null }", "not finished after 0.5 s"),
            ("await new Promise(() => {})", "it waits for something that can never come"),
            ("await custom.sleep(1e9)", "not finished after 1 s"),
        ],
    )
    def test_one_that_never_ends_is_stopped_and_the_next_runs(self, host: ScriptHost, source: str, reason: str) -> None:
        found = host.run_script(f"environment.a = 2; {source}", World({"a": 1}))
        assert (found.error, found.environment) == (f"was stopped: {reason}", {"a": 1})
        assert host.run_script("environment.a = 3", World({"a": 1})).environment == {"a": 3}

    def test_what_cannot_be_stored_is_an_error_and_changes_nothing(self, host: ScriptHost) -> None:
        found = host.run_script("environment.a = 1n", World({"a": 1}))
        assert (found.error, found.environment) == ("a cannot be kept: Do not know how to serialize a BigInt", {"a": 1})


def test_globals_do_not_pass_from_one_call_to_the_next(host: ScriptHost) -> None:
    host.run_script("leak = 1", World())
    assert outcome(host, "expect(typeof leak).to.equal('undefined')")[0] is Outcome.PASSED


@pytest.mark.parametrize(
    "source",
    [
        "Array.prototype.includes = () => true",
        "Object.prototype.extra = 1",
        "delete Promise.any",
        "Object.getPrototypeOf(async () => {}).extra = 1",
        "JSON.parse = () => ({})",
        "Object.defineProperty(globalThis, 'Map', { value: Set })",
        "Object.setPrototypeOf(Number.prototype, null)",
        "Reflect.ownKeys = () => []; Array.prototype.includes = () => true",
        "try { await axios.get('x') } catch (e) { Object.getPrototypeOf(e).message = 'mine' }",
    ],
)
def test_a_new_case_gets_intact_built_ins(host: ScriptHost, source: str) -> None:
    host.run_script(source, World())
    host.begin_case()
    host.run_script("", World())
    assert host.isolates == 2
    assert outcome(host, "expect([1].includes(2)).to.equal(false)")[0] is Outcome.PASSED


def test_a_case_that_left_built_ins_alone_passes_its_isolate_on(host: ScriptHost) -> None:
    host.run_script("leak = 1; environment.a = [1].map((x) => x + 1); await axios.get('x')", World())
    host.run_assertions(["expect([1].includes(2)).to.equal(true)"], World())
    host.begin_case()
    host.run_script("", World())
    assert host.isolates == 1


@pytest.mark.parametrize("name", ["process", "require", "fetch", "XMLHttpRequest", "WebAssembly", "SharedArrayBuffer"])
def test_javascript_has_no_way_to_the_machine(host: ScriptHost, name: str) -> None:
    assert outcome(host, f"expect(typeof {name}).to.equal('undefined')")[0] is Outcome.PASSED


@pytest.mark.parametrize(
    ("text", "wanted"), [("aGVsbG8=", "hello"), ("eyJhIjoxfQ", '{"a":1}'), ("_-8", "\u00ff\u00ef")]
)
def test_atob_reads_both_alphabets_of_base64(host: ScriptHost, text: str, wanted: str) -> None:
    assert host.run_script(f"environment.a = atob('{text}')", World()).environment["a"] == wanted
