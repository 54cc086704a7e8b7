import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type TestContext } from 'node:test';
import { until } from '../deadline.ts';
import { judge } from '../judge.ts';
import { temporaryDirectory } from '../tree.ts';
import { apiAsk, etcdAsk, kubeletAsk, tokenAsk, type Ask } from './clients.ts';
import { rotationCluster, type RotationCluster } from './cluster.ts';
import { certificatesIn } from './components/pem.ts';
import { realBinaries } from './containers.ts';
import type { Counter } from './counter.ts';
import { nextAuthority, type NextAuthority } from './next-authority.ts';
import type { ClusterNode } from './node.ts';
import { sampleStacks, stacksOf } from './stacks.ts';

/*
 * What the cluster of the rotations' tests does is what the real one does ("Who reloads what" in the pages about CAs), tried by hand:
 * openssl makes every certificate, and kubepki does nothing but generate what is there at the beginning.
 */

/** How long a file may take until it is taken up: Kubernetes 1.20 looks at some of its files once a minute. */
const reloadMs = realBinaries === undefined ? 2500 : 90_000;

type Authority = 'ca' | 'etcd/ca' | 'front-proxy-ca';

async function clusterWith(
  t: TestContext,
  follows: Authority,
  { controlPlanes = 3, workers = 0 } = {},
): Promise<{ cluster: RotationCluster; next: NextAuthority; openssl: string } | undefined> {
  const openssl = judge(t, 'openssl');
  // Its scratch directory goes after the cluster, which is registered later.
  const cluster = await rotationCluster(t, { controlPlanes, workers });
  if (cluster === undefined || openssl === undefined) return undefined;
  const old = cluster.controlPlanes[0].path(`pki/${follows}`);
  return { cluster, openssl, next: nextAuthority(openssl, old, temporaryDirectory(t), 'next') };
}

/** Of the same question, asked now. */
async function status(ask: Ask): Promise<number | string> {
  return ask().then(
    ({ status: code }) => code,
    (error: unknown) => String(error),
  );
}

async function becomes(ask: Ask, wanted: number | RegExp, deadlineMs = reloadMs): Promise<void> {
  let last: number | string = '';
  await until(
    async () => {
      last = await status(ask);
      const isIt = wanted instanceof RegExp ? wanted.test(String(last)) : last === wanted;
      return isIt ? true : undefined;
    },
    { deadlineMs, otherwise: () => `it is ${String(last)}, not ${String(wanted)}` },
  );
}

/** Lets the clients ask for a while. */
async function counted(counter: Counter, ms = 1500): Promise<Counter['count']> {
  counter.reset();
  await pause(ms);
  return counter.count;
}

const both = (...certificates: readonly Buffer[]): Buffer => Buffer.concat(certificates);

test('a serving certificate of another CA is refused, and taken with a cross-certificate', async (t) => {
  const programs = stacksOf(t);
  if (programs === undefined) return;
  const made = await clusterWith(t, 'ca', { controlPlanes: 1 });
  if (made === undefined) return;
  const { cluster, next } = made;
  const [node] = cluster.controlPlanes;
  const { original } = cluster;
  const old = cluster.client('old', apiAsk(original, node.address));
  const trustsNext = { ...original, ca: next.certificate };
  assert.equal((await counted(old)).failed, 0);

  next.reissueOn(node, 'apiserver', { cross: false });
  await becomes(apiAsk(original, node.address), /unable to verify|self-signed/);
  const without = await counted(old);
  assert.equal(without.ok, 0);
  assert.match(without.first?.reason ?? '', /unable to verify|self-signed/);
  const refusals = await sampleStacks(programs, original, node.address);
  assert.deepEqual(
    refusals.filter(({ isWell }) => isWell),
    [],
  );

  next.reissueOn(node, 'apiserver', { cross: true });
  await becomes(apiAsk(original, node.address), 200);
  for (const credentials of [original, trustsNext]) {
    assert.equal(await status(apiAsk(credentials, node.address)), 200);
    const samples = await sampleStacks(programs, credentials, node.address);
    assert.deepEqual(
      samples.filter(({ isWell }) => !isWell),
      [],
    );
  }
  const crossed = await counted(old);
  assert.equal(crossed.failed, 0);
  assert.ok(crossed.ok > 5, JSON.stringify(crossed));
});

test('API server: a client of another CA, a cross-certificate, and a bundle that is taken up both ways', async (t) => {
  const made = await clusterWith(t, 'ca', { controlPlanes: 2 });
  if (made === undefined) return;
  const { cluster, next } = made;
  const [node, other] = cluster.controlPlanes;
  const { original } = cluster;
  const bare = { ...original, certificate: next.reissue(original, { cross: false }) };
  const crossed = { ...original, certificate: next.reissue(original, { cross: true }) };
  assert.equal(await status(apiAsk(bare, node.address)), 401);
  assert.equal(await status(apiAsk(crossed, node.address)), 200);

  const old = node.read('pki/ca.crt');
  node.replace('pki/ca.crt', both(old, next.certificate));
  await becomes(apiAsk(bare, node.address), 200);
  assert.equal(await status(apiAsk(original, node.address)), 200);
  assert.equal(await status(apiAsk(bare, other?.address ?? '')), 401);

  // Who is believed is decided with each request: a connection that is kept is no refuge.
  const kept = cluster.client('old', apiAsk(original, node.address));
  node.replace('pki/ca.crt', next.certificate);
  await becomes(apiAsk(original, node.address), 401);
  assert.equal(await status(apiAsk(bare, node.address)), 200);
  assert.equal(await status(apiAsk(crossed, node.address)), 200);
  const refused = await counted(kept, 700);
  assert.deepEqual([refused.ok, refused.first?.reason.slice(0, 8)], [0, 'HTTP 401']);
  node.replace('pki/ca.crt', old);
  await becomes(apiAsk(original, node.address), 200);
});

test('etcd reads its CAs at its start only, and its leaves with each handshake', async (t) => {
  const made = await clusterWith(t, 'etcd/ca');
  if (made === undefined) return;
  const { cluster, next } = made;
  const [first, second, third] = cluster.controlPlanes;
  assert.ok(second && third);
  const client = third.pair('etcd/healthcheck-client', 'etcd/ca.crt');
  const trusting = { ...client, ca: both(client.ca, next.certificate) };
  const crossed = { ...trusting, certificate: next.reissue(client, { cross: true }) };
  const bare = { ...trusting, certificate: next.reissue(client, { cross: false }) };
  assert.equal(await status(etcdAsk(crossed, first.address)), 200);
  assert.match(String(await status(etcdAsk(bare, first.address))), /bad certificate|unknown ca|alert/i);

  // With the cross-certificate a member is one of them, whatever the others trust.
  next.reissueOn(third, 'etcd/peer', { cross: true });
  await third.restart('etcd');
  assert.equal(await status(etcdAsk(client, third.address)), 200);

  for (const node of cluster.controlPlanes) {
    node.replace('pki/etcd/ca.crt', both(node.read('pki/etcd/ca.crt'), next.certificate));
  }
  assert.match(String(await status(etcdAsk(bare, first.address))), /bad certificate|unknown ca|alert/i);
  // Without it a member is cut off, for the bundle is on the disk alone.
  next.reissueOn(third, 'etcd/peer', { cross: false });
  await third.takeAway('etcd');
  await third.putBack('etcd');
  await pause(3000);
  assert.notEqual(await status(etcdAsk(client, third.address)), 200);
  assert.match(
    (await first.log('etcd')) + (await second.log('etcd')),
    /certificate signed by unknown authority|bad certificate/,
  );
  assert.equal(await status(etcdAsk(client, first.address)), 200);

  await first.restart('etcd').catch(() => undefined);
  await second.restart('etcd');
  await third.healthy('etcd');
  assert.equal(await status(etcdAsk(bare, first.address)), 200);
  await cluster.settled();
});

test('an API server reads the CA of etcd at its start only, and has nothing without etcd', async (t) => {
  const made = await clusterWith(t, 'etcd/ca');
  if (made === undefined) return;
  const { cluster, next } = made;
  const [node, other] = cluster.controlPlanes;
  const ask = apiAsk(cluster.original, node.address);
  node.replace('pki/etcd/ca.crt', both(node.read('pki/etcd/ca.crt'), next.certificate));
  next.reissueOn(node, 'etcd/server', { cross: true });
  await node.restart('etcd');
  await becomes(ask, 200, reloadMs + 10_000);

  next.reissueOn(node, 'etcd/server', { cross: false });
  await node.restart('etcd');
  // A real one says nothing for a minute before it says so.
  await becomes(ask, /^500$|no answer in time/, reloadMs + 10_000);
  assert.notEqual(await status(apiAsk(cluster.original, node.address, '/readyz')), 200);
  assert.equal(await status(apiAsk(cluster.original, other?.address ?? '')), 200);
  await node.restart('kube-apiserver');
  await becomes(ask, 200, reloadMs + 10_000);

  // Nobody there: that is a restart, and no refusal.
  await node.takeAway('etcd');
  await becomes(ask, /^503$|no answer in time/, reloadMs + 10_000);
  await node.putBack('etcd');
  await becomes(ask, 200, 20_000);
});

const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

interface CsrObject {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly certificate?: string };
}

/** A request for a client certificate that is approved. @returns its certificate, when there is one */
async function request(
  { openssl, cluster }: { readonly openssl: string; readonly cluster: RotationCluster },
  name: string,
): Promise<() => Promise<Buffer | undefined>> {
  const pem = execFileSync(
    openssl,
    [
      ...[
        'req',
        '-new',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        '/dev/null',
      ],
      ...['-subj', `/CN=${name}`],
    ],
    { stdio: 'pipe' },
  );
  const spec = { request: pem.toString('base64'), usages: ['client auth', 'digital signature'] };
  const signerName = 'kubernetes.io/kube-apiserver-client';
  const metadata = { name };
  const kind = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest' };
  const created = await cluster.api('POST', requests, { ...kind, metadata, spec: { ...spec, signerName } });
  assert.equal(created.status, 201);
  const approved = { type: 'Approved', status: 'True', reason: 'Test', message: 'for a test' };
  const approval = await cluster.api('PATCH', `${requests}/${name}/approval`, {
    status: { conditions: [approved] },
  });
  assert.equal(approval.status, 200);
  return async () => {
    const { body } = await cluster.api('GET', `${requests}/${name}`);
    const { certificate } = (body as CsrObject).status ?? {};
    return certificate === undefined ? undefined : Buffer.from(certificate, 'base64');
  };
}

async function signed(certificate: () => Promise<Buffer | undefined>): Promise<string> {
  const pem = await until(certificate, {
    deadlineMs: reloadMs + 15_000,
    otherwise: () => 'it is not signed',
  });
  return certificatesIn(pem)[0]?.issuer ?? '';
}

test('controller manager: signs with one certificate, as it is on the disk then', async (t) => {
  const made = await clusterWith(t, 'ca', { controlPlanes: 1 });
  if (made === undefined) return;
  const { cluster, next } = made;
  const old = cluster.controlPlanes[0].read('pki/ca.crt');
  assert.equal(await signed(await request(made, 'before')), 'CN=kubernetes');

  for (const node of cluster.controlPlanes) node.replace('pki/ca.crt', both(old, next.certificate));
  await pause(reloadMs);
  const waiting = await request(made, 'bundle');
  await pause(3000);
  assert.ok((await waiting()) === undefined, 'it has signed with a bundle');
  assert.match(
    await cluster.controlPlanes[0].log('kube-controller-manager'),
    /expected 1 certificate, found 2/,
  );

  for (const node of cluster.controlPlanes) {
    node.replace('pki/cluster-signing-ca.crt', old);
    const manifest = 'manifests/kube-controller-manager.yaml';
    const text = node.read(manifest).toString();
    // The directory that the kubelet watches is no place for a file that is half written.
    await node.takeAway('kube-controller-manager');
    node.replace('kube-controller-manager.away', signingWith(text, 'cluster-signing-ca.crt'));
    await node.putBack('kube-controller-manager');
  }
  assert.equal(await signed(waiting), 'CN=kubernetes');

  for (const node of cluster.controlPlanes) {
    node.replace('pki/ca.key', readFileSync(next.files.key));
    node.replace('pki/cluster-signing-ca.crt', next.certificate);
  }
  await pause(realBinaries === undefined ? 0 : reloadMs);
  assert.equal(await signed(await request(made, 'after')), 'CN=next');
});

interface ConfigMap {
  readonly metadata: { readonly uid: string };
  readonly data: Readonly<Record<string, string>>;
}

async function publishedIn(cluster: RotationCluster, namespace: string): Promise<number> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`;
  const { status: code, body } = await cluster.api('GET', path);
  return code === 200 ? certificatesIn((body as ConfigMap).data['ca.crt'] ?? '').length : 0;
}

async function publishes(cluster: RotationCluster, namespace: string, count: number): Promise<void> {
  await until(async () => ((await publishedIn(cluster, namespace)) === count ? true : undefined), {
    deadlineMs: reloadMs + 15_000,
    otherwise: () => `${namespace} has not ${String(count)} certificates in kube-root-ca.crt`,
  });
}

test('controller manager: the one that leads publishes the CAs that were there when it began to', async (t) => {
  const made = await clusterWith(t, 'ca', { controlPlanes: 2 });
  if (made === undefined) return;
  const { cluster, next } = made;
  const old = cluster.controlPlanes[0].read('pki/ca.crt');
  for (const node of cluster.controlPlanes) {
    // The signing pair is put out of the way, or no controller would start.
    const manifest = node.read('manifests/kube-controller-manager.yaml').toString();
    await node.takeAway('kube-controller-manager');
    node.replace('kube-controller-manager.away', signingWith(manifest, 'signing.crt'));
    node.replace('pki/signing.crt', old);
    await node.putBack('kube-controller-manager');
    await node.healthy('kube-controller-manager');
  }
  const { leader, other } = await leading(cluster);
  // Of a real one, the controllers begin a while after it leads.
  await pause(realBinaries === undefined ? 0 : 20_000);
  await publishes(cluster, 'default', 1);
  for (const node of cluster.controlPlanes) node.replace('pki/ca.crt', both(old, next.certificate));
  await pause(reloadMs);
  assert.equal(await publishedIn(cluster, 'default'), 1);

  // The other has run all the time, and reads the file now.
  await leader.takeAway('kube-controller-manager');
  await publishes(cluster, 'default', 2);
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } };
  assert.equal((await cluster.api('POST', '/api/v1/namespaces', namespace)).status, 201);
  await publishes(cluster, 'new', 2);

  // One leads whose file is the old one still: what was published before comes back.
  leader.replace('pki/ca.crt', old);
  await leader.putBack('kube-controller-manager');
  await leader.healthy('kube-controller-manager');
  await other.takeAway('kube-controller-manager');
  await publishes(cluster, 'default', 1);
});

function signingWith(manifest: string, name: string): string {
  const pki = '/etc/kubernetes/pki';
  return manifest.replace(/cluster-signing-cert-file=.*/, `cluster-signing-cert-file=${pki}/${name}`);
}

/** Of two control planes, the one whose controller manager leads. */
async function leading(
  cluster: RotationCluster,
): Promise<{ readonly leader: ClusterNode; readonly other: ClusterNode }> {
  const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager';
  const since = Date.now();
  const look = async (): Promise<{ leader: ClusterNode; other: ClusterNode } | undefined> => {
    const { status: code, body } = await cluster.api('GET', path);
    if (code !== 200) return undefined;
    const { spec } = body as {
      readonly spec: { readonly holderIdentity: string; readonly renewTime: string };
    };
    const leader = cluster.controlPlanes.find(({ name }) => spec.holderIdentity.startsWith(name));
    const other = cluster.controlPlanes.find((node) => node !== leader);
    // The one that was stopped may hold the lease for a while.
    const isHeld = Date.parse(spec.renewTime) > since;
    return leader && other && isHeld ? { leader, other } : undefined;
  };
  return until(look, { deadlineMs: reloadMs + 15_000, otherwise: () => 'no controller manager leads' });
}

test('extension servers: CAs are added and not taken away, until the ConfigMap is made anew', async (t) => {
  const made = await clusterWith(t, 'front-proxy-ca', { controlPlanes: 2 });
  if (made === undefined) return;
  const { cluster, next } = made;
  const [node] = cluster.controlPlanes;
  const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
  const known = async (): Promise<number> => {
    const { body, status: code } = await cluster.api('GET', path);
    return code === 200
      ? certificatesIn((body as ConfigMap).data['requestheader-client-ca-file'] ?? '').length
      : 0;
  };
  const knows = (count: number): Promise<true> =>
    until(async () => ((await known()) === count ? true : undefined), {
      deadlineMs: reloadMs + 15_000,
      otherwise: () => `it has not ${String(count)} CAs`,
    });
  const aggregated = (address: string): Ask =>
    apiAsk(cluster.original, address, '/apis/metrics.k8s.io/v1beta1');
  await knows(1);
  await becomes(aggregated(node.address), 200, reloadMs + 10_000);
  const old = node.read('pki/front-proxy-ca.crt');

  // The front proxy's certificate is read for each request.
  next.reissueOn(node, 'front-proxy-client', { cross: false });
  assert.equal(await status(aggregated(node.address)), 401);
  next.reissueOn(node, 'front-proxy-client', { cross: true });
  assert.equal(await status(aggregated(node.address)), 200);

  node.replace('pki/front-proxy-ca.crt', both(old, next.certificate));
  await knows(2);
  next.reissueOn(node, 'front-proxy-client', { cross: false });
  await becomes(aggregated(node.address), 200, reloadMs + 10_000);
  node.replace('pki/front-proxy-ca.crt', next.certificate);
  await pause(2000);
  assert.equal(await known(), 2);

  for (const other of cluster.controlPlanes) {
    other.replace('pki/front-proxy-ca.crt', next.certificate);
    next.reissueOn(other, 'front-proxy-client', { cross: true });
  }
  assert.equal((await cluster.api('DELETE', path)).status, 200);
  await knows(1);
  const { body } = await cluster.api('GET', path);
  const [left] = certificatesIn((body as ConfigMap).data['requestheader-client-ca-file'] ?? '');
  assert.equal(left?.subject, 'CN=next');
  cluster.extension.restart();
  await cluster.settled();
});

test('kubelet: CAs are taken up as they change, kubelet.conf and its certificate at its start only', async (t) => {
  const made = await clusterWith(t, 'ca', { controlPlanes: 1, workers: 1 });
  if (made === undefined) return;
  const { cluster, next } = made;
  const [node] = cluster.controlPlanes;
  const [worker] = cluster.workers;
  assert.ok(worker);
  const client = node.pair('apiserver-kubelet-client', 'ca.crt');
  const bare = { ...client, certificate: next.reissue(client, { cross: false }) };
  const crossed = { ...client, certificate: next.reissue(client, { cross: true }) };
  const through = apiAsk(cluster.original, node.address, `/api/v1/nodes/${worker.name}/proxy/pods`);
  assert.equal(await status(through), 200);
  assert.equal(await status(kubeletAsk(client, worker.address)), 200);
  assert.equal(await status(kubeletAsk(bare, worker.address)), 401);
  assert.equal(await status(kubeletAsk(crossed, worker.address)), 200);
  assert.equal(await status(kubeletAsk(worker.credentials('kubelet.conf'), worker.address)), 403);

  // The API server's own certificate is read for each connection.
  next.reissueOn(node, 'apiserver-kubelet-client', { cross: false });
  assert.equal(await status(through), 401);
  const old = worker.read('pki/ca.crt');
  worker.replace('pki/ca.crt', both(old, next.certificate));
  await becomes(kubeletAsk(bare, worker.address), 200);
  await becomes(through, 200);

  // Its own certificate is of a CA that nobody knows: it goes on with the one that it has read.
  const pem = join(worker.root, 'var/lib/kubelet/pki/kubelet-client-2026-11-28-20-50-00.pem');
  const own = readFileSync(pem);
  const pair = { certificate: own, key: own };
  const key = own.toString().slice(own.toString().indexOf('-----BEGIN EC'));
  writeFileSync(pem, both(next.reissue(pair, { cross: false }), Buffer.from(key)));
  await pause(2500);
  await cluster.settled();
  cluster.reset();
  await worker.restartKubelet();
  await pause(1500);
  assert.match(cluster.report()[`kubelet ${worker.name}`]?.first?.reason ?? '', /HTTP 401/);
  await until(
    async () => {
      const { body } = await cluster.api('GET', `/api/v1/nodes/${worker.name}`);
      return (body as NodeObject).status.conditions[0]?.status === 'Unknown' ? true : undefined;
    },
    { deadlineMs: reloadMs + 15_000, otherwise: () => 'the Node is Ready still' },
  );
  writeFileSync(pem, both(next.reissue(pair, { cross: true }), Buffer.from(key)));
  await worker.restartKubelet();
  await cluster.settled();
});

interface NodeObject {
  readonly status: { readonly conditions: readonly { readonly status: string }[] };
}

test('tokens: an API server knows the keys that it has read at its start', async (t) => {
  const made = await clusterWith(t, 'ca', { controlPlanes: 1 });
  if (made === undefined) return;
  const { cluster, openssl } = made;
  const [node] = cluster.controlPlanes;
  const { body } = await cluster.api('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', {
    spec: { expirationSeconds: 600 },
  });
  const ask = tokenAsk(
    (body as { status: { token: string } }).status.token,
    cluster.original.ca,
    node.address,
  );
  assert.equal(await status(ask), 200);
  const key = execFileSync(openssl, ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], {
    stdio: 'pipe',
  });
  const publicKey = execFileSync(openssl, ['pkey', '-pubout'], { input: key });
  const old = node.read('pki/sa.pub');
  node.replace('pki/sa.pub', publicKey);
  node.replace('pki/sa.key', key);
  await pause(1500);
  assert.equal(await status(ask), 200);
  await node.restart('kube-apiserver');
  assert.equal(await status(ask), 401);
  node.replace('pki/sa.pub', both(publicKey, old));
  await node.restart('kube-apiserver');
  assert.equal(await status(ask), 200);
});
