// From what an author writes to the four functions of the contract.

import { Records } from './records.js';
import { checked, schema } from './settings.js';
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
      configured = configure(checked(product.settings, settings), destination);
      return configured.profile;
    },
    format(events) {
      const records = new Records();
      events.forEach((event, index) => addRecord(records, configured, event, index));
      return records.finish();
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
