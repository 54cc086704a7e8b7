/**
 * `npm run bench`: what is promised about speed, as ratios measured in one run; seconds are the machine's. Prints the table,
 * and writes figures.json and the table of docs/performance.md. `npm run bench -- --quick` is for trying, and only prints.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { alternatives } from './alternatives.ts';
import { byBash } from './timers/bash-time.ts';
import { progress, type Bench } from './bench.ts';
import { isThere } from './child.ts';
import { disk } from './disk.ts';
import type { Figures } from './figure.ts';
import { byHyperfine } from './timers/hyperfine.ts';
import { keys } from './keys.ts';
import { manyTrees } from './many-trees.ts';
import { inMemory, onDisk } from './place.ts';
import { buildPrograms } from './programs.ts';
import { startUp } from './start-up.ts';
import { renderTable, withTable } from './table.ts';
import { verify } from './verify.ts';
import { versions } from './versions.ts';

const figuresFile = new URL('figures.json', import.meta.url);
const pageFile = new URL('../../docs/performance.md', import.meta.url);
const groups = { 'start-up': startUp, verify, keys, disk, 'many trees': manyTrees, alternatives };

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const unknown = args.find((arg) => arg !== '--quick');
if (unknown !== undefined) {
  console.error(`bench: no argument ${unknown}: --quick`);
  process.exit(1);
}
// So that what lies in memory is removed.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const hyperfine = isThere('hyperfine');
if (!hyperfine) progress('timed by bash, as hyperfine is not installed (Debian: apt-get install hyperfine)');
progress('building the programs');
const bench: Bench = {
  programs: await buildPrograms(),
  memory: inMemory(),
  disk: onDisk(),
  timer: hyperfine ? byHyperfine : byBash,
  quick,
};
if (!bench.memory.isTmpfs) progress('there is no tmpfs: the disk is measured with everything');
const figures: Figures = {
  cores: availableParallelism(),
  with: versions(hyperfine ? 'hyperfine' : 'bash'),
  figures: Object.entries(groups).flatMap(([name, measure]) => {
    progress(name);
    return measure(bench);
  }),
};
const table = renderTable(figures);
console.log(table);
if (quick) {
  progress('quick: nothing is written');
} else {
  writeFileSync(figuresFile, `${JSON.stringify(figures, undefined, 2)}\n`);
  writeFileSync(pageFile, withTable(readFileSync(pageFile, 'utf8'), table));
}
