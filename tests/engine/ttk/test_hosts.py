"""Scripts reach what the target names, with the shapes that collections rely on, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest

from harness.engine.inbound.messages import Inbound
from harness.engine.ttk.hosts import AllowedHosts, HostServices
from harness.engine.ttk.script import Limits, ScriptHost, ScriptResult, World

HUB = "http://hub.test:3001"
Answer = Callable[[httpx.Request], httpx.Response]


def echo(request: httpx.Request) -> httpx.Response:
    path = request.url.path
    if path.startswith("/status/"):
        return httpx.Response(int(path.rpartition("/")[2]), json={"path": path}, headers={"X-One": "1"})
    if path == "/away":
        return httpx.Response(302, headers={"location": "http://elsewhere.test/x"})
    if path == "/here":
        return httpx.Response(302, headers={"location": f"{HUB}/status/200"})
    if path == "/dead":
        raise httpx.ConnectError("refused")
    if path == "/slow":
        raise httpx.ReadTimeout("slow")
    if path == "/text":
        return httpx.Response(200, text="plain")
    seen = {"method": request.method, "url": str(request.url), "body": request.content.decode()}
    return httpx.Response(200, json={**seen, "headers": dict(request.headers)})


class Socket:
    def __init__(self, *messages: str) -> None:
        self.messages, self.closed = list(messages), 0

    def message(self, timeout_s: float) -> str | None:
        return self.messages.pop(0) if self.messages else None

    def close(self) -> None:
        self.closed += 1


class Quiet(Socket):
    """One on which nothing comes until its last look."""

    def __init__(self, after: str | None = None) -> None:
        super().__init__()
        self.after, self.waits = after, list[float]()

    def message(self, timeout_s: float) -> str | None:
        self.waits.append(timeout_s)
        time.sleep(timeout_s)
        return self.after if len(self.waits) > 1 else None


def call(path: str, body: Any, at: float) -> Inbound:
    return Inbound(
        method="PUT",
        path=path,
        fsp="payer",
        headers={"fspiop-source": "hub"},
        raw=json.dumps(body).encode(),
        received_monotonic=at,
        received_at="2026-11-22T08:21:28.123Z",
    )


class Events:
    """Calls that come at their moment; asked beyond the last one it has nothing, at once."""

    def __init__(self, *calls: Inbound) -> None:
        self.calls = calls

    def seen(self, *, method: str, path: str, since: float, wait_s: float) -> Sequence[Inbound]:
        assert wait_s >= 0
        return [
            one for one in self.calls if (one.method, one.path) == (method, path) and one.received_monotonic >= since
        ]


class Bench:
    def __init__(self) -> None:
        self.sockets: dict[str, Socket] = {}
        self.events = Events()
        self.services = HostServices(
            AllowedHosts.of([HUB, "ws://sim.test:3003/callbacks", "not a url", 5]),
            inbound=self,
            open_websocket=self.open,
            transport=httpx.MockTransport(echo),
            clock=lambda: 10.0,
        )
        self.scripts = ScriptHost(Limits(script_s=2.0), self.services.functions())

    def seen(self, **asked: Any) -> Sequence[Inbound]:
        return self.events.seen(**asked)

    def silence(self, answers: list[bool]) -> list[bool]:
        """Lets the hub say these things of its silence; returns where it is noted that it was asked."""
        asked: list[bool] = []

        def lasts(seconds: float) -> bool:
            asked.append(0 < seconds <= 60)
            return answers.pop(0)

        self.services.silence_lasts = lasts
        return asked

    def open(self, url: str, timeout_s: float) -> Socket:
        if url not in self.sockets:
            raise OSError("nobody listens")
        return self.sockets[url]

    def run(self, source: str, engine: str = "javascript", **world: Any) -> dict[str, Any]:
        result = self.result(source, engine, **world)
        assert result.error == ""
        return dict(result.environment)

    def result(self, source: str, engine: str = "javascript", **world: Any) -> ScriptResult:
        return self.scripts.run_script(source, World({"HOST": HUB}, {}, **world), engine=engine)


@pytest.fixture(scope="module")
def shared() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.scripts.close()
    bench.services.close()


@pytest.fixture
def bench(shared: Bench) -> Bench:
    shared.services.end_request()
    shared.events, shared.sockets = Events(), {}
    shared.services.silence_lasts = None
    return shared


class TestAxios:
    def test_get_put_post_and_the_call_itself(self, bench: Bench) -> None:
        found = bench.run("""
          const config = { headers: { 'Content-Type': 'application/json', 'FSPIOP-Source': 'x' } }
          environment.get = (await axios.get(environment.HOST + '/a', { params: { b: 'c d', e: [1, 2] } })).data
          environment.put = (await axios.put(environment.HOST + '/a', { n: 1 }, config)).data
          environment.post = (await axios.post(environment.HOST + '/a', 'raw')).data
          environment.called = (await axios({ method: 'delete', url: environment.HOST + '/a' })).data""")
        assert found["get"]["url"] == f"{HUB}/a?b=c+d&e[]=1&e[]=2"
        assert (found["put"]["method"], found["put"]["body"]) == ("PUT", '{"n":1}')
        assert found["put"]["headers"]["fspiop-source"] == "x"
        assert (found["post"]["method"], found["post"]["body"]) == ("POST", "raw")
        assert found["called"]["method"] == "DELETE"

    def test_a_response_has_data_status_text_and_headers_in_lower_case(self, bench: Bench) -> None:
        found = bench.run("const r = await axios.get(`${environment.HOST}/status/201`)\n"
                          "environment.r = [r.status, r.statusText, r.data.path, r.headers['x-one']]\n"
                          "environment.text = (await axios.get(`${environment.HOST}/text`)).data")  # fmt: skip
        assert (found["r"], found["text"]) == ([201, "Created", "/status/201", "1"], "plain")

    def test_a_status_beyond_2xx_is_an_exception_with_the_response(self, bench: Bench) -> None:
        found = bench.run("""
          try { await axios.get(environment.HOST + '/status/404') } catch (err) {
            environment.e = [err.message, err.code, err.response.status, err.response.data.path, err.isAxiosError]
          }""")
        assert found["e"] == ["Request failed with status code 404", "ERR_BAD_REQUEST", 404, "/status/404", True]

    def test_which_status_is_an_exception_is_for_the_script_to_say(self, bench: Bench) -> None:
        found = bench.run("""
          environment.ok = (await axios.get(environment.HOST + '/status/500', { validateStatus: () => true })).status
          try { await axios.get(environment.HOST + '/status/200', { validateStatus: (s) => s > 400 }) } catch (err) {
            environment.e = err.response.status
          }""")
        assert (found["ok"], found["e"]) == (500, 200)

    @pytest.mark.parametrize(("path", "code"), [("/dead", "ECONNREFUSED"), ("/slow", "ECONNABORTED")])
    def test_where_nothing_comes_there_is_no_response(self, bench: Bench, path: str, code: str) -> None:
        catching = "catch (e) { environment.e = [e.code, e.response === undefined] }"
        found = bench.run(f"try {{ await axios.get(environment.HOST + '{path}') }} {catching}")
        assert found["e"] == [code, True]


class TestWhatMayBeReached:
    @pytest.mark.parametrize(
        "url",
        ["http://elsewhere.test/x", "http://hub.test/x", "http://hub.test:3002/x", f"{HUB}/away", "file:///etc/passwd"],
    )
    def test_any_other_host_is_refused_by_name_and_noted(self, bench: Bench, url: str) -> None:
        source = "try { await axios.get(environment.URL) } catch (e) { environment.e = [e.code, e.message] }"
        result = bench.scripts.run_script(source, World({"URL": url}, {}))
        code, message = result.environment["e"]
        assert code == "ERR_NOT_ALLOWED"
        assert ("is no http or WebSocket URL" if url.startswith("file") else "the target names no host") in message
        assert bench.services.end_request() == [message]

    def test_a_redirect_within_the_target_is_followed(self, bench: Bench) -> None:
        assert bench.run("environment.s = (await axios.get(environment.HOST + '/here')).data")["s"] == {
            "path": "/status/200"
        }

    def test_a_websocket_elsewhere_is_refused(self, bench: Bench) -> None:
        result = bench.result("await websocket.connect('ws://elsewhere.test/x', 'm')")
        assert "the target names no host elsewhere.test:80" in result.error

    def test_the_same_host_with_its_port_left_out_is_the_same(self) -> None:
        allowed = AllowedHosts.of(["https://Hub.test/x", "http://[::1]:80/"])
        assert [allowed.fault(url) for url in ("wss://hub.test:443", "https://hub.test", "http://[::1]/y")] == [
            "",
            "",
            "",
        ]
        assert "hub.test:80" in allowed.fault("http://hub.test")


class TestWebSockets:
    URL = "ws://sim.test:3003/callbacks/1"

    def test_a_message_is_parsed_and_ends_the_connection(self, bench: Bench) -> None:
        socket = bench.sockets[self.URL] = Socket('{"data": {"a": 1}}', "second")
        found = bench.run(f"""
          environment.opened = [await websocket.connect('{self.URL}', 'm'), await websocket.connect('{self.URL}', 'm')]
          environment.message = await websocket.getMessage('m', 10)
          environment.after = await websocket.getMessage('m', 10)""")
        assert (found["opened"], found["message"], found["after"]) == ([True, False], {"data": {"a": 1}}, None)
        assert socket.closed == 1

    def test_it_stays_open_from_one_script_of_a_request_to_the_next_and_no_longer(self, bench: Bench) -> None:
        socket = bench.sockets[self.URL] = Socket("plain text")
        first = bench.result(f"await websocket.connect('{self.URL}', 'm')")
        world = World(first.environment, first.request_variables)
        second = bench.scripts.run_script("environment.m = await websocket.getMessage('m', 10)", world)
        assert second.environment["m"] == "plain text"
        bench.sockets[self.URL] = socket
        bench.result(f"await websocket.connect('{self.URL}', 'm')")
        bench.services.end_request()
        assert socket.closed == 2

    def test_nobody_waits_for_a_message_that_cannot_come(self, bench: Bench) -> None:
        socket = bench.sockets[self.URL] = Quiet()
        asked = bench.silence([False, True])
        source = f"await websocket.connect('{self.URL}', 'm'); environment.m = await websocket.getMessage('m', 60000)"
        assert bench.run(source)["m"] is None
        assert len(socket.waits) == 3, "twice before it was known that nothing comes, once for what was on its way"
        assert asked == [True, True]
        assert sum(socket.waits) < 2

    def test_a_message_sent_just_before_the_silence_is_not_lost(self, bench: Bench) -> None:
        bench.sockets[self.URL] = Quiet(after="just in time")
        bench.silence([True])
        source = f"await websocket.connect('{self.URL}', 'm'); environment.m = await websocket.getMessage('m', 60000)"
        assert bench.run(source)["m"] == "just in time"

    def test_a_connection_that_was_closed_is_not_asked_again(self, bench: Bench) -> None:
        bench.sockets[self.URL] = Socket()
        asked = bench.silence([False] * 1000)
        source = f"await websocket.connect('{self.URL}', 'm'); environment.m = await websocket.getMessage('m', 60000)"
        assert bench.run(source)["m"] is None
        assert asked == []

    def test_nobody_listening_is_false_and_no_message_is_null(self, bench: Bench) -> None:
        source = f"environment.a = [await websocket.connect('{self.URL}', 'm'), await websocket.getMessage('m', 10)]"
        assert bench.run(source)["a"] == [False, None]


class TestInboundEvents:
    PATH = "/transfers/1"

    def heard(self, bench: Bench, condition: str = "") -> Any:
        return bench.run(f"""
          await inboundEvent.addListener('m', 'put', '{self.PATH}'{condition})
          environment.m = await inboundEvent.getMessage('m', 50)
          environment.again = await inboundEvent.getMessage('m', 50)""")

    def test_the_first_call_after_listening_began_is_the_message(self, bench: Bench) -> None:
        bench.events = Events(call(self.PATH, "early", 9), call("/other", "no", 11), call(self.PATH, {"a": 1}, 12))
        found = self.heard(bench)
        assert found["m"] == {"method": "put", "path": self.PATH, "headers": {"fspiop-source": "hub"}, "body": {"a": 1}}
        assert found["again"] is None

    def test_a_condition_in_javascript_passes_over_what_it_does_not_want(self, bench: Bench) -> None:
        bench.events = Events(*(call(self.PATH, {"n": n}, 11 + n) for n in range(5)))
        condition = ", (headers, body) => headers['fspiop-source'] === 'hub' && body.n === 3"
        assert self.heard(bench, condition)["m"]["body"] == {"n": 3}

    def test_a_condition_outlives_the_script_that_set_it(self, bench: Bench) -> None:
        bench.events = Events(call(self.PATH, {"n": 1}, 11), call(self.PATH, {"n": 2}, 12))
        first = bench.result(
            f"const two = 2; await inboundEvent.addListener('m', 'put', '{self.PATH}', (h, b) => b.n === two)"
        )
        world = World(first.environment, first.request_variables)
        second = bench.scripts.run_script("environment.m = (await inboundEvent.getMessage('m', 50)).body", world)
        assert second.environment["m"] == {"n": 2}

    def test_what_is_never_wanted_ends_with_null(self, bench: Bench) -> None:
        bench.events = Events(call(self.PATH, {}, 11))
        assert self.heard(bench, ", () => false")["m"] is None


class TestPostman:
    def test_variables_are_read_and_written(self, bench: Bench) -> None:
        found = bench.run(
            """
            pm.environment.set('a', pm.environment.get('HOST').length)
            pm.variables.set('local', 1)
            pm.environment.set('seen', [pm.variables.get('local'), pm.variables.get('a'), environment.HOST])
            postman.setEnvironmentVariable('old', require('atob')('aGk='))
            pm.environment.set('id', require('uuid').v4())
            pm.environment.unset('HOST')""",
            "postman",
        )
        ident = found.pop("id")
        assert found == {"a": len(HUB), "seen": [1, len(HUB), HUB], "old": "hi"}
        assert ident[14] == "4"

    def test_the_response_is_there_as_it_came(self, bench: Bench) -> None:
        source = "pm.environment.set('r', [pm.response.code, pm.response.body[0].n, pm.response.json()[0].n])"
        response = {"code": 200, "status": "OK", "body": [{"n": 4}]}
        assert bench.run(source, "postman", response=response)["r"] == [200, 4, 4]

    def test_send_request_gives_a_response_whose_body_is_text(self, bench: Bench) -> None:
        found = bench.run(
            """
            const body = { mode: 'raw', raw: JSON.stringify({ n: 1 }) }
            pm.sendRequest({ url: environment.HOST + '/x', method: 'POST', header: { A: 'b' }, body }, (err, res) => {
              pm.environment.set('seen', [err, res.code, JSON.parse(res.body).body, res.json().headers.a])
            })
            const keep = (name) => (err, res) => { pm.environment.set(name, [err, res.code]) }
            pm.sendRequest(environment.HOST + '/status/500', keep('bad'))
            pm.sendRequest(environment.HOST + '/dead', keep('dead'))""",
            "postman",
        )
        assert (found["seen"], found["bad"], found["dead"]) == ([None, 200, '{"n":1}', "b"], [None, 500], [None, 4001])

    def test_work_that_it_does_not_await_is_carried_to_its_end(self, bench: Bench) -> None:
        found = bench.run(
            """
            async function main() {
              await new Promise((resolve) => setTimeout(resolve, 20))
              const url = environment.HOST + '/x'
              const res = await new Promise((resolve) => pm.sendRequest(url, (_, got) => resolve(got)))
              pm.environment.set('late', res.code)
            }
            main()""",
            "postman",
        )
        assert found["late"] == 200

    def test_what_throws_at_once_leaves_nothing_behind(self, bench: Bench) -> None:
        result = bench.result("pm.environment.set('a', 1); throw new Error('no')", "postman")
        assert (result.error, dict(result.environment)) == ("no", {"HOST": HUB})

    def test_writing_to_the_old_environment_directly_changes_nothing(self, bench: Bench) -> None:
        assert bench.run("environment.a = 1", "postman") == {"HOST": HUB}

    def test_a_module_that_is_not_there_says_so(self, bench: Bench) -> None:
        result = bench.result("require('moment')", "postman")
        assert result.unavailable == ("require('moment')",)


class TestTheRest:
    def test_work_that_a_script_does_not_await_is_carried_to_its_end(self, bench: Bench) -> None:
        began = time.monotonic()
        found = bench.run(
            "axios.get(environment.HOST + '/x').then(async (r) => { await custom.sleep(30); environment.s = r.status })"
        )
        assert found["s"] == 200
        assert time.monotonic() - began >= 0.03

    def test_what_a_script_asks_of_the_request_is_left_in_its_variables(self, bench: Bench) -> None:
        source = "custom.setRequestTimeout(5); custom.appendRequestBody({ a: 1 }); custom.jws.signRequest('key')"
        assert bench.result(source).request_variables == {
            "REQUEST_TIMEOUT": 5,
            "OVERRIDE_REQUEST": {"appendMode": True, "body": {"a": 1}},
            "TTK_JWS_SIGN_KEY": "key",
        }

    def test_numbers_and_dates_that_json_lacks_survive_from_script_to_script(self, bench: Bench) -> None:
        first = bench.result("environment.n = NaN; environment.i = [-Infinity]; environment.d = new Date(0)")
        bench.scripts.renew()
        source = (
            "environment.seen = [Number.isNaN(environment.n), environment.i[0] === -Infinity, environment.d.getTime()]"
        )
        assert bench.scripts.run_script(source, World(first.environment, {})).environment["seen"] == [True, True, 0]

    def test_only_what_changed_comes_back_and_nothing_changed_is_the_same_object(self, bench: Bench) -> None:
        first = bench.result("environment.a = 1")
        world = World(first.environment, first.request_variables)
        assert bench.scripts.run_script("const x = environment.a", world).environment is first.environment
        gone = bench.scripts.run_script("delete environment.a", world)
        assert gone.environment == {"HOST": HUB}
