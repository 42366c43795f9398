// What a value is, how it is shown in a failure message, and whether two values are deeply equal.
// Behaviour: chai 4.4's (type names, 40-character display, deep equality by type); the words end up in baselines.
(function (kit) {
  'use strict';

  const LIMIT = 40;
  const CUT = '…';
  const toTag = (value) => Object.prototype.toString.call(value).slice(8, -1);

  kit.typeOf = function typeOf(value) {
    if (value === null) return 'null';
    if (typeof value !== 'object') return typeof value;
    if (value === globalThis) return 'global';
    const tag = value[Symbol.toStringTag];
    if (typeof tag === 'string') return tag;
    if (Array.isArray(value)) return 'Array';
    return Object.getPrototypeOf(value) === null ? 'Object' : toTag(value);
  };

  // --- showing -------------------------------------------------------------------------------------------------
  // A `room` is what is left of the 40 characters at one level; a nested value starts with a copy of it.

  function clip(text, length) {
    text = String(text);
    if (text.length <= 1 || text.length <= length) return text;
    return length < 1 ? CUT : text.slice(0, length - 1) + CUT;
  }

  const showNested = (value, room) => show(value, room.left);

  function showList(items, room, showItem) {
    const separator = ', ';
    const total = room.left;
    const count = items.length;
    let text = '';
    let ahead = '';
    for (let i = 0; i < count; i += 1) {
      const rest = count - i;
      const marker = `${CUT}(${rest})`;
      room.left = total - text.length - (rest === 1 ? 0 : separator.length);
      const piece = ahead || showItem(items[i], room) + (rest === 1 ? '' : separator);
      const reach = text.length + piece.length;
      const overWithMarker = reach + marker.length > total;
      if (rest === 1 && reach > total && text.length + marker.length <= total) return text + marker;
      if (rest > 2 && overWithMarker) return text + marker;
      ahead = rest === 1 ? '' : showItem(items[i + 1], room) + (rest === 2 ? '' : separator);
      if (rest === 2 && overWithMarker && reach + ahead.length > total) return text + marker;
      text += piece;
      if (rest > 2 && reach + ahead.length >= total) return `${text}${CUT}(${rest - 1})`;
    }
    return text;
  }

  function showKey(key) {
    if (/^[a-zA-Z_][a-zA-Z_0-9]*$/.test(key)) return key;
    const inner = JSON.stringify(key).slice(1, -1);
    return `'${inner.replace(/'/g, "\\'").replace(/\\"/g, '"')}'`;
  }

  function showEntry([key, value], room) {
    room.left -= 2;
    const name = typeof key === 'string' ? showKey(key) : typeof key === 'number' ? key : `[${show(key, room.left)}]`;
    room.left -= name.length;
    return `${name}: ${show(value, room.left)}`;
  }

  const entriesOf = (value, keys) => keys.map((key) => [key, value[key]]);
  const underway = [];

  function showObject(value, room) {
    const names = Object.getOwnPropertyNames(value);
    const symbols = Object.getOwnPropertySymbols(value);
    if (names.length + symbols.length === 0) return '{}';
    room.left -= 4;
    if (underway.includes(value)) return '[Circular]';
    underway.push(value);
    try {
      const parts = [names, symbols].map((keys) => showList(entriesOf(value, keys), room, showEntry));
      return `{ ${parts.filter(Boolean).join(', ')} }`;
    } finally {
      underway.pop();
    }
  }

  function showArray(value, room) {
    const extra = Object.keys(value).slice(value.length);
    if (!value.length && !extra.length) return '[]';
    room.left -= 4;
    const items = showList(value, room, showNested);
    room.left -= items.length;
    const named = extra.length ? showList(entriesOf(value, extra), room, showEntry) : '';
    return `[ ${items}${named ? `, ${named}` : ''} ]`;
  }

  function showTypedArray(value, room) {
    const name = value[Symbol.toStringTag] || value.constructor.name;
    room.left -= name.length + 4;
    const extra = Object.keys(value).slice(value.length);
    if (!value.length && !extra.length) return `${name}[]`;
    let items = '';
    for (let i = 0; i < value.length; i += 1) {
      const piece = clip(value[i], room.left) + (i === value.length - 1 ? '' : ', ');
      room.left -= piece.length;
      if (value[i] !== value.length && room.left <= 3) {
        items += `${CUT}(${value.length - value[i] + 1})`;
        break;
      }
      items += piece;
    }
    const named = extra.length ? showList(entriesOf(value, extra), room, showEntry) : '';
    return `${name}[ ${items}${named ? `, ${named}` : ''} ]`;
  }

  function showError(error, room) {
    const known = 'stack line column name message fileName lineNumber columnNumber number description'.split(' ');
    const keys = Object.getOwnPropertyNames(error).filter((key) => !known.includes(key));
    room.left -= error.name.length;
    let message = '';
    if (typeof error.message === 'string') message = clip(error.message, room.left);
    else keys.unshift('message');
    message = message ? `: ${message}` : '';
    room.left -= message.length + 5;
    const named = showList(entriesOf(error, keys), room, showEntry);
    return `${error.name}${message}${named ? ` { ${named} }` : ''}`;
  }

  function showNumber(value, room) {
    const number = Number(value);
    if (number === 0) return Object.is(number, -0) ? '-0' : '+0';
    return Number.isFinite(number) ? clip(value, room.left) : String(number);
  }

  const ESCAPED = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', "'": "\\'" };
  const UNPRINTABLE = new RegExp(
    "['\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u0600-\\u0604\\u070f\\u17b4\\u17b5\\u200c-\\u200f\\u2028-\\u202f" +
      '\\u2060-\\u206f\\ufeff\\ufff0-\\uffff]', 'g');
  const escapeOne = (char) => ESCAPED[char] || `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

  function showString(value, room) {
    return `'${clip(String(value).replace(UNPRINTABLE, escapeOne), room.left - 2)}'`;
  }

  function showFunction(value, room) {
    return value.name ? `[Function ${clip(value.name, room.left - 11)}]` : '[Function]';
  }

  function showDate(value, room) {
    const text = value.toJSON();
    if (text === null) return 'Invalid Date';
    const [day, time] = text.split('T');
    return `${day}T${clip(time, room.left - day.length - 1)}`;
  }

  function showRegExp(value, room) {
    const flags = value.toString().split('/')[2];
    return `/${clip(value.source, room.left - 2 - flags.length)}/${flags}`;
  }

  function showMapEntry([key, value], room) {
    room.left -= 4;
    const name = show(key, room.left);
    room.left -= name.length;
    return `${name} => ${show(value, room.left)}`;
  }

  function showMap(value, room) {
    // chai 4.4 shows a map with a single entry as an empty one.
    if (value.size <= 1) return 'Map{}';
    room.left -= 7;
    return `Map{ ${showList([...value], room, showMapEntry)} }`;
  }

  function showSet(value, room) {
    if (value.size === 0) return 'Set{}';
    room.left -= 7;
    return `Set{ ${showList([...value], room, showNested)} }`;
  }

  function showArguments(value, room) {
    if (value.length === 0) return 'Arguments[]';
    room.left -= 13;
    return `Arguments[ ${showList(value, room, showNested)} ]`;
  }

  function showBigInt(value, room) {
    const digits = clip(value.toString(), room.left - 1);
    return digits === CUT ? digits : `${digits}n`;
  }

  const showSymbol = (value) => (value.description ? `Symbol(${value.description})` : 'Symbol()');
  const opaque = (text) => () => text;

  const SHOWN = new Map(Object.entries({
    undefined: String, null: String, boolean: String, Boolean: String, number: showNumber, Number: showNumber,
    bigint: showBigInt, BigInt: showBigInt, string: showString, String: showString, function: showFunction,
    Function: showFunction, symbol: showSymbol, Symbol: showSymbol, Array: showArray, Date: showDate, Map: showMap,
    Set: showSet, RegExp: showRegExp, Arguments: showArguments, Error: showError, Promise: opaque('Promise{…}'),
    WeakSet: opaque('WeakSet{…}'), WeakMap: opaque('WeakMap{…}'), Generator: opaque(''), DataView: opaque(''),
    ArrayBuffer: opaque(''),
  }));
  for (const kind of ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64']) {
    SHOWN.set(`${kind}Array`, showTypedArray);
  }

  function showInstance(value, room) {
    const tag = Symbol.toStringTag in value ? value[Symbol.toStringTag] : '';
    let name = tag || (typeof value.constructor === 'function' ? value.constructor.name : '');
    if (!name || name === '_class') name = '<Anonymous Class>';
    room.left -= name.length;
    return `${name}${showObject(value, room)}`;
  }

  function show(value, left) {
    const room = { left };
    const kind = value === null ? 'null' : typeof value === 'object' ? toTag(value) : typeof value;
    const known = SHOWN.get(kind);
    if (known) return known(value, room);
    if (typeof value.inspect === 'function') {
      const own = value.inspect(2, {});
      if (own) return typeof own === 'string' ? own : show(own, left);
    }
    const parent = Object.getPrototypeOf(value);
    if (parent === Object.prototype || parent === null) return showObject(value, room);
    return 'constructor' in value && value.constructor !== Object ? showInstance(value, room) : showObject(value, room);
  }

  kit.inspect = (value) => show(value, LIMIT);

  kit.display = function display(value) {
    const text = kit.inspect(value);
    if (text.length < LIMIT) return text;
    switch (toTag(value)) {
      case 'Function':
        return value.name ? `[Function: ${value.name}]` : '[Function]';
      case 'Array':
        return `[ Array(${value.length}) ]`;
      case 'Object': {
        const keys = Object.keys(value);
        return `{ Object (${keys.slice(0, 2).join(', ')}${keys.length > 2 ? ', ...' : ''}) }`;
      }
      default:
        return text;
    }
  };

  // --- deep equality -------------------------------------------------------------------------------------------

  const BY_REFERENCE = new Set(['Promise', 'Symbol', 'function', 'WeakMap', 'WeakSet']);
  const BY_VALUE = new Set(['String', 'Number', 'Boolean', 'Date']);
  const INDEXED = new Set(['Arguments', 'Array', ...[...SHOWN.keys()].filter((name) => /\dArray$|ClampedArray$/.test(name))]);

  kit.deepEqual = (left, right) => same(left, right, new Map());

  function same(left, right, seen) {
    if (left === right) return left !== 0 || Object.is(left, right);
    if (left !== left && right !== right) return true;
    if (left === null || right === null || typeof left !== 'object' || typeof right !== 'object') return false;
    const before = seen.get(left)?.get(right) ?? seen.get(right)?.get(left);
    if (before !== undefined) return before;
    if (!seen.has(left)) seen.set(left, new Map());
    // While a pair is being compared it counts as equal: that is what ends a cycle.
    seen.get(left).set(right, true);
    const kind = kit.typeOf(left);
    const result = kind === kit.typeOf(right) && sameKind(kind, left, right, seen);
    seen.get(left).set(right, result);
    return result;
  }

  function sameKind(kind, left, right, seen) {
    if (BY_VALUE.has(kind)) return same(left.valueOf(), right.valueOf(), new Map());
    if (BY_REFERENCE.has(kind)) return left === right;
    if (INDEXED.has(kind)) return sameItems(left, right, seen);
    switch (kind) {
      case 'Error':
        return ['name', 'message', 'code'].every((key) => same(left[key], right[key], seen));
      case 'RegExp':
        return left.toString() === right.toString();
      case 'Generator':
        return sameItems(drain(left), drain(right), seen);
      case 'DataView':
        return sameItems(new Uint8Array(left.buffer), new Uint8Array(right.buffer), seen);
      case 'ArrayBuffer':
        return sameItems(new Uint8Array(left), new Uint8Array(right), seen);
      case 'Set':
      case 'Map':
        return left.size === right.size && sameItems(pairs(left), pairs(right), seen);
      default:
        return sameObject(left, right, seen);
    }
  }

  function pairs(collection) {
    const found = [];
    collection.forEach((value, key) => found.push([value, key]));
    return found.sort();
  }

  function drain(iterator) {
    const found = [];
    for (let step = iterator.next(); ; step = iterator.next()) {
      found.push(step.value);
      if (step.done !== false) return found;
    }
  }

  function sameItems(left, right, seen) {
    if (left.length !== right.length) return false;
    for (let i = 0; i < left.length; i += 1) if (!same(left[i], right[i], seen)) return false;
    return true;
  }

  function keysOf(value) {
    const keys = [];
    for (const key in value) keys.push(key);
    const isShown = (symbol) => Object.getOwnPropertyDescriptor(value, symbol).enumerable;
    return keys.concat(Object.getOwnPropertySymbols(value).filter(isShown));
  }

  function iterated(value) {
    if (typeof value[Symbol.iterator] !== 'function') return [];
    try {
      return drain(value[Symbol.iterator]());
    } catch {
      return [];
    }
  }

  function sameObject(left, right, seen) {
    const mine = keysOf(left);
    const yours = keysOf(right);
    if (mine.length && mine.length === yours.length) {
      const sorted = (keys) => keys.map(String).sort();
      return sameItems(sorted(mine), sorted(yours), seen) && mine.every((key) => same(left[key], right[key], seen));
    }
    const ours = iterated(left);
    const theirs = iterated(right);
    if (ours.length && ours.length === theirs.length) return sameItems(ours.sort(), theirs.sort(), seen);
    return mine.length + yours.length + ours.length + theirs.length === 0;
  }
})
