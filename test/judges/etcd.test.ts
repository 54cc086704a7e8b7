import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { leafFile, type LeafFiles } from '../support/certificates/certificates.ts';
import { until } from '../support/deadline.ts';
import { startEtcdCluster, type EtcdCluster } from '../support/servers/etcd-cluster.ts';
import { judge } from '../support/judge.ts';
import { runProgram, type ProgramOutcome } from '../support/program.ts';
import { renewAll } from '../support/renewed.ts';

for (const role of ['stacked-etcd-rsa', 'stacked-etcd-ecdsa']) {
  test(`an etcd cluster with mutual TLS runs on the certificates renewed in ${role}`, async (t) => {
    const etcd = judge(t, 'etcd');
    const etcdctl = judge(t, 'etcdctl');
    if (etcd === undefined || etcdctl === undefined) return;
    const { leaves, originals } = await renewAll(t, role);
    // Three members: two of them agree only over peer TLS, in both directions.
    const cluster = await startEtcdCluster(etcd, leaves, 3);
    t.after(() => cluster.stop());

    await t.test('serves the renewed certificates, to clients and to peers', async () => {
      const client = leafFile(leaves, 'etcd-healthcheck-client');
      for (const [urls, name] of [
        [cluster.endpoints, 'etcd-server'],
        [cluster.peers, 'etcd-peer'],
      ] as const) {
        for (const url of urls) {
          const served = await servedFingerprint(url, client);
          assert.equal(served, fingerprint(leafFile(leaves, name)));
          assert.notEqual(served, fingerprint(leafFile(originals, name)));
        }
      }
    });

    for (const name of ['etcd-healthcheck-client', 'apiserver-etcd-client']) {
      await t.test(`is healthy for ${name}`, async () => {
        const { code, stdout, stderr } = await health(etcdctl, cluster, leafFile(leaves, name));
        assert.equal(code, 0, stderr);
        const said = stdout + stderr;
        for (const endpoint of cluster.endpoints) assert.ok(said.includes(`${endpoint} is healthy`), said);
      });
    }

    await t.test('keeps what the API server writes', async () => {
      const client = leafFile(leaves, 'apiserver-etcd-client');
      const [first, second] = cluster.endpoints;
      const put = await run(etcdctl, [String(first)], client, ['put', 'renewed', 'yes']);
      assert.equal(put.code, 0, put.stderr);
      const get = await run(etcdctl, [String(second)], client, ['get', 'renewed', '--print-value-only']);
      assert.equal(get.stdout, 'yes\n', get.stderr);
    });

    await t.test('refuses a client without a certificate', async () => {
      const { ca } = leafFile(leaves, 'etcd-healthcheck-client');
      const { code } = await health(etcdctl, cluster, { ca }, hasty);
      assert.notEqual(code, 0);
      await logged(cluster, "tls: client didn't provide a certificate");
    });

    await t.test('refuses a certificate of another CA', async () => {
      const { ca } = leafFile(leaves, 'etcd-healthcheck-client');
      const { code } = await health(
        etcdctl,
        cluster,
        { ...leafFile(leaves, 'apiserver-kubelet-client'), ca },
        hasty,
      );
      assert.notEqual(code, 0);
      await logged(
        cluster,
        /tls: failed to verify client('s)? certificate: x509: certificate signed by unknown authority/,
      );
    });
  });
}

type Credentials = Pick<LeafFiles, 'ca'> & Partial<Pick<LeafFiles, 'certificate' | 'key'>>;

// etcdctl tries again until its time is up; etcd's log says that it was a refusal.
const hasty = '--command-timeout=2s';

function health(
  etcdctl: string,
  cluster: EtcdCluster,
  credentials: Credentials,
  ...flags: readonly string[]
): Promise<ProgramOutcome> {
  return run(etcdctl, cluster.endpoints, credentials, ['endpoint', 'health', ...flags]);
}

function run(
  etcdctl: string,
  endpoints: readonly string[],
  { ca, certificate, key }: Credentials,
  command: readonly string[],
): Promise<ProgramOutcome> {
  const client =
    certificate === undefined || key === undefined ? [] : [`--cert=${certificate}`, `--key=${key}`];
  return runProgram(
    etcdctl,
    [`--endpoints=${endpoints.join(',')}`, `--cacert=${ca}`, ...client, ...command],
    {
      ETCDCTL_API: '3',
    },
  );
}

/** etcd writes the reason of a refusal to its log only. */
async function logged(cluster: EtcdCluster, said: string | RegExp): Promise<void> {
  await until(
    () => (typeof said === 'string' ? cluster.log().includes(said) : said.test(cluster.log())) || undefined,
    { deadlineMs: 10_000, otherwise: () => `etcd never said ${String(said)}:\n${cluster.log()}` },
  );
}

function servedFingerprint(url: string, client: LeafFiles): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: Number(port),
      ca: readFileSync(client.ca),
      cert: readFileSync(client.certificate),
      key: readFileSync(client.key),
    });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
  });
}

function fingerprint(leaf: LeafFiles): string {
  return new X509Certificate(readFileSync(leaf.certificate)).fingerprint256;
}
