import { join } from 'node:path';
import type { Component } from '../catalog/catalog.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import { readFile, reading, type Reading } from './reading.ts';
import type { Layout } from './layout.ts';
import { parseStaticPod, type Pod } from './parse-static-pod.ts';

/** The manifest of a static pod. */
export interface StaticPod extends Pod {
  readonly path: string;
  readonly target: FileTarget;
}

export type StaticPods = Readonly<Record<Component, Reading<StaticPod>>>;

/** Never throws for a bad file. */
export function readStaticPods(layout: Layout): StaticPods {
  return {
    etcd: readStaticPod(layout, 'etcd'),
    'kube-apiserver': readStaticPod(layout, 'kube-apiserver'),
    'kube-controller-manager': readStaticPod(layout, 'kube-controller-manager'),
    'kube-scheduler': readStaticPod(layout, 'kube-scheduler'),
  };
}

/** kubeadm names the manifest after the component. */
export function manifestPath({ manifestsDir }: Layout, component: Component): string {
  return join(manifestsDir, `${component}.yaml`);
}

function readStaticPod(layout: Layout, component: Component): Reading<StaticPod> {
  const path = manifestPath(layout, component);
  return reading(path, () => {
    const { bytes, target } = readFile(layout.root, path);
    return bytes && { path, target, ...parseStaticPod(bytes.toString('utf8'), component) };
  });
}
