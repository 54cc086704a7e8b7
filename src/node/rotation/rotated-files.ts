import { hostname } from 'node:os';
import { join } from 'node:path';
import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import { readInventory, type Inventory } from '../../inventory/inventory.ts';
import { withKubelet } from '../../inventory/kubelet/kubelet-entry.ts';
import { readStaticPods, type StaticPods } from '../../inventory/kubelet/static-pods.ts';
import { readPrivateKeys } from '../../inventory/private-keys.ts';
import { readFile, readSlot } from '../../inventory/reading.ts';
import { flagValues } from '../../operations/node/component-flags.ts';
import { identityOf } from '../../operations/owners/identity.ts';
import { signingFlag, splitFileName, type SigningFile } from '../../operations/rotation/signing-file.ts';
import type { RotationFiles } from '../../operations/rotation/state.ts';
import { manifestFiles } from '../../operations/verification/manifest-files.ts';
import { parseCertificates } from '../../pki/certificate/certificate.ts';
import { readAsideJournal } from '../../storage/aside-journal.ts';
import type { Node } from '../node-options.ts';
import { stateOf } from '../waiting.ts';

/**
 * The files that a rotation of CAs changes on this node, a control plane or a worker.
 * @throws KubepkiError where the manifest of kube-controller-manager cannot be read, or signs in a way that no rotation can follow
 */
export function readRotatedFiles(node: Node): RotationFiles {
  const inventory = withKubelet(readInventory(node.layout, node.config?.etcd));
  const pods = readStaticPods(node.layout, readAsideJournal(stateOf(node)));
  return { inventory, keys: readPrivateKeys(inventory), signing: readSigningFile(inventory, pods) };
}

/** The kubelet's certificate has the node's name in the cluster, which may be another than the machine's. */
export function nodeName({ inventory }: RotationFiles): string {
  const kubelet = inventory.certificates.find(({ spec }) => spec === kubeletKubeconfig);
  if (kubelet?.state.status !== 'present') return hostname().toLowerCase();
  const [name = ''] = identityOf(kubelet.state.value.chain[0]).commonNames;
  return name.replace(/^system:node:/, '');
}

/** Every node has ca.crt, and only a control plane certificates of the API server's. */
export function isControlPlane({ inventory }: RotationFiles): boolean {
  return inventory.certificates.some(({ spec, state }) => spec.kind === 'leaf' && state.status !== 'missing');
}

function readSigningFile({ layout }: Inventory, pods: StaticPods): SigningFile | undefined {
  const { root, certDir } = layout;
  const pod = pods['kube-controller-manager'];
  if (pod.status === 'unreadable') throw pod.error;
  if (pod.status === 'missing') return undefined;
  requireOneSigner(pod.value);
  const named = manifestFiles(pods).find(({ flag }) => flag === signingFlag);
  if (named === undefined) return undefined;
  const { path: manifestPath } = pod.value;
  if (named.nodePath === undefined) {
    throw new KubepkiError('bad-manifest', `${named.field} names ${named.value}, which is not on this node`, {
      file: manifestPath,
      hint: 'have it name a file of a directory that is mounted from the node',
    });
  }
  const path = root.locate(named.nodePath, root.directory);
  const { target, content } = readSlot(root, path, parseCertificates);
  const manifest = readFile(root, manifestPath);
  const split = readFile(root, join(certDir, splitFileName)).target;
  const resolved = root.resolve(path);
  const kind =
    resolved === root.resolve(join(certDir, 'ca.crt'))
      ? 'authority'
      : resolved === split.resolvedPath
        ? 'split'
        : 'own';
  return {
    path,
    target,
    content,
    kind,
    manifest: manifest.target,
    manifestText: manifest.bytes?.toString('utf8') ?? '',
    flagValue: named.value,
    split,
  };
}

/** A signer with files of its own excludes the general ones: kube-controller-manager does not start with both. */
function requireOneSigner({
  path,
  words,
}: {
  readonly path: string;
  readonly words: readonly string[];
}): void {
  for (const signer of ['kubelet-serving', 'kubelet-client', 'kube-apiserver-client', 'legacy-unknown']) {
    const flag = `cluster-signing-${signer}-cert-file`;
    if (flagValues(words, flag).length === 0) continue;
    throw new KubepkiError('bad-manifest', `--${flag} gives a signer a CA of its own`, {
      file: path,
      hint: 'replace the CA by hand, or have all signers use --cluster-signing-cert-file first',
    });
  }
}
