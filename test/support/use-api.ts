import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { csrApi, type CsrApi } from './cluster/csr-api.ts';
import type { ControllersWishes } from './cluster/csr-controllers.ts';
import { nodeOfCluster, type NodeOfCluster } from './cluster/node.ts';
import type { Faults } from './cluster/server.ts';
import { kubeadmConfigMap } from './cluster/server.ts';
import { judge } from './judge.ts';
import { stateDirectory } from './node.ts';
import { temporaryDirectory, type Tree } from './tree.ts';

export interface SigningNode extends NodeOfCluster {
  readonly openssl: string;
  readonly csrs: CsrApi;
}

export type SigningNodeWishes = Partial<Pick<ControllersWishes, 'approver' | 'signers' | 'ca'>> & {
  readonly faults?: Faults;
};

/** A node whose cluster has a certificates API with the signers of kube-controller-manager. undefined: no openssl. */
export async function signingNode(
  t: TestContext,
  { faults, ...wishes }: SigningNodeWishes = {},
): Promise<SigningNode | undefined> {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  let csrs: CsrApi | undefined;
  const { tree, server } = await nodeOfCluster(t, {
    apis: ({ certDir }) => {
      const ca = { certificate: join(certDir, 'ca.crt'), key: join(certDir, 'ca.key') };
      csrs = csrApi({ openssl, ca, scratch: temporaryDirectory(t), ...wishes });
      return [kubeadmConfigMap(), csrs.api];
    },
    ...(faults === undefined ? {} : { faults }),
  });
  if (csrs === undefined) throw new Error('the server has no certificates API');
  return { tree, server, openssl, csrs };
}

/** What waits on the node, by file name. */
export function pendingFiles(tree: Tree): readonly string[] {
  try {
    return readdirSync(join(stateDirectory(tree), 'pending')).sort();
  } catch {
    return [];
  }
}

/** The client certificate of a kubeconfig, PEM. */
export function clientCertificate(tree: Tree, name: string): string {
  const text = readFileSync(join(tree.kubeconfigDir, name), 'utf8');
  const data = /client-certificate-data: (\S+)/.exec(text)?.[1] ?? '';
  return Buffer.from(data, 'base64').toString();
}

/** SHA-256 over the SubjectPublicKeyInfo, by openssl. */
export function keyOfCertificate(openssl: string, pem: string): string {
  return execFileSync(openssl, ['x509', '-noout', '-pubkey'], { input: pem, encoding: 'utf8' });
}

/** The public half of a kubeconfig's client key, PEM. */
export function publicKeyOfKubeconfig(openssl: string, tree: Tree, name: string): string {
  const text = readFileSync(join(tree.kubeconfigDir, name), 'utf8');
  const data = /client-key-data: (\S+)/.exec(text)?.[1] ?? '';
  return execFileSync(openssl, ['pkey', '-pubout'], {
    input: Buffer.from(data, 'base64'),
    encoding: 'utf8',
  });
}
