// `node build.js SOURCE OUTPUT`: turns a formatter into a component. Run it in the project's folder.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { componentize } from '@bytecodealliance/componentize-js';

const [source, output] = process.argv.slice(2);

try {
  const { component } = await componentize({
    sourcePath: resolve(source),
    // A relative path fails here.
    witPath: fileURLToPath(new URL('../../wit/v1/formatter.wit', import.meta.url)),
    worldName: 'siem-formatter',
    // Formatters have no network. What is written to the console arrives in the host's log.
    disableFeatures: ['http', 'fetch-event'],
  });
  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, component);
} catch (error) {
  // The message has the author's own line; the stack is that of the tools.
  console.error(error.message);
  process.exitCode = 1;
}
