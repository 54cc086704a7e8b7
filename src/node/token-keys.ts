import { join } from 'node:path';
import { nextTokenKey, oldTokenKey } from '../filesystem/own-names.ts';
import { readStaticPods, type StaticPods } from '../inventory/kubelet/static-pods.ts';
import { reading, readSlot, type Slot } from '../inventory/reading.ts';
import type { NamedTokenFile } from '../operations/token-key/manifest-use.ts';
import type { TokenKeyFiles } from '../operations/token-key/state.ts';
import { manifestFiles } from '../operations/verification/manifest-files.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/key/private-key.ts';
import { parsePublicKeys } from '../pki/key/public-key.ts';
import { readOwn, type StateDirectory } from '../storage/state-directory.ts';
import type { Node } from './node-options.ts';
import { stateOf } from './waiting.ts';

/** All that says where the replacement of the service-account key is on a node. */
export interface TokenKeyNode {
  readonly files: TokenKeyFiles;
  readonly pods: StaticPods;
  readonly named: readonly NamedTokenFile[];
}

/** Never throws for a bad file. */
export function readTokenKeyNode(node: Node): TokenKeyNode {
  const { layout } = node;
  const pods = readStaticPods(layout);
  return { files: readTokenKeyFiles(node), pods, named: namedFiles(node, pods) };
}

/** Never throws for a bad file. */
export function readTokenKeyFiles(node: Node): TokenKeyFiles {
  const { root, certDir } = node.layout;
  const state = stateOf(node);
  return {
    key: readSlot(root, join(certDir, 'sa.key'), parsePrivateKey),
    publicKeys: readSlot(root, join(certDir, 'sa.pub'), parsePublicKeys),
    next: readKept(state, nextTokenKey),
    old: readKept(state, oldTokenKey),
  };
}

/** Only a file of our own is one: the owner of the cert dir may put another directory in the place of the state. */
function readKept(state: StateDirectory, name: string): Slot<PrivateKey> {
  const path = join(state.path, name);
  const file = reading(path, () => readOwn(path));
  const target = {
    path,
    resolvedPath: path,
    before: file.status === 'present' ? file.value.facts : undefined,
  };
  return {
    target,
    content: file.status === 'present' ? reading(path, () => parsePrivateKey(file.value.bytes)) : file,
  };
}

function namedFiles({ layout: { root } }: Node, pods: StaticPods): NamedTokenFile[] {
  return manifestFiles(pods).flatMap(({ component, file, field, value, pod, nodePath }): NamedTokenFile[] => {
    if (file.kind !== 'token-keys' && file.kind !== 'token-signer') return [];
    if (component !== 'kube-apiserver' && component !== 'kube-controller-manager') return [];
    const path = nodePath === undefined ? undefined : root.locate(nodePath, root.directory);
    const resolved = path === undefined ? undefined : reading(path, () => root.resolve(path));
    return [
      {
        ...{ component, kind: file.kind, field, value, manifest: pod.path },
        resolvedPath: resolved?.status === 'present' ? resolved.value : undefined,
      },
    ];
  });
}
