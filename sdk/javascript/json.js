// JSON as text, with texts that are JSON already spliced in as they are.

class Raw {
  constructor(text) {
    this.text = text;
  }
}

/**
 * JSON text that is written as it stands, such as an event's document: neither parsed nor changed. `JSON.parse` would
 * round numbers beyond 2^53 and drop repeated keys.
 */
export const raw = (text) => new Raw(text);

/** One JSON object on one line. Members that are `undefined` are left out; a member may be `raw`. */
export function json(members) {
  const written = Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${value instanceof Raw ? value.text : JSON.stringify(value)}`);
  return `{${written.join(',')}}`;
}
