#!/usr/bin/env node
'use strict';

// CommonJS, as loading an ES module takes longer. No module of ours, as finding one takes longer than these lines.
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { availableParallelism } = require('node:os');
const { join } = require('node:path');
const { Script } = require('node:vm');

// Keys are generated in libuv's thread pool, which has four threads unless this is set before its first use: every core
// makes keys.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

const filename = join(__dirname, '../dist/kubepki.cjs');
// ASCII, as it is built: one byte a character, and nothing to decode.
const source = readFileSync(filename, 'latin1');
new Script(source, { filename, cachedData: codeCache() }).runInThisContext()(require);

/**
 * What V8 has compiled of this bundle before (bin/bundle/code-cache.js). V8 takes none of another version of its own, but
 * believes what is in it: hence the digest, of what the bundle begins with, which is its name, and of the rest.
 */
function codeCache() {
  try {
    const file = readFileSync(`${filename}.cache`);
    const data = file.subarray(32);
    const digest = createHash('sha256').update(source.slice(0, 68)).update(data).digest();
    return digest.equals(file.subarray(0, 32)) ? data : undefined;
  } catch {
    // Then it compiles now.
    return undefined;
  }
}
