// What scripts and assertions share: `environment` for the whole run, `requestVariables` for one request.
// It stays here between calls; only what changed crosses to the harness, and NaN, infinities and dates survive the way.
(function (kit) {
  'use strict';

  const { parse, stringify } = JSON;
  const { MARK } = kit;
  const NAMES = ['environment', 'requestVariables'];
  const live = { environment: {}, requestVariables: {} };
  const known = { environment: new Map(), requestVariables: new Map() };

  function special(key, value) {
    const raw = this[key];
    if (typeof raw === 'number' && !Number.isFinite(raw)) return { [MARK]: String(raw) };
    if (raw instanceof Date && !Number.isNaN(raw.getTime())) return { [MARK]: 'Date', iso: raw.toISOString() };
    return value;
  }

  const textOf = (value) => kit.quietly(() => stringify({ value }, special).slice(9, -1));

  function install(owner, key, mark) {
    if (mark[MARK] === 'Date') owner[key] = new Date(mark.iso);
    else if (mark[MARK] !== 'unrecorded') owner[key] = Number(mark[MARK]);
    else {
      Object.defineProperty(owner, key, {
        enumerable: true, configurable: true,
        get: () => kit.unrecorded(mark.reason),
        set: (value) => Object.defineProperty(owner, key, { value, enumerable: true, configurable: true, writable: true }),
      });
    }
  }

  function revive(owner) {
    if (owner === null || typeof owner !== 'object') return owner;
    for (const key of Object.keys(owner)) {
      const value = owner[key];
      if (value !== null && typeof value === 'object') {
        if (Object.hasOwn(value, MARK)) install(owner, key, value);
        else revive(value);
      }
    }
    return owner;
  }

  /** Reads JSON in which special values are marked. */
  kit.decode = (text) => (text.includes(`"${MARK}"`) ? revive(parse(text)) : parse(text));

  // --- whose objects they are ------------------------------------------------------------------------------------------
  // The reference engine runs a `javascript` script in a realm of its own, and chai shows an object of another realm as
  // `Object{ … }`. So objects that such a script made get a prototype of their own; what came from outside keeps its own.

  const FOREIGN = Object.create(null, Object.getOwnPropertyDescriptors(Object.prototype));
  Object.defineProperty(FOREIGN, 'constructor', { value: { Object: function () {} }.Object, writable: true, configurable: true });
  const native = new WeakSet();
  const isObject = (value) => value !== null && typeof value === 'object';

  function* objectsIn(value, path = [], seen = new Set()) {
    if (!isObject(value) || seen.has(value)) return;
    seen.add(value);
    yield [value, path];
    for (const key of Object.keys(value)) yield* objectsIn(value[key], [...path, key], seen);
  }

  /** Notes that everything in `value` came from outside a script. */
  kit.isNative = (value) => kit.quietly(() => { for (const [object] of objectsIn(value)) native.add(object); });

  const foreignPaths = (value) =>
    kit.quietly(() => [...objectsIn(value)].filter(([object]) => Object.getPrototypeOf(object) === FOREIGN).map(([, path]) => path));

  function makeForeign(value) {
    for (const [object] of objectsIn(value)) {
      if (!native.has(object) && Object.getPrototypeOf(object) === Object.prototype) Object.setPrototypeOf(object, FOREIGN);
    }
  }

  /** Takes over what the harness says is new; returns whether a new request begins with it. */
  kit.load = function load(world) {
    for (const name of NAMES) {
      if (world[name] === undefined) continue;
      live[name] = world[name];
      known[name] = new Map(textsOf(live[name], []));
      kit.isNative(live[name]);
    }
    for (const [key, paths] of Object.entries(world.foreign ?? {})) {
      for (const path of paths) Object.setPrototypeOf(path.reduce((value, step) => value[step], live.environment[key]), FOREIGN);
    }
    return world.requestVariables !== undefined;
  };

  kit.live = live;

  // Nearly all values are texts that no script touches: what each was, and its JSON, to have it from without asking again.
  const plain = new Map();

  function plainText(key, value) {
    const last = plain.get(key);
    if (last !== undefined && last.value === value) return last.text;
    const text = stringify(value);
    plain.set(key, { value, text });
    return text;
  }

  function textsOf(object, problems) {
    const texts = [];
    kit.quietly(() => {
      for (const key of Object.keys(object)) {
        try {
          const value = object[key];
          const text = typeof value === 'string' || typeof value === 'boolean' ? plainText(key, value) : textOf(value);
          if (text) texts.push([key, text]);
        } catch (problem) {
          problems.push(`${key} cannot be kept: ${problem.message}`);
        }
      }
    });
    return texts;
  }

  /** Returns, per name, the text of every value as it is now. */
  kit.texts = () => Object.fromEntries(NAMES.map((name) => [name, new Map(textsOf(live[name], []))]));

  /**
   * Returns what changed since the harness last knew, as JSON text, and notes that it knows now.
   * What the realm of the script made (`isForeign`), and did not get from outside, is given that realm's prototype.
   */
  kit.changes = function changes(problems, isForeign) {
    const parts = NAMES.map((name) => {
      const now = new Map(textsOf(live[name], problems));
      for (const key of Object.keys(live[name])) if (!now.has(key) && known[name].has(key) && live[name][key] !== undefined) now.set(key, known[name].get(key));
      const set = [...now].filter(([key, text]) => known[name].get(key) !== text);
      const gone = [...known[name].keys()].filter((key) => !now.has(key));
      known[name] = now;
      const entries = set.map(([key, text]) => `${stringify(key)}:${text}`);
      const objects = set.filter(([, text]) => /^[[{]/.test(text)).map(([key]) => [key, kit.quietly(() => live[name][key])]);
      if (isForeign) kit.quietly(() => objects.forEach(([, value]) => makeForeign(value)));
      const foreign = Object.fromEntries(objects.map(([key, value]) => [key, foreignPaths(value)]));
      return `${stringify(name)}:{"set":{${entries.join(',')}},"gone":${stringify(gone)},"foreign":${stringify(foreign)}}`;
    });
    return `{${parts.join(',')}}`;
  };

  function settle(owner, seen) {
    if (!isObject(owner) || seen.has(owner)) return;
    seen.add(owner);
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (kit.isUnrecorded(value)) install(owner, key, { [MARK]: 'unrecorded', reason: kit.reasonOf(value) });
      else settle(value, seen);
    }
  }

  /** Makes every stand-in that was stored one whose reading is noticed. */
  kit.settle = () => NAMES.forEach((name) => settle(live[name], new Set()));

  /** Puts a stand-in under `key` of `name`. */
  kit.taint = (name, key, reason) => install(live[name], key, { [MARK]: 'unrecorded', reason });
})
