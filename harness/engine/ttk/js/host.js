// How a collection's JavaScript is run: one call per script, one per request's assertions, JSON in and JSON out.
// Scripts reach the host only by asking: a queue that the harness empties between two calls into V8.
(function (kit) {
  'use strict';

  const { parse, stringify } = JSON;
  const { AssertionError, ChainError, UnavailableError } = kit;
  const pristine = new Set();

  /** Removes what an earlier script left on the global object. */
  function sweep() {
    kit.forgetAllocations();
    for (const name of Object.getOwnPropertyNames(globalThis)) if (!pristine.has(name)) delete globalThis[name];
  }

  const textOf = (problem) => {
    try {
      return problem instanceof Error ? problem.message : typeof problem === 'string' ? problem : kit.inspect(problem);
    } catch {
      return 'a value that cannot be shown was thrown';
    }
  };

  /** What went wrong, in one word: see `classify` in script.py for the rule. */
  function kindOf(problem) {
    if (kit.isUnrecorded(problem)) return 'thrown';
    if (problem instanceof AssertionError) return 'assertion';
    if (problem instanceof ChainError) return 'chain';
    if (problem instanceof UnavailableError) return 'unavailable';
    if (problem instanceof ReferenceError) return 'reference';
    if (problem instanceof RangeError && /call stack/i.test(problem.message)) return 'recursion';
    if (problem instanceof TypeError && /^expect\b.* is not a function$/s.test(problem.message)) return 'chain';
    return 'thrown';
  }

  /** Reads what a call was given, and takes over what is new in what scripts share. */
  function open(text) {
    const given = kit.decode(text);
    sweep();
    if (kit.load(given.world)) kit.forgetListeners();
    for (const name of ['request', 'response', 'callback']) kit.isNative(given.world[name]);
    kit.traceStart();
    return given;
  }

  // --- assertions -------------------------------------------------------------------------------------------------------

  const ASSERTION_NAMES = ['response', 'callback', 'request', 'requestSent', 'environment', 'requestVariables'];
  // Direct eval in a sloppy function of its own: what an assertion declares stays in it. `began` tells a source that does
  // not compile from one that met malformed data.
  const evaluate = new Function('expect', 'console', 'began', ...ASSERTION_NAMES, 'eval("began();" + arguments[arguments.length - 1])');

  kit.assertions = function assertions(text) {
    const { world, sources } = open(text);
    const given = ASSERTION_NAMES.map((name) => kit.live[name] ?? world[name]);
    const silent = kit.consoleFor([]);
    return stringify(sources.map((source) => {
      const tally = { count: 0 };
      let began = false;
      kit.traceStart();
      const found = { kind: '', message: '', count: 0, unrecorded: '' };
      try {
        evaluate(kit.expectFor(tally), silent, () => { began = true; }, ...given, source);
      } catch (problem) {
        found.unrecorded = kit.traceMet();
        kit.quietly(() => {
          found.kind = began ? kindOf(problem) : 'syntax';
          found.message = textOf(problem);
          if (found.kind === 'assertion') Object.assign(found, { expected: kit.plain(problem.expected), actual: kit.plain(problem.actual) });
        });
      }
      return Object.assign(found, { count: tally.count, unrecorded: found.unrecorded || kit.traceMet() });
    }));
  };

  // --- scripts ----------------------------------------------------------------------------------------------------------

  const AsyncFunction = (async () => {}).constructor;
  const WAITS = /\b(await|async|then|catch|setTimeout|Promise)\b/;
  let current = null;

  const described = (problem) => kit.quietly(() => ({ kind: kindOf(problem), message: textOf(problem) }));

  function javascript(run, world, source) {
    const names = { ...kit.javascriptNames(run, world), __failed: run.fail, __ended: run.end };
    return new AsyncFunction(...Object.keys(names), `try {\n${source}\n} catch (problem) { __failed(problem); } finally { __ended(); }`)
      .bind(undefined, ...Object.values(names));
  }

  /** Writes go to a copy: one that throws before its first pause leaves nothing behind. */
  function postman(run, world, source) {
    const values = Object.defineProperties({}, Object.getOwnPropertyDescriptors(kit.live.environment));
    const names = kit.postmanNames(run, world, values);
    const body = new Function(...Object.keys(names), `{\n${source}\n}`);
    return () => {
      try {
        body(...Object.values(names));
        run.commit = () => {
          const { environment } = kit.live;
          for (const key of Object.keys(environment)) if (!(key in values)) delete environment[key];
          Object.defineProperties(environment, Object.getOwnPropertyDescriptors(values));
          kit.isNative(environment);
        };
      } catch (problem) {
        run.fail(problem);
      }
      run.end();
    };
  }

  const ENGINES = { javascript, postman };

  kit.start = function start(text) {
    const { world, source, engine, ...options } = open(text);
    const run = { ended: false, problem: null, queue: [], waiting: new Map(), asked: 0, timers: 0, log: [], unavailable: [],
      unrecorded: [], before: null, source, engine, commit: () => {}, available: new Set(options.available), replays: options.replays,
      refuses: options.refuses };
    run.fail = (problem) => { run.problem ??= described(problem); };
    run.stray = (problem) => { if (problem instanceof UnavailableError) run.fail(problem); };
    run.end = () => { run.ended = true; };
    current = run;
    try {
      void new AsyncFunction(source);
      const body = ENGINES[engine](run, world, source);
      run.first = run.replays ? kit.texts() : null;
      Promise.resolve(body()).catch(run.fail);
    } catch (problem) {
      run.problem = { kind: problem instanceof SyntaxError ? 'syntax' : kindOf(problem), message: textOf(problem) };
      run.ended = true;
    }
    return run.ended && !WAITS.test(source) ? kit.poll() : stringify({ done: false, asked: [], waiting: -1 });
  };

  // --- what hangs on something that a recording does not hold -------------------------------------------------------------

  const WRITTEN = /\b(environment|requestVariables)(?:\.([A-Za-z_$][\w$]*)|\[\s*(['"`])([^'"`]+)\3\s*\])\s*(?:[-+*/|&?]{0,2}=)(?!=)/g;
  const SET = /\b(?:pm\.environment\.(?:un)?set|postman\.setEnvironmentVariable)\(\s*(['"`])([^'"`]+)\1/g;

  function writtenIn(source) {
    const found = new Map();
    const add = (name, key) => found.set(`${name} ${key}`, (found.get(`${name} ${key}`) ?? 0) + 1);
    for (const [, name, plain, , quoted] of source.matchAll(WRITTEN)) add(name, plain ?? quoted);
    for (const [, , key] of source.matchAll(SET)) add('environment', key);
    return found;
  }

  /** Marks what a script wrote, or may have written, after it first met something that the recording lacks. */
  function taint(run) {
    const after = kit.texts();
    const reason = kit.traceObserved();
    kit.settle();
    if (!reason) return;
    const before = run.before ?? run.first;
    for (const name of Object.keys(after)) {
      for (const key of new Set([...after[name].keys(), ...before[name].keys()])) {
        if (after[name].get(key) !== before[name].get(key)) kit.taint(name, key, reason);
      }
    }
    for (const [written, count] of writtenIn(run.source)) {
      const [name, key] = written.split(' ');
      const isSettled = count === 1 && run.before && run.first[name].get(key) !== before[name].get(key);
      if (!isSettled) kit.taint(name, key, reason);
    }
  }

  /** Returns how far the script is: what it asks for and, at its end, what it changed. */
  kit.poll = function poll() {
    const run = current;
    const asked = run.queue;
    run.queue = [];
    if (!run.ended || run.waiting.size || run.timers) return stringify({ done: false, asked, waiting: run.waiting.size });
    run.commit();
    if (run.replays) taint(run);
    const problems = [];
    const changes = kit.changes(problems, run.engine === 'javascript');
    const problem = run.problem ?? (problems.length ? { kind: 'thrown', message: problems.join('; ') } : null);
    const { log, unavailable, unrecorded } = run;
    return `${stringify({ done: true, problem, log, unavailable, unrecorded }).slice(0, -1)},"changes":${changes}}`;
  };

  kit.answer = function answer(text) {
    const { id, value, problem } = parse(text);
    const waiting = current.waiting.get(id);
    current.waiting.delete(id);
    kit.isNative(value);
    if (problem === undefined) waiting.resolve(value);
    else waiting.reject(new Error(problem));
    return '';
  };

  // --- whether a case left the built-ins as it found them -----------------------------------------------------------------

  const slotsOf = (object) => Reflect.ownKeys(object).map((key) => [key, Reflect.getOwnPropertyDescriptor(object, key)]);
  const BUILT_IN = ('Object Function Array String Number Boolean BigInt Symbol Date Promise RegExp Map Set WeakMap WeakSet Error ' +
    'TypeError RangeError SyntaxError ReferenceError Proxy Reflect JSON Math Buffer TextEncoder').split(' ');
  const watched = [];

  function watch() {
    const { getPrototypeOf } = Object;
    const hidden = [[][Symbol.iterator](), ''[Symbol.iterator](), new Map().entries(), new Set().values(), function* () {}, async () => {},
      async function* () {}].map(getPrototypeOf);
    const objects = BUILT_IN.flatMap((name) => [globalThis[name], globalThis[name].prototype]).concat(hidden, hidden.map(getPrototypeOf),
      [AssertionError, ChainError, UnavailableError].map((type) => type.prototype));
    for (const object of new Set(objects.filter(Boolean))) watched.push([object, slotsOf(object), getPrototypeOf(object)]);
    watched.push([globalThis, slotsOf(globalThis), getPrototypeOf(globalThis)]);
  }

  const { is } = Object;
  const isSame = (now, then) => now !== undefined && is(now.value, then.value) && now.get === then.get && now.set === then.set;
  const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf: parentOf } = Reflect;

  /** Whether all built-ins are what they were at the start; uses nothing that a script could have replaced in them. */
  kit.intact = function intact() {
    sweep();
    for (let i = 0; i < watched.length; i += 1) {
      const object = watched[i][0];
      const slots = watched[i][1];
      if (ownKeys(object).length !== slots.length || parentOf(object) !== watched[i][2]) return 'no';
      for (let k = 0; k < slots.length; k += 1) {
        const slot = slots[k];
        if (!isSame(getOwnPropertyDescriptor(object, slot[0]), slot[1])) return 'no';
      }
    }
    return 'yes';
  };

  for (const name of ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval']) globalThis[name] = undefined;
  Object.defineProperty(globalThis, '__harness', {
    value: Object.freeze({ assertions: kit.assertions, start: kit.start, poll: kit.poll, answer: kit.answer, intact: kit.intact }),
  });
  for (const name of Object.getOwnPropertyNames(globalThis)) pristine.add(name);
  watch();
})
