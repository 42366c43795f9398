// Stands in for what a recording does not hold, and tells what depends on it.
// A value that is only moved about stays traceable; one that is looked at in any other way makes its script "observed".
(function (kit) {
  'use strict';

  kit.MARK = '$harness';
  const reasons = new WeakMap();
  const trace = { held: new Set(), touched: '', quiet: false, reason: '' };

  kit.isUnrecorded = (value) => (typeof value === 'function' || typeof value === 'object') && value !== null && reasons.has(value);
  kit.reasonOf = (value) => reasons.get(value);

  const note = (reason) => { trace.reason ||= reason; };
  const touch = (reason) => { if (!trace.quiet) { note(reason); trace.touched ||= reason; } };

  /** Returns a stand-in for something that the recording lacks, `reason` in words. */
  kit.unrecorded = function unrecorded(reason) {
    const looked = (result) => { touch(reason); return result; };
    const self = new Proxy(function unrecordedValue() {}, {
      get(_, word) {
        if (word === 'toJSON') {
          return () => {
            trace.held.delete(self);
            return { [kit.MARK]: 'unrecorded', reason };
          };
        }
        if (word === 'then') return undefined;
        if (word === Symbol.toPrimitive) return looked(() => '');
        if (word === Symbol.iterator) return looked(() => [][Symbol.iterator]());
        if (typeof word === 'symbol') return looked(undefined);
        trace.held.delete(self);
        return kit.unrecorded(reason);
      },
      set: () => true,
      has: () => looked(true),
      ownKeys: () => looked(['prototype']),
      apply: () => { touch(reason); return kit.unrecorded(reason); },
      construct: () => { touch(reason); return kit.unrecorded(reason); },
      getPrototypeOf: () => looked(null),
      deleteProperty: () => true,
    });
    reasons.set(self, reason);
    if (!trace.quiet) {
      note(reason);
      trace.held.add(self);
    }
    return self;
  };

  /** Counts stand-ins among `values` as moved on, not looked at: they were logged, or handed to the host. */
  kit.consume = (values) => values.forEach((value) => trace.held.delete(value));

  kit.traceStart = () => Object.assign(trace, { held: new Set(), touched: '', quiet: false, reason: '' });
  /** The reason of the first stand-in met since `traceStart`, else empty. */
  kit.traceMet = () => trace.reason;
  /** Whether what ran could have gone another way with the real value: one was looked at, or is held and nowhere stored. */
  kit.traceObserved = () => (trace.touched || trace.held.size ? trace.reason : '');
  kit.quietly = function quietly(action) {
    const before = trace.quiet;
    trace.quiet = true;
    try {
      return action();
    } finally {
      trace.quiet = before;
    }
  };
})
