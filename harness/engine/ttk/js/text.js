// The little of Node and of the browser that collections use: base64, UTF-8 lengths, and a bound on array buffers.
(function (kit) {
  'use strict';

  const MEMORY = 128 * 1024 * 1024;
  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  let allocated = 0;

  kit.forgetAllocations = () => { allocated = 0; };

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

  // --- text and octets --------------------------------------------------------------------------------------------------

  const octets = (text) => [...unescape(encodeURIComponent(String(text).toWellFormed()))].map((char) => char.charCodeAt(0));
  globalThis.TextEncoder = class TextEncoder {
    encode(text = '') {
      return Uint8Array.from(octets(text));
    }
  };
  globalThis.Buffer = Object.freeze({ byteLength: (text) => octets(text).length });

  /** Returns what `text` stands for in base64 or base64url, one character per octet. What is no letter is passed over. */
  kit.decode64 = function decode64(text) {
    const clean = String(text).replace(/[\t\n\f\r ]/g, '').replace(/=+$/, '').replace(/-/g, '+').replace(/_/g, '/');
    let out = '';
    let bits = 0;
    let held = 0;
    for (const letter of clean) {
      const value = LETTERS.indexOf(letter);
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
  };

  /** Returns octets as base64url without padding: RFC 4648, section 5. */
  kit.encode64 = function encode64(bytes) {
    let out = '';
    for (let at = 0; at < bytes.length; at += 3) {
      const [a, b = 0, c = 0] = bytes.slice(at, at + 3);
      const group = (a << 16) | (b << 8) | c;
      const count = Math.min(4, bytes.length - at + 1);
      for (let i = 0; i < count; i += 1) out += LETTERS[(group >> (18 - 6 * i)) & 63];
    }
    return out.replace(/\+/g, '-').replace(/\//g, '_');
  };

  /** Returns base64 with padding of `text`, whose characters are octets. */
  kit.btoa = function btoa(text) {
    const bytes = [...String(text)].map((char) => char.charCodeAt(0));
    if (bytes.some((byte) => byte > 255)) throw new Error('btoa: a character beyond 255');
    const out = kit.encode64(bytes).replace(/-/g, '+').replace(/_/g, '/');
    return out + '='.repeat((4 - (out.length % 4)) % 4);
  };
})
