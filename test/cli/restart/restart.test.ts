import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { until } from '../../support/deadline.ts';
import { judge } from '../../support/judge.ts';
import { certs, stateDirectory, leavesNoTrace } from '../../support/node.ts';
import { kubeadmManifests } from '../../support/kubelet/manifests.ts';
import { letAnotherLead } from '../../support/kubelet/leader.ts';
import { plane, quickly, restart } from '../../support/kubelet/restart.ts';
import { mountsFor } from '../../support/machine/mounts.ts';
import { fileFingerprint, servedFingerprint } from '../../support/servers/served-fingerprint.ts';
import { copyFixture, snapshot, changes } from '../../support/tree.ts';
import { kubepki } from '../../support/kubepki.ts';

const components = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

describe('kubepki restart', () => {
  test('restarts all, etcd first, and each serves its new certificate', async (t) => {
    const openssl = judge(t, 'openssl');
    const node = await plane(t);
    if (node === undefined || openssl === undefined) return;
    const { tree, kubelet, ports, manifestsDir } = node;
    const before = snapshot(manifestsDir);
    const pids = components.map((name) => kubelet.pid(`${name}.yaml`));
    const old = servedFingerprint(openssl, ports.apiserver);
    const renewed = await certs(tree, 'renew', 'all');
    assert.equal(renewed.code, 0, renewed.stderr);
    // The stand-in reads its certificate once: without a restart it serves the old one.
    assert.equal(servedFingerprint(openssl, ports.apiserver), old);
    const { code, stdout, stderr } = await restart(node, ...quickly);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    const pki = tree.certDir;
    assert.deepEqual(stdout.trim().split('\n'), [
      'etcd restarted',
      `etcd serves the new certificate (${pki}/etcd/server.crt)`,
      `etcd serves its peers the new certificate (${pki}/etcd/peer.crt)`,
      'kube-apiserver restarted',
      `kube-apiserver serves the new certificate (${pki}/apiserver.crt)`,
      'kube-controller-manager restarted',
      'kube-scheduler restarted',
    ]);
    assert.deepEqual(
      kubelet.starts.slice(4),
      components.map((name) => `${name}.yaml`),
    );
    for (const [index, name] of components.entries()) {
      assert.notEqual(kubelet.pid(`${name}.yaml`), pids[index], `${name} is another process`);
    }
    // The very files: content, mode, owner and inode.
    assert.deepEqual(changes(before, snapshot(manifestsDir)), []);
    assert.equal(
      servedFingerprint(openssl, ports.apiserver),
      fileFingerprint(openssl, join(pki, 'apiserver.crt')),
    );
    const client = {
      certificate: join(pki, 'etcd/healthcheck-client.crt'),
      key: join(pki, 'etcd/healthcheck-client.key'),
    };
    assert.equal(
      servedFingerprint(openssl, ports.etcdClient, client),
      fileFingerprint(openssl, join(pki, 'etcd/server.crt')),
    );
  });

  test('only those that are named, in the order of restarting, each once', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const { code, stdout, stderr } = await restart(
      node,
      'kube-scheduler',
      'kube-controller-manager',
      'kube-scheduler',
      ...quickly,
    );
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'kube-controller-manager restarted\nkube-scheduler restarted\n');
    assert.deepEqual(node.kubelet.starts.slice(4), ['kube-controller-manager.yaml', 'kube-scheduler.yaml']);
    assert.equal(leavesNoTrace(node.tree), true, 'no trace is left');
  });

  test('what has no manifest is said and passed over', async (t) => {
    const node = await plane(t, { without: ['etcd'] });
    if (node === undefined) return;
    const { code, stdout, stderr } = await restart(node, 'etcd', 'kube-scheduler', ...quickly);
    assert.equal(code, 0, stderr);
    assert.equal(
      stdout,
      `etcd passed over: it has no manifest in ${node.manifestsDir}\nkube-scheduler restarted\n`,
    );
  });

  test('a component that was down already is restarted all the same', async (t) => {
    const node = await plane(t, {
      flags: (_, tree) => ({ 'kube-scheduler': [`--refuse-while=${join(tree.directory, 'broken')}`] }),
    });
    if (node === undefined) return;
    const broken = join(node.tree.directory, 'broken');
    writeFileSync(broken, '');
    const failed = await restart(node, 'kube-scheduler', ...quickly, '--start-timeout', '1s');
    assert.equal(failed.code, 8, failed.stderr);
    const run = node.begin('restart', 'kube-scheduler', ...quickly);
    await node.away('kube-scheduler');
    rmSync(broken);
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'kube-scheduler restarted\n');
  });

  test('a manifest that is a symlink stays one', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const path = join(node.manifestsDir, 'kube-scheduler.yaml');
    const real = join(node.tree.kubeconfigDir, 'scheduler-manifest.yaml');
    renameSync(path, real);
    symlinkSync('../scheduler-manifest.yaml', path);
    const before = snapshot(node.tree.kubeconfigDir);
    const { code, stderr } = await restart(node, 'kube-scheduler', ...quickly);
    assert.equal(code, 0, stderr);
    assert.deepEqual(changes(before, snapshot(node.tree.kubeconfigDir)), []);
  });

  test('--manifests-dir on another file system, where nothing can be linked', async (t) => {
    const mounts = mountsFor(t);
    if (mounts === undefined) return;
    const node = await plane(t);
    if (node === undefined) return;
    const elsewhere = join(node.tree.directory, 'elsewhere');
    mkdirSync(elsewhere);
    mounts.tmpfs(elsewhere);
    const path = join(elsewhere, 'kube-scheduler.yaml');
    const text = readFileSync(join(node.manifestsDir, 'kube-scheduler.yaml'), 'utf8');
    writeFileSync(path, text, { mode: 0o640 });
    // Nobody watches it: the scheduler goes on running, and its probe answers.
    const run = node.begin(
      'restart',
      'kube-scheduler',
      '--manifests-dir',
      '/elsewhere',
      '--settle',
      '0s',
      '--stop-timeout',
      '100s',
    );
    await until(() => (existsSync(path) ? undefined : true), {
      deadlineMs: 60_000,
      otherwise: () => `${path} is still there`,
    });
    assert.equal(
      readFileSync(join(stateDirectory(node.tree), 'manifests/kube-scheduler.yaml'), 'utf8'),
      text,
    );
    run.kill('SIGTERM');
    assert.equal((await run.ended).code, 143);
    assert.equal(readFileSync(path, 'utf8'), text);
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.equal(leavesNoTrace(node.tree), true);
  });

  test('--dry-run says what would be restarted, and touches nothing', async (t) => {
    const node = await plane(t, { without: ['etcd'] });
    if (node === undefined) return;
    const before = snapshot(node.tree.kubeconfigDir);
    const { code, stdout, stderr } = await restart(node, '--dry-run');
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split('\n'), [
      `etcd passed over: it has no manifest in ${node.manifestsDir}`,
      'kube-apiserver would be restarted',
      'kube-controller-manager would be restarted',
      'kube-scheduler would be restarted',
    ]);
    assert.deepEqual(changes(before, snapshot(node.tree.kubeconfigDir)), []);
    assert.equal(node.kubelet.starts.length, 3);
  });
});

/** The manifest of an etcd that is told everything by variables, and speaks plain http with its clients. */
function byEnvironment(manifest: string): string {
  const variables: string[] = [];
  const rest = manifest.replaceAll(/^ {4}- --([^=]+)=(.*)\n/gm, (_, flag: string, value: string) => {
    const name = `ETCD_${flag.toUpperCase().replaceAll('-', '_')}`;
    const said = flag.endsWith('client-urls') ? value.replace('https:', 'http:') : value;
    variables.push(`    - name: ${name}\n      value: "${said}"\n`);
    return '';
  });
  return rest.replace(/^ {4}image:/m, `    env:\n${variables.join('')}    image:`);
}

// These members have no API server that could be asked whose turn it is.
const alone = [...quickly, '--no-lease'];

describe('the quorum of etcd', () => {
  test('with all members well, one of three is restarted', async (t) => {
    const node = await plane(t, { otherMembers: 2 });
    if (node === undefined) return;
    const { code, stdout, stderr } = await restart(node, 'etcd', ...alone);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^etcd restarted$/m);
  });

  test('with one of the others down it is refused, and done with --force', async (t) => {
    const node = await plane(t, { otherMembers: 2 });
    if (node === undefined) return;
    await node.stopMember(1);
    const before = snapshot(node.tree.kubeconfigDir);
    const { code, stdout, stderr } = await restart(node, ...alone);
    assert.equal(code, 1, stderr);
    assert.equal(stdout, '');
    assert.equal(
      stderr.split('\n')[0],
      `error: ${node.manifestsDir}/etcd.yaml: stopping this member would leave the etcd cluster without quorum: ` +
        'of 3 members, 1 would be left, and 2 are needed ' +
        `(not healthy: control-plane-3: connection refused at https://127.0.0.1:${String(node.otherPorts[1]?.etcdClient)}/health)`,
    );
    assert.match(
      stderr,
      /^hint: see to the other members first, or stop it all the same: kubepki restart etcd --rootfs \S+ --force$/m,
    );
    assert.deepEqual(changes(before, snapshot(node.tree.kubeconfigDir)), []);
    assert.deepEqual(node.kubelet.starts.slice(4), [], 'nothing else was restarted either');
    const forced = await restart(node, 'etcd', '--force', ...alone);
    assert.equal(forced.code, 0, forced.stderr);
    assert.match(
      forced.stderr,
      /^warning: stopping this member would leave the etcd cluster without quorum/m,
    );
  });

  test('the leader has just gone: what the others elect is waited for, and no quorum is taken for none', async (t) => {
    const etcdctl = judge(t, 'etcdctl');
    const node = await plane(t, { otherMembers: 2 });
    if (node === undefined || etcdctl === undefined) return;
    await node.stopMember(letAnotherLead(etcdctl, node));
    const { code, stderr } = await restart(node, 'etcd', ...alone);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /of 3 members, 1 would be left, and 2 are needed/);
  });

  test('of two members neither can be spared', async (t) => {
    const node = await plane(t, { otherMembers: 1 });
    if (node === undefined) return;
    const { code, stderr } = await restart(node, 'etcd', ...alone);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /of 2 members, 1 would be left, and 2 are needed\n/);
  });

  test('where there is no quorum to lose, it is restarted', async (t) => {
    const node = await plane(t, { otherMembers: 2 });
    if (node === undefined) return;
    await Promise.all([node.stopMember(0), node.stopMember(1)]);
    // It cannot become healthy without the others; it has been stopped and started.
    const { code, stderr } = await restart(node, 'etcd', ...alone, '--start-timeout', '1s');
    assert.equal(code, 8, stderr);
    assert.match(stderr, /etcd was not healthy again within 1s/);
  });

  test('a member with plain http for clients, set up by its environment: asked, and restarted', async (t) => {
    const node = await plane(t, {
      prepare: (_, manifestsDir) => {
        const path = join(manifestsDir, 'etcd.yaml');
        writeFileSync(path, byEnvironment(readFileSync(path, 'utf8')));
      },
    });
    if (node === undefined) return;
    const { code, stdout, stderr } = await restart(node, 'etcd', ...alone);
    assert.equal(code, 0, stderr);
    // What it speaks no TLS for it serves no certificate for.
    assert.equal(
      stdout,
      `etcd restarted\netcd serves its peers the new certificate (${node.tree.certDir}/etcd/peer.crt)\n`,
    );
  });

  test('where it cannot be asked, it is refused', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    for (const file of ['healthcheck-client.key', 'server.key']) {
      rmSync(join(node.tree.certDir, 'etcd', file));
    }
    const { code, stderr } = await restart(node, 'etcd', ...alone);
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      /whether the etcd cluster goes on without this member cannot be told: .*server\.key: no such file/,
    );
  });
});

describe('kubepki restart, the command line', () => {
  for (const [what, args, expected] of [
    [
      'an unknown component',
      ['kube-proxy'],
      /^error: unknown component "kube-proxy"\nhint: use one of: etcd, kube-apiserver, /,
    ],
    [
      'an unknown flag',
      ['--nope'],
      /^error: unknown option '--nope'\nhint: kubepki restart --help shows what there is\n/,
    ],
    [
      'a bad duration',
      ['--settle', '20'],
      /'--settle <duration>' argument '20' is invalid\. use a duration such as 20s or 3m/,
    ],
    [
      'nothing could stop in time',
      ['--settle', '5m'],
      /^error: --stop-timeout must be longer than --settle\n/,
    ],
    [
      'no such directory',
      ['--manifests-dir', '/nowhere'],
      /nowhere: no such directory\nhint: name the directory with --manifests-dir/,
    ],
  ] as const) {
    test(what, async (t) => {
      const { directory } = copyFixture(t, 'stacked-etcd-ecdsa');
      const { code, stdout, stderr } = await kubepki(['restart', '--rootfs', directory, ...args]);
      assert.equal(code, 1, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, expected);
    });
  }

  test('a kubelet that looks elsewhere is said, unless the directory was named; its interval is the least', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    const kubelet = join(tree.directory, 'var/lib/kubelet');
    mkdirSync(kubelet, { recursive: true });
    mkdirSync(join(tree.directory, 'manifests'));
    mkdirSync(join(tree.kubeconfigDir, 'manifests'));
    writeFileSync(join(kubelet, 'config.yaml'), 'staticPodPath: /manifests\nfileCheckFrequency: 4m0s\n');
    const pod = 'spec: {containers: [{livenessProbe: {httpGet: {host: 127.0.0.1, port: 1}}}]}\n';
    for (const directory of ['manifests', 'etc/kubernetes/manifests']) {
      writeFileSync(join(tree.directory, directory, 'kube-scheduler.yaml'), pod);
    }
    const dry = (...args: string[]): ReturnType<typeof kubepki> =>
      kubepki(['restart', 'kube-scheduler', '--dry-run', '--rootfs', tree.directory, ...args]);
    const elsewhere = await dry('--stop-timeout', '5m');
    assert.equal(elsewhere.code, 1);
    assert.match(
      elsewhere.stderr,
      /manifests: is not where the kubelet has its static pods: that is \/manifests\nhint: name the right one: --manifests-dir \/manifests\n/,
    );
    const named = await dry('--manifests-dir', '/manifests', '--stop-timeout', '5m');
    assert.equal(named.stdout, 'kube-scheduler would be restarted\n');
    const short = await dry('--manifests-dir', '/manifests');
    assert.match(short.stderr, /--stop-timeout must be longer than --settle/);
  });

  test('for a copy of the certificates the pods of the live cluster are not stopped', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    const manifests = join(tree.kubeconfigDir, 'manifests');
    mkdirSync(manifests);
    // Nobody is ever asked there.
    const ports = {
      etcdClient: 1,
      etcdPeer: 1,
      etcdMetrics: 1,
      apiserver: 1,
      controllerManager: 1,
      scheduler: 1,
    };
    for (const [name, text] of Object.entries(kubeadmManifests({ ports }))) {
      writeFileSync(join(manifests, `${name}.yaml`), text);
    }
    cpSync(tree.certDir, join(tree.directory, 'backup/pki'), { recursive: true });
    const before = snapshot(tree.directory);
    const backup = ['--rootfs', tree.directory, '--cert-dir', '/backup/pki'];
    for (const args of [
      ['restart', 'kube-apiserver', '--stop-timeout', '21s'],
      ['restart', 'kube-apiserver', '--dry-run'],
      ['certs', 'renew', 'apiserver', '--restart', '--stop-timeout', '21s'],
    ]) {
      const { code, stderr } = await kubepki([...args, ...backup]);
      assert.match(
        stderr,
        /kube-apiserver\.yaml: names no file in \S*\/backup\/pki: kube-apiserver uses other certificates\nhint: /,
      );
      assert.equal(code, 1);
    }
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
    const dry = ['restart', '--dry-run', ...backup];
    const named = await kubepki([...dry, 'kube-apiserver', '--manifests-dir', '/etc/kubernetes/manifests']);
    assert.equal(named.stdout, 'kube-apiserver would be restarted\n');
    // Its kubeconfig is the one that would be renewed, whichever the cert dir.
    const scheduler = await kubepki([...dry, 'kube-scheduler']);
    assert.equal(scheduler.stdout, 'kube-scheduler would be restarted\n');
  });
});
