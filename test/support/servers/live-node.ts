import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { kubepkiInProcess } from '../in-process.ts';
import { edit, verifiedNode } from '../planners/verified-node.ts';
import type { Cleanup, Tree } from '../tree.ts';

/** A node of whose components only these are left: all others would be asked at the ports that kubeadm gives them. */
export function nodeWith(t: Cleanup, ...components: readonly string[]): Tree {
  const tree = verifiedNode(t);
  for (const name of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd']) {
    if (!components.includes(name)) rmSync(join(tree.kubeconfigDir, 'manifests', `${name}.yaml`));
  }
  if (!components.includes('kubelet')) rmSync(join(tree.directory, 'var/lib/kubelet/config.yaml'));
  return tree;
}

/** Its API server listens at this port of loopback. */
export function listenAt(tree: Tree, port: number): void {
  edit(tree, 'etc/kubernetes/manifests/kube-apiserver.yaml', (text) =>
    text.replace(
      /--secure-port=\d+(?:\n.*bind-address.*)?/,
      `--secure-port=${String(port)}\n    - --bind-address=127.0.0.1`,
    ),
  );
}

export interface Verified {
  /** What is wrong of what is served and of what runs, such as `ERROR live-valid`, in the order of the checks. */
  readonly live: readonly string[];
  readonly stdout: string;
  readonly code: number | undefined;
}

export async function verifyLive(tree: Tree, ...flags: readonly string[]): Promise<Verified> {
  const { stdout, stderr, code } = await kubepkiInProcess(['verify', '--rootfs', tree.directory, ...flags]);
  if (stderr !== '') throw new Error(stderr);
  const live = [...stdout.matchAll(/^(ERROR|WARNING|UNCHECKED) +(live-\w+)/gm)];
  return { live: live.map(([, grade = '', check = '']) => `${grade} ${check}`), stdout, code };
}
