/** What real nodes say of themselves, as Prometheus has it once node_exporter was scraped. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { samplesOf, type Sample } from '../../support/metrics.ts';
import { copyFixture, temporaryDirectory, type Cleanup } from '../../support/tree.ts';

export interface ObservedNode {
  readonly instance: string;
  readonly text: string;
}

const textfile = '/kubepki.prom';

/** Between them they have everything that an alert is of; all of them are judged now. */
export async function observedNodes(t: Cleanup): Promise<readonly ObservedNode[]> {
  return [
    { instance: 'cp-1', text: await pendingNode(t) },
    { instance: 'cp-2', text: await expiredNode(t) },
    { instance: 'cp-3', text: await nodeWithout(t, 'etc/kubernetes/pki/apiserver.crt') },
    { instance: 'cp-4', text: await emptyNode(t) },
    { instance: 'backups', text: await severalTrees(t) },
  ];
}

export function samplesOfNodes(nodes: readonly ObservedNode[]): readonly Sample[] {
  return nodes.flatMap(({ instance, text }) =>
    samplesOf(text).map((one) => ({ ...one, labels: { job: 'node', instance, ...one.labels } })),
  );
}

/** Its CAs end in 200 days, a leaf in ten, one in three. The last renewal is to be followed by what failed, the one before is not. */
async function pendingNode(t: Cleanup): Promise<string> {
  const directory = temporaryDirectory(t);
  const config = [
    'apiVersion: kubeadm.k8s.io/v1beta4',
    'kind: ClusterConfiguration',
    'encryptionAlgorithm: ECDSA-P256',
    'caCertificateValidityPeriod: 4800h',
  ];
  writeFileSync(join(directory, 'kubeadm.yaml'), `${config.join('\n')}\n`);
  const node = ['--node-name', 'cp-1', '--advertise-address', '192.0.2.1', '--config', '/kubeadm.yaml'];
  await run(0, directory, 'certs', 'generate', ...node);
  const metrics = ['--textfile', textfile];
  await run(0, directory, 'certs', 'renew', 'apiserver', '--validity', '240h', ...metrics);
  const last = ['certs', 'renew', 'front-proxy-client', '--validity', '72h', '--deploy-hook', 'false'];
  await run(8, directory, ...last, ...metrics);
  return readFileSync(join(directory, textfile), 'utf8');
}

/** What has expired is not to be renewed here, as the CA's key is elsewhere. */
async function expiredNode(t: Cleanup): Promise<string> {
  const { directory, certDir } = copyFixture(t, 'expired-leaf');
  rmSync(join(certDir, 'ca.key'));
  await run(6, directory, 'certs', 'renew', 'apiserver', '--textfile', textfile);
  return readFileSync(join(directory, textfile), 'utf8');
}

async function nodeWithout(t: Cleanup, path: string): Promise<string> {
  const { directory } = copyFixture(t, 'stacked-etcd-ecdsa');
  rmSync(join(directory, path));
  return (await run(0, directory, 'certs', 'check-expiration', '-o', 'prometheus')).stdout;
}

/** Nothing of it can be looked at. */
async function emptyNode(t: Cleanup): Promise<string> {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'etc'));
  await run(1, directory, 'certs', 'check-expiration', '--textfile', textfile);
  return readFileSync(join(directory, textfile), 'utf8');
}

async function severalTrees(t: Cleanup): Promise<string> {
  const trees = ['stacked-etcd-ecdsa', 'external-ca'].map((role) => copyFixture(t, role).directory);
  const args = ['certs', 'check-expiration', '-o', 'prometheus', '--rootfs', ...trees];
  return (await kubepki(args)).stdout;
}

async function run(code: number, directory: string, ...args: readonly string[]): Promise<{ stdout: string }> {
  const outcome = await kubepki([...args, '--rootfs', directory]);
  assert.equal(outcome.code, code, `${args.join(' ')}: ${outcome.stdout}${outcome.stderr}`);
  return outcome;
}
