// The names a script finds: one set for the `javascript` engine, one for `postman`.
// What needs the world goes through `ask`, a queue that the harness empties between two calls into V8.
(function (kit) {
  'use strict';

  const MISSING_HERE = 'is not available in this version of the harness';
  const listeners = new Map();

  kit.UnavailableError = class UnavailableError extends Error {};
  kit.forgetListeners = () => listeners.clear();

  kit.consoleFor = function consoleFor(log) {
    const write = (...parts) => {
      kit.consume(parts);
      const shown = (part) => (kit.isUnrecorded(part) ? `(${kit.reasonOf(part)})` : typeof part === 'string' ? part : kit.display(part));
      if (log.length < 200) log.push(kit.quietly(() => parts.map(shown).join(' ')));
    };
    return { log: write, info: write, warn: write, error: write, debug: write };
  };

  const plain = (value) => {
    try {
      return JSON.parse(JSON.stringify(value) ?? 'null');
    } catch {
      return kit.inspect(value);
    }
  };
  kit.plain = plain;

  kit.missing = function missing(run, name) {
    run.unavailable.push(name);
    throw new kit.UnavailableError(`${name} ${MISSING_HERE}`);
  };

  /** Queues `name` for the harness and returns a promise of its answer. */
  function queue(run, name, given) {
    return new Promise((resolve, reject) => {
      run.asked += 1;
      run.waiting.set(run.asked, { resolve, reject });
      run.queue.push({ id: run.asked, name, given: plain(given) });
    });
  }

  const NOT_HELD = { axios: 'the answer to an axios call', pm: 'the answer to pm.sendRequest', websocket: 'a websocket message',
    inboundEvent: 'an inbound event' };

  /** What a recording answers: nothing it holds. The first answer is where a script's writes begin to hang on it. */
  function replayed(run, name, given) {
    kit.consume(given);
    run.unrecorded.push(name);
    run.before ??= kit.texts();
    const answer = kit.unrecorded(NOT_HELD[name.split('.')[0]]);
    return run.refuses && /^axios/.test(name) ? Promise.reject(answer) : Promise.resolve(answer);
  }

  function askFor(run) {
    return (name, ...given) => {
      if (run.replays) return replayed(run, name, given);
      return run.available.has(name) ? queue(run, name, given) : Promise.resolve().then(() => kit.missing(run, name));
    };
  }

  const sleepFor = (run) => (ms) => (run.replays ? Promise.resolve() : queue(run, 'sleep', [Number(ms) || 0]));

  function timersFor(run) {
    const off = new Set();
    const sleep = sleepFor(run);
    let last = 0;
    const setTimeout = (action, ms = 0, ...given) => {
      const id = (last += 1);
      run.timers += 1;
      sleep(ms).then(() => off.has(id) || action(...given)).catch(run.stray).finally(() => { run.timers -= 1; });
      return id;
    };
    return { setTimeout, clearTimeout: (id) => { off.add(id); } };
  }

  // --- javascript -----------------------------------------------------------------------------------------------------------

  function customFor(run, requestVariables) {
    const sync = (check) => (...given) => {
      const held = given.find(kit.isUnrecorded);
      kit.consume(given);
      return held ? kit.unrecorded(kit.reasonOf(held)) : check(...given);
    };
    return {
      sleep: sleepFor(run),
      skipRequest: () => { requestVariables.SKIP_REQUEST = true; },
      setRequestTimeout: (ms) => { requestVariables.REQUEST_TIMEOUT = ms; },
      appendRequestBody: (body) => { requestVariables.OVERRIDE_REQUEST = { appendMode: true, body }; },
      appendEventBody: (body) => { requestVariables.OVERRIDE_EVENT = { appendMode: true, body }; },
      jws: {
        signRequest: (key) => { requestVariables.TTK_JWS_SIGN_KEY = key; },
        validateCallback: sync(kit.validateCallback),
        validateCallbackProtectedHeaders: sync(kit.validateProtectedHeaders),
      },
    };
  }

  /** Listens from `addListener` on; the first event that the condition lets through is the message. */
  function inboundFor(run, ask) {
    const addListener = async (name, method, path, condition) => {
      if (listeners.has(name)) return;
      listeners.set(name, { condition, seen: 0 });
      await ask('inboundEvent.addListener', name, method, path);
    };
    const getMessage = async (name, timeout = 5000) => {
      const listener = listeners.get(name);
      const isThere = run.available.has('inboundEvent.getMessage');
      if (!listener && isThere) return null;
      if (!isThere) return ask('inboundEvent.getMessage', name);
      try {
        for (let left = Number(timeout) || 0; ;) {
          const { message, waited } = await ask('inboundEvent.getMessage', name, listener.seen, left);
          if (message === null) return null;
          listener.seen += 1;
          if (!listener.condition || listener.condition(message.headers, message.body)) return message;
          left = Math.max(0, left - waited);
        }
      } finally {
        listeners.delete(name);
      }
    };
    return { addListener, getMessage };
  }

  function websocketFor(ask) {
    return {
      connect: (url, name, timeout = 15000) => ask('websocket.connect', url, name, timeout),
      getMessage: (name, timeout = 5000) => ask('websocket.getMessage', name, timeout),
      disconnect: (name) => ask('websocket.disconnect', name),
    };
  }

  kit.javascriptNames = function javascriptNames(run, world) {
    const { environment, requestVariables } = kit.live;
    const ask = askFor(run);
    return {
      environment, requestVariables, request: world.request ?? undefined, response: world.response ?? undefined,
      callback: world.callback ?? undefined, console: kit.consoleFor(run.log), axios: kit.axiosFor(ask),
      custom: customFor(run, requestVariables), websocket: websocketFor(ask), inboundEvent: inboundFor(run, ask),
      atob: kit.decode64, ...timersFor(run),
    };
  };

  // --- postman --------------------------------------------------------------------------------------------------------------

  function variables(values) {
    return {
      get: (name) => values[name],
      set: (name, value) => { values[name] = value; },
      unset: (name) => { delete values[name]; },
      has: (name) => name in values,
      clear: () => Object.keys(values).forEach((name) => delete values[name]),
      toObject: () => ({ ...values }),
    };
  }

  function uuid() {
    const hex = () => Math.floor(Math.random() * 16).toString(16);
    return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (char) => (char === 'x' ? hex() : '89ab'[Math.floor(Math.random() * 4)]));
  }

  function requireFor(run) {
    const modules = { uuid: Object.assign(() => uuid(), { v4: uuid }), atob: kit.decode64, btoa: (text) => kit.btoa(text) };
    return (name) => (Object.hasOwn(modules, name) ? modules[name] : kit.missing(run, `require('${name}')`));
  }

  function responseFor(given) {
    if (!given) return undefined;
    const { code, status, body } = given;
    const text = () => (typeof body === 'string' ? body : JSON.stringify(body));
    return { code, status, reason: () => status, body, text, json: () => (typeof body === 'string' ? JSON.parse(body) : body) };
  }

  /** `values` is what `pm.environment` writes; the older `environment` is a copy that only the older setter follows. */
  kit.postmanNames = function postmanNames(run, world, values) {
    const legacy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(values));
    const both = (name, value) => { values[name] = value; legacy[name] = value; };
    const environment = variables(values);
    const local = {};
    const pm = {
      environment, request: world.request ?? undefined, response: responseFor(world.response),
      globals: variables({}), collectionVariables: variables({}),
      variables: { ...variables(local), get: (name) => (name in local ? local[name] : values[name]), has: (name) => name in local || name in values },
      sendRequest: kit.sendRequestFor(askFor(run)),
    };
    return {
      pm, environment: legacy, request: world.request ?? undefined, console: kit.consoleFor(run.log),
      postman: {
        setEnvironmentVariable: both,
        getEnvironmentVariable: (name) => values[name],
        clearEnvironmentVariable: (name) => { delete values[name]; delete legacy[name]; },
      },
      require: requireFor(run), atob: kit.decode64, btoa: kit.btoa, ...timersFor(run),
    };
  };
})
