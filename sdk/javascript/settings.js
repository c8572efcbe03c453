// Settings: checked against their schema, with its defaults filled in.
//
// The schema's common words are understood: `type`, `enum`, `minLength`, `minimum`, `maximum`, `items`, `properties`,
// `required`, `additionalProperties: false` and `default`. A form may use all of JSON Schema; what it says beyond these
// is for `configure` to check.

/** Thrown by `configure`: settings that cannot be used. A problem is a JSON Pointer and what to write instead. */
export class Refused extends Error {
  constructor(...problems) {
    super(problems.map(({ pointer, message }) => `${pointer || 'settings'}: ${message}`).join('; '));
    // The bindings return this, in place of the error, as the contract's.
    this.payload = problems;
  }
}

/** The whole schema of an author's `settings`: an object, and nothing in it that the schema does not name. */
export function schema(settings) {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {},
    additionalProperties: false,
    ...settings,
  };
}

/** The settings of this JSON text, complete. Throws `Refused`. */
export function checked(settings, text) {
  const problems = [];
  const value = complete(parsed(text), schema(settings), '', problems);
  if (problems.length > 0) throw new Refused(...problems);
  return value;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refused({ pointer: '', message: `settings have to be a JSON object: ${error.message}` });
  }
}

function complete(value, schema, pointer, problems) {
  const problem = (message) => problems.push({ pointer, message });
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.some((type) => isOf(type, value))) {
    problem(`has to be ${types.join(' or ')}, not ${nameOf(value)}`);
    return value;
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    problem(`has to be one of ${schema.enum.map((one) => JSON.stringify(one)).join(', ')}`);
  }
  if (typeof value === 'string' && [...value].length < (schema.minLength ?? 0)) {
    problem(`has to have at least ${schema.minLength} characters`);
  }
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? -Infinity)) problem(`has to be at least ${schema.minimum}`);
    if (value > (schema.maximum ?? Infinity)) problem(`has to be at most ${schema.maximum}`);
  }
  if (Array.isArray(value)) {
    const items = schema.items ?? {};
    return value.map((item, index) => complete(item, items, `${pointer}/${index}`, problems));
  }
  return isOf('object', value) ? completeObject(value, schema, pointer, problems) : value;
}

function completeObject(value, schema, pointer, problems) {
  const properties = schema.properties ?? {};
  const at = (name) => `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const result = {};
  for (const [name, property] of Object.entries(properties)) {
    if (Object.hasOwn(value, name)) result[name] = complete(value[name], property, at(name), problems);
    else if (property.default !== undefined) result[name] = structuredClone(property.default);
    else if (schema.required?.includes(name)) problems.push({ pointer: at(name), message: 'is missing' });
  }
  for (const name of Object.keys(value).filter((name) => !Object.hasOwn(properties, name))) {
    if (schema.additionalProperties === false) {
      const known = Object.keys(properties).join(', ') || 'none';
      problems.push({ pointer: at(name), message: `is not a setting; there is ${known}` });
    } else {
      result[name] = value[name];
    }
  }
  return result;
}

function isOf(type, value) {
  if (type === 'integer') return Number.isInteger(value);
  return type === nameOf(value);
}

function nameOf(value) {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
