import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { kubepkiInProcess } from '../../support/in-process.ts';
import type { Outcome } from '../../support/kubepki.ts';
import { verifiedNode } from '../../support/planners/verified-node.ts';
import { temporaryDirectory, type Cleanup, type Tree } from '../../support/tree.ts';

/** Of a tree no process is seen, and no cluster answers: the operator's word stands for all that. */
export const accepted =
  'signing-file,nodes,restarted,accepts-new,root-ca,extension-clients,cluster-info,serves-new,signer,api-services,issued-clients,refuses-old,unauthorized,ready,pods';

/** Of a tree no etcd is asked. */
export const unasked = ['--accept', 'etcd-quorum'] as const;

export const liveStages = ['trust', 'switch', 'distrust', 'finish'] as const;

export function ca(directory: string, ...args: readonly string[]): Promise<Outcome> {
  return kubepkiInProcess(['ca', ...args, '--rootfs', directory]);
}

export async function done(directory: string, ...args: readonly string[]): Promise<Outcome> {
  const outcome = await ca(directory, ...args);
  assert.equal(outcome.code, 0, `ca ${args.join(' ')}: ${outcome.stdout}${outcome.stderr}`);
  return outcome;
}

export function stage(directory: string, name: string, ...args: readonly string[]): Promise<Outcome> {
  return done(directory, 'rotate', name, '--offline', '--accept', accepted, ...args);
}

/** A control plane whose certificates are fresh, so that it is sound at any date. */
export async function freshNode(t: Cleanup): Promise<Tree> {
  const tree = verifiedNode(t);
  for (const name of ['all', 'kubelet.conf']) {
    const { code, stderr } = await kubepkiInProcess(['certs', 'renew', name, '--rootfs', tree.directory]);
    assert.equal(code, 0, stderr);
  }
  return tree;
}

/** Copies of one node at each stage, by the stage; `before`: before it was prepared. */
export async function rotatedNode(t: Cleanup): Promise<Readonly<Record<string, Tree>>> {
  const { directory } = await freshNode(t);
  const copies = temporaryDirectory(t);
  const kept: Record<string, Tree> = {};
  const keep = (name: string): void => {
    kept[name] = copyTo(directory, join(copies, name));
  };
  keep('before');
  await done(directory, 'rotate', 'prepare', ...unasked);
  keep('prepare');
  for (const name of liveStages) {
    await stage(directory, name);
    keep(name);
  }
  return kept;
}

export function copiesOf(trees: Readonly<Record<string, Tree>>, t: Cleanup): Record<string, Tree> {
  const copies = temporaryDirectory(t);
  return Object.fromEntries(
    Object.entries(trees).map(([name, { directory }]) => [name, copyTo(directory, join(copies, name))]),
  );
}

function copyTo(directory: string, copy: string): Tree {
  cpSync(directory, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  const kubeconfigDir = join(copy, 'etc/kubernetes');
  return { directory: copy, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
}

/** Whether openssl takes the certificate of a file, with what follows it there, by a CA alone. */
export function isTakenBy(openssl: string, authority: string, file: string, purpose: string): boolean {
  try {
    execFileSync(
      openssl,
      [
        'verify',
        '-x509_strict',
        '-purpose',
        purpose,
        '-CAfile',
        authority,
        '-no-CApath',
        '-untrusted',
        file,
        file,
      ],
      { stdio: 'pipe' },
    );
    return true;
  } catch {
    return false;
  }
}
