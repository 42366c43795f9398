// HTTP as scripts know it: `axios` and `pm.sendRequest`. The harness sends; which status is an error is decided here.
(function (kit) {
  'use strict';

  const { parse, stringify } = JSON;
  const isGood = (status) => status >= 200 && status < 300;

  class AxiosError extends Error {
    constructor(message, code, config, response) {
      super(message);
      this.name = 'AxiosError';
      this.isAxiosError = true;
      Object.assign(this, { code, config, response, status: response?.status });
    }

    toJSON() {
      return { message: this.message, name: this.name, code: this.code, status: this.status ?? null };
    }
  }

  const join = (base, path) => (base && !/^[a-z][a-z\d+.-]*:/i.test(path) ? `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}` : path);

  /** Returns `axios` whose calls are carried out by `ask(name, request)`. */
  kit.axiosFor = function axiosFor(ask) {
    async function request(name, config) {
      const wanted = { method: 'get', validateStatus: isGood, ...config };
      const url = join(wanted.baseURL, String(wanted.url ?? ''));
      const asked = { method: String(wanted.method).toUpperCase(), url, headers: wanted.headers, params: wanted.params, data: wanted.data,
        timeout: Number(wanted.timeout) || 0 };
      const answer = await ask(name, asked);
      if (kit.isUnrecorded(answer)) return answer;
      if (answer.problem) throw new AxiosError(answer.problem, answer.code, wanted, undefined);
      const response = { data: answer.data, status: answer.status, statusText: answer.statusText, headers: answer.headers,
        config: { ...asked }, request: {} };
      if (!wanted.validateStatus || wanted.validateStatus(answer.status)) return response;
      const code = answer.status >= 500 ? 'ERR_BAD_RESPONSE' : 'ERR_BAD_REQUEST';
      throw new AxiosError(`Request failed with status code ${answer.status}`, code, wanted, response);
    }

    function make(defaults) {
      const merge = (config) => ({ ...defaults, ...config, headers: { ...defaults.headers, ...config?.headers } });
      const axios = (url, config) => request('axios', merge(typeof url === 'string' ? { ...config, url } : url));
      axios.request = axios;
      for (const method of ['get', 'delete', 'head', 'options']) {
        axios[method] = (url, config) => request(`axios.${method}`, merge({ ...config, url, method }));
      }
      for (const method of ['post', 'put', 'patch']) {
        axios[method] = (url, data, config) => request(`axios.${method}`, merge({ ...config, url, data, method }));
      }
      axios.create = (given) => make(merge(given));
      axios.isAxiosError = (problem) => problem instanceof AxiosError;
      axios.defaults = defaults;
      return axios;
    }
    return make({ headers: {} });
  };

  const pairs = (list) => (Array.isArray(list) ? Object.fromEntries(list.map(({ key, value }) => [key, value])) : list);

  function dataOf(body) {
    if (body === null || body === undefined) return undefined;
    if (typeof body === 'string') return parse(body);
    return body.mode === 'raw' ? parse(body.raw) : undefined;
  }

  /** Returns `pm.sendRequest`: whatever happens ends as a response, code 4001 where there was none. */
  kit.sendRequestFor = function sendRequestFor(ask) {
    return async function sendRequest(given, done) {
      const wanted = typeof given === 'string' ? { url: given } : given;
      const url = typeof wanted.url === 'string' ? wanted.url : wanted.url?.raw;
      let answer;
      try {
        answer = await ask('pm.sendRequest', { method: String(wanted.method || 'GET').toUpperCase(), url, headers: pairs(wanted.header),
          data: dataOf(wanted.body), timeout: 3000 });
      } catch (problem) {
        if (problem instanceof kit.UnavailableError) throw problem;
        answer = { problem: problem.message };
      }
      const response = kit.isUnrecorded(answer) ? answer : asPostman(answer);
      if (done) done(null, response);
      return response;
    };
  };

  function asPostman(answer) {
    const body = answer.problem ? stringify(answer.problem) : stringify(answer.data);
    const code = answer.problem ? 4001 : answer.status;
    return { code, status: answer.statusText ?? '', headers: answer.headers ?? {}, body, text: () => body, json: () => parse(body) };
  }
})
