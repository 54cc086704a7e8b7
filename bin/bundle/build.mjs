/**
 * `npm run build`: dist/kubepki.cjs, kubepki with its dependencies in one file for node, and its code cache.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { commitDefinition } from '../commit.mjs';
import { inOneFile } from './one-file.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
// Libraries that a node whose files are kubeadm's work does without, as long as nothing is coloured.
const libraries = { yaml: './yaml.cjs', 'node-forge/lib/asn1.js': './asn1.cjs', chalk: './chalk.cjs' };

const requireOnly = { 'dynamic-import': false };

mkdirSync(dist, { recursive: true });
for (const name of readdirSync(dist)) {
  // Not the standalone executables.
  if (/\.c?js(?:\.|$)/.test(name)) rmSync(join(dist, name));
}
const [commitName, commit] = commitDefinition(root);
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  minify: true,
  charset: 'ascii',
  legalComments: 'inline',
  logLevel: 'warning',
};
const [modules, others] = await Promise.all([programModules(), libraryParts()]);

// First all by themselves, which shows what a start needs.
await write(new Set());
await write(runOnce());
runOnce();

async function write(atStart) {
  const rest = [...modules].filter(([name]) => !atStart.has(name)).map(asPart);
  const parts = [...(await Promise.all(rest)), ...others];
  // A run that has begun keeps the old one.
  const temporary = join(dist, `kubepki.cjs.${process.pid}`);
  writeFileSync(temporary, inOneFile(await together(atStart), parts));
  renameSync(temporary, join(dist, 'kubepki.cjs'));
}

/** What esbuild splits the program into where it imports lazily: their code, by the name that others import them by. */
async function programModules() {
  const { outputFiles } = await build({
    ...common,
    plugins: [
      { name: 'what is loaded and not used', setup: leaveOut },
      { name: 'what waits until it is used', setup: makeLate },
    ],
    entryPoints: ['src/cli/main.ts'],
    outdir: 'dist',
    format: 'esm',
    splitting: true,
    write: false,
    define: { [commitName]: commit },
  });
  return new Map(outputFiles.map(({ path, text }) => [`./${basename(path)}`, text]));
}

async function asPart([name, text]) {
  const { code } = await transform(text, {
    format: 'cjs',
    target: 'node20',
    supported: requireOnly,
    minify: true,
    charset: 'ascii',
  });
  return [name, code];
}

/** Those modules as one, whose parts call each other directly; its `module.exports` has a function for each, which runs it. */
async function together(names) {
  const table = [...names].map((name) => `${JSON.stringify(name)}: () => require(${JSON.stringify(name)})`);
  const { outputFiles } = await build({
    ...common,
    stdin: { contents: `module.exports = {${table.join()}};`, resolveDir: root },
    plugins: [{ name: 'modules in memory', setup: fromMemory }],
    format: 'cjs',
    supported: requireOnly,
    write: false,
  });
  return outputFiles[0].text;

  function fromMemory({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path }) =>
      names.has(path) ? { path, namespace: 'memory' } : { path, external: true },
    );
    onLoad({ filter: /./, namespace: 'memory' }, ({ path }) => ({ contents: modules.get(path) }));
  }
}

function libraryParts() {
  return Promise.all(
    Object.entries(libraries).map(async ([library, name]) => {
      const { outputFiles } = await build({ ...common, entryPoints: [library], format: 'cjs', write: false });
      return [name, outputFiles[0].text];
    }),
  );
}

/** Makes the code caches. @returns the names of the parts that ran */
function runOnce() {
  const look = ['certs', 'check-expiration', '--rootfs', 'fixtures/stacked-etcd-rsa'];
  const { status, output } = spawnSync(process.execPath, ['bin/bundle/code-cache.js', ...look], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  if (status === 0) return new Set(JSON.parse(output[3]));
  console.error(`build: no code cache: ${output[2]}`);
  process.exit(1);
}

/**
 * What src/ imports of these waits until it is asked for something: where somebody only looks there is nothing to hash, nor
 * to verify, either. By name only: a module that waits has no default export of its own.
 */
function makeLate({ onResolve }) {
  const names = { ...libraries, 'node:crypto': 'node:crypto' };
  onResolve({ filter: /./ }, ({ path, importer }) => {
    if (!Object.hasOwn(names, path)) return undefined;
    const isOurs = importer.startsWith(join(root, 'src/')) && !importer.endsWith('/colour-as-told.ts');
    return { path: isOurs ? `late:${names[path]}` : names[path], external: true };
  });
}

/** Parts of node that take longer to load than all of kubepki, for what it never asks of these libraries. */
function leaveOut({ onLoad, onResolve, resolve }) {
  // Commands that are programs of their own.
  onLoad({ filter: /\/commander\/lib\/command\.js$/ }, ({ path }) => ({
    contents: replaced(
      readFileSync(path, 'utf8'),
      "const childProcess = require('node:child_process');",
      "const childProcess = { spawn: (...args) => require('node:child_process').spawn(...args) };",
    ),
  }));
  // How many colours there are: render/ is told.
  onResolve({ filter: /^#supports-color$/ }, ({ resolveDir, kind }) =>
    resolve('./vendor/supports-color/browser.js', { resolveDir, kind }),
  );
}

function replaced(text, from, to) {
  if (text.split(from).length !== 2) throw new Error(`it does not say ${from} any more`);
  return text.replace(from, to);
}
