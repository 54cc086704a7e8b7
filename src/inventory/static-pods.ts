import { join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import type { Layout } from './layout.ts';
import { readFile, reading, type Reading } from './reading.ts';

/** The manifest of a static pod, as far as it says where the component listens and whom it calls. */
export interface StaticPod {
  readonly path: string;
  /** `command` and `args` of its containers, word by word. */
  readonly words: readonly string[];
  /** The hosts that its HTTP probes call. */
  readonly probes: readonly { readonly name: string; readonly host: string }[];
}

export type StaticPodName = 'kube-apiserver' | 'etcd';

export interface StaticPods {
  readonly apiserver: Reading<StaticPod>;
  readonly etcd: Reading<StaticPod>;
}

/** Where kubeadm puts them: in `manifests` below the kubeconfig dir. Never throws for a bad file. */
export function readStaticPods(layout: Layout): StaticPods {
  return { apiserver: readStaticPod(layout, 'kube-apiserver'), etcd: readStaticPod(layout, 'etcd') };
}

function readStaticPod({ root, kubeconfigDir }: Layout, name: StaticPodName): Reading<StaticPod> {
  const path = join(kubeconfigDir, 'manifests', `${name}.yaml`);
  return reading(path, () => {
    const { bytes } = readFile(root, path);
    return bytes && parseStaticPod(path, bytes.toString('utf8'));
  });
}

const probeNames = ['livenessProbe', 'readinessProbe', 'startupProbe'];

/** @throws KubepkiError bad-manifest, without a file */
function parseStaticPod(path: string, text: string): StaticPod {
  // Every scalar stays text: `--secure-port=6443` and an address alone are words alike.
  // Of several documents the kubelet reads the first.
  const [pod] = parseYaml(text, { code: 'bad-manifest', schema: 'failsafe' });
  const containers = field(field(pod?.value, 'spec'), 'containers');
  if (!Array.isArray(containers)) {
    throw new KubepkiError('bad-manifest', 'is not the manifest of a pod: it has no list spec.containers');
  }
  return {
    path,
    words: containers.flatMap((container: unknown) => [
      ...texts(field(container, 'command')),
      ...texts(field(container, 'args')),
    ]),
    probes: containers.flatMap((container: unknown) =>
      probeNames.flatMap((name) => {
        const host = field(field(field(container, name), 'httpGet'), 'host');
        return typeof host === 'string' ? [{ name, host }] : [];
      }),
    ),
  };
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((word): word is string => typeof word === 'string') : [];
}
