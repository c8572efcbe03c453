// `node contract_types.js NODE_MODULES`: prints contract.d.ts, the contract's types as JavaScript sees them.

import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const { types } = await import(pathToFileURL(resolve(process.argv[2], '@bytecodealliance/jco/src/api.js')));
const files = await types(fileURLToPath(new URL('../../wit/v1', import.meta.url)), {
  worldName: 'siem-formatter',
  guest: true,
});
const declared = new TextDecoder().decode(files['interfaces/siemaphore-formatter-formatter.d.ts']);
// The bindings declare an ambient module of the interface's name; here it is a module of its own.
const lines = declared.trim().split('\n').slice(1, -1);
process.stdout.write('// Made from wit/v1/formatter.wit by contract_types.js.\n\n');
process.stdout.write(lines.map((line) => `${line.replace(/^ {2}/, '').trimEnd()}\n`).join(''));
