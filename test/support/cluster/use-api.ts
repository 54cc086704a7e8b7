import { execFileSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { csrApi, type CsrApi } from './csr-api.ts';
import type { ControllersWishes } from './csr-controllers.ts';
import { nodeOfCluster, type NodeOfCluster, type NodeOfClusterWishes } from './node.ts';
import { kubeadmConfigMap } from './server.ts';
import { judge } from '../judge.ts';
import { until } from '../deadline.ts';
import { startKubepki, type Outcome, type Running } from '../kubepki.ts';
import { stateDirectory } from '../node.ts';
import { fileChanges, snapshot, temporaryDirectory, type Tree } from '../tree.ts';
import { certsInProcess as certs } from '../in-process.ts';

export interface SigningNode extends NodeOfCluster {
  readonly openssl: string;
  readonly csrs: CsrApi;
}

export type SigningNodeWishes = Partial<Pick<ControllersWishes, 'approver' | 'signers' | 'ca'>> &
  Pick<NodeOfClusterWishes, 'faults' | 'tree' | 'serving'>;

/** A node whose cluster has a certificates API with the signers of kube-controller-manager. undefined: no openssl. */
export async function signingNode(
  t: TestContext,
  { faults, tree: given, serving, ...wishes }: SigningNodeWishes = {},
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
    ...(given === undefined ? {} : { tree: given }),
    ...(serving === undefined ? {} : { serving }),
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

export const kubeconfig = ['--kubeconfig', '/etc/kubernetes/admin.conf'];
export const two = ['controller-manager.conf', 'scheduler.conf'] as const;

export function renew(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  return certs(tree, 'renew', ...args, '--use-api', ...kubeconfig);
}

export function begin(tree: Tree, ...args: readonly string[]): Running {
  return startKubepki(['certs', 'renew', ...args, '--use-api', ...kubeconfig, '--rootfs', tree.directory]);
}

/** Waits until the server keeps so many requests. */
export function asked({ csrs }: SigningNode, count: number): Promise<true> {
  return until(() => (csrs.kept().length === count ? true : undefined), {
    deadlineMs: 60_000,
    otherwise: () => `the server has ${String(csrs.kept().length)} requests, not ${String(count)}`,
  });
}

export function kept({ csrs }: SigningNode): readonly string[] {
  return csrs.kept().map(({ metadata }) => metadata.name);
}

/** Nothing of the node's own files has changed. */
export function unchanged(tree: Tree, before: ReturnType<typeof snapshot>): void {
  assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
}

/** Every kubeconfig has a certificate of the cluster's CA, with the key that is beside it. */
export function inPlace({ tree, openssl }: SigningNode, names: readonly string[] = two): void {
  for (const name of names) {
    const pem = clientCertificate(tree, name);
    assert.equal(keyOfCertificate(openssl, pem), publicKeyOfKubeconfig(openssl, tree, name));
    const ca = join(tree.certDir, 'ca.crt');
    execFileSync(openssl, ['verify', '-CAfile', ca, '-purpose', 'sslclient'], { input: pem, stdio: 'pipe' });
  }
}
