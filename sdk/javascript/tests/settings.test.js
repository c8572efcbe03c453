import assert from 'node:assert/strict';
import test from 'node:test';

import { checked, schema } from '../settings.js';

const settings = {
  properties: {
    index: { type: 'string', minLength: 2 },
    size: { type: 'integer', minimum: 1, maximum: 9, default: 3 },
    mode: { enum: ['a', 'b'], default: 'a' },
    tags: { type: 'array', items: { type: 'string' }, default: [] },
    'a/b~c': { type: ['object', 'null'], additionalProperties: true },
  },
  required: ['index'],
};

const problems = (value) => {
  try {
    checked(settings, typeof value === 'string' ? value : JSON.stringify(value));
  } catch (error) {
    return error.payload.map(({ pointer, message }) => `${pointer} ${message}`);
  }
  return [];
};

test('defaults are filled in, and not shared', () => {
  const first = checked(settings, '{"index":"main"}');
  assert.deepEqual(first, { index: 'main', size: 3, mode: 'a', tags: [] });
  first.tags.push('x');
  assert.deepEqual(checked(settings, '{"index":"main"}').tags, []);
});

test('each problem points at the member that caused it', () => {
  assert.deepEqual(problems({}), ['/index is missing']);
  assert.deepEqual(problems({ index: 7 }), ['/index has to be string, not number']);
  assert.deepEqual(problems({ index: 'x', size: 10, mode: 'c' }), [
    '/index has to have at least 2 characters',
    '/size has to be at most 9',
    '/mode has to be one of "a", "b"',
  ]);
  assert.deepEqual(problems({ index: 'main', size: 1.5 }), ['/size has to be integer, not number']);
  assert.deepEqual(problems({ index: 'main', tags: ['x', null] }), ['/tags/1 has to be string, not null']);
  assert.deepEqual(problems({ index: 'main', 'a/b~c': 1 }), ['/a~1b~0c has to be object or null, not number']);
  assert.deepEqual(problems({ index: 'main', indx: 1 }), [
    '/indx is not a setting; there is index, size, mode, tags, a/b~c',
  ]);
});

test('settings that are no object are refused as a whole', () => {
  assert.deepEqual(problems('[]'), [' has to be object, not array']);
  assert.match(problems('{')[0], /^ settings have to be a JSON object: /);
});

test('members of an object that the schema leaves open are kept', () => {
  assert.deepEqual(checked(settings, '{"index":"main","a/b~c":{"x":1}}')['a/b~c'], { x: 1 });
});

test('names of JavaScript\'s own are settings like others', () => {
  assert.deepEqual(problems('{"index":"main","__proto__":1}').length, 1);
  assert.equal(schema({}).additionalProperties, false);
});
