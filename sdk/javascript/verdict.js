// What an answer means, in one call each.

const milliseconds = (number) => (number === undefined ? undefined : BigInt(number));

/** Judge by the status alone. */
export const standard = () => ({ tag: 'standard' });

/** Every record has arrived. Believed on a 2xx only. */
export const delivered = () => ({ tag: 'delivered' });

/** Delivered, with something that the operator should know, and perhaps a pause before the next request. */
export const deliveredBut = (reason, hint, pauseMs) => ({
  tag: 'delivered',
  val: { reason, hint, pauseMs: milliseconds(pauseMs) },
});

/** Send the whole batch again: after so long, or after the host's own backoff. */
export const retry = (reason, afterMs) => ({ tag: 'retry', val: { reason, afterMs: milliseconds(afterMs) } });

/** Too large: send it in halves. */
export const split = () => ({ tag: 'split' });

/** Every batch would fail: keep everything and tell the operator what to do. */
export const hold = (reason, hint) => ({ tag: 'hold', val: { reason, hint } });

/** The batch will never be taken. Of more than one record, the host sends halves to find the culprit. */
export const rejected = (reason, hint) => ({ tag: 'rejected', val: { reason, hint } });

/** The SIEM did not take so many records, and does not say which. */
export const uncertain = (lost, reason) => ({ tag: 'uncertain', val: { lost, reason } });

/** The SIEM refused the records at these places, each with its reason, and has taken all others. */
export function rejectedAt(refusals) {
  const runs = [...refusals]
    .sort((left, right) => left.index - right.index)
    .map(({ index, reason }) => ({ first: index, count: 1, fate: { tag: 'rejected', val: reason } }));
  return partial(runs, { tag: 'delivered' });
}

/** Runs of neighbouring records with the same fate, in order, and the fate of all others. */
export const partial = (runs, rest, note) => ({ tag: 'partial', val: { runs, rest, note } });

/** Ask again later, at the profile's follow-up path. `state` is a JSON value: `remembered` reads it. */
export function pending(afterMs, { query = {}, body = '', state } = {}) {
  const encoder = new TextEncoder();
  const val = {
    afterMs: BigInt(afterMs),
    query: Object.entries(query),
    body: typeof body === 'string' ? encoder.encode(body) : body,
    state: state === undefined ? new Uint8Array() : encoder.encode(JSON.stringify(state)),
  };
  return { tag: 'pending', val };
}

/** What `pending` was given as `state`; `undefined` in the first phase. */
export function remembered(response) {
  return response.state.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(response.state));
}
