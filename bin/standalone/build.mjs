/**
 * `npm run build:standalone`: dist/kubepki-linux-x64 and dist/kubepki-linux-arm64, each one file with its runtime in it;
 * beside them SHA256SUMS and THIRD-PARTY-NOTICES. Arguments choose among x64 and arm64.
 */
import '../../test/setup.mjs';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commitDefinition } from '../commit.mjs';
import { licenceNotice } from './notice.mjs';
import { fetchRuntime } from './runtime.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const { version, targets } = JSON.parse(readFileSync(new URL('runtimes.json', import.meta.url), 'utf8'));

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in targets));
if (unknown !== undefined) {
  console.error(`build: no target ${unknown}: ${Object.keys(targets).join(' or ')}`);
  process.exit(1);
}

const bun = compiler();
const sums = [];
let inputs = [];
mkdirSync(dist, { recursive: true });
const scratch = mkdtempSync(join(dist, '.standalone-'));
try {
  for (const [name, target] of Object.entries(targets)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const file = `kubepki-linux-${name}`;
    const runtime = fetchRuntime(target, version, join(root, 'node_modules', '.cache', 'kubepki'));
    inputs = compile(target.target, runtime, join(scratch, file));
    sums.push(
      `${createHash('sha256')
        .update(readFileSync(join(scratch, file)))
        .digest('hex')}  ${file}\n`,
    );
    // A name that is there is a whole executable.
    renameSync(join(scratch, file), join(dist, file));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
// Of another build, and in no sum.
for (const name of Object.keys(targets)) {
  const file = `kubepki-linux-${name}`;
  if (!sums.some((line) => line.endsWith(`  ${file}\n`))) rmSync(join(dist, file), { force: true });
}
writeFileSync(join(dist, 'SHA256SUMS'), sums.join(''));
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES'), licenceNotice(root, inputs, version));
for (const line of sums) console.log(line.trimEnd());

/** The pinned one, with or without npm's lifecycle scripts: they move it. */
function compiler() {
  const places = [
    'bun/bin/bun.exe',
    `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/bin/bun`,
  ];
  const found = places
    .map((place) => join(root, 'node_modules', place))
    .find(
      (path) =>
        existsSync(path) && spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim() === version,
    );
  if (found !== undefined) return found;
  console.error(`build: bun ${version} is not installed for this machine: npm ci`);
  process.exit(1);
}

/** @returns the files that were bundled */
function compile(target, runtime, outfile) {
  const metafile = `${outfile}.json`;
  const flags = [
    ...['build', '--compile', '--minify', '--bytecode', '--format=esm'],
    // It runs as root in whatever directory root stands in.
    ...['--no-compile-autoload-bunfig', '--no-compile-autoload-dotenv'],
    ...['--no-compile-autoload-tsconfig', '--no-compile-autoload-package-json'],
    ...[`--target=${target}`, `--compile-executable-path=${runtime}`, `--metafile=${metafile}`],
    ...['--define', commitDefinition(root).join('=')],
    ...['src/cli/main.ts', '--outfile', outfile],
  ];
  const { status, stderr } = spawnSync(bun, flags, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) {
    console.error(stderr);
    process.exit(1);
  }
  const { inputs: found } = JSON.parse(readFileSync(metafile, 'utf8'));
  return Object.keys(found);
}
