import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { kubepki, type Outcome } from './kubepki.ts';
import { copyFixture, type Cleanup, type Tree } from './tree.ts';

/** A node whose keys are ECDSA, so that a renewal takes no time. */
export function quickTree(t: Cleanup): Tree {
  return copyFixture(t, 'ipv6');
}

/** `kubepki certs …` on a tree. */
export function certs(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  return kubepki(['certs', ...args, '--rootfs', tree.directory]);
}

/** The same, where anything but exit 0 is a failure of the test. */
export async function done(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  const outcome = await certs(tree, ...args);
  assert.equal(outcome.code, 0, `${args.join(' ')}: ${outcome.stderr}`);
  return outcome;
}

/** Whether there is nothing to go on with, nor to go back to. */
export function leavesNoTrace(tree: Tree): boolean {
  const directory = stateDirectory(tree);
  return !existsSync(directory) || readdirSync(directory).join() === 'lock';
}

/** Where kubepki keeps what it did. */
export function stateDirectory(tree: Tree): string {
  return join(tree.certDir, '.kubepki');
}
