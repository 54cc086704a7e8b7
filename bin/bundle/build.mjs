/** `npm run build`: dist/kubepki.cjs, kubepki with its dependencies in one file for node, and its code cache. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { commitDefinition } from '../commit.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const [commitName, commit] = commitDefinition(root);

mkdirSync(dist, { recursive: true });
const scratch = mkdtempSync(join(dist, '.bundle-'));
process.on('exit', () => {
  rmSync(scratch, { recursive: true, force: true });
});
const bundle = join(scratch, 'kubepki.cjs');
await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/main.ts'],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  minify: true,
  legalComments: 'inline',
  // A script has no `require` of its own: it is a function that is given one.
  banner: { js: '((require) => {' },
  footer: { js: '})' },
  define: { [commitName]: commit },
  logLevel: 'warning',
});
const words = [
  bundle,
  join(dist, 'kubepki.cjs'),
  'certs',
  'check-expiration',
  '--rootfs',
  'fixtures/stacked-etcd-rsa',
];
execFileSync(process.execPath, ['bin/bundle/code-cache.js', ...words], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
});
// A name that is there is a whole file. Between the two the cache is another bundle's, and nobody takes it.
for (const name of ['kubepki.cjs', 'kubepki.cjs.cache']) renameSync(join(scratch, name), join(dist, name));
