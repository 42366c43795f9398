// `expect(value)`: the BDD vocabulary of chai 4.4 with its failure texts, and a tally of the checks that were executed.
// A word that is not in the vocabulary is a ChainError: the harness reports it as an error, never as a pass.
(function (kit) {
  'use strict';

  const { typeOf, inspect, display, deepEqual } = kit;
  const kindOf = (value) => typeOf(value).toLowerCase();

  class AssertionError extends Error {
    constructor(message, shown = {}) {
      super(message);
      this.name = 'AssertionError';
      this.expected = shown.expected;
      this.actual = shown.actual;
    }
  }

  class ChainError extends Error {}

  kit.AssertionError = AssertionError;
  kit.ChainError = ChainError;

  const WORDS = new Set(
    'to be been is and has have with that which at of same but does still also'.split(' '));
  const FLAGS = {
    not: { negate: true }, deep: { deep: true }, nested: { nested: true }, own: { own: true },
    ordered: { ordered: true }, any: { any: true, all: false }, all: { all: true, any: false }, itself: { itself: true },
  };
  const PASSED_OVER = new Set(['then', 'catch', 'inspect', 'toJSON']);

  // --- a chain: the flags collected so far; each word gives a new one ---------------------------------------------

  class Chain {
    constructor(flags, tally) {
      this.flags = flags;
      this.tally = tally;
    }

    get subject() {
      return this.flags.subject;
    }

    get prefix() {
      return this.flags.message ? `${this.flags.message}: ` : '';
    }

    about(subject) {
      return new Chain({ subject, message: this.flags.message }, { count: 0 });
    }

    fail(text) {
      throw new AssertionError(this.prefix + text);
    }

    /** Throws chai's failure text unless `holds`, or, negated, if it holds. `shown` may give `exp` and `act`. */
    verify(holds, text, negatedText, shown = {}) {
      if (Boolean(holds) !== Boolean(this.flags.negate)) return;
      const actual = 'act' in shown ? shown.act : this.subject;
      const parts = { this: this.subject, exp: shown.exp, act: actual };
      const filled = (this.flags.negate ? negatedText : text).replace(/#\{(this|exp|act)\}/g, (_, key) => display(parts[key]));
      throw new AssertionError(this.prefix + filled, { expected: shown.exp, actual });
    }
  }

  // --- checks that are a word --------------------------------------------------------------------------------------

  const exists = (chain) =>
    chain.verify(chain.subject !== null && chain.subject !== undefined,
      'expected #{this} to exist', 'expected #{this} to not exist');
  const isArguments = (chain) =>
    chain.verify(typeOf(chain.subject) === 'Arguments',
      `expected #{this} to be arguments but got ${typeOf(chain.subject)}`, 'expected #{this} to not be arguments');
  const isObject = (value) => value === Object(value);
  const toBe = (chain, holds, what) => chain.verify(holds, `expected #{this} to be ${what}`, `expected #{this} not to be ${what}`);
  const toNotBe = (chain, holds, what) => chain.verify(holds, `expected #{this} to be ${what}`, `expected #{this} to not be ${what}`);

  const PROPERTIES = {
    ok: (chain) => chain.verify(chain.subject, 'expected #{this} to be truthy', 'expected #{this} to be falsy'),
    true: (chain) =>
      chain.verify(chain.subject === true, 'expected #{this} to be true', 'expected #{this} to be false', { exp: !chain.flags.negate }),
    false: (chain) =>
      chain.verify(chain.subject === false, 'expected #{this} to be false', 'expected #{this} to be true', { exp: Boolean(chain.flags.negate) }),
    null: (chain) => toBe(chain, chain.subject === null, 'null'),
    undefined: (chain) => toBe(chain, chain.subject === undefined, 'undefined'),
    NaN: (chain) => toBe(chain, Number.isNaN(chain.subject), 'NaN'),
    exist: exists,
    exists,
    empty: (chain) => toBe(chain, sizeOf(chain) === 0, 'empty'),
    arguments: isArguments,
    Arguments: isArguments,
    extensible: (chain) => toNotBe(chain, isObject(chain.subject) && Object.isExtensible(chain.subject), 'extensible'),
    sealed: (chain) => toNotBe(chain, !isObject(chain.subject) || Object.isSealed(chain.subject), 'sealed'),
    frozen: (chain) => toNotBe(chain, !isObject(chain.subject) || Object.isFrozen(chain.subject), 'frozen'),
    finite: (chain) => toNotBe(chain, Number.isFinite(chain.subject), 'a finite number'),
  };

  function sizeOf(chain) {
    const value = chain.subject;
    switch (kindOf(value)) {
      case 'array':
      case 'string':
        return value.length;
      case 'map':
      case 'set':
        return value.size;
      case 'weakmap':
      case 'weakset':
        return chain.fail('.empty was passed a weak collection');
      case 'function':
        throw new AssertionError(`${chain.prefix}.empty was passed a function ${value.name}`.trim());
      default:
        if (!isObject(value)) chain.fail(`.empty was passed non-string primitive ${inspect(value)}`);
        return Object.keys(value).length;
    }
  }

  // --- checks that are called --------------------------------------------------------------------------------------

  const article = (word) => (/^[aeiou]/.test(word) ? 'an' : 'a');

  function beKind(chain, type) {
    const wanted = type.toLowerCase();
    toBe(chain, wanted === kindOf(chain.subject), `${article(wanted)} ${wanted}`);
  }

  const needKind = (chain, value, wanted) => beKind(chain.about(value), wanted);

  function equal(chain, value) {
    if (chain.flags.deep) return eql(chain, value);
    return chain.verify(value === chain.subject, 'expected #{this} to equal #{exp}', 'expected #{this} to not equal #{exp}', { exp: value });
  }

  function eql(chain, value) {
    chain.verify(deepEqual(value, chain.subject),
      'expected #{this} to deeply equal #{exp}', 'expected #{this} to not deeply equal #{exp}', { exp: value });
  }

  function include(chain, value) {
    const { subject, flags } = chain;
    const deep = Boolean(flags.deep);
    const kind = kindOf(subject);
    let found = false;
    switch (kind) {
      case 'string':
        found = subject.indexOf(value) !== -1;
        break;
      case 'weakset':
        if (deep) chain.fail('unable to use .deep.include with WeakSet');
        found = subject.has(value);
        break;
      case 'map':
        found = [...subject.values()].some((item) => (deep ? deepEqual(item, value) : item === value || Object.is(item, value)));
        break;
      case 'set':
        found = deep ? [...subject].some((item) => deepEqual(item, value)) : subject.has(value);
        break;
      case 'array':
        found = deep ? subject.some((item) => deepEqual(item, value)) : subject.indexOf(value) !== -1;
        break;
      default:
        return includeProperties(chain, value, kind);
    }
    const verb = `${deep ? 'deep ' : ''}include ${inspect(value)}`;
    return chain.verify(found, `expected #{this} to ${verb}`, `expected #{this} to not ${verb}`);
  }

  function includeProperties(chain, value, kind) {
    if (!isObject(value)) {
      const given = kindOf(value);
      chain.fail(`the given combination of arguments (${kind} and ${given}) is invalid for this assertion. ` +
        `You can use an array, a map, an object, a set, a string, or a weakset instead of a ${given}`);
    }
    const names = Object.keys(value);
    const tryOne = (name) => property(new Chain({ ...chain.flags }, chain.tally), name, value[name]);
    if (!chain.flags.negate || names.length === 1) return names.forEach(tryOne);
    const failures = [];
    for (const name of names) {
      try {
        tryOne(name);
      } catch (problem) {
        if (!(problem instanceof AssertionError)) throw problem;
        failures.push(problem);
      }
    }
    if (names.length > 1 && failures.length === names.length) throw failures[0];
    return undefined;
  }

  // --- comparing sizes -----------------------------------------------------------------------------------------------

  /** Returns the number to compare and its name (`length`, `size`); refuses what is neither number nor date. */
  function measured(chain, name, bounds) {
    const { subject, flags } = chain;
    const kind = kindOf(subject);
    const given = bounds.map(kindOf);
    const sized = kind === 'map' || kind === 'set';
    if (flags.doLength && !sized) property(chain.about(subject), 'length');
    const plural = bounds.length > 1;
    const who = plural ? `the arguments to ${name} must be` : `the argument to ${name} must be a`;
    if (!flags.doLength && kind === 'date' && given.some((type) => type !== 'date')) {
      chain.fail(`${who} date${plural ? 's' : ''}`);
    }
    if ((flags.doLength || kind === 'number') && given.some((type) => type !== 'number')) {
      chain.fail(`${who} number${plural ? 's' : ''}`);
    }
    if (!flags.doLength && kind !== 'date' && kind !== 'number') {
      chain.fail(`expected ${kind === 'string' ? `'${subject}'` : subject} to be a number or a date`);
    }
    if (!flags.doLength) return [subject, null];
    return sized ? [subject.size, 'size'] : [subject.length, 'length'];
  }

  function compared(name, holds, words, negated, lengthWords, negatedLength) {
    return function compare(chain, bound) {
      const [value, what] = measured(chain, name, [bound]);
      if (what === null) {
        return chain.verify(holds(value, bound), `expected #{this} to be ${words} #{exp}`, `expected #{this} to be ${negated} #{exp}`, { exp: bound });
      }
      return chain.verify(holds(value, bound),
        `expected #{this} to have a ${what} ${lengthWords} #{exp} but got #{act}`,
        `expected #{this} to ${negatedLength(what)} #{exp}`, { exp: bound, act: value });
    };
  }

  const above = compared('above', (a, b) => a > b, 'above', 'at most', 'above', (what) => `not have a ${what} above`);
  const least = compared('least', (a, b) => a >= b, 'at least', 'below', 'at least', (what) => `have a ${what} below`);
  const below = compared('below', (a, b) => a < b, 'below', 'at least', 'below', (what) => `not have a ${what} below`);
  const most = compared('most', (a, b) => a <= b, 'at most', 'above', 'at most', (what) => `have a ${what} above`);

  function within(chain, low, high) {
    const dates = kindOf(low) === 'date' && kindOf(high) === 'date';
    const range = dates ? `${low.toISOString()}..${high.toISOString()}` : `${low}..${high}`;
    const [value, what] = measured(chain, 'within', [low, high]);
    const verb = what === null ? `be within ${range}` : `have a ${what} within ${range}`;
    chain.verify(value >= low && value <= high, `expected #{this} to ${verb}`, `expected #{this} to not ${verb}`);
  }

  function lengthOf(chain, wanted) {
    const sized = ['map', 'set'].includes(kindOf(chain.subject));
    if (!sized) property(chain.about(chain.subject), 'length');
    const what = sized ? 'size' : 'length';
    const count = chain.subject[what];
    // eslint-disable-next-line eqeqeq -- chai compares a length loosely: '2' is 2.
    chain.verify(count == wanted, `expected #{this} to have a ${what} of #{exp} but got #{act}`,
      `expected #{this} to not have a ${what} of #{act}`, { exp: wanted, act: count });
  }

  // --- properties ----------------------------------------------------------------------------------------------------

  function property(chain, name, ...rest) {
    const { subject, flags } = chain;
    if (flags.nested && typeof name !== 'string') {
      chain.fail('the argument to property must be a string when using nested syntax');
    }
    if (!['string', 'number', 'symbol'].includes(typeof name)) {
      chain.fail('the argument to property must be a string, number, or symbol');
    }
    if (flags.nested && flags.own) chain.fail('The "nested" and "own" flags cannot be combined.');
    if (subject === null || subject === undefined) chain.fail('Target cannot be null or undefined.');
    const place = flags.nested ? kit.follow(subject, name) : { parent: subject, key: name, value: subject[name] };
    const { parent, key, value } = place;
    const has = flags.own ? Object.hasOwn(Object(subject), name) : parent !== null && parent !== undefined && key in Object(parent);
    const kind = ['deep', 'own', 'nested'].filter((word) => flags[word]).map((word) => `${word} `).join('');
    const what = `have ${kind}property ${inspect(name)}`;
    if (!flags.negate || rest.length === 0) {
      chain.verify(has, `expected #{this} to ${what}`, `expected #{this} to not ${what}`);
    }
    if (rest.length > 0) {
      const matches = flags.deep ? deepEqual(rest[0], value) : rest[0] === value;
      chain.verify(has && matches, `expected #{this} to ${what} of #{exp}, but got #{act}`, `expected #{this} to not ${what} of #{act}`,
        { exp: rest[0], act: value });
    }
    flags.subject = value;
  }

  function ownProperty(chain, ...rest) {
    chain.flags.own = true;
    property(chain, ...rest);
  }

  function ownPropertyDescriptor(chain, name, wanted) {
    const found = Object.getOwnPropertyDescriptor(Object(chain.subject), name);
    const given = typeof wanted === 'string' ? null : wanted;
    if (found && given) {
      const what = `expected the own property descriptor for ${inspect(name)} on #{this} to`;
      chain.verify(deepEqual(given, found), `${what} match ${inspect(given)}, got ${inspect(found)}`, `${what} not match ${inspect(given)}`,
        { exp: given, act: found });
    } else {
      const what = `have an own property descriptor for ${inspect(name)}`;
      chain.verify(found, `expected #{this} to ${what}`, `expected #{this} to not ${what}`);
    }
    chain.flags.subject = found;
  }

  Object.assign(kit, { Chain, WORDS, FLAGS, PROPERTIES, PASSED_OVER, needKind, property });
  kit.METHODS = {
    equal, equals: equal, eq: equal, eql, eqls: eql,
    above, gt: above, greaterThan: above, least, gte: least, greaterThanOrEqual: least,
    below, lt: below, lessThan: below, most, lte: most, lessThanOrEqual: most, within,
    property, ownProperty, haveOwnProperty: ownProperty,
    ownPropertyDescriptor, haveOwnPropertyDescriptor: ownPropertyDescriptor,
  };
  kit.CHAINABLE = {
    a: [beKind, {}], an: [beKind, {}],
    include: [include, { contains: true }], includes: [include, { contains: true }],
    contain: [include, { contains: true }], contains: [include, { contains: true }],
    length: [lengthOf, { doLength: true }], lengthOf: [lengthOf, { doLength: true }],
  };
})
