'use strict';

// `node bin/bundle/code-cache.js BUNDLE NAME ARGUMENT...` runs the bundle once, as the file of that name, and writes BUNDLE.cache:
// what V8 has compiled by the end of this run, so with the functions that it compiles when they are first called.
const { createHash } = require('node:crypto');
const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { Script } = require('node:vm');

const [file, filename] = process.argv.splice(2, 2);
const bundle = readFileSync(file);
const script = new Script(bundle.toString(), { filename });
process.on('exit', (code) => {
  if (code !== 0) return;
  const cache = script.createCachedData();
  // bin/kubepki.js looks whether it is still so.
  const digest = createHash('sha256').update(bundle).update(cache).digest();
  writeFileSync(`${file}.cache`, Buffer.concat([digest, cache]));
});
script.runInThisContext()(createRequire(filename));
