'use strict';

// Makes the code cache of dist/kubepki.cjs: of what one run compiles, with the arguments of this program.
const { createHash } = require('node:crypto');
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const filename = join(__dirname, '../../dist/kubepki.cjs');
const source = readFileSync(filename, 'latin1');
const script = new Script(source, { filename });
process.on('exit', (code) => {
  if (code !== 0) return;
  const data = script.createCachedData();
  const digest = createHash('sha256').update(source.slice(0, 68)).update(data).digest();
  // A name that is there is a whole cache.
  const temporary = `${filename}.${String(process.pid)}`;
  writeFileSync(temporary, Buffer.concat([digest, data]));
  renameSync(temporary, `${filename}.cache`);
});
script.runInThisContext()(createRequire(join(__dirname, '../kubepki.js')));
