// How a collection's JavaScript is run: one call per script, one per request's assertions, JSON in and JSON out.
// Scripts reach the host only through `ask`: a queue that the harness empties between two calls into V8.
(function (kit) {
  'use strict';

  const { parse, stringify } = JSON;
  const { AssertionError, ChainError } = kit;
  const MISSING_HERE = 'is not available in this version of the harness';
  const MEMORY = 128 * 1024 * 1024;
  const pristine = new Set();
  let allocated = 0;

  class UnavailableError extends Error {}

  // --- bounds that V8's heap limit does not see ---------------------------------------------------------------------

  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics']) delete globalThis[name];
  for (const name of ['ArrayBuffer', ...'Int8 Uint8 Uint8Clamped Int16 Uint16 Int32 Uint32 Float32 Float64 BigInt64 BigUint64'
    .split(' ').map((kind) => `${kind}Array`)]) {
    const type = globalThis[name];
    const bounded = new Proxy(type, {
      construct(target, given, caller) {
        const size = typeof given[0] === 'number' ? given[0] * (target.BYTES_PER_ELEMENT || 1) : 0;
        allocated += size;
        if (allocated > MEMORY) throw new RangeError('Array buffer allocation failed');
        return Reflect.construct(target, given, caller === bounded ? target : caller);
      },
    });
    globalThis[name] = bounded;
    type.prototype.constructor = bounded;
  }

  // --- the little of Node that assertions use ----------------------------------------------------------------------------

  const octets = (text) => [...unescape(encodeURIComponent(String(text).toWellFormed()))].map((char) => char.charCodeAt(0));
  globalThis.TextEncoder = class TextEncoder {
    encode(text = '') {
      return Uint8Array.from(octets(text));
    }
  };
  globalThis.Buffer = Object.freeze({ byteLength: (text) => octets(text).length });

  // --- what one call starts from --------------------------------------------------------------------------------------

  /** Removes what an earlier script left on the global object. */
  function sweep() {
    allocated = 0;
    for (const name of Object.getOwnPropertyNames(globalThis)) if (!pristine.has(name)) delete globalThis[name];
  }

  const plain = (value) => {
    try {
      return parse(stringify(value) ?? 'null');
    } catch {
      return kit.inspect(value);
    }
  };

  const textOf = (problem) => {
    try {
      return problem instanceof Error ? problem.message : typeof problem === 'string' ? problem : kit.inspect(problem);
    } catch {
      return 'a value that cannot be shown was thrown';
    }
  };

  /** What went wrong, in one word: see `classify` in script.py for the rule. */
  function kindOf(problem) {
    if (problem instanceof AssertionError) return 'assertion';
    if (problem instanceof ChainError) return 'chain';
    if (problem instanceof UnavailableError) return 'unavailable';
    if (problem instanceof ReferenceError) return 'reference';
    if (problem instanceof RangeError && /call stack/i.test(problem.message)) return 'recursion';
    if (problem instanceof TypeError && /^expect\b.* is not a function$/s.test(problem.message)) return 'chain';
    return 'thrown';
  }

  // --- assertions -------------------------------------------------------------------------------------------------------

  const ASSERTION_NAMES = ['response', 'callback', 'request', 'requestSent', 'environment', 'requestVariables'];
  // Direct eval in a sloppy function of its own: what an assertion declares stays in it. `began` tells a source that does
  // not compile from one that met malformed data.
  const evaluate = new Function('expect', 'console', 'began', ...ASSERTION_NAMES, 'eval("began();" + arguments[arguments.length - 1])');

  kit.assertions = function assertions(text) {
    const { world, sources } = parse(text);
    sweep();
    const given = ASSERTION_NAMES.map((name) => world[name]);
    const silent = consoleFor([]);
    return stringify(sources.map((source) => {
      const tally = { count: 0 };
      let began = false;
      try {
        evaluate(kit.expectFor(tally), silent, () => { began = true; }, ...given, source);
        return { kind: '', message: '', count: tally.count };
      } catch (problem) {
        const found = { kind: began ? kindOf(problem) : 'syntax', message: textOf(problem), count: tally.count };
        if (found.kind === 'assertion') Object.assign(found, { expected: plain(problem.expected), actual: plain(problem.actual) });
        return found;
      }
    }));
  };

  // --- scripts ----------------------------------------------------------------------------------------------------------

  const AsyncFunction = (async () => {}).constructor;
  let current = null;

  function consoleFor(log) {
    const write = (...parts) => {
      if (log.length < 200) log.push(parts.map((part) => (typeof part === 'string' ? part : kit.display(part))).join(' '));
    };
    return { log: write, info: write, warn: write, error: write, debug: write };
  }

  /** Asks the harness to do `name`; the promise ends when the answer is handed to `answer`. */
  function ask(run, name, ...given) {
    return new Promise((resolve, reject) => {
      run.asked += 1;
      run.waiting.set(run.asked, { resolve, reject });
      run.queue.push({ id: run.asked, name, given: plain(given) });
    });
  }

  function missing(run, name) {
    return () => {
      run.unavailable.push(name);
      throw new UnavailableError(`${name} ${MISSING_HERE}`);
    };
  }

  function missingAsync(run, name) {
    return async () => missing(run, name)();
  }

  function decode(text) {
    const clean = String(text).replace(/[\t\n\f\r ]/g, '').replace(/=+$/, '').replace(/-/g, '+').replace(/_/g, '/');
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    let out = '';
    let bits = 0;
    let held = 0;
    for (const letter of clean) {
      const value = letters.indexOf(letter);
      if (value === -1) continue;
      held = (held << 6) | value;
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        out += String.fromCharCode((held >> bits) & 255);
        held &= (1 << bits) - 1;
      }
    }
    return out;
  }

  function namesFor(run, world) {
    const { requestVariables } = world;
    const call = (name) => (run.available.has(name) ? (...given) => ask(run, name, ...given) : missingAsync(run, name));
    const axios = Object.assign(call('axios'), { get: call('axios.get'), put: call('axios.put'), post: call('axios.post') });
    const setTimeout = (action, ms = 0) => {
      ask(run, 'sleep', Number(ms) || 0).then(() => action());
      return run.asked;
    };
    return {
      environment: world.environment, requestVariables, request: world.request ?? undefined,
      response: world.response ?? undefined, callback: world.callback ?? undefined, console: consoleFor(run.log), axios,
      custom: {
        sleep: (ms) => ask(run, 'sleep', Number(ms) || 0),
        skipRequest: () => { requestVariables.SKIP_REQUEST = true; },
        setRequestTimeout: (ms) => { requestVariables.REQUEST_TIMEOUT = ms; },
        appendRequestBody: missing(run, 'custom.appendRequestBody'),
        jws: {
          signRequest: missing(run, 'custom.jws.signRequest'),
          validateCallback: missing(run, 'custom.jws.validateCallback'),
          validateCallbackProtectedHeaders: missing(run, 'custom.jws.validateCallbackProtectedHeaders'),
        },
      },
      websocket: { connect: call('websocket.connect'), getMessage: call('websocket.getMessage'), disconnect: call('websocket.disconnect') },
      inboundEvent: { addListener: call('inboundEvent.addListener'), getMessage: call('inboundEvent.getMessage') },
      atob: decode, setTimeout,
    };
  }

  kit.start = function start(text) {
    const { world, source, available, engine } = parse(text);
    sweep();
    const run = { done: false, problem: null, queue: [], waiting: new Map(), asked: 0, log: [], unavailable: [], world,
      available: new Set(available) };
    current = run;
    const end = (problem) => {
      run.done = true;
      run.problem = problem === undefined ? null : { kind: kindOf(problem), message: textOf(problem) };
    };
    if (engine !== 'javascript') return end(attempt(missing(run, `the scripting engine "${engine}"`)));
    const names = namesFor(run, world);
    let body;
    try {
      body = new AsyncFunction(...Object.keys(names), source);
    } catch (problem) {
      run.done = true;
      run.problem = { kind: 'syntax', message: textOf(problem) };
      return undefined;
    }
    body(...Object.values(names)).then(() => end(), (problem) => end(problem ?? new Error(String(problem))));
    return undefined;
  };

  function attempt(action) {
    try {
      return action();
    } catch (problem) {
      return problem;
    }
  }

  /** Returns how far the script is: what it asks for and, at its end, what it wrote. */
  kit.poll = function poll() {
    const { done, problem, queue, waiting, log, unavailable, world } = current;
    current.queue = [];
    const state = { done, problem, asked: queue, waiting: waiting.size };
    if (!done) return stringify(state);
    const written = { environment: world.environment, requestVariables: world.requestVariables };
    try {
      return stringify({ ...state, log, unavailable, written });
    } catch (failure) {
      return stringify({ ...state, log, unavailable, written: null, problem: { kind: 'thrown', message: textOf(failure) } });
    }
  };

  kit.answer = function answer(text) {
    const { id, value, problem } = parse(text);
    const waiting = current.waiting.get(id);
    current.waiting.delete(id);
    if (problem === undefined) waiting.resolve(value);
    else waiting.reject(new Error(problem));
  };

  for (const name of ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval']) globalThis[name] = undefined;
  Object.defineProperty(globalThis, '__harness', {
    value: Object.freeze({ assertions: kit.assertions, start: kit.start, poll: kit.poll, answer: kit.answer }),
  });
  for (const name of Object.getOwnPropertyNames(globalThis)) pristine.add(name);
})
