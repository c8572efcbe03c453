// From what an author writes to the four functions of the contract.

import { Records } from './records.js';
import { Refused, checked, schema } from './settings.js';
import { standard } from './verdict.js';

/** Thrown by `format`: the SIEM could never take this event. It is dead-lettered with that reason. */
export class Rejected extends Error {}

/**
 * Makes the contract's four functions of a product and of `configure`, which the host calls first on each fresh
 * instance, and it makes one for every batch.
 */
export function exportFormatter(product, configure) {
  let configured;
  return {
    describe: () => description(product),
    configure(settings, destination) {
      try {
        configured = configure(checked(product.settings, settings), destination);
        return configured.profile;
      } catch (error) {
        if (error instanceof Refused) throw error;
        throw carrying(error, (message) => [{ pointer: '', message }]);
      }
    },
    format(events) {
      try {
        const records = new Records();
        events.forEach((event, index) => addRecord(records, configured, event, index));
        return records.finish();
      } catch (error) {
        throw carrying(error, (message) => message);
      }
    },
    interpret: (response) => configured.interpret?.(response) ?? standard(),
  };
}

function description({ settings, settingsExample, authentication, ...texts }) {
  return {
    ...texts,
    settingsSchema: JSON.stringify(schema(settings)),
    settingsExample: JSON.stringify(settingsExample),
    authentication: authentication.map(({ scheme, ...parameters }) => ({
      scheme,
      parameters: JSON.stringify(parameters),
    })),
  };
}

// Only `Rejected` rejects an event. Anything else that is thrown is a defect and must not look like one of the event's:
// it ends the call, and the host finds the event by halving the batch.
function addRecord(records, configured, event, index) {
  let record;
  try {
    record = configured.format(event);
  } catch (error) {
    if (!(error instanceof Rejected)) throw error;
    return records.reject(index, error.message);
  }
  records.add(record);
}

// The bindings return `payload`, in place of the error, as the contract's; without one the message would be lost. Native
// tests get the error itself.
function carrying(thrown, payload) {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  error.payload = payload(`${error}${place(error)}`);
  return error;
}

// The author's own line: the first of the stack that is neither the SDK's nor the bindings'.
function place({ stack }) {
  const frame = /@((?!siemaphore\/sdk\/)[^@\s]+\.js:\d+:\d+)$/m.exec(String(stack));
  return frame && !frame[1].endsWith('/initializer.js') ? ` (${frame[1]})` : '';
}
