/**
 * `npm run package:oci`: dist/oci, an OCI layout with an image for each machine, of the executables in dist/. Arguments choose among
 * amd64 and arm64; `--output DIR` names another place, in which there is nothing yet. SOURCE_DATE_EPOCH, else the commit, says of what
 * time everything in it is.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { commitOf, commitTime } from '../commit.mjs';
import { addImage, makeLayout } from './image.mjs';
import { makeRoot } from './root.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const read = (url) => JSON.parse(readFileSync(new URL(url, import.meta.url), 'utf8'));
const machines = read('machines.json');
const { version, description } = read('../../package.json');

const { values, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: { output: { type: 'string', default: join(dist, 'oci') } },
});
const output = resolve(values.output);
const unknown = asked.find((name) => !(name in machines));
if (unknown !== undefined) fail(`no machine ${unknown}: ${Object.keys(machines).join(' or ')}`);
const chosen = Object.keys(machines).filter((name) => asked.length === 0 || asked.includes(name));
const missing = chosen.map((name) => machines[name].executable).find((name) => !existsSync(join(dist, name)));
if (missing !== undefined) fail(`there is no dist/${missing}: npm run build:standalone`);
const time = Number(process.env.SOURCE_DATE_EPOCH ?? commitTime(root));
if (!Number.isSafeInteger(time)) fail('neither a commit nor SOURCE_DATE_EPOCH says of what time it is');

const scratch = mkdtempSync(join(dirname(output), '.oci-'));
process.on('exit', () => {
  rmSync(scratch, { recursive: true, force: true });
});
const layout = join(scratch, 'layout');
try {
  makeLayout(layout);
  for (const architecture of chosen) addMachine(architecture);
} catch (error) {
  fail(error.message);
}
// A layout that is there is whole.
if (values.output === join(dist, 'oci')) rmSync(output, { recursive: true, force: true });
renameSync(layout, output);
const { manifests } = JSON.parse(readFileSync(join(output, 'index.json'), 'utf8'));
for (const { annotations, digest } of manifests)
  console.log(`${digest}  ${annotations['org.opencontainers.image.ref.name']}`);

function addMachine(architecture) {
  const directory = join(scratch, architecture);
  mkdirSync(directory);
  const packages = makeRoot(root, machines[architecture], architecture, directory);
  addImage(layout, `${version}-${architecture}`, {
    directory,
    architecture,
    time,
    labels: {
      'org.opencontainers.image.title': 'kubepki',
      'org.opencontainers.image.description': description,
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.revision': commitOf(root) ?? 'unknown',
      // Of kubepki itself. Those of the rest are in /usr/share/doc.
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'kubepki.debian-packages': packages.join(' '),
    },
  });
}

function fail(message) {
  console.error(`package:oci: ${message}`);
  process.exit(1);
}
