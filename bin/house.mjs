/**
 * `npm run house`: how large the house is and whether its walls stand (.dependency-cruiser.js). Part of `npm run lint`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cruise } from 'dependency-cruiser';
import walls from '../.dependency-cruiser.js';
import { topFloorRooms } from '../rooms.js';

const root = fileURLToPath(new URL('..', import.meta.url));

const sources = filesBelow('src').filter((file) => file.endsWith('.ts'));
const renewal = filesOfRenewal();
const { circles, breaches } = await judgeImports();
const [folder, files] = largestFolder('src');
const [testFolder, testFiles] = largestFolder('test');

/** What is counted, and how much of it there may be; `later`: not yet. */
const figures = [
  { what: 'lines of src', count: sum(sources.map(linesOf)) },
  { what: `files in the largest folder of src (${folder})`, count: files, most: 25 },
  { what: `files in the largest folder of test (${testFolder})`, count: testFiles, most: 25 },
  { what: 'circles of imports', count: circles.length, most: 0 },
  { what: 'imports through a wall', count: breaches.length, most: 0 },
  { what: 'files of src that `renew all` loads', count: renewal.length },
  { what: 'of these on the top floor', count: topFloorOf(renewal).length, most: 40, later: true },
  { what: 'lines of README.md', count: linesOf('README.md'), most: 220 },
];

for (const { what, count, most, later = false } of figures) {
  const tooMany = most !== undefined && count > most;
  const limit = most === undefined ? '' : ` (at most ${String(most)}${tooMany && later ? ', later' : ''})`;
  console.log(`${String(count).padStart(6)}  ${what}${limit}${tooMany && !later ? ': TOO MANY' : ''}`);
  if (tooMany && !later) process.exitCode = 1;
}
for (const { from, to, rule, cycle } of [...circles, ...breaches]) {
  console.error(`${rule.name}: ${[from, ...(cycle?.map(({ name }) => name) ?? [to])].join(' > ')}`);
}

async function judgeImports() {
  const { options, ...ruleSet } = walls;
  const { output } = await cruise(['src'], { ...options, baseDir: root, validate: true, ruleSet });
  const { violations } = output.summary;
  return {
    circles: violations.filter(({ type }) => type === 'cycle'),
    breaches: violations.filter(({ type }) => type !== 'cycle'),
  };
}

/** The files of src that node compiles when it renews all of a copy of a fixture: types, which are gone by then, do not count. */
function filesOfRenewal() {
  const scratch = mkdtempSync(join(tmpdir(), 'kubepki-house-'));
  try {
    const [node, coverage] = [join(scratch, 'node'), join(scratch, 'coverage')];
    cpSync(join(root, 'fixtures/stacked-etcd-ecdsa'), node, { recursive: true });
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'src/cli/main.ts', 'certs', 'renew', 'all', '--rootfs', node],
      { cwd: root, encoding: 'utf8', env: { ...process.env, NODE_V8_COVERAGE: coverage } },
    );
    if (status !== 0) throw new Error(`the renewal failed: ${stderr}`);
    const urls = readdirSync(coverage).flatMap((name) =>
      JSON.parse(readFileSync(join(coverage, name), 'utf8')).result.map(({ url }) => url),
    );
    return sources.filter((file) => urls.includes(pathToFileURL(join(root, file)).href));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function topFloorOf(paths) {
  return paths.filter((path) => topFloorRooms.some((room) => path.startsWith(`src/${room}/`)));
}

function largestFolder(top) {
  const counts = new Map();
  for (const folder of filesBelow(top).map(dirname)) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0];
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
}

function linesOf(file) {
  return readFileSync(join(root, file), 'utf8').split('\n').length - 1;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
