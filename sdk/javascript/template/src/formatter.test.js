import assert from 'node:assert/strict';
import test from 'node:test';

import { answer, checkLaws, configure, event } from '../siemaphore/sdk/javascript/testkit.js';
import { formatter } from './formatter.js';

test('an event becomes one JSON object with its document as it stands', () => {
  const record = configure(formatter, { team: 'soc' }).record(event('{"tokens":18014398509481985}'));
  assert.equal(
    record,
    '{"id":"00112233445566778899aabbccddeeff","time":"2026-06-08T20:15:30Z","type":"dlp.pii_blocked",' +
      '"severity":"high","organization":"acme","team":"soc","event":{"tokens":18014398509481985}}',
  );
});

test('settings that cannot be used say what to write instead', () => {
  assert.throws(() => configure(formatter, {}), { message: '/team: is missing' });
  assert.throws(() => configure(formatter, { team: 'two words' }), { message: /^\/team: has to be one word/ });
});

test('lines are sent as lines', () => {
  const { profile } = configure(formatter, { team: 'soc', lines: true });
  assert.deepEqual([profile.framing.tag, profile.contentType], ['newline', 'application/x-ndjson']);
});

test('an event without a type is rejected, and only that one', () => {
  const events = [event({}, { eventType: '' }), event({})];
  const [first, second] = configure(formatter, { team: 'soc' }).records(events);
  assert.equal(first.rejected, 'the event has no type');
  assert.equal(second.rejected, undefined);
});

test('records that the SIEM lists as refused are not taken for delivered', () => {
  const { interpret } = configure(formatter, { team: 'soc' });
  const { tag, val } = interpret(answer(200, { refused: [{ index: 3, reason: 'too old' }] }));
  assert.equal(tag, 'partial');
  assert.deepEqual(val.runs, [{ first: 3, count: 1, fate: { tag: 'rejected', val: 'too old' } }]);
  assert.equal(interpret(answer(200, { refused: [] })).tag, 'standard');
});

test('the laws hold', () => {
  checkLaws(formatter, [event({ a: 1 }), event({}, { eventType: '' }), event({ text: 'line\nbreak' })]);
});
