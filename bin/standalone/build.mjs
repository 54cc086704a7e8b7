/**
 * `npm run build:standalone`: dist/kubepki-linux-x64 and dist/kubepki-linux-arm64, each one file with its runtime in it;
 * beside them SHA256SUMS and THIRD-PARTY-NOTICES. Arguments choose among x64 and arm64.
 */
import '../../test/setup.mjs';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile, targets, version } from './compile.mjs';
import { licenceNotice } from './notice.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in targets));
if (unknown !== undefined) {
  console.error(`build: no target ${unknown}: ${Object.keys(targets).join(' or ')}`);
  process.exit(1);
}

const sums = [];
let inputs = [];
mkdirSync(dist, { recursive: true });
const scratch = mkdtempSync(join(dist, '.standalone-'));
process.on('exit', () => {
  rmSync(scratch, { recursive: true, force: true });
});
for (const name of Object.keys(targets)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const file = `kubepki-linux-${name}`;
  inputs = compiled(name, join(scratch, file));
  sums.push(
    `${createHash('sha256')
      .update(readFileSync(join(scratch, file)))
      .digest('hex')}  ${file}\n`,
  );
  // A name that is there is a whole executable.
  renameSync(join(scratch, file), join(dist, file));
}
// Of another build, and in no sum.
for (const name of Object.keys(targets)) {
  const file = `kubepki-linux-${name}`;
  if (!sums.some((line) => line.endsWith(`  ${file}\n`))) rmSync(join(dist, file), { force: true });
}
for (const file of readdirSync(dist).filter(isOfPackage)) rmSync(join(dist, file));
writeFileSync(join(dist, 'SHA256SUMS'), sums.join(''));
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES'), licenceNotice(root, inputs, version));
for (const line of sums) console.log(line.trimEnd());

/** What `npm run package` makes of the executables. */
function isOfPackage(name) {
  return /^kubepki[-_].*\.(?:deb|rpm|cdx\.json)$/.test(name);
}

function compiled(name, outfile) {
  try {
    return compile('src/cli/main.ts', name, outfile);
  } catch (error) {
    console.error(`build: ${error.message}`);
    process.exit(1);
  }
}
