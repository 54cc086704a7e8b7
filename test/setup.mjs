/**
 * Makes a fresh clone ready: installs what is missing. It builds nothing: build.mjs does, beside it. Plain node: nothing is
 * installed yet when it starts. Quiet unless something takes long or fails.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

if (!installed()) {
  console.error('setup: npm ci');
  // Not the lifecycle scripts: ours (prepare) would build.
  npm('ci', '--ignore-scripts', '--no-audit', '--no-fund');
}

/** Content, not times: a checkout, a copy or a restored cache changes times at will. */
function installed() {
  const wanted = packages('package-lock.json');
  const present = packages('node_modules/.package-lock.json');
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    const found = present[path];
    // Optional ones are there only on the platform they are made for.
    return found === undefined ? Boolean(optional ?? devOptional) : found.version === version;
  });
}

function packages(lockfile) {
  try {
    return JSON.parse(readFileSync(new URL(`../${lockfile}`, import.meta.url), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

export function npm(...args) {
  const { status, stdout, stderr, error } = spawnSync('npm', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status === 0) return;
  console.error(`setup: npm ${args.join(' ')} failed\n${error?.message ?? `${stdout}${stderr}`}`);
  process.exit(1);
}
