import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificates } from '../../src/catalog/catalog.ts';
import { kubepki } from '../support/kubepki.ts';
import { changes, copyFixtureTo, fixturePath, snapshot } from '../support/tree.ts';
import { requireTruthfulCode } from './commands/command-expectations.ts';
import { harmlessnessOf } from './harmless.ts';
import { bytesOf, configOf, type FuzzInput } from './input.ts';
import { requireRenewed, saidRenewed } from './renewal-expectations.ts';

// No key takes a minute to make, and nothing else takes long.
const limitMs = 60_000;
const everything = certificates.filter((spec) => !(spec.kind === 'kubeconfig' && spec.optional));

/**
 * `renew all` by the real process, on a tree with the mutated file.
 * @param scratch a directory that is not there yet
 * @returns what it came to
 */
export async function renewReally(input: FuzzInput, scratch: string): Promise<string> {
  const { sample } = input;
  const directory = join(scratch, 'node');
  mkdirSync(directory, { recursive: true });
  const tree = copyFixtureTo(sample.role, directory);
  writeFileSync(join(directory, sample.file), bytesOf(input));
  const config = configOf(sample);
  const before = snapshot(scratch);
  const outcome = await kubepki(
    [
      'certs',
      'renew',
      'all',
      '--rootfs',
      directory,
      ...(config === undefined ? [] : ['--config', `/${config}`]),
    ],
    // Whatever it wrote to one of these would show.
    { cwd: scratch, env: { HOME: scratch, TMPDIR: scratch }, limitMs },
  );
  const { code, signal, stdout, stderr } = outcome;
  assert.ok(code !== undefined, `ended by ${String(signal)}; after ${String(limitMs)} ms it is killed`);
  requireTruthfulCode({ code, stdout, stderr }, config);
  const requireHarmless = harmlessnessOf([directory, fixturePath('bad', ''), fixturePath(sample.role, '')]);
  requireHarmless(stdout);
  requireHarmless(stderr);
  if (code === 0) {
    const after = snapshot(scratch);
    requireRenewed({ tree, scratch, before, after, stdout });
    // Only a configuration can say that a certificate is none of ours.
    if (config === undefined)
      assert.deepEqual(
        saidRenewed(stdout),
        everything.map(({ name }) => name),
      );
  } else {
    assert.equal(stdout, '');
    assert.deepEqual(changes(before, snapshot(scratch), { inodes: true }), []);
  }
  return `exit ${String(code)}`;
}
