import assert from 'node:assert/strict';
import { join } from 'node:path';
import { temporaryDirectory, type Cleanup, type Tree } from '../../support/tree.ts';
import { imageDigest, readImage, writeImage } from './disk-image.ts';
import { DiskModel } from './disk-model.ts';
import { fileOperations, type FileOperation } from './file-operation.ts';
import { volatileImage } from './possible-disks.ts';
import { treeAt, type Scenario } from '../scenario.ts';
import { traced } from '../strace.ts';

/** A node that is up: the tree as its processes see it, and the disk below, which may know less. */
export interface RunningSystem {
  readonly tree: Tree;
  readonly disk: DiskModel;
}

/** Freshly booted: all there is is on disk. */
export function booted(tree: Tree): RunningSystem {
  return { tree, disk: new DiskModel(readImage(tree.directory)) };
}

/**
 * What the real command does to a tree, call by call.
 * @throws AssertionError when the command fails
 */
export async function operationsOf(
  t: Cleanup,
  strace: string,
  { directory }: Tree,
  args: readonly string[],
  { group = ['certs'], injections }: Pick<Scenario, 'group' | 'injections'> = {},
): Promise<readonly FileOperation[]> {
  const command = [...group, ...args, '--rootfs', directory];
  const run = await traced(strace, command, temporaryDirectory(t), injections, { dataLimit: 1 << 20 });
  assert.equal(run.code, 0, run.stderr);
  return fileOperations(run.log, directory);
}

/** A run was killed after the last of its operations, and the node is still up: nothing of them is lost. */
export function afterKill(
  t: Cleanup,
  { disk }: RunningSystem,
  operations: readonly FileOperation[],
): RunningSystem {
  for (const operation of operations) disk.apply(operation);
  const directory = join(temporaryDirectory(t), 'node');
  writeImage(volatileImage(disk), directory);
  return { tree: treeAt(directory), disk };
}

/**
 * A model that missed a call proves nothing.
 * @throws AssertionError when the tree is not what the operations made of the model
 */
export function requireFaithful({ tree, disk }: RunningSystem): void {
  const seen = imageDigest(readImage(tree.directory));
  assert.equal(imageDigest(volatileImage(disk)), seen, 'the model has missed a call');
}
