// Starting points for the request that a formatter asks for.

/** POST of gzip-compressed JSON: what most SIEMs take. `more` sets or replaces members. */
export function postJson(path, framing, limits, more = {}) {
  return {
    method: 'post',
    path,
    query: [],
    contentType: 'application/json',
    headers: [],
    followUpPath: undefined,
    sticky: false,
    framing: typeof framing === 'string' ? { tag: framing } : framing,
    limits,
    compression: ['gzip'],
    probe: undefined,
    replayWindow: undefined,
    ...more,
  };
}

/** A probe that is a GET without a body. */
export const getProbe = (path) => ({ get: true, path, query: [], body: new Uint8Array() });
