// The rest of chai 4.4's vocabulary (collections, functions, text) and the chain that ties all words together.
(function (kit) {
  'use strict';

  const { typeOf, inspect, display, deepEqual, Chain, ChainError, AssertionError, needKind, property } = kit;

  // --- nested paths: a.b[0]['c'] as pathval reads them -------------------------------------------------------------

  function steps(path) {
    const parts = path.replace(/([^\\])\[/g, '$1.[').match(/(\\\.|[^.]+?)+/g);
    return parts.map((part) => {
      if (['constructor', '__proto__', 'prototype'].includes(part)) return undefined;
      const index = /^\[(\d+)\]$/.exec(part);
      return index ? Number(index[1]) : part.replace(/\\([.[\]])/g, '$1');
    });
  }

  kit.follow = function follow(subject, path) {
    const keys = steps(path);
    const walk = (names) => {
      let value = subject;
      let last = null;
      names.forEach((name, i) => {
        if (!value) return;
        value = value[name];
        if (i === names.length - 1) last = value;
      });
      return last;
    };
    const key = keys[keys.length - 1];
    return { parent: keys.length > 1 ? walk(keys.slice(0, -1)) : subject, key, value: walk(keys) };
  };

  // --- collections ---------------------------------------------------------------------------------------------------

  function isSubset(subset, superset, { same, contains, ordered }) {
    if (!contains && subset.length !== superset.length) return false;
    const left = contains ? superset : superset.slice();
    return subset.every((item, i) => {
      if (ordered) return same(item, left[i]);
      const at = left.findIndex((other) => same(item, other));
      if (at === -1) return false;
      if (!contains) left.splice(at, 1);
      return true;
    });
  }

  function members(chain, subset) {
    const { subject, flags } = chain;
    needKind(chain, subject, 'array');
    needKind(chain, subset, 'array');
    const same = flags.deep ? deepEqual : (a, b) => a === b;
    const what = flags.contains
      ? `be ${flags.ordered ? 'an ordered superset' : 'a superset'} of #{exp}`
      : `have the same ${flags.ordered ? 'ordered members' : 'members'} as #{exp}`;
    chain.verify(isSubset(subset, subject, { same, contains: flags.contains, ordered: flags.ordered }),
      `expected #{this} to ${what}`, `expected #{this} to not ${what}`, { exp: subset, act: subject });
  }

  function oneOf(chain, list) {
    const { subject: expected, flags } = chain;
    needKind(chain, list, 'array');
    const shown = { exp: list, act: expected };
    if (flags.contains) {
      return chain.verify(list.some((item) => expected.indexOf(item) > -1),
        'expected #{this} to contain one of #{exp}', 'expected #{this} to not contain one of #{exp}', shown);
    }
    if (flags.deep) {
      const text = 'expected #{this} to deeply equal one of #{exp}';
      return chain.verify(list.some((item) => deepEqual(expected, item)), text, text, shown);
    }
    return chain.verify(list.indexOf(expected) > -1, 'expected #{this} to be one of #{exp}', 'expected #{this} to not be one of #{exp}', shown);
  }

  function enumerableKeys(value) {
    const isShown = (symbol) => Object.getOwnPropertyDescriptor(value, symbol).enumerable;
    return [...Object.keys(value), ...Object.getOwnPropertySymbols(value).filter(isShown)];
  }

  function wantedKeys(chain, isCollection, given) {
    const kind = typeOf(given[0]);
    if (isCollection) return kind === 'Array' ? given[0] : given;
    if ((kind === 'Array' || kind === 'Object') && given.length > 1) {
      chain.fail('when testing keys against an object or an array you must give a single Array|Object|String argument ' +
        'or multiple String arguments');
    }
    const keys = kind === 'Array' ? given[0] : kind === 'Object' ? Object.keys(given[0]) : given;
    return keys.map((key) => (typeof key === 'symbol' ? key : String(key)));
  }

  function keys(chain, ...given) {
    const { subject, flags } = chain;
    const isCollection = ['Map', 'Set'].includes(typeOf(subject));
    const actual = isCollection ? [...subject.keys()] : enumerableKeys(subject);
    const wanted = wantedKeys(chain, isCollection, given);
    if (!wanted.length) chain.fail('keys required');
    const all = flags.all || !flags.any;
    const same = flags.deep ? deepEqual : (a, b) => a === b;
    const isThere = (key) => actual.some((other) => same(key, other));
    const holds = all
      ? wanted.every(isThere) && (flags.contains || wanted.length === actual.length)
      : wanted.some(isThere);
    const names = wanted.map(inspect);
    const last = names.pop();
    const list = names.length ? `keys ${names.join(', ')}, ${all ? 'and' : 'or'} ${last}` : `key ${last}`;
    const deep = isCollection && flags.deep ? 'deeply ' : '';
    const what = `${deep}${flags.contains ? 'contain' : 'have'} ${list}`;
    const sorted = (list_) => list_.slice().sort((a, b) => (inspect(a) < inspect(b) ? -1 : 1));
    chain.verify(holds, `expected #{this} to ${what}`, `expected #{this} to not ${what}`, { exp: sorted(wanted), act: sorted(actual) });
  }

  // --- text, numbers, classes ----------------------------------------------------------------------------------------

  // Parameters that chai would call into carry chai's names, because V8 puts them in the text of its TypeError.
  function match(chain, re) {
    chain.verify(re.exec(chain.subject), `expected #{this} to match ${re}`, `expected #{this} not to match ${re}`);
  }

  function string(chain, part) {
    needKind(chain, chain.subject, 'string');
    chain.verify(chain.subject.indexOf(part) !== -1, `expected #{this} to contain ${inspect(part)}`, `expected #{this} to not contain ${inspect(part)}`);
  }

  function closeTo(chain, wanted, delta) {
    needKind(chain, chain.subject, 'number');
    if (typeof wanted !== 'number' || typeof delta !== 'number') {
      chain.fail(`the arguments to closeTo or approximately must be numbers${delta === undefined ? ', and a delta is required' : ''}`);
    }
    const what = `be close to ${wanted} +/- ${delta}`;
    chain.verify(Math.abs(chain.subject - wanted) <= delta, `expected #{this} to ${what}`, `expected #{this} not to ${what}`);
  }

  function instanceOf(chain, type) {
    let holds;
    try {
      holds = chain.subject instanceof type;
    } catch (problem) {
      if (!(problem instanceof TypeError)) throw problem;
      chain.fail(`The instanceof assertion needs a constructor but ${typeOf(type)} was given.`);
    }
    const name = typeof type === 'function' ? type.name : 'an unnamed constructor';
    chain.verify(holds, `expected #{this} to be an instance of ${name}`, `expected #{this} to not be an instance of ${name}`);
  }

  function respondTo(chain, method) {
    const { subject, flags } = chain;
    const owner = typeof subject === 'function' && !flags.itself ? subject.prototype : subject;
    chain.verify(typeof owner[method] === 'function',
      `expected #{this} to respond to ${inspect(method)}`, `expected #{this} to not respond to ${inspect(method)}`);
  }

  function satisfy(chain, matcher) {
    const result = matcher(chain.subject);
    // chai's negated text has no space before the function.
    chain.verify(result, `expected #{this} to satisfy ${display(matcher)}`, `expected #{this} to not satisfy${display(matcher)}`,
      { exp: !chain.flags.negate, act: result });
  }

  // --- throwing --------------------------------------------------------------------------------------------------------

  const asText = (problem) => (problem instanceof Error ? problem.toString() : problem && className(problem));

  function className(errorLike) {
    if (errorLike instanceof Error) return errorLike.constructor.name;
    if (typeof errorLike !== 'function') return errorLike;
    return errorLike.name || new errorLike().name || '';
  }

  function isSort(problem, type) {
    if (type instanceof Error) return problem.constructor === type.constructor || problem instanceof type.constructor;
    if (type.prototype instanceof Error || type === Error) return problem.constructor === type || problem instanceof type;
    return false;
  }

  function says(problem, wanted) {
    const text = typeof problem === 'string' ? problem : problem.message;
    if (wanted instanceof RegExp) return wanted.test(text);
    return typeof wanted === 'string' && text.includes(wanted);
  }

  function throws(chain, first, second) {
    needKind(chain, chain.subject, 'function');
    const negate = Boolean(chain.flags.negate);
    const isText = first instanceof RegExp || typeof first === 'string';
    const type = isText ? null : first;
    const text = isText ? first : second;
    let caught;
    try {
      chain.subject();
    } catch (problem) {
      caught = problem;
    }
    const unspecified = type === undefined && text === undefined;
    if (unspecified || !negate) {
      const what = type instanceof Error ? '#{exp}' : type ? className(type) : 'an error';
      const got = caught instanceof Error ? caught.toString() : typeof caught === 'string' ? caught : caught && className(caught);
      chain.verify(caught, `expected #{this} to throw ${what}`, 'expected #{this} to not throw an error but #{act} was thrown',
        { exp: type && type.toString(), act: got });
    }
    const both = Boolean(type && text);
    const thrown = caught ? ' but #{act} was thrown' : '';
    const differs = (shown) =>
      chain.verify(negate, 'expected #{this} to throw #{exp} but #{act} was thrown', `expected #{this} to not throw #{exp}${thrown}`, shown);
    let wrongType = false;
    let wrongText = false;
    if (type && caught) {
      if (type instanceof Error && (caught === type) === negate) {
        if (both && negate) wrongType = true;
        else {
          chain.verify(negate, 'expected #{this} to throw #{exp} but #{act} was thrown',
            `expected #{this} to not throw #{exp}${negate ? '' : thrown}`, { exp: type.toString(), act: caught.toString() });
        }
      }
      if (isSort(caught, type) === negate) {
        if (both && negate) wrongType = true;
        else differs({ exp: asText(type), act: asText(caught) });
      }
    }
    if (caught && text !== undefined && text !== null && says(caught, text) === negate) {
      if (both && negate) wrongText = true;
      else {
        const how = text instanceof RegExp ? 'matching' : 'including';
        const got = (caught && caught.message) || (typeof caught === 'string' ? caught : '');
        chain.verify(negate, `expected #{this} to throw error ${how} #{exp} but got #{act}`,
          `expected #{this} to throw error not ${how} #{exp}`, { exp: text, act: got });
      }
    }
    if (wrongType && wrongText) differs({ exp: asText(type), act: asText(caught) });
    chain.flags.subject = caught;
  }

  // --- changing --------------------------------------------------------------------------------------------------------

  function changing(verb, holds, delta, numeric) {
    return function change(chain, subject, name) {
      needKind(chain, chain.subject, 'function');
      if (!name) needKind(chain, subject, 'function');
      else property(chain.about(subject), name);
      const read = () => (name === undefined || name === null ? subject() : subject[name]);
      const before = name ? subject[name] : subject();
      if (numeric) needKind(chain, before, 'number');
      chain.subject();
      const after = read();
      const what = name === undefined || name === null ? before : `.${name}`;
      chain.flags.delta = { what, before, after, verb, real: delta(before, after) };
      chain.verify(holds(before, after), `expected ${what} to ${verb}`, `expected ${what} to not ${verb}`);
    };
  }

  const change = changing('change', (a, b) => a !== b, (a, b) => a !== b, false);
  const increase = changing('increase', (a, b) => b - a > 0, (a, b) => b - a, true);
  const decrease = changing('decrease', (a, b) => b - a < 0, (a, b) => a - b, true);

  function by(chain, amount) {
    const { what, before, after, verb, real } = chain.flags.delta || {};
    const holds = verb === 'change' ? Math.abs(after - before) === Math.abs(amount) : real === Math.abs(amount);
    chain.verify(holds, `expected ${what} to ${verb} by ${amount}`, `expected ${what} to not ${verb} by ${amount}`);
  }

  Object.assign(kit.METHODS, {
    members, oneOf, keys, key: keys, match, matches: match, string, closeTo, approximately: closeTo,
    instanceof: instanceOf, instanceOf, respondTo, respondsTo: respondTo, satisfy, satisfies: satisfy,
    throw: throws, throws, Throw: throws, change, changes: change, increase, increases: increase,
    decrease, decreases: decrease, by,
  });

  // --- the chain ---------------------------------------------------------------------------------------------------------

  /** Where a method takes its optional message: chai's last parameter. */
  const MESSAGE_AT = { property: 2, ownProperty: 2, haveOwnProperty: 2, ownPropertyDescriptor: 2, haveOwnPropertyDescriptor: 2,
    within: 2, closeTo: 2, approximately: 2, throw: 2, throws: 2, Throw: 2, change: 2, changes: 2, increase: 2, increases: 2,
    decrease: 2, decreases: 2, keys: Infinity, key: Infinity };

  const LINKS = new Set([...kit.WORDS, ...Object.keys(kit.FLAGS), ...Object.keys(kit.PROPERTIES), ...Object.keys(kit.METHODS),
    ...Object.keys(kit.CHAINABLE)]);

  function distance(a, b) {
    let row = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i += 1) {
      const next = [i];
      for (let j = 1; j <= b.length; j += 1) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      row = next;
    }
    return row[b.length];
  }

  function unknown(word) {
    let best = null;
    let closest = 4;
    for (const link of LINKS) {
      const far = distance(word, link);
      if (far < closest) [best, closest] = [link, far];
    }
    return new ChainError(`Invalid Chai property: ${word}${best === null ? '' : `. Did you mean "${best}"?`}`);
  }

  function run(chain, name, check, given) {
    chain.tally.count += 1;
    const message = given[MESSAGE_AT[name] ?? 1];
    if (message) chain.flags.message = message;
    check(chain, ...given);
    return link(new Chain({ ...chain.flags }, chain.tally));
  }

  function method(chain, name, check) {
    const call = (...given) => run(chain, name, check, given);
    return new Proxy(call, {
      get(target, word) {
        if (typeof word === 'string' && word !== 'length' && !PASSED_OVER_BY_CALLS.has(word) && !(word in target)) {
          throw new ChainError(`Invalid Chai property: ${name}.${word}. See docs for proper usage of "${name}".`);
        }
        if (word === 'length') throw new ChainError(`Invalid Chai property: ${name}.length. See docs for proper usage of "${name}".`);
        return Reflect.get(target, word);
      },
    });
  }

  const PASSED_OVER_BY_CALLS = kit.PASSED_OVER;

  function chainable(chain, name, [check, flags]) {
    Object.assign(chain.flags, flags);
    const next = new Chain({ ...chain.flags }, chain.tally);
    return new Proxy((...given) => run(next, name, check, given), {
      get(target, word) {
        if (word === 'length') {
          throw new ChainError(`Invalid Chai property: ${name}.length. Due to a compatibility issue, "length" cannot directly ` +
            `follow "${name}". Use "${name}.lengthOf" instead.`);
        }
        return word === 'call' || word === 'apply' ? Reflect.get(target, word) : step(next, word);
      },
    });
  }

  function step(chain, word) {
    if (typeof word !== 'string' || kit.PASSED_OVER.has(word)) return undefined;
    if (kit.WORDS.has(word)) return link(new Chain({ ...chain.flags }, chain.tally));
    if (Object.hasOwn(kit.FLAGS, word)) {
      Object.assign(chain.flags, kit.FLAGS[word]);
      return link(new Chain({ ...chain.flags }, chain.tally));
    }
    if (Object.hasOwn(kit.PROPERTIES, word)) {
      chain.tally.count += 1;
      kit.PROPERTIES[word](chain);
      return link(new Chain({ ...chain.flags }, chain.tally));
    }
    if (Object.hasOwn(kit.METHODS, word)) return method(chain, word, kit.METHODS[word]);
    if (Object.hasOwn(kit.CHAINABLE, word)) return chainable(chain, word, kit.CHAINABLE[word]);
    throw unknown(word);
  }

  const link = (chain) => new Proxy(Object.create(null), { get: (_, word) => step(chain, word) });

  /** Returns an `expect` that counts into `tally.count` each check it executes. */
  kit.expectFor = function expectFor(tally) {
    const expect = (subject, message) => link(new Chain({ subject, message }, tally));
    expect.fail = (...given) => {
      tally.count += 1;
      throw new AssertionError(given.length < 2 ? given[0] || 'expect.fail()' : given[2] || 'expect.fail()');
    };
    return expect;
  };
})
