/**
 * `npm run build`: dist/kubepki.cjs, kubepki with its dependencies in one file for node, and its code cache. The Kubernetes
 * client, larger than all the rest, is a second file, which is read when it is asked for.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { commitDefinition } from '../commit.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const client = '@kubernetes/client-node';
// From bin/, whose `require` the bundle is given.
const clientFile = '../dist/kubernetes-client.cjs';

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
  // Node's own.
  alias: { 'whatwg-url': 'node:url' },
  logLevel: 'warning',
};
const { outputFiles } = await build({
  ...common,
  plugins: [{ name: 'what is loaded and not used', setup: leaveOut }],
  entryPoints: ['src/cli/main.ts'],
  outdir: 'dist',
  format: 'esm',
  splitting: true,
  write: false,
  legalComments: 'inline',
  alias: { ...common.alias, [client]: clientFile },
  external: [clientFile],
  define: { [commitName]: commit },
});
writeFileSync(join(dist, 'kubepki.cjs'), await inOneFile(outputFiles));
await build({
  ...common,
  entryPoints: [client],
  outfile: join('bin', clientFile),
  format: 'cjs',
  legalComments: 'inline',
});

const look = ['certs', 'check-expiration', '--rootfs', 'fixtures/stacked-etcd-rsa'];
const { status, stderr } = spawnSync(process.execPath, ['bin/bundle/code-cache.js', ...look], {
  cwd: root,
  encoding: 'utf8',
  stdio: ['ignore', 'ignore', 'pipe'],
});
if (status !== 0) {
  console.error(`build: no code cache: ${stderr}`);
  process.exit(1);
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

/**
 * The parts that esbuild splits a program into where it imports lazily, each a function that runs when the first one wants
 * it: V8 does not compile one that does not run, and its code cache has nothing of it.
 */
async function inOneFile(parts) {
  const functions = [];
  for (const { path, text } of parts) {
    const { code } = await transform(text, {
      format: 'cjs',
      target: 'node20',
      supported: { 'dynamic-import': false },
      minify: true,
      charset: 'ascii',
    });
    functions.push(`${JSON.stringify(`./${basename(path)}`)}:(module,exports,require)=>{${code}}`);
  }
  const text = `(outer=>{const parts={${functions.join(',\n')}},made={};
const require=name=>{if(!Object.hasOwn(parts,name))return outer(name);if(made[name])return made[name].exports;
const module=made[name]={exports:{}};parts[name](module,module.exports,require);return module.exports};
require("./main.js")})`;
  // By which its code cache knows it.
  return `/*${createHash('sha256').update(text).digest('hex')}*/${text}`;
}
