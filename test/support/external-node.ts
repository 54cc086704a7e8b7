import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  certificateAuthorities,
  certificates,
  kubeletKubeconfig,
  type CaName,
} from '../../src/catalog/catalog.ts';
import { judge } from './judge.ts';
import type { CreateSigner, KeyKind, Signer, SigningProgram } from './signers/signer.ts';
import { temporaryDirectory, type Tree } from './tree.ts';

const configuration = (keyKind: KeyKind): string => `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10}
nodeRegistration: {name: control-plane-1}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
encryptionAlgorithm: ${keyKind === 'rsa' ? 'RSA-2048' : 'ECDSA-P256'}
apiServer: {certSANs: [api.example.com, "2001:db8::1"]}
`;

export interface ExternalNode {
  readonly tree: Tree;
  /** Signs every CSR in a directory, each with the CA it belongs to. */
  readonly signAll: (directory: string, days: number) => void;
}

/** An empty node, and three CAs of one program elsewhere; of each the node has the certificate. */
export function emptyNode(
  t: TestContext,
  { judge: judgeName }: SigningProgram,
  keyKind: KeyKind,
  create: CreateSigner,
): ExternalNode | undefined {
  const program = judge(t, judgeName);
  if (program === undefined) return undefined;
  const directory = join(temporaryDirectory(t), 'node');
  const kubeconfigDir = join(directory, 'etc/kubernetes');
  const tree: Tree = { directory, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
  mkdirSync(join(tree.certDir, 'etcd'), { recursive: true });
  writeFileSync(join(directory, 'kubeadm.yaml'), configuration(keyKind));
  const elsewhere = temporaryDirectory(t);
  const signers = new Map<CaName, Signer>(
    certificateAuthorities.map(({ name, baseName }) => {
      const own = join(elsewhere, name);
      mkdirSync(own);
      const signer = create(program, own, name, keyKind);
      copyFileSync(signer.certificate, join(tree.certDir, `${baseName}.crt`));
      return [name, signer];
    }),
  );
  return {
    tree,
    signAll: (where, days) => {
      for (const file of readdirSync(where).filter((one) => one.endsWith('.csr'))) {
        const name = basename(file, '.csr');
        const spec = [...certificates, kubeletKubeconfig].find(
          (one) => one.name === name || (one.kind === 'leaf' && basename(one.baseName) === name),
        );
        if (spec === undefined) throw new Error(`no certificate is called ${name}`);
        const request = join(where, file);
        signers.get(spec.caName)?.sign(request, request.replace(/csr$/, 'crt'), spec.usages, days);
      }
    },
  };
}
