/**
 * A stand-in for kube-controller-manager. It reads its kubeconfig when it starts, root-ca-file when it begins to lead (tried with a
 * real one, 1.20), and the signing pair for each signature; client-ca-file is watched. Of several the one that holds the lease acts; when it has lost that, it ends.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import type { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpensslSigner, subjectOf } from '../../cluster/signer.ts';
import { ApiClient } from './api-client.ts';
import { flagsOf } from './flags.ts';
import { serveHealth } from './health.ts';
import { certificatesIn } from './pem.ts';
import { watchFiles } from './watched-file.ts';

const flags = flagsOf(process.argv.slice(2));
const node = process.env['NODE_NAME'] ?? '';
const openssl = 'openssl';
const api = new ApiClient(
  `kube-controller-manager ${node}`,
  flags.need('kubeconfig'),
  process.env['REQUESTS'],
);
const signing = {
  certificate: flags.need('cluster-signing-cert-file'),
  key: flags.need('cluster-signing-key-file'),
};
const scratch = mkdtempSync(join(tmpdir(), 'kubepki-kcm-'));

const clientCa = flags.need('client-ca-file');
const clients: { roots: readonly X509Certificate[] } = { roots: certificatesIn(readFileSync(clientCa)) };
watchFiles(
  [clientCa],
  ([pem]) => {
    clients.roots = certificatesIn(pem ?? '');
  },
  (error) => {
    console.error(String(error));
  },
);
serveHealth(flags, () => clients.roots);

interface Leading {
  readonly rootCa: string;
}

async function run(): Promise<void> {
  let leading: Leading | undefined;
  for (;;) {
    try {
      api.reconnect();
      const isLeader = await leads();
      if (!isLeader && leading !== undefined) end('leaderelection lost');
      if (isLeader) await act((leading ??= begin()));
    } catch (error) {
      console.error(String(error));
    }
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
}

/** Its controllers start when it leads, and not with a pair that cannot sign. */
function begin(): Leading {
  try {
    requireOneCertificate();
    return { rootCa: readFileSync(flags.need('root-ca-file'), 'utf8') };
  } catch (error) {
    return end(`error starting controllers: ${String(error)}`);
  }
}

function end(why: string): never {
  console.error(why);
  process.exit(1);
}

interface Lease {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: { readonly holderIdentity: string; readonly renewTime: string };
}

const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
// Long enough for a busy machine; that of a real one lasts 15 s.
const leaseMs = 5000;

async function leads(): Promise<boolean> {
  const metadata = { name: 'kube-controller-manager' };
  const spec = { holderIdentity: node, renewTime: new Date().toISOString() };
  const found = await api.ask<Lease>('GET', `${leases}/${metadata.name}`);
  if (found === undefined) {
    await api.ask('POST', leases, { metadata, spec });
    return true;
  }
  const isOurs = found.spec.holderIdentity === node;
  if (!isOurs && Date.now() - Date.parse(found.spec.renewTime) < leaseMs) return false;
  const { resourceVersion } = found.metadata;
  await api.ask('PUT', `${leases}/${metadata.name}`, { metadata: { ...metadata, resourceVersion }, spec });
  return true;
}

async function act({ rootCa }: Leading): Promise<void> {
  await publishRootCa(rootCa);
  for (const csr of await all<Csr>('/apis/certificates.k8s.io/v1/certificatesigningrequests')) {
    await settle(csr);
  }
  await watchNodes();
}

async function all<T>(path: string): Promise<readonly T[]> {
  return (await api.ask<{ items: readonly T[] }>('GET', path))?.items ?? [];
}

interface Named {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

type ConfigMap = Named & { readonly data?: Readonly<Record<string, string>> };

async function publishRootCa(rootCa: string): Promise<void> {
  const name = 'kube-root-ca.crt';
  const namespaces = await all<Named>('/api/v1/namespaces');
  const published = await all<ConfigMap>(`/api/v1/configmaps?fieldSelector=metadata.name=${name}`);
  for (const { metadata } of namespaces) {
    const path = `/api/v1/namespaces/${metadata.name}/configmaps`;
    const kept = published.find((one) => one.metadata.namespace === metadata.name);
    const data = { 'ca.crt': rootCa };
    if (kept === undefined) await api.ask('POST', path, { metadata: { name }, data });
    else if (kept.data?.['ca.crt'] !== rootCa) await api.ask('PATCH', `${path}/${name}`, { data });
  }
}

interface Csr extends Named {
  readonly spec: {
    readonly request: string;
    readonly signerName: string;
    readonly usages: readonly string[];
    readonly expirationSeconds?: number;
    readonly username: string;
    readonly groups: readonly string[];
  };
  readonly status?: {
    readonly certificate?: string;
    readonly conditions?: readonly { readonly type: string }[];
  };
}

const kubeletClient = 'kubernetes.io/kube-apiserver-client-kubelet';
const signers = [kubeletClient, 'kubernetes.io/kube-apiserver-client', 'kubernetes.io/kubelet-serving'];

async function settle({ metadata, spec, status = {} }: Csr): Promise<void> {
  const path = `/apis/certificates.k8s.io/v1/certificatesigningrequests/${metadata.name}`;
  const has = (type: string): boolean => (status.conditions ?? []).some((one) => one.type === type);
  if (status.certificate !== undefined || has('Denied') || has('Failed')) return;
  if (!has('Approved')) {
    if (!isOwnRenewal(spec)) return;
    const message = 'Auto approving self kubelet client certificate after SubjectAccessReview.';
    const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message };
    await api.ask('PATCH', `${path}/approval`, { status: { conditions: [approved] } });
    return;
  }
  if (!signers.includes(spec.signerName)) return;
  try {
    requireOneCertificate();
  } catch (error) {
    // It goes on trying.
    console.error(`error syncing csr ${metadata.name}: ${String(error)}`);
    return;
  }
  const { usages, expirationSeconds } = spec;
  const request = Buffer.from(spec.request, 'base64');
  const pem = new OpensslSigner(openssl, signing, scratch).sign({ request, usages, expirationSeconds });
  await api.ask('PATCH', `${path}/status`, { status: { certificate: Buffer.from(pem).toString('base64') } });
}

/** What kubeadm:node-autoapprove-certificate-rotation has it approve: a node asks for its own name. */
function isOwnRenewal({ signerName, username, groups, request }: Csr['spec']): boolean {
  if (signerName !== kubeletClient || !groups.includes('system:nodes')) return false;
  const subject = subjectOf(openssl, Buffer.from(request, 'base64'));
  return subject.some(([type, value]) => type === 'CN' && value === username);
}

/** pkg/controller/certificates/signer/ca_provider.go */
function requireOneCertificate(): void {
  const { length } = certificatesIn(readFileSync(signing.certificate));
  if (length !== 1)
    throw new Error(`error reading CA cert file: expected 1 certificate, found ${String(length)}`);
  const publicKeys = [
    execFileSync(openssl, ['x509', '-in', signing.certificate, '-noout', '-pubkey']),
    spawnSync(openssl, ['pkey', '-in', signing.key, '-pubout']).stdout,
  ];
  if (publicKeys[0]?.equals(publicKeys[1] ?? Buffer.alloc(0)) !== true)
    throw new Error('error loading CA cert: tls: private key does not match public key');
}

interface NodeObject extends Named {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastHeartbeatTime: string;
    }[];
  };
}

const graceMs = 4000;

/** A node of which nothing is heard is not Ready any more. */
async function watchNodes(): Promise<void> {
  for (const { metadata, status } of await all<NodeObject>('/api/v1/nodes')) {
    const ready = (status?.conditions ?? []).find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True' || Date.now() - Date.parse(ready.lastHeartbeatTime) < graceMs) continue;
    const unknown = { ...ready, status: 'Unknown', reason: 'NodeStatusUnknown' };
    await api.ask('PATCH', `/api/v1/nodes/${metadata.name}/status`, { status: { conditions: [unknown] } });
  }
}

void run();
