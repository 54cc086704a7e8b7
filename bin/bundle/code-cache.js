'use strict';

// Runs dist/kubepki.cjs once, with the arguments of this program. Makes the code caches of its two scripts, of what this run
// has compiled, and says on descriptor 3 which parts it was that ran.
const { readFileSync, renameSync, writeFileSync, writeSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const filename = join(__dirname, '../../dist/kubepki.cjs');
const bundle = readFileSync(filename, 'latin1');
const [header, length] = /^\/\*[0-9a-f]{64} (\d{11})\*\//.exec(bundle);
const start = new Script(bundle.slice(0, length), { filename });
const rest = new Script(bundle.slice(length), { filename });
// V8 keeps what is in a script that has run.
const others = rest.runInThisContext();

const parts = start.runInThisContext()(createRequire(join(__dirname, '../kubepki.js')), () => others);
process.on('exit', (code) => {
  if (code !== 0) return;
  write('start', start);
  write('rest', rest);
  writeSync(3, JSON.stringify(Object.keys(parts)));
});

function write(name, script) {
  const one = Buffer.concat([Buffer.from(header, 'latin1'), script.createCachedData()]);
  // A name that is there is a whole cache.
  const temporary = `${filename}.${String(process.pid)}`;
  writeFileSync(temporary, Buffer.concat([one, one]));
  renameSync(temporary, `${filename}.${name}.cache`);
}
