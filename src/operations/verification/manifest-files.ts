import { posix } from 'node:path';
import { fileFlags, type FileFlag } from '../../catalog/component-files.ts';
import type { StaticPod, StaticPods } from '../../inventory/kubelet/static-pods.ts';
import { etcdSettings, flagSettings } from '../node/component-flags.ts';

/** A file of kubeadm's that the manifest of a component names. */
export interface ManifestFile extends FileFlag {
  readonly pod: StaticPod;
  /** `--client-ca-file`, or the variable of etcd's that says the same. */
  readonly field: string;
  /** As the container sees it. */
  readonly value: string;
  /** As the node sees it, inside its root; undefined: nothing of the node is there in the container. */
  readonly nodePath: string | undefined;
}

/** What the manifests name, flag by flag; what cannot be read names nothing. */
export function manifestFiles(pods: StaticPods): ManifestFile[] {
  return fileFlags.flatMap((fileFlag): ManifestFile[] => {
    const reading = pods[fileFlag.component];
    if (reading.status !== 'present') return [];
    const pod = reading.value;
    const settings = (fileFlag.component === 'etcd' ? etcdSettings : flagSettings)(pod, fileFlag.flag);
    // Only the service-account's public keys may be in several files; of other flags the last one counts.
    const counting = fileFlag.file.kind === 'token-keys' ? settings : settings.slice(-1);
    return counting
      .filter(({ value }) => value !== '')
      .map(({ field, value }) => ({ ...fileFlag, pod, field, value, nodePath: nodePathOf(value, pod) }));
  });
}

/**
 * Of several mounts the deepest one counts, as for the kernel.
 * @returns undefined: nothing of the node is there
 */
export function nodePathOf(path: string, { mounts }: StaticPod): string | undefined {
  const below = mounts
    .map(({ hostPath, mountPath }) => ({ hostPath, rest: posix.relative(mountPath, path) }))
    .filter(({ rest }) => rest !== '..' && !rest.startsWith('../'))
    .sort((a, b) => a.rest.length - b.rest.length);
  return below[0] && posix.join(below[0].hostPath, below[0].rest);
}
