import { join } from 'node:path';
import type { Component } from '../../catalog/catalog.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import { readFile, reading, type Reading } from '../reading.ts';
import type { Layout } from '../layout.ts';
import { parseStaticPod, type Pod } from './parse-static-pod.ts';

/** The manifest of a static pod. */
export interface StaticPod extends Pod {
  readonly path: string;
  readonly target: FileTarget;
}

export type StaticPods = Readonly<Record<Component, Reading<StaticPod>>>;

/** A manifest that a restart has taken out of the kubelet's sight, and where it waits. Host paths. */
interface AwayManifest {
  readonly path: string;
  readonly asidePath: string;
}

/**
 * Never throws for a bad file.
 * @param away read where it waits; undefined: what is not in its place is missing
 */
export function readStaticPods(layout: Layout, away?: AwayManifest): StaticPods {
  const read = (component: Component): Reading<StaticPod> => {
    const found = readStaticPod(layout, component, manifestPath(layout, component));
    if (found.status !== 'missing' || away?.path !== manifestPath(layout, component)) return found;
    return readStaticPod(layout, component, away.asidePath);
  };
  return {
    etcd: read('etcd'),
    'kube-apiserver': read('kube-apiserver'),
    'kube-controller-manager': read('kube-controller-manager'),
    'kube-scheduler': read('kube-scheduler'),
  };
}

/** kubeadm names the manifest after the component. */
export function manifestPath({ manifestsDir }: Layout, component: Component): string {
  return join(manifestsDir, `${component}.yaml`);
}

function readStaticPod(layout: Layout, component: Component, path: string): Reading<StaticPod> {
  return reading(path, () => {
    const { bytes, target } = readFile(layout.root, path);
    return bytes && { path, target, ...parseStaticPod(bytes.toString('utf8'), component) };
  });
}
