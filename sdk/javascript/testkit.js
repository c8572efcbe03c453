// Runs a formatter natively, in `node --test`, as the host would run its component.

/** An event with this document (a value or JSON text), and an envelope to change by the second argument. */
export function event(document, envelope = {}) {
  return {
    key: '00112233445566778899aabbccddeeff',
    id: 'evt_1',
    eventType: 'dlp.pii_blocked',
    timestamp: '2026-06-08T20:15:30Z',
    timestampNs: 1_780_949_730_000_000_000n,
    receivedNs: 1_780_949_731_000_000_000n,
    severity: 'high',
    source: 'gateway',
    producer: 'generic',
    organization: 'acme',
    project: undefined,
    document: typeof document === 'string' ? document : JSON.stringify(document),
    ...envelope,
  };
}

/** The SIEM's answer to a request with ten records. */
export function answer(status, body = '', more = {}) {
  return {
    phase: 'first',
    state: new Uint8Array(),
    status,
    headers: [['content-type', 'application/json']],
    body: new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)),
    truncated: false,
    records: 10,
    bodyBytes: 10_000,
    ...more,
  };
}

/** The answer to the follow-up that a `pending` verdict asks for. */
export const followUp = (pending, status, body, more = {}) =>
  answer(status, body, { phase: 'follow-up', state: pending.val.state, ...more });

/** Configures a formatter; `records` and `interpret` of the result are the component's. Throws `Refused`. */
export function configure(formatter, settings = {}, destination = 'destination-1') {
  const profile = formatter.configure(JSON.stringify(settings), destination);
  return {
    profile,
    records: (events) => records(formatter.format(events)),
    record: (event) => accepted(records(formatter.format([event]))[0]),
    interpret: (response) => formatter.interpret(response),
  };
}

/** Checks the laws that can be checked natively, with the example settings. Throws the law that is broken. */
export function checkLaws(formatter, events) {
  const description = formatter.describe();
  JSON.parse(description.settingsSchema);
  const { profile, records } = configure(formatter, JSON.parse(description.settingsExample));
  const whole = JSON.stringify(records(events));
  for (let cut = 0; cut <= events.length; cut += 1) {
    const parts = [...records(events.slice(0, cut)), ...records(events.slice(cut))];
    if (JSON.stringify(parts) !== whole) throw new Error(`cutting the batch at event ${cut} changes its records`);
  }
  for (const { record } of JSON.parse(whole).filter(({ record }) => record !== undefined)) {
    if (profile.framing.tag === 'newline' && record.includes('\n')) throw new Error(`a raw newline in ${record}`);
    if (profile.contentType.includes('json')) JSON.parse(record);
  }
}

// Each event's `{ record }` as text, or why it was `{ rejected }`.
function records({ data, ends, rejected }) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reasons = new Map(rejected.map(({ index, reason }) => [index, reason]));
  return Array.from(ends, (end, index) => {
    const record = decoder.decode(data.subarray(index === 0 ? 0 : ends[index - 1], end));
    return reasons.has(index) ? { rejected: reasons.get(index) } : { record };
  });
}

function accepted({ record, rejected }) {
  if (record === undefined) throw new Error(`the event is rejected: ${rejected}`);
  return record;
}
