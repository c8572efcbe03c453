// Security events for {{title}}: each becomes one JSON object, in an array or one a line.

import {
  Refused, Rejected, exportFormatter, getProbe, isSuccess, json, parsed, postJson, raw, verdict,
} from '../siemaphore/sdk/javascript/index.js';

/** @type {import('../siemaphore/sdk/javascript/index.js').Product} */
const product = {
  name: '{{name}}',
  version: '0.1.0',
  vendor: 'Example',
  title: '{{title}}',
  summary: 'Each event arrives as one JSON object with its time, severity and document.',
  settings: {
    properties: {
      team: { type: 'string', minLength: 1, description: 'The team that owns these events.' },
      lines: { type: 'boolean', default: false, description: 'Send one object a line instead of an array.' },
    },
    required: ['team'],
  },
  settingsExample: { team: 'soc' },
  endpointExample: 'https://siem.example.com',
  secretName: 'API key',
  authentication: [{ scheme: 'bearer' }],
};

const LIMITS = { records: 500, bodyBytes: 1_000_000, recordBytes: 500_000 };

/**
 * Checks the settings, says what a request looks like, and returns what formats and interprets with them.
 *
 * @param {{ team: string, lines: boolean }} settings
 * @returns {import('../siemaphore/sdk/javascript/index.js').Configured}
 */
function configure({ team, lines }) {
  if (/\s/.test(team)) throw new Refused({ pointer: '/team', message: 'has to be one word: `soc`' });
  return {
    profile: postJson('/api/events', lines ? 'newline' : 'json-array', LIMITS, {
      contentType: lines ? 'application/x-ndjson' : 'application/json',
      probe: getProbe('/api/health'),
    }),
    format: (event) => format(event, team),
    interpret,
  };
}

/**
 * @param {import('../siemaphore/sdk/javascript/index.js').Event} event
 * @param {string} team
 */
function format(event, team) {
  if (event.eventType === '') throw new Rejected('the event has no type');
  return json({
    id: event.key,
    time: event.timestamp,
    type: event.eventType,
    severity: event.severity,
    organization: event.organization,
    team,
    // As it stands: not parsed, so no number is rounded and no key is lost.
    event: raw(event.document),
  });
}

/**
 * This SIEM answers 200 even when it has refused some of the records, and lists them.
 *
 * @param {import('../siemaphore/sdk/javascript/index.js').Response} response
 */
function interpret(response) {
  const refused = isSuccess(response) ? parsed(response)?.refused : undefined;
  return Array.isArray(refused) && refused.length > 0 ? verdict.rejectedAt(refused) : verdict.standard();
}

export const formatter = exportFormatter(product, configure);
