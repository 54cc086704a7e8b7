import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { makeAuthority } from '../../support/cluster/authority.ts';
import { leadTo } from '../../support/cluster/node.ts';
import { startClusterServer, type Fault, type Faults } from '../../support/cluster/server.ts';
import { verifiedBed, type VerifiedBed } from '../../support/cluster/verified-bed.ts';
import { kubepkiInProcess } from '../../support/in-process.ts';
import type { Outcome } from '../../support/kubepki.ts';
import { freePorts } from '../../support/servers/free-ports.ts';
import { clusterInfo } from '../../support/planners/verified-cluster.ts';
import { edit, verifiedNode } from '../../support/planners/verified-node.ts';
import { temporaryDirectory } from '../../support/tree.ts';

const checks = [
  'cluster-root-ca',
  'cluster-info',
  'cluster-authentication',
  'cluster-config',
  'cluster-api-servers',
  'cluster-token-keys',
  'cluster-kubelets',
  'cluster-requests',
  'cluster-kubelet-rights',
];

/** The lines that tell of something, without those that are well. */
function told({ stdout }: Outcome): readonly string[] {
  return stdout.split('\n').filter((line) => /^(?!OK|-).+/.test(line));
}

/** One line, that begins so and has this. */
function tells(outcome: Outcome, grade: string, check: string, what: RegExp, code = 5): void {
  assert.deepEqual([outcome.stderr, outcome.code], ['', code], outcome.stdout);
  const [line = '', ...more] = told(outcome);
  assert.deepEqual(more, []);
  assert.match(line, new RegExp(`^${grade} +${check} `));
  assert.match(line, what);
}

describe('a cluster that goes with its node', () => {
  test('is well, is only read, and nothing is written here', async (t) => {
    const bed = await verifiedBed(t);
    if (bed === undefined) return;
    const listing = (): string =>
      execFileSync('find', [bed.tree.directory, '-printf', '%p %m %s %T@\n'], { encoding: 'utf8' });
    const before = listing();
    const outcome = await bed.verify();
    assert.deepEqual([outcome.stderr, outcome.code, told(outcome)], ['', 0, []]);
    const { stdout } = outcome;
    for (const check of checks.filter((one) => one !== 'cluster-requests'))
      assert.match(stdout, new RegExp(`^OK +${check} `, 'm'));
    assert.match(stdout, /^OK +cluster-root-ca .* \(3\)$/m);
    assert.equal(listing(), before);
    for (const { method, body } of bed.server.seen) assert.deepEqual([method, body], ['GET', undefined]);
    assert.equal(bed.server.open(), 0);
  });

  test('is well too where a list comes in many pages', async (t) => {
    const bed = await verifiedBed(t);
    if (bed === undefined) return;
    bed.kept.pageSize = 1;
    const { stdout, code } = await bed.verify();
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^OK +cluster-root-ca .* \(3\)$/m);
  });

  test('may have been told more than kubeadm tells it', async (t) => {
    const bed = await verifiedBed(t);
    if (bed === undefined) return;
    const { kept, tree } = bed;
    const other = readFileSync(join(tree.certDir, 'etcd/ca.crt'), 'utf8');
    for (const [namespace, pem] of Object.entries(kept.rootCas)) kept.rootCas[namespace] = other + pem;
    kept.clusterInfo = undefined;
    kept.configuration = 'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n';
    assert.deepEqual(told(await bed.verify()), []);
  });
});

describe('a cluster that does not', () => {
  test('is found by what it keeps', async (t) => {
    const bed = await verifiedBed(t);
    if (bed === undefined) return;
    const right = structuredClone(bed.kept);
    const other = readFileSync(join(bed.tree.certDir, 'etcd/ca.crt'), 'utf8');
    const broken = async (
      change: Partial<typeof right>,
      ...expected: Parameters<typeof tells> extends [unknown, ...infer Rest] ? Rest : never
    ): Promise<void> => {
      Object.assign(bed.kept, structuredClone(right), change);
      tells(await bed.verify(), ...expected);
    };
    await broken(
      { rootCas: { ...right.rootCas, 'kube-system': other } },
      ...([
        'ERROR',
        'cluster-root-ca',
        /does not hold the CA of \S+ in 1 namespace, .*: kube-system; next/,
      ] as const),
    );
    await broken(
      { namespaces: [...right.namespaces, 'shop'] },
      ...(['ERROR', 'cluster-root-ca', /is missing in 1 namespace, .*: shop; next/] as const),
    );
    await broken(
      { clusterInfo: clusterInfo(other) },
      ...(['ERROR', 'cluster-info', /cluster-info: does not hold the CA of \S+\/ca\.crt/] as const),
    );
    await broken(
      { clusterInfo: clusterInfo(right.rootCas['default'] ?? '', 'https://old.example.com:6443') },
      ...(['ERROR', 'cluster-info', /leads new nodes to old\.example\.com, which is no SAN of any/] as const),
    );
    await broken(
      { authentication: { ...right.authentication, 'client-ca-file': other } },
      ...([
        'ERROR',
        'cluster-authentication',
        /does not hold the CA of \S+\/ca\.crt \(client-ca-file\)/,
      ] as const),
    );
    await broken(
      { configuration: right.configuration.replace('192.0.2.10:6443', 'api.example.com') },
      ...([
        'ERROR',
        'cluster-config',
        /\/apiserver\.crt: has no SAN api\.example\.com, .*--add-san api\.example\.com/,
      ] as const),
    );
    await broken(
      { configuration: right.configuration.replace('/etc/kubernetes/pki', '/data/pki') },
      ...(['WARNING', 'cluster-config', /has certificatesDir \/data\/pki/, 0] as const),
    );
    await broken(
      { bindings: [] },
      ...([
        'ERROR',
        'cluster-kubelet-rights',
        /no ClusterRoleBinding .*kubectl create clusterrolebinding kubeadm:apiserver-kubelet-client/,
      ] as const),
    );
  });

  test('is found by its API servers: another CA, another key of the tokens', async (t) => {
    const bed = await verifiedBed(t);
    if (bed === undefined) return;
    const { kept, server, openssl } = bed;
    const foreign = makeAuthority(openssl, temporaryDirectory(t), 'kubernetes');
    const impostor = await startClusterServer({
      ca: readFileSync(join(bed.tree.certDir, 'ca.crt')),
      serving: foreign.issue({ subject: '/CN=kube-apiserver', names: 'DNS:kubernetes' }),
      apis: [],
    });
    t.after(() => impostor.stop());
    const other = impostor.port;
    const [, second = 0] = kept.apiServers;
    kept.apiServers = [server.port, other];
    const outcome = await bed.verify();
    assert.equal(outcome.code, 5);
    // A server that cannot be verified is asked nothing.
    assert.deepEqual(impostor.seen, []);
    assert.deepEqual(
      told(outcome).map((line) => line.split(/ +/).slice(0, 3)),
      [
        ['ERROR', 'cluster-api-servers', `127.0.0.1:${String(other)}:`],
        ['UNCHECKED', 'cluster-token-keys', `127.0.0.1:${String(other)}:`],
      ],
    );
    assert.match(outcome.stdout, /serves a certificate of another CA than \S+\/ca\.crt/);
    kept.apiServers = [server.port, second];
    kept.tokenKeys = ['another'];
    const keys = await bed.verify();
    assert.equal(keys.code, 5);
    assert.deepEqual(
      told(keys).map((line) => line.split(/ +/).slice(0, 2)),
      [
        ['ERROR', 'cluster-token-keys'],
        ['ERROR', 'cluster-token-keys'],
      ],
    );
    assert.match(keys.stdout, /does not know the key of \S+\/sa\.key/);
  });

  test('is another one where nothing of it is of this node: nothing of it is to be corrected', async (t) => {
    const bed = await verifiedBed(t);
    if (bed === undefined) return;
    const { tree, openssl } = bed;
    const foreign = makeAuthority(openssl, temporaryDirectory(t), 'kubernetes');
    writeFileSync(join(tree.certDir, 'ca.crt'), foreign.ca);
    const toldOf = async (): Promise<readonly string[]> =>
      told(await bed.verify()).filter((line) => checks.some((check) => line.includes(` ${check} `)));
    const lines = await toldOf();
    assert.equal(lines.length, checks.length);
    for (const line of lines)
      assert.match(line, /^UNCHECKED .*: this leads to another cluster: .*--kubeconfig FILE$/);
    // This node is one of it, and has the wrong CA.
    edit(tree, 'etc/kubernetes/manifests/kube-apiserver.yaml', (text) =>
      text.replace('--advertise-address=192.0.2.10', '--advertise-address=127.0.0.1'),
    );
    assert.ok((await toldOf()).some((line) => /^ERROR +cluster-api-servers .* another CA than/.test(line)));
  });

  test('is found by its kubelets', async (t) => {
    const bed = await verifiedBed(t);
    if (bed === undefined) return;
    const { kept, issue, serve, openssl } = bed;
    const [silent = 0] = await freePorts(1);
    kept.kubelets['worker-1'] = await serve(issue('IP:127.0.0.1', true));
    tells(await bed.verify(), 'ERROR', 'cluster-kubelets', /a certificate that has expired: worker-1 \(/);
    const own = makeAuthority(openssl, temporaryDirectory(t), 'worker-1-ca@1764400000');
    const made = own.issue({ subject: '/CN=worker-1@1764400000', names: 'DNS:worker-1' });
    kept.kubelets['worker-1'] = await serve(made);
    tells(await bed.verify(), 'NOTE', 'cluster-kubelets', /made for itself, .*: worker-1; next/, 0);
    kept.kubelets['worker-1'] = silent;
    tells(
      await bed.verify(),
      ...([
        'UNCHECKED',
        'cluster-kubelets',
        /shows no certificate: worker-1 \(connection refused\)/,
        1,
      ] as const),
    );
    // It takes the connection, and says nothing.
    kept.kubelets['worker-1'] = await serve(made, { fault: 'mute' });
    const startedAt = performance.now();
    tells(
      await bed.verify(),
      ...(['UNCHECKED', 'cluster-kubelets', /shows no certificate: worker-1 \(no answer\)/, 1] as const),
    );
    assert.ok(performance.now() - startedAt < 9000);
  });

  test('is found by the requests that wait', async (t) => {
    const bed = await verifiedBed(t);
    if (bed === undefined) return;
    const request = {
      ...{
        request: Buffer.from('any').toString('base64'),
        usages: ['server auth'],
        groups: ['system:nodes'],
      },
      ...{ signerName: 'kubernetes.io/kubelet-serving', username: 'system:node:worker-9' },
    };
    bed.csr.put('csr-1', request);
    bed.csr.put('csr-2', { ...request, signerName: 'example.com/other', username: 'somebody' });
    const soon = await bed.verify();
    assert.equal(soon.code, 0);
    assert.match(soon.stdout, /^OK +cluster-requests .* \(1\)$/m);
    const later = new Date(Date.now() + 20 * 60_000).toISOString();
    tells(
      await bed.verify('--at', later),
      ...([
        'WARNING',
        'cluster-requests',
        /nobody has decided about a serving certificate, .*: system:node:worker-9/,
        0,
      ] as const),
    );
  });
});

describe('a cluster that cannot be asked is not checked', () => {
  /** All that is asked of it, and nothing that is worse. */
  function knowsNothing(outcome: Outcome, why: RegExp): void {
    assert.deepEqual([outcome.stderr, outcome.code], ['', 1], outcome.stdout);
    const lines = told(outcome);
    assert.deepEqual(
      lines.map((line) => line.split(/ +/).slice(0, 2)),
      checks.map((check) => ['UNCHECKED', check]),
    );
    for (const line of lines) assert.match(line, why);
  }

  async function bedWith(t: TestContext, fault?: Fault, faults?: Faults): Promise<VerifiedBed | undefined> {
    return verifiedBed(t, { ...(fault && { fault }), ...(faults && { faults }) });
  }

  test('where nobody listens', async (t) => {
    const bed = await verifiedBed(t);
    if (bed === undefined) return;
    await bed.server.stop();
    knowsNothing(await bed.verify(), /admin\.conf: .*is not there: the connection was refused/);
  });

  test('where the user may not', async (t) => {
    const bed = await verifiedBed(t);
    if (bed === undefined) return;
    leadTo(bed.tree, 'scheduler.conf', bed.server.port);
    const outcome = await bed.verify('--kubeconfig', '/etc/kubernetes/scheduler.conf');
    knowsNothing(outcome, /scheduler\.conf: .*refused \(403\): .*system:kube-scheduler/);
  });

  test('where the user is not known', async (t) => {
    const body = { kind: 'Status', status: 'Failure', reason: 'Unauthorized', code: 401 };
    const bed = await bedWith(t, undefined, () => ({ status: 401, body }));
    if (bed === undefined) return;
    knowsNothing(await bed.verify(), /does not know the user of the kubeconfig \(401\)/);
  });

  test('where there is no kubeconfig, or no good one', async (t) => {
    const tree = verifiedNode(t);
    const verify = (): Promise<Outcome> =>
      kubepkiInProcess(['verify', '--cluster', '--rootfs', tree.directory]);
    edit(tree, 'etc/kubernetes/scheduler.conf', (text) => text.replace('https://', 'http://'));
    const bad = await kubepkiInProcess([
      ...['verify', '--cluster', '--rootfs', tree.directory],
      ...['--kubeconfig', '/etc/kubernetes/scheduler.conf'],
    ]);
    knowsNothing(bad, /scheduler\.conf: .*is not an https URL/);
    rmSync(join(tree.kubeconfigDir, 'admin.conf'));
    const { stdout, code } = await verify();
    assert.equal(code, 5);
    assert.match(
      stdout,
      /^UNCHECKED +cluster-info .*admin\.conf: no such file, and it says how to reach the cluster/m,
    );
  });

  test('in ten seconds, where it never answers', async (t) => {
    const bed = await bedWith(t, 'hang');
    if (bed === undefined) return;
    const startedAt = performance.now();
    knowsNothing(await bed.verify(), /did not answer (?:in time|within 10 s)/);
    assert.ok(performance.now() - startedAt < 15_000);
  });

  test('where a part of it does not answer, or answers without end; the rest is', async (t) => {
    const bed = await bedWith(t, undefined, ({ path }) =>
      path === '/api/v1/configmaps'
        ? 'hang'
        : path.endsWith('/cluster-info')
          ? 'endless'
          : path === '/api/v1/nodes'
            ? { status: 200, body: { kind: 'NodeList', metadata: {}, items: [{ metadata: {} }] } }
            : undefined,
    );
    if (bed === undefined) return;
    const outcome = await bed.verify();
    assert.equal(outcome.code, 1);
    const lines = told(outcome);
    assert.deepEqual(
      lines.map((line) => line.split(/ +/).slice(0, 2)),
      ['cluster-root-ca', 'cluster-info', 'cluster-kubelets'].map((check) => ['UNCHECKED', check]),
    );
    assert.match(lines[0] ?? '', /did not answer/);
    assert.match(lines[1] ?? '', /its answer is larger than 16 MiB/);
    assert.match(
      lines[2] ?? '',
      /is not the NodeList that was asked for: items\.0\.metadata\.name is missing/,
    );
  });
});

describe('--cluster', () => {
  test('is asked of each of several trees, and stands in the document', async (t) => {
    const bed = await verifiedBed(t);
    if (bed === undefined) return;
    const other = verifiedNode(t);
    const { stdout, code } = await kubepkiInProcess([
      ...['verify', '--cluster', '-o', 'json', '--kubeconfig', '/etc/kubernetes/admin.conf'],
      ...['--rootfs', bed.tree.directory, '--rootfs', other.directory],
    ]);
    assert.equal(code, 1);
    const { items } = JSON.parse(stdout) as {
      items: {
        verdict: string;
        checks: { id: string; status: string; looked: number; findings: { severity: string }[] }[];
      }[];
    };
    const [well, unknown] = items.map(({ verdict, checks: all }) => ({
      verdict,
      statuses: checks.map((id) => all.find((check) => check.id === id)?.status),
    }));
    assert.deepEqual(well, {
      verdict: 'well',
      statuses: checks.map((id) => (id === 'cluster-requests' ? 'none' : 'passed')),
    });
    // Its admin.conf leads to an address where there is nobody.
    assert.deepEqual(unknown, { verdict: 'unknown', statuses: checks.map(() => 'unchecked') });
  });

  test('takes a key, and --kubeconfig is for it', async () => {
    const verify = (...args: readonly string[]): Promise<Outcome> => kubepkiInProcess(['verify', ...args]);
    const keyless = await verify('--cluster', '--certs-only');
    assert.equal(keyless.code, 1);
    assert.match(
      keyless.stderr,
      /^error: --certs-only does not go with --cluster\nhint: to ask the cluster takes/,
    );
    const alone = await verify('--kubeconfig', 'x');
    assert.equal(alone.code, 1);
    assert.match(alone.stderr, /^error: --kubeconfig goes with --cluster\n/);
  });
});
