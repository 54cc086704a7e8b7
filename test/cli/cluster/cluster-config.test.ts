import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { clusterConfiguration, leadTo, nodeOfCluster } from '../../support/cluster/node.ts';
import { always, kubeadmConfigMap } from '../../support/cluster/server.ts';
import { until } from '../../support/deadline.ts';
import { judge } from '../../support/judge.ts';
import { kubepki, kubepkiCommand, type Outcome } from '../../support/kubepki.ts';
import { stateDirectory } from '../../support/node.ts';
import { mayChown } from '../../support/root.ts';
import { changes, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

const asked = ['--kubeconfig', '/etc/kubernetes/admin.conf'];

function banner(prefix: string): string {
  return `[${prefix}] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...
[${prefix}] Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.
`;
}

/**
 * kubeadm's sentence, and the reason, which kubeadm keeps to itself. What kubeadm advises before it asks is not said: there is nothing
 * that the configuration could be uploaded to.
 */
function fallback(prefix: string, reason: string): string {
  const [reading = ''] = banner(prefix).split('\n');
  return `${reading}\n[${prefix}] Error reading configuration from the Cluster. Falling back to default configuration
${reason}

`;
}

function configured(...lines: readonly string[]): { readonly api: ReturnType<typeof kubeadmConfigMap> } {
  return { api: kubeadmConfigMap(clusterConfiguration(...lines)) };
}

/** stderr, whatever the port. */
function said({ stderr }: Outcome): string {
  return stderr.replaceAll(/127\.0\.0\.1:\d+/g, 'HERE');
}

describe('the configuration is read from the cluster', () => {
  test('with the banner of kubeadm on stderr', async (t) => {
    const { tree, server } = await nodeOfCluster(t);
    const outcome = await done(tree, 'check-expiration', ...asked);
    assert.equal(outcome.stderr, `${banner('check-expiration')}\n`);
    assert.equal(outcome.stdout, (await done(tree, 'check-expiration', '--offline')).stdout);
    assert.deepEqual(
      server.seen.map(({ identity }) => identity.username),
      ['kubernetes-admin'],
    );
  });

  test('by renew too, which says so in its own name', async (t) => {
    const { tree, server } = await nodeOfCluster(t);
    const outcome = await done(tree, 'renew', 'all', ...asked);
    assert.equal(outcome.stderr.startsWith(`${banner('renew')}\n`), true, outcome.stderr);
    const requested = await done(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr', ...asked);
    assert.equal(requested.stderr.startsWith(`${banner('renew')}\n`), true, requested.stderr);
    // The second time with the new certificate.
    assert.equal(server.seen.length, 2);
  });

  test('nothing of it beside a document, as with kubeadm', async (t) => {
    const { tree, server } = await nodeOfCluster(
      t,
      configured('etcd: {external: {endpoints: [https://192.0.2.20]}}'),
    );
    for (const output of ['json', 'yaml', 'jsonpath={.kind}', 'prometheus', 'nagios']) {
      const outcome = await certs(tree, 'check-expiration', '-o', output, ...asked);
      assert.equal(outcome.stderr, '', output);
      assert.doesNotMatch(outcome.stdout, /etcd/);
    }
    assert.equal(server.seen.length, 5);
    await server.stop();
    assert.equal((await done(tree, 'check-expiration', '-o', 'json', ...asked)).stderr, '');
  });

  test('an external etcd has no certificates here', async (t) => {
    const { tree } = await nodeOfCluster(
      t,
      configured('etcd: {external: {endpoints: [https://192.0.2.20]}}'),
    );
    assert.doesNotMatch((await done(tree, 'check-expiration', ...asked)).stdout, /etcd/);
    const before = snapshot(join(tree.certDir, 'etcd'));
    assert.doesNotMatch((await done(tree, 'renew', 'all', ...asked)).stdout, /etcd-?(?:server|peer)/);
    assert.deepEqual(snapshot(join(tree.certDir, 'etcd')), before);
    assert.match((await done(tree, 'check-expiration', '--offline')).stdout, /etcd-server/);
  });

  test('certificatesDir, also for what follows; an explicit --cert-dir wins', async (t) => {
    const { tree } = await nodeOfCluster(t, configured('certificatesDir: /etc/kubernetes/ssl'));
    const ssl = join(tree.kubeconfigDir, 'ssl');
    renameSync(tree.certDir, ssl);
    assert.match((await done(tree, 'check-expiration', ...asked)).stdout, /^apiserver /m);
    const renewed = await done(tree, 'renew', 'apiserver', '--textfile', '/metrics.prom', ...asked);
    assert.match(renewed.stdout, /renewed/);
    assert.match(
      readFileSync(join(tree.directory, 'metrics.prom'), 'utf8'),
      /kubernetes\/ssl\/apiserver\.crt/,
    );
    // Where a hint leads must not depend on the cluster.
    rmSync(join(ssl, 'ca.key'));
    writeFileSync(join(ssl, 'ca.key'), 'no key');
    const refused = await certs(tree, 'renew', 'apiserver', 'etcd-server', ...asked);
    assert.match(refused.stderr, /kubepki certs renew etcd-server .*--cert-dir \/etc\/kubernetes\/ssl/);

    cpSync(ssl, join(tree.directory, 'copy'), { recursive: true });
    rmSync(join(tree.directory, 'copy/apiserver.crt'));
    const copy = await done(tree, 'check-expiration', '--cert-dir', '/copy', ...asked);
    assert.match(copy.stdout, /!MISSING! apiserver /);
  });

  test('a certificatesDir that this node does not have', async (t) => {
    const { tree } = await nodeOfCluster(t, configured('certificatesDir: /srv/pki'));
    const outcome = await done(tree, 'check-expiration', ...asked);
    assert.match(
      outcome.stderr,
      /warning: certificatesDir of the cluster's kubeadm-config is not used: .*\/srv\/pki: no such directory/,
    );
    assert.match(outcome.stdout, /^apiserver /m);
  });

  test('certificateValidityPeriod, unless --validity says otherwise', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const { tree } = await nodeOfCluster(t, configured('certificateValidityPeriod: 240h'));
    const endsWithin = (days: number): boolean => {
      try {
        const file = join(tree.certDir, 'apiserver.crt');
        execFileSync(openssl, ['x509', '-in', file, '-noout', '-checkend', String(days * 86_400)], {
          stdio: 'ignore',
        });
        return false;
      } catch {
        return true;
      }
    };
    await done(tree, 'renew', 'apiserver', ...asked);
    assert.deepEqual([endsWithin(9), endsWithin(11)], [false, true]);
    await done(tree, 'renew', 'apiserver', '--validity', '20d', ...asked);
    assert.deepEqual([endsWithin(19), endsWithin(21)], [false, true]);
  });

  const keys = [
    ['RSA-2048', 'prime256v1', undefined],
    ['RSA-3072', 'prime256v1', undefined],
    ['ECDSA-P384', 'secp384r1', /the new key is ECDSA-P384, as the cluster's configuration says/],
  ] as const;
  for (const [algorithm, curve, warning] of keys) {
    test(`encryptionAlgorithm makes no key weaker: ${algorithm}`, async (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const { tree } = await nodeOfCluster(t, configured(`encryptionAlgorithm: ${algorithm}`));
      const { stderr } = await done(tree, 'renew', 'apiserver', ...asked);
      const key = ['pkey', '-in', join(tree.certDir, 'apiserver.key'), '-noout', '-text'];
      assert.match(execFileSync(openssl, key, { encoding: 'utf8' }), new RegExp(curve));
      if (warning === undefined) assert.equal(stderr.startsWith(`${banner('renew')}\n`), true, stderr);
      else assert.match(stderr, warning);
    });
  }

  test('a configuration of kubeadm 1.13, which is right as it is', async (t) => {
    const text = clusterConfiguration('etcd: {external: {endpoints: [192.0.2.20]}}').replace(
      /v1beta\d/,
      'v1beta1',
    );
    const { tree } = await nodeOfCluster(t, { api: kubeadmConfigMap(text) });
    const { stdout, stderr } = await done(tree, 'check-expiration', ...asked);
    assert.doesNotMatch(stdout, /etcd/);
    // kubeadm does not look at it, and the API server can use no such endpoint.
    assert.equal(
      stderr,
      `${banner('check-expiration')}note: the cluster's kubeadm-config: ClusterConfiguration.etcd.external.endpoints.0: "192.0.2.20": the URL without scheme is not allowed\n\n`,
    );
  });

  test('what kubeadm would warn of is a note', async (t) => {
    const { tree } = await nodeOfCluster(t, configured('certificateValidityPeriod: 20000h', 'shoeSize: 43'));
    const { stderr } = await done(tree, 'check-expiration', ...asked);
    assert.match(
      stderr,
      /^note: the cluster's kubeadm-config: certificateValidityPeriod: the value 20000h0m0s/m,
    );
    assert.match(stderr, /^note: the cluster's kubeadm-config: .*shoeSize/m);
    assert.equal((await done(tree, 'check-expiration', '--quiet', ...asked)).stderr, '');
  });
});

describe('the cluster is not asked', () => {
  const ways: readonly (readonly [string, readonly string[]])[] = [
    ['with --offline', ['--offline', ...asked]],
    ['with --config', ['--config', '/kubeadm.yaml', ...asked]],
    ['below another root', []],
  ];
  for (const [name, flags] of ways) {
    test(name, async (t) => {
      const { tree, server } = await nodeOfCluster(t);
      writeFileSync(join(tree.directory, 'kubeadm.yaml'), clusterConfiguration());
      assert.equal((await done(tree, 'check-expiration', ...flags)).stderr, '');
      assert.doesNotMatch((await done(tree, 'renew', 'all', ...flags)).stderr, /Reading/);
      assert.deepEqual(server.seen, []);
    });
  }

  test('without the kubeconfig, which is a note where it was named', async (t) => {
    const { tree } = await nodeOfCluster(t);
    const outcome = await done(tree, 'check-expiration', '--kubeconfig', '/root/none.conf');
    assert.match(
      outcome.stderr,
      /^note: \S+\/root\/none\.conf: no such file, so the cluster is not asked\n$/,
    );
  });

  test('for a command line that is wrong anyway', async (t) => {
    const { tree, server } = await nodeOfCluster(t);
    assert.match(
      (await certs(tree, 'renew', 'nonsense', ...asked)).stderr,
      /^error: unknown certificate "nonsense"\n/,
    );
    assert.deepEqual(server.seen, []);
  });

  const refused: readonly (readonly [string, RegExp, string, string])[] = [
    [
      'a program',
      /client-key-data: .*/,
      'exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/touch, args: [MARK], interactiveMode: Never}',
      'runs a program for its credentials (exec), which kubepki never does',
    ],
    [
      'a provider',
      /client-key-data: .*/,
      'auth-provider: {name: gcp, config: {cmd-path: /bin/touch, cmd-args: MARK}}',
      'has an auth-provider, which kubepki does not use',
    ],
  ];
  for (const [name, pattern, replacement, reason] of refused) {
    test(`with ${name} in the kubeconfig, which is not run`, async (t) => {
      const { tree, server } = await nodeOfCluster(t);
      const mark = join(tree.directory, 'mark');
      const admin = readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8');
      const other = join(tree.directory, 'other.conf');
      writeFileSync(other, admin.replace(pattern, replacement.replace('MARK', mark)));
      const outcome = await done(tree, 'check-expiration', '--kubeconfig', '/other.conf');
      assert.equal(
        outcome.stderr,
        `[check-expiration] Error reading configuration from the Cluster. Falling back to default configuration
note: ${other}: user kubernetes-admin ${reason}

`,
      );
      assert.equal(existsSync(mark), false);
      assert.deepEqual(server.seen, []);
    });
  }
});

describe('the defaults, where the cluster does not help', () => {
  test('nobody is there', async (t) => {
    const { tree, server } = await nodeOfCluster(t);
    await server.stop();
    for (const [prefix, ...args] of [['check-expiration'], ['renew', 'all']] as const) {
      const outcome = await done(tree, prefix, ...args, ...asked);
      const expected = fallback(
        prefix,
        'note: the API server at https://HERE is not there: the connection was refused',
      );
      assert.equal(said(outcome).slice(0, expected.length), expected);
    }
    assert.equal((await done(tree, 'check-expiration', '--quiet', ...asked)).stderr, '');
  });

  test('it refuses', async (t) => {
    const { tree } = await nodeOfCluster(t);
    const { server } = await nodeOfCluster(t);
    leadTo(tree, 'scheduler.conf', server.port);
    const outcome = await done(tree, 'check-expiration', '--kubeconfig', '/etc/kubernetes/scheduler.conf');
    assert.match(
      said(outcome),
      /^note: the API server at https:\/\/HERE refused \(403\): configmaps "kubeadm-config" is forbidden: User "system:kube-scheduler"/m,
    );
    assert.match(outcome.stdout, /^apiserver /m);
  });

  const correct = /^hint: correct it: kubectl -n kube-system edit configmap kubeadm-config$/m;
  const invalid = [
    ['no YAML', 'a: [', /^warning: the cluster's kubeadm-config: /m, correct],
    [
      'a version from the future',
      'apiVersion: kubeadm.k8s.io/v1beta9\nkind: ClusterConfiguration\n',
      /^warning: .*"kubeadm\.k8s\.io\/v1beta9" is not supported$/m,
      /^hint: kubepki knows .*; use a newer kubepki$/m,
    ],
    [
      'a version of old',
      'apiVersion: kubeadm.k8s.io/v1alpha3\nkind: ClusterConfiguration\n',
      /^warning: .*"kubeadm\.k8s\.io\/v1alpha3" is not supported$/m,
      /^hint: kubepki knows .*; bring a copy to one of them /m,
    ],
    [
      'a wrong value',
      clusterConfiguration('certificatesDir: pki'),
      /^warning: .*certificatesDir: must be an absolute path/m,
      correct,
    ],
  ] as const;
  for (const [name, text, warning, hint] of invalid) {
    test(`what it has cannot be used: ${name}`, async (t) => {
      const { tree } = await nodeOfCluster(t, { api: kubeadmConfigMap(text) });
      const outcome = await done(tree, 'check-expiration', ...asked);
      assert.match(outcome.stderr, warning);
      assert.match(outcome.stderr, /Falling back to default configuration\n/);
      assert.match(outcome.stderr, hint);
      // What is right for its own kubeadm is to stay as it is.
      if (hint !== correct) assert.doesNotMatch(outcome.stderr, /edit configmap/);
      // It stays wrong, so cron is told; and it stops nothing.
      assert.match((await done(tree, 'renew', 'all', '--quiet', ...asked)).stderr, warning);
    });
  }

  test('what it answers cannot write over the terminal', async (t) => {
    const body = { kind: 'Status', message: 'no\u001b[2J\nerror: fake' };
    const { tree } = await nodeOfCluster(t, { api: always({ status: 500, body }) });
    const { stderr } = await done(tree, 'check-expiration', ...asked);
    assert.ok(!stderr.includes('\u001b'));
    assert.doesNotMatch(stderr, /^error: fake/m);
  });

  test('it is silent: the program goes on, and ends while the server still holds the connection', async (t) => {
    const { tree, server } = await nodeOfCluster(t, { fault: 'hang' });
    const outcome = await done(tree, 'check-expiration', ...asked);
    assert.equal(
      said(outcome),
      fallback('check-expiration', 'note: the API server at https://HERE did not answer in time'),
    );
    assert.match(outcome.stdout, /^apiserver /m);
    assert.equal(server.seen.length, 1);
  });

  test('its name is looked up for ever: what looks it up is stopped', async (t) => {
    const { tree } = await nodeOfCluster(t);
    const bin = temporaryDirectory(t);
    const pidFile = join(bin, 'pid');
    writeFileSync(join(bin, 'getent'), `#!/bin/sh\necho "$$ $*" >'${pidFile}'\nexec sleep 1000\n`);
    chmodSync(join(bin, 'getent'), 0o755);
    rename(tree, 'https://api.example:6443');
    const outcome = await withPrograms(tree, bin);
    assert.equal(
      outcome.stderr,
      fallback('check-expiration', 'note: the API server at https://api.example:6443 did not answer in time'),
    );
    const [pid = '', ...args] = readFileSync(pidFile, 'utf8').trim().split(' ');
    assert.deepEqual(args, ['ahosts', 'api.example']);
    await until(() => (existsSync(`/proc/${pid}`) ? undefined : true), {
      deadlineMs: 20_000,
      otherwise: () => 'it is still looked up',
    });
  });

  test('its name has no address', async (t) => {
    const { tree } = await nodeOfCluster(t);
    const bin = temporaryDirectory(t);
    writeFileSync(join(bin, 'getent'), '#!/bin/sh\nexit 2\n');
    chmodSync(join(bin, 'getent'), 0o755);
    rename(tree, 'https://api.example:6443');
    assert.equal(
      (await withPrograms(tree, bin)).stderr,
      fallback('check-expiration', "note: the API server's name api.example has no address"),
    );
  });
});

/** As if the tree were this machine's, without --rootfs. */
describe('on the node itself', () => {
  test('admin.conf is used, unless the files are a copy', async (t) => {
    const unshare = judge(t, 'unshare');
    if (unshare === undefined) return;
    const { tree, server } = await nodeOfCluster(t);
    const run = inPlace(t, unshare, tree);
    if (run === undefined) return;
    const reads = async (...flags: readonly string[]): Promise<boolean> => {
      const before = server.seen.length;
      const { stderr } = await run('check-expiration', ...flags);
      const read = server.seen.length > before;
      assert.equal(stderr, read ? `${banner('check-expiration')}\n` : '', flags.join(' '));
      return read;
    };
    assert.equal(await reads(), true);
    assert.equal(await reads('--offline'), false);
    // Kubeconfigs are looked for beside it, and those there are the node's own.
    assert.equal(await reads('--cert-dir', '/etc/kubernetes/pki'), true);

    const backup = join(tree.directory, 'etc', 'backup');
    cpSync(tree.kubeconfigDir, backup, { recursive: true });
    assert.equal(await reads('--cert-dir', '/etc/backup/pki'), false);
    assert.equal(await reads('--kubeconfig-dir', '/etc/backup'), false);
    assert.equal(
      await reads('--cert-dir', '/etc/backup/pki', '--kubeconfig', '/etc/kubernetes/admin.conf'),
      true,
    );

    // Without kubeconfigs beside it, the node's own are looked at, and renewed.
    cpSync(tree.certDir, join(tree.directory, 'etc', 'elsewhere', 'pki'), { recursive: true });
    assert.equal(await reads('--cert-dir', '/etc/elsewhere/pki'), true);

    rmSync(join(tree.kubeconfigDir, 'admin.conf'));
    assert.equal(await reads(), false);
  });
});

describe('an admin.conf of another user', () => {
  test('decides neither how nor where anything is renewed, unless it is named, and then not where', async (t) => {
    const unshare = judge(t, 'unshare');
    if (unshare === undefined || !mayChown(t)) return;
    const { tree, server } = await nodeOfCluster(t, configured('certificatesDir: /etc/backup/pki'));
    const run = inPlace(t, unshare, tree);
    if (run === undefined) return;
    cpSync(tree.kubeconfigDir, join(tree.directory, 'etc', 'backup'), { recursive: true });
    const other = (): ReturnType<typeof snapshot> => snapshot(join(tree.directory, 'etc', 'backup'));
    const before = other();
    chownSync(join(tree.kubeconfigDir, 'admin.conf'), 12345, 12345);

    const unasked = await run('renew', 'apiserver');
    assert.match(
      unasked.stderr,
      /^note: .*admin\.conf: belongs to uid 12345, .* not asked\nhint: if it is this cluster's, make it yours: chown root:root /,
    );
    assert.deepEqual(server.seen, []);

    await run('renew', 'apiserver', ...asked);
    assert.notDeepEqual(server.seen, []);
    assert.deepEqual(changes(before, other()), []);

    const count = server.seen.length;
    await run('check-expiration');
    assert.ok(server.seen.length > count, 'what only reads asks for no owner');
  });
});

test('a renewal that the cluster had a say in can be taken back without it', async (t) => {
  const { tree, server } = await nodeOfCluster(t);
  await done(tree, 'renew', 'all', ...asked);
  await server.stop();
  assert.ok(existsSync(stateDirectory(tree)));
  await done(tree, 'rollback');
});

function rename(tree: Tree, server: string): void {
  const path = join(tree.kubeconfigDir, 'admin.conf');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/server: .*/, `server: ${server}`));
}

function withPrograms(tree: Tree, programs: string): Promise<Outcome> {
  const args = ['certs', 'check-expiration', '--rootfs', tree.directory, ...asked];
  return kubepki(args, { programs });
}

/** @returns undefined, and the test skipped, where namespaces are not allowed */
function inPlace(
  t: TestContext,
  unshare: string,
  tree: Tree,
):
  | ((...args: readonly string[]) => Promise<{ readonly stdout: string; readonly stderr: string }>)
  | undefined {
  const etc = join(tree.directory, 'etc');
  const script = 'mount --bind "$1" /etc && shift && exec "$@"';
  const command = ['--mount', '--', 'sh', '-c', script, 'sh', etc];
  try {
    execFileSync(unshare, [...command, 'true'], { stdio: 'ignore' });
  } catch {
    t.skip('namespaces are not allowed here');
    return undefined;
  }
  return (...args) =>
    new Promise((resolve, reject) => {
      const program = [...kubepkiCommand, 'certs', ...args];
      const env = { PATH: '/usr/bin:/bin' };
      execFile(unshare, [...command, ...program], { env }, (error, stdout, stderr) => {
        if (error === null) resolve({ stdout, stderr });
        else reject(new Error(stderr, { cause: error }));
      });
    });
}
