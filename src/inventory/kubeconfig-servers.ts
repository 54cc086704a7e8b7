import { join } from 'node:path';
import { certificates, kubeletKubeconfig } from '../catalog/catalog.ts';
import type { Layout } from './layout.ts';
import { readKubeconfigSlot } from './pending-files.ts';
import { reading, type Reading } from './reading.ts';

/** The API server that a kubeconfig's current context leads to. */
export interface KubeconfigServer {
  readonly path: string;
  /** As written. */
  readonly server: string;
}

/** Of every kubeconfig that kubeadm writes, the kubelet's too; not read where they name none. Never throws for a bad file. */
export function readKubeconfigServers(layout: Layout): Reading<KubeconfigServer>[] {
  const names = [...certificates, kubeletKubeconfig].filter(({ kind }) => kind === 'kubeconfig');
  return names.map(({ name }) => readServer(layout, name));
}

function readServer(layout: Layout, name: string): Reading<KubeconfigServer> {
  const slot = reading(join(layout.kubeconfigDir, name), () => readKubeconfigSlot(layout, name));
  if (slot.status !== 'present') return slot;
  const { target, content } = slot.value;
  if (content.status !== 'present') return content;
  const { server } = content.value;
  return server === undefined
    ? { status: 'missing' }
    : { status: 'present', value: { path: target.path, server } };
}
