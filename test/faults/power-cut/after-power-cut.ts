import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stateDirectory } from '../../support/node.ts';
import { fileChanges, snapshot, type Snapshot, type Tree } from '../../support/tree.ts';
import { imageDigest, readImage, writeImage, type DiskImage } from './disk-image.ts';
import { requireSound, requireTidy } from '../invariants.ts';
import type { PowerCut } from './power-cuts.ts';
import type { Recover } from '../recover.ts';
import { treeAt } from '../scenario.ts';
import { doneInProcess as done } from '../../support/in-process.ts';

/** What the files of a node may be after a change, wherever the power went. */
export interface Ends {
  readonly old: Snapshot;
  readonly new: Snapshot;
  /** What it must be after the point of no return. */
  readonly decided: 'old' | 'new';
  /** Backups that were there before: they may only go when a new one is complete. */
  readonly backups: readonly string[];
}

/** Starts from the disk of a power cut, recovers as an operator would, and judges. */
export class AfterPowerCut {
  readonly #scratch: string;
  readonly #ends: Ends;
  readonly #judged = new Map<string, Promise<void>>();

  constructor(scratch: string, ends: Ends) {
    this.#scratch = scratch;
    this.#ends = ends;
  }

  /** @throws Error when anything is lost, mixed or left behind */
  async recover({ image, decided }: PowerCut, name: string, recover: Recover): Promise<'old' | 'new'> {
    const directory = join(this.#scratch, name);
    writeImage(image, directory);
    try {
      await recover(treeAt(directory));
      const found = readImage(directory);
      const state = this.#stateOf(snapshot(directory));
      if (decided) assert.equal(state, this.#ends.decided, 'it was beyond the point of no return');
      await this.#judge(directory, found, state);
      return state;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  /** Every file and its mode and owner, not only whether it changed: new files are those of the run. */
  #stateOf(now: Snapshot): 'old' | 'new' {
    const fromOld = fileChanges(this.#ends.old, now);
    if (fromOld.length === 0) return 'old';
    const fromNew = fileChanges(this.#ends.new, now);
    assert.ok(
      fromNew.length === 0,
      ['neither old nor new; against the old:', ...fromOld, 'against the new:', ...fromNew].join('\n  '),
    );
    return 'new';
  }

  /** Many disks end as the same tree, which needs to be looked at once. */
  async #judge(directory: string, found: DiskImage, state: 'old' | 'new'): Promise<void> {
    const key = imageDigest(found);
    const judged = this.#judged.get(key) ?? this.#requireGood(directory, state);
    this.#judged.set(key, judged);
    await judged;
  }

  async #requireGood(directory: string, state: 'old' | 'new'): Promise<void> {
    const tree = treeAt(directory);
    requireSound(tree, `${directory}-sound`);
    requireTidy(tree);
    const backups = await completeBackups(tree);
    if (state === 'old') {
      const lost = this.#ends.backups.filter((id) => !backups.includes(id));
      assert.deepEqual(lost, [], 'older backups are lost');
      return;
    }
    // By its name, as the change may have been a rollback. Fixtures do not live for ever.
    await done(tree, 'rollback', backups[0] ?? '', '--force');
    assert.deepEqual(fileChanges(this.#ends.old, snapshot(directory)), [], 'rolled back');
  }
}

/** The backups that `history` lists. Each must hold all its manifest names, byte for byte. */
export async function completeBackups(tree: Tree): Promise<readonly string[]> {
  const { stdout } = await done(tree, 'history', '-o', 'json');
  const { backups } = JSON.parse(stdout) as { readonly backups: readonly { readonly id: string }[] };
  for (const { id } of backups) {
    const backup = join(stateDirectory(tree), 'backups', id);
    const { files } = JSON.parse(readFileSync(join(backup, 'manifest.json'), 'utf8')) as {
      readonly files: readonly { readonly old: { readonly name: string; readonly sha256: string } | null }[];
    };
    for (const { old } of files) {
      if (old === null) continue;
      const sha256 = createHash('sha256')
        .update(readFileSync(join(backup, old.name)))
        .digest('hex');
      assert.equal(sha256, old.sha256, `backup ${id}, file ${old.name}`);
    }
  }
  return backups.map(({ id }) => id);
}
