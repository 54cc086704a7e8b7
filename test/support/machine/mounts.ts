import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judge, type Skippable } from '../judge.ts';
import type { Cleanup } from '../tree.ts';

/** Mounts of one test. */
export interface Mounts {
  /** An empty file system of its own, over a directory. */
  tmpfs(directory: string, options?: string): void;
  /** A file or a directory over another one. */
  bind(source: string, target: string): void;
  /** Makes a directory read-only, for root too. */
  readOnly(directory: string): void;
  /** Before the test is over; what is not mounted stays as it is. */
  unmount(directory: string): void;
}

/**
 * Everything that is mounted is gone after the test, also after one that failed. To be asked for before the tree: clean-ups
 * run in the order of their registration, and a tree cannot be removed while something is mounted in it.
 * @returns undefined when mounting is not allowed; the test is skipped then
 */
export function mountsFor(t: Skippable & Cleanup): Mounts | undefined {
  const mount = judge(t, 'mount');
  if (mount === undefined) return undefined;
  const mounted: string[] = [];
  const run = (target: string, ...args: string[]): void => {
    execFileSync(mount, [...args, target], { stdio: 'pipe' });
    mounted.push(target);
  };
  try {
    tryOut(mount);
  } catch (cause) {
    // In a container, or as a user, mounting is not allowed: that is no fault of ours, and it is said loudly.
    t.skip(`mounting is not allowed here: ${String(cause)}`);
    return undefined;
  }
  t.after(() => {
    for (const target of mounted.reverse()) unmount(target);
  });
  return {
    tmpfs: (directory, options = 'mode=0755') => {
      run(directory, '-t', 'tmpfs', '-o', options, 'tmpfs');
    },
    bind: (source, target) => {
      run(target, '--bind', source);
    },
    readOnly: (directory) => {
      run(directory, '--bind', directory);
      execFileSync(mount, ['-o', 'remount,bind,ro', directory], { stdio: 'pipe' });
    },
    unmount: (directory) => {
      const index = mounted.indexOf(directory);
      if (index === -1) return;
      unmount(directory);
      mounted.splice(index, 1);
    },
  };
}

function tryOut(mount: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'kubepki-mount-'));
  try {
    execFileSync(mount, ['-t', 'tmpfs', 'tmpfs', directory], { stdio: 'pipe' });
    unmount(directory);
  } finally {
    rmdirSync(directory);
  }
}

function unmount(target: string): void {
  // Whoever still stands in it does not keep it.
  if (spawnSync('umount', [target]).status !== 0) execFileSync('umount', ['--lazy', target]);
}
