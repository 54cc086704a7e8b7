import { dirname, join } from 'node:path';
import { certificateAuthorities, certificates, kubeletKubeconfig } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import { readStaticPods } from '../../inventory/kubelet/static-pods.ts';
import { readDirectory, readFile, reading } from '../../inventory/reading.ts';
import { homeKubeconfigs } from '../../inventory/verified-files.ts';
import { readPartialKubeconfig } from '../../kubeconfig/read.ts';
import type { PartialKubeconfig } from '../../kubeconfig/kubeconfig.ts';
import { heldIn, type Sought } from '../../operations/references/held.ts';
import type { FileHolding, Unread } from '../../operations/references/reference.ts';
import { splitFileName } from '../../operations/rotation/signing-file.ts';
import { nodePathOf } from '../../operations/verification/manifest-files.ts';
import { readAsideJournal } from '../../storage/aside-journal.ts';
import type { Node } from '../node-options.ts';
import { usersHere } from '../observe.ts';
import { stateOf } from '../waiting.ts';

export interface FileHoldings {
  readonly holdings: readonly FileHolding[];
  readonly unread: readonly Unread[];
}

/** Where network plugins keep their kubeconfigs; some in a directory of their own. */
const networkDirectory = '/etc/cni/net.d';

/** Files of this node that hold one of the CAs and are no part of what a rotation changes. Never throws for a bad file. */
export function readFileHoldings(node: Node, sought: readonly Sought[]): FileHoldings {
  const { root, certDir, kubeconfigDir } = node.layout;
  const holdings: FileHolding[] = [];
  const unread: Unread[] = [];
  const resolved = (path: string): string | undefined => {
    const found = reading(path, () => root.resolve(path));
    return found.status === 'present' ? found.value : undefined;
  };
  const own = [
    ...certificateAuthorities.map(({ baseName }) => join(certDir, `${baseName}.crt`)),
    join(certDir, splitFileName),
    ...certificates.map((spec) =>
      spec.kind === 'leaf' ? join(certDir, `${spec.baseName}.crt`) : join(kubeconfigDir, spec.name),
    ),
    join(kubeconfigDir, kubeletKubeconfig.name),
  ];
  const seen = new Set<string | undefined>(own.map(resolved));
  const look = (path: string): void => {
    const at = resolved(path);
    if (seen.has(at)) return;
    seen.add(at);
    const file = reading(path, () => readFile(root, path).bytes);
    if (file.status === 'missing') return;
    if (file.status === 'unreadable') {
      // A manifest names directories and logs, too: no kubeconfig and no file of CAs is so large.
      if (file.error.code === 'not-a-file' || file.error.code === 'too-large') return;
      unread.push({ what: root.display(path), why: file.error.message });
      return;
    }
    const text = file.value.toString('latin1');
    const kubeconfig = kubeconfigIn(text);
    for (const held of heldIn(text, sought)) {
      holdings.push({ path: root.display(path), cluster: clusterOf(kubeconfig, sought), held });
    }
    for (const named of [kubeconfig?.clusterCa, kubeconfig?.clientCertificate]) {
      if (named?.kind === 'file') look(root.locate(named.path, dirname(path)));
    }
  };
  const directories = [
    ...subdirectories(node, root.locate(networkDirectory), unread),
    // A kubeconfig of somebody's own beside kubeadm's.
    kubeconfigDir,
  ];
  for (const directory of directories) {
    const entries = entriesOf(node, directory, unread).filter((entry) => !entry.isDirectory());
    for (const { name } of entries) {
      if (directory !== kubeconfigDir || name.endsWith('.conf')) look(join(directory, name));
    }
  }
  for (const path of homeKubeconfigs(root, usersHere())) look(path);
  for (const path of manifestPaths(node, unread)) look(path);
  return { holdings, unread };
}

function entriesOf(
  { layout: { root } }: Node,
  directory: string,
  unread: Unread[],
): ReturnType<typeof readDirectory> {
  const found = reading(directory, () => readDirectory(root, directory));
  if (found.status === 'unreadable') unread.push({ what: root.display(directory), why: found.error.message });
  return found.status === 'present' ? found.value : [];
}

function subdirectories(node: Node, directory: string, unread: Unread[]): string[] {
  const below = entriesOf(node, directory, unread).filter((entry) => entry.isDirectory());
  return [directory, ...below.map(({ name }) => join(directory, name))];
}

/** What the manifests name, whatever it is for: webhooks for audit and authentication have kubeconfigs of their own. */
function manifestPaths(node: Node, unread: Unread[]): string[] {
  const { layout } = node;
  const { root } = layout;
  return Object.values(readStaticPods(layout, readAsideJournal(stateOf(node)))).flatMap((pod): string[] => {
    if (pod.status === 'unreadable') {
      const { file = '', message } = pod.error;
      unread.push({ what: `what ${root.display(file)} names`, why: message });
    }
    if (pod.status !== 'present') return [];
    return pod.value.words
      .map((word) => word.slice(word.indexOf('=') + 1))
      .filter((word) => word.startsWith('/'))
      .flatMap((word) => {
        const path = nodePathOf(word, pod.value);
        return path === undefined ? [] : [root.locate(path, root.directory)];
      });
  });
}

function kubeconfigIn(text: string): PartialKubeconfig | undefined {
  try {
    return readPartialKubeconfig(text);
  } catch (error) {
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}

/** The cluster that the current context leads to, where its CA is in the kubeconfig itself, and is one of those that are looked for. */
function clusterOf(kubeconfig: PartialKubeconfig | undefined, sought: readonly Sought[]): string | undefined {
  if (kubeconfig?.clusterCa.kind !== 'data') return undefined;
  const held = heldIn(kubeconfig.clusterCa.bytes.toString('latin1'), sought);
  return held.some(({ what }) => what !== 'issued') ? kubeconfig.clusterName : undefined;
}
