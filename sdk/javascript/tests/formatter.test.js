import assert from 'node:assert/strict';
import test from 'node:test';

import { Rejected, exportFormatter, header, json, parsed, postJson, raw, reason, verdict } from '../index.js';
import { answer, checkLaws, configure, event, followUp } from '../testkit.js';

const product = {
  name: 'acme', version: '1.0.0', vendor: 'Me', title: 'Acme', summary: 'All of it.', settings: {}, settingsExample: {},
  endpointExample: 'https://siem.example.com', secretName: 'key',
  authentication: [{ scheme: 'header', header: 'X-Key' }],
};
const LIMITS = { records: 10, bodyBytes: 1000, recordBytes: 1000 };
const made = (format, framing = 'json-array', interpret) =>
  exportFormatter(product, () => ({ profile: postJson('/in', framing, LIMITS), format, interpret }));

test('records of any length and script stand one after the other', () => {
  const documents = ['é'.repeat(70_000), '', '😀'.repeat(100_000), '\u{10ffff}', 'x'];
  const formatter = made(({ document }) => JSON.stringify(document));
  const events = documents.map((document) => event(document));
  assert.deepEqual(
    configure(formatter).records(events).map(({ record }) => JSON.parse(record)),
    documents,
  );
});

test('bytes are records too', () => {
  assert.equal(configure(made(() => new TextEncoder().encode('"ß"'))).record(event({})), '"ß"');
});

test('only what is rejected on purpose is rejected', () => {
  const rejecting = made(({ id }) => {
    if (id === 'bad') throw new Rejected('no time');
    return '1';
  });
  const [first, second, third] = configure(rejecting).records([event({}), event({}, { id: 'bad' }), event({})]);
  assert.deepEqual([first.record, second.rejected, third.record], ['1', 'no time', '1']);
  const broken = made(({ nothing }) => nothing.length);
  assert.throws(() => configure(broken).records([event({})]), TypeError);
  for (const record of ['', new Uint8Array(), undefined, {}]) {
    assert.throws(() => configure(made(() => record)).records([event({})]), /format/);
  }
});

test('a defect carries its message and the author\'s own line to the host', () => {
  const stack = [
    'text@siemaphore/sdk/javascript/json.js:3:9', 'format@src/formatter.js:48:11', 'format@/tmp/1f/initializer.js:7:1',
  ].join('\n');
  const broken = made(() => { throw Object.assign(new TypeError('no key'), { stack }); });
  assert.throws(() => configure(broken).records([event({})]), { payload: 'TypeError: no key (src/formatter.js:48:11)' });
  const elsewhere = exportFormatter(product, () => { throw 'nothing'; });
  assert.throws(() => configure(elsewhere), { payload: [{ pointer: '', message: 'Error: nothing' }] });
});

test('a description has the scheme\'s parameters and the whole schema', () => {
  const description = made(() => '1').describe();
  assert.deepEqual(description.authentication, [{ scheme: 'header', parameters: '{"header":"X-Key"}' }]);
  const schema = JSON.parse(description.settingsSchema);
  assert.deepEqual([schema.type, schema.additionalProperties], ['object', false]);
});

test('the laws are checked', () => {
  checkLaws(made(({ document }) => document), [event({ a: 1 }), event({ b: 2 })]);
  let count = 0;
  const counting = made(() => `${(count += 1)}`);
  assert.throws(() => checkLaws(counting, [event({})]), /cutting the batch at event 0/);
  assert.throws(() => checkLaws(made(() => '{'), [event({})]), SyntaxError);
  assert.throws(() => checkLaws(made(() => '1\n', 'newline'), [event({})]), /raw newline/);
});

test('a document is spliced in as it stands', () => {
  const document = '{"n":18014398509481985,"n":1.0}';
  assert.equal(json({ a: 'é"', left: undefined, event: raw(document) }), `{"a":"é\\"","event":${document}}`);
});

test('answers are read', () => {
  const response = answer(403, ' no\nway ');
  assert.equal(reason(response), 'status 403: no way');
  assert.equal(reason(answer(500)), 'status 500');
  assert.equal(header(response, 'content-type'), 'application/json');
  assert.equal(parsed(response), undefined);
});

test('verdicts have the contract\'s shape', () => {
  assert.deepEqual(configure(made(() => '1')).interpret(answer(200)), { tag: 'standard' });
  assert.deepEqual(verdict.retry('busy', 5), { tag: 'retry', val: { reason: 'busy', afterMs: 5n } });
  const fates = verdict.rejectedAt([{ index: 4, reason: 'b' }, { index: 1, reason: 'a' }]).val.runs;
  assert.deepEqual(fates.map(({ first, fate }) => [first, fate.val]), [[1, 'a'], [4, 'b']]);
});

test('a follow-up remembers what pending was given', () => {
  const interpret = (response) => {
    const asked = verdict.remembered(response)?.asked ?? 0;
    return asked < 2 ? verdict.pending(1000, { query: { job: '7' }, state: { asked: asked + 1 } }) : verdict.delivered();
  };
  const configured = configure(made(() => '1', 'newline', interpret));
  const first = configured.interpret(answer(200));
  assert.deepEqual([first.val.afterMs, first.val.query], [1000n, [['job', '7']]]);
  const second = configured.interpret(followUp(first, 200));
  assert.deepEqual(configured.interpret(followUp(second, 200)), { tag: 'delivered' });
});
