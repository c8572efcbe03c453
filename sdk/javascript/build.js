// `node build.js SOURCE OUTPUT [--verbose]`: turns a formatter into a component. Run it in the project's folder.

import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { componentize } from '@bytecodealliance/componentize-js';

const [source, output, verbose] = process.argv.slice(2);

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
  console.error(verbose ? error.stack : await told(error.message));
  process.exitCode = 1;
}

// The author's own line and the message, without the engine's stack.
async function told(message) {
  if (message.includes('failed to parse JS')) return (await syntaxError(dirname(source))) ?? message;
  const [, thrown] = message.split('Exception while evaluating top-level script\n');
  return thrown?.split('\n')[0] ?? message;
}

// The engine does not say where it stumbled; Node does.
async function syntaxError(folder) {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!/\.m?js$/.test(name)) continue;
    const file = join(folder, name);
    const said = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' }).stderr;
    const [, line] = /\.m?js:(\d+)$/m.exec(said) ?? [];
    const [error] = /^SyntaxError: .*$/m.exec(said) ?? [];
    if (error) return `${relative('.', file)}:${line}: ${error}`;
  }
  return undefined;
}
