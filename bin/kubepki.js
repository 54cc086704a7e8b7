#!/usr/bin/env node
'use strict';
process.exitCode = 1; // Until a command has said how it ended, it has failed (src/cli/main.ts).
// Unheard, this signal opens node's debugger to every user of the machine. src/terminal/interruptions.ts hears it too, and later.
process.on('SIGUSR1', () => undefined);
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');

// Keys are generated in libuv's thread pool, which has four threads unless this is set before its first use.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, require('node:os').availableParallelism()));
const filename = require.resolve('../dist/kubepki.cjs');
const bundle = readFileSync(filename);
new Script(bundle.toString(), { filename, cachedData: codeCache() }).runInThisContext()(require);

/** Made by bin/bundle/code-cache.js. V8 believes what is in it, so it must be whole, and this bundle's. */
function codeCache() {
  try {
    const file = readFileSync(`${filename}.cache`);
    const digest = createHash('sha256').update(bundle).update(file.subarray(32)).digest();
    return digest.equals(file.subarray(0, 32)) ? file.subarray(32) : undefined;
  } catch {
    return undefined; // Then it compiles now.
  }
}
