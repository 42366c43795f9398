// FSPIOP-Signature as scripts check it: synchronous, and with no way out. RS256 is RFC 7518, section 3.3 (RFC 8017, 8.2.2).
// Which protected header fields there must be: "Signature", section 4.1 of the FSPIOP API's documents.
(function (kit) {
  'use strict';

  const { stringify, parse } = JSON;
  const PREFIX = '3031300d060960864801650304020105000420'; // DigestInfo of SHA-256: RFC 8017, section 9.2, note 1

  const utf8 = (text) => [...unescape(encodeURIComponent(String(text).toWellFormed()))].map((char) => char.charCodeAt(0));
  const bytesOf = (base64) => [...kit.decode64(base64)].map((char) => char.charCodeAt(0));
  const hexOf = (bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const numberOf = (bytes) => BigInt(`0x${hexOf(bytes) || '0'}`);

  // --- SHA-256: FIPS 180-4 ---------------------------------------------------------------------------------------------

  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((prime) => n % prime)) primes.push(n);
  const fraction = (root) => Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
  const START = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
  const ROUND = primes.map((prime) => fraction(Math.cbrt(prime)));
  const turn = (word, by) => (word >>> by) | (word << (32 - by));

  function sha256(message) {
    const length = message.length;
    const bytes = message.concat(0x80);
    while (bytes.length % 64 !== 56) bytes.push(0);
    for (let shift = 7; shift >= 0; shift -= 1) bytes.push(Math.floor((length * 8) / 2 ** (8 * shift)) & 255);
    const state = START.slice();
    for (let at = 0; at < bytes.length; at += 64) {
      const words = [];
      for (let i = 0; i < 64; i += 1) {
        if (i < 16) {
          const b = at + 4 * i;
          words.push((bytes[b] << 24) | (bytes[b + 1] << 16) | (bytes[b + 2] << 8) | bytes[b + 3]);
        } else {
          const [x, y] = [words[i - 15], words[i - 2]];
          const low = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
          const high = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
          words.push((words[i - 16] + low + words[i - 7] + high) | 0);
        }
      }
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < 64; i += 1) {
        const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i] + words[i]) | 0;
        const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
      }
      [a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] = (state[i] + word) | 0; });
    }
    return state.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  // --- RSA public keys: PKCS#1, SubjectPublicKeyInfo or a certificate (X.690 DER) ------------------------------------------

  function* elements(bytes, from, to) {
    for (let at = from; at < to;) {
      const tag = bytes[at];
      let size = bytes[at + 1];
      let start = at + 2;
      if (size > 127) {
        const count = size & 127;
        size = bytes.slice(start, start + count).reduce((sum, byte) => sum * 256 + byte, 0);
        start += count;
      }
      yield { tag, start, end: start + size };
      at = start + size;
    }
  }

  const RSA = '2a864886f70d010101';

  function keyIn(bytes, from, to) {
    const found = [...elements(bytes, from, to)];
    if (found.length === 2 && found.every((one) => one.tag === 2)) {
      const [modulus, exponent] = found.map((one) => numberOf(bytes.slice(one.start, one.end)));
      return { modulus, exponent };
    }
    const [first, second] = found;
    if (second?.tag === 3 && first.tag === 0x30 && hexOf(bytes.slice(first.start, first.end)).includes(RSA)) {
      const key = keyIn(bytes, second.start + 1, second.end);
      if (key) return key;
    }
    for (const one of found) {
      if (one.tag !== 0x30) continue;
      const key = keyIn(bytes, one.start, one.end);
      if (key) return key;
    }
    return null;
  }

  function publicKey(pem) {
    const body = /-----BEGIN (?:RSA )?(?:PUBLIC KEY|CERTIFICATE)-----([^-]+)-----END/.exec(String(pem));
    const bytes = body ? bytesOf(body[1]) : [];
    const key = keyIn(bytes, 0, bytes.length);
    if (!key) throw new Error('the key is no RSA public key or certificate in PEM');
    return key;
  }

  function power(base, exponent, modulus) {
    let result = 1n;
    for (let factor = base % modulus; exponent > 0n; exponent >>= 1n, factor = (factor * factor) % modulus) {
      if (exponent & 1n) result = (result * factor) % modulus;
    }
    return result;
  }

  function isSigned(signingInput, signature, { modulus, exponent }) {
    const size = Math.ceil(modulus.toString(16).length / 2);
    const bytes = bytesOf(signature);
    if (bytes.length !== size) return false;
    const found = power(numberOf(bytes), exponent, modulus).toString(16).padStart(size * 2, '0');
    const tail = `00${PREFIX}${sha256(utf8(signingInput))}`;
    return found === `0001${'f'.repeat(size * 2 - 4 - tail.length)}${tail}`;
  }

  // --- what is signed ---------------------------------------------------------------------------------------------------

  const FIELDS = [['FSPIOP-URI', true], ['FSPIOP-HTTP-Method', true], ['FSPIOP-Source', true], ['FSPIOP-Destination', false]];

  function checkProtected(headers, signed) {
    const refuse = (field, why) => { throw new Error(`protected header: ${field} ${why}`); };
    if (!['RS256', 'ES256'].includes(signed.alg)) refuse('alg', `is ${signed.alg}, not RS256 or ES256`);
    for (const [field, isNeeded] of FIELDS) {
      const header = headers[field.toLowerCase()];
      if (!signed[field] && !header && !isNeeded) continue;
      if (!signed[field]) refuse(field, 'is not in it');
      if (!header) refuse(field, 'is signed but is no header of the request');
      if (signed[field] !== header) refuse(field, `is ${signed[field]}, the request's header is ${header}`);
    }
    // A date may be left out of the signature, but not out of the request once it is signed.
    if (signed.Date && signed.Date !== headers.date) refuse('Date', `is ${signed.Date}, the request's header is ${headers.date}`);
  }

  const sorted = (value) => {
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
  };
  const decoded = (part) => parse(decodeURIComponent(escape(kit.decode64(part))));

  function validate(headers, body, key) {
    if (!body) throw new Error('no body, so nothing that could be signed');
    for (const name of ['fspiop-source', 'fspiop-uri', 'fspiop-http-method', 'fspiop-signature']) {
      if (!headers[name]) throw new Error(`the header ${name} is absent`);
    }
    if (!key) throw new Error(`no public key of ${headers['fspiop-source']} was given`);
    const { protectedHeader, signature } = parse(headers['fspiop-signature']);
    const signed = decoded(protectedHeader);
    // The order of members in the text that was signed is lost in a parsed body: the sender's own, or sorted.
    const texts = [stringify(body), stringify(sorted(body))];
    const holds = signed.alg === 'RS256' &&
      texts.some((text) => isSigned(`${protectedHeader}.${kit.encode64(utf8(text))}`, signature, publicKey(key)));
    if (!holds) throw new Error(signed.alg === 'RS256' ? 'the signature does not hold' : `alg is ${signed.alg}: only RS256 can be checked`);
    checkProtected(headers, signed);
  }

  const verdict = (check, wrap) => {
    try {
      check();
      return 'VALID';
    } catch (problem) {
      return wrap ? `Error: ${problem.message}` : problem.message;
    }
  };

  /** Returns `VALID`, or in words why the signature of a callback does not hold. */
  kit.validateCallback = (headers, body, key) => verdict(() => validate(headers, body, key), true);

  /** Returns `VALID`, or in words where the protected header and the headers disagree. Checks no signature. */
  kit.validateProtectedHeaders = (headers) => verdict(() => {
    if (!headers['fspiop-signature']) throw new Error('the header fspiop-signature is absent');
    checkProtected(headers, decoded(parse(headers['fspiop-signature']).protectedHeader));
  }, false);
})
