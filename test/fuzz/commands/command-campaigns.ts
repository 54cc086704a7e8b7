import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyFixtureTo, fixturePath } from '../../support/tree.ts';
import type { Campaign } from '../campaign.ts';
import {
  changedBy,
  requireOneReport,
  requirePluginLine,
  requireOtherRows,
  requireRowsOfSomeNode,
  requireTruthfulCode,
  requireWholeDryRun,
} from './command-expectations.ts';
import { outputsOf, saidIn, type Outputs } from './command-outputs.ts';
import { harmlessnessOf } from '../harmless.ts';
import { configOf, type Sample } from '../input.ts';
import { rowOf } from './rows.ts';
import { commandInputs } from '../samples.ts';
import { makeOld, treeFacts } from './tree-facts.ts';

const samples = commandInputs.flatMap((kind) => kind.samples);
const roles = [...new Set(samples.map(({ role }) => role))];
const requireHarmless = harmlessnessOf(['bad', ...roles].map((role) => fixturePath(role, '')));

// A copy of each fixture in this process' own directory; a mutated file is put there and taken away again.
const treeOf = ({ role }: Sample): string => join(process.cwd(), role);
for (const role of roles) {
  const directory = join(process.cwd(), role);
  mkdirSync(directory);
  copyFixtureTo(role, directory);
}

/** What is said of a tree as it is. Asked once before the first input, so that loading the program counts for none. */
const usual = new Map<string, Outputs>();
const usualKey = (sample: Sample): string => [sample.role, configOf(sample)].join();
for (const sample of samples) {
  const outputs = await outputsOf(treeOf(sample), configOf(sample), async (work) => work());
  for (const { code, stderr } of saidIn(outputs)) assert.equal(code, 0, stderr);
  usual.set(usualKey(sample), outputs);
}

function judge(outputs: Outputs, sample: Sample): void {
  const config = configOf(sample);
  for (const said of saidIn(outputs)) {
    requireHarmless(said.stdout);
    requireHarmless(said.stderr);
    requireTruthfulCode(said, config);
  }
  requireHarmless(outputs.nagios.stdout);
  requirePluginLine(outputs);
  requireOneReport(outputs);
  requireWholeDryRun(outputs);
  if (config !== undefined) {
    requireRowsOfSomeNode(outputs);
    return;
  }
  const asUsual = usual.get(usualKey(sample));
  assert.ok(asUsual);
  requireOtherRows(outputs, asUsual, rowOf(sample.file));
  if (outputs.dryRun.code === 0) assert.deepEqual(changedBy(outputs), changedBy(asUsual));
}

export const campaigns: readonly Campaign[] = commandInputs.map((kind) => ({
  kind,
  run: async (bytes, { sample }, timed) => {
    const directory = treeOf(sample);
    const path = join(directory, sample.file);
    const original = readFileSync(path);
    // With the working directory, where a stray file would go.
    const facts = (): readonly string[] => [...readdirSync(process.cwd()), ...treeFacts(directory)];
    try {
      writeFileSync(path, bytes);
      makeOld(path);
      const before = facts();
      const outputs = await outputsOf(directory, configOf(sample), timed);
      assert.deepEqual(facts(), before, 'something was written');
      judge(outputs, sample);
      return `exit ${String(outputs.json.code)}, dry run ${String(outputs.dryRun.code)}`;
    } finally {
      writeFileSync(path, original);
      makeOld(path);
    }
  },
}));
