import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import {
  certsInProcess as certs,
  doneInProcess as done,
  kubepkiInProcess as kubepki,
} from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { type Outcome } from '../../support/kubepki.ts';
import { writeManifest, writeManifests } from '../../support/manifests.ts';
import { quickTree } from '../../support/node.ts';
import { extensionsIn, makeApiserver, sansOf, sansOfRequest } from '../../support/certificates/san.ts';
import { changes, copyFixture, fileChanges, snapshot, type Tree } from '../../support/tree.ts';

// The addresses and names of the fixtures, as openssl says them.
const six = 'IP Address:2001:DB8:0:0:0:0:0:10';
const kubernetes = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'].map(
  (name) => `DNS:${name}`,
);
const configured = [
  ...['DNS:api.example.com', 'DNS:cluster.example.com', 'DNS:control-plane-1', ...kubernetes],
  ...['DNS:kubernetes.default.svc.cluster.local', 'IP Address:10.96.0.1', 'IP Address:192.0.2.10'],
  ...['IP Address:198.51.100.7', six],
];
/** The API server's in the fixture ipv6. */
const mapped = 'IP Address:0:0:0:0:0:FFFF:C000:20B';
const quick = ['DNS:control-plane-1', 'DNS:kubernetes'];
const quickAddresses = ['IP Address:FD00:10:96:0:0:0:0:1', six, 'IP Address:192.0.2.10', mapped];

/** The message's paths begin at the tree's root. */
function said(tree: Tree, text: string): string {
  return text.replaceAll(tree.directory, '');
}

/** Exit 1, and not a byte differs. */
async function refused(tree: Tree, ...args: readonly string[]): Promise<string> {
  const before = snapshot(tree.directory);
  const outcome = await certs(tree, 'renew', ...args);
  assert.equal(outcome.code, 1, `${args.join(' ')}: ${outcome.stdout}${outcome.stderr}`);
  assert.equal(outcome.stdout, '');
  assert.deepEqual(fileChanges(before, snapshot(tree.directory), { inodes: true }), []);
  return said(tree, outcome.stderr);
}

function apiserver(openssl: string, tree: Tree): readonly string[] {
  return sansOf(openssl, tree, 'apiserver');
}

/** What lies inside a SEQUENCE, each with its tag and length, in hex. */
function items(hex: string): string[] {
  const der = Buffer.from(hex, 'hex');
  const header = (at: number): { readonly content: number; readonly end: number } => {
    const first = der[at + 1] ?? 0;
    if (first < 0x80) return { content: at + 2, end: at + 2 + first };
    const size = first & 0x7f;
    return { content: at + 2 + size, end: at + 2 + size + der.readUIntBE(at + 2, size) };
  };
  const { content, end } = header(0);
  const found: string[] = [];
  for (let at = content; at < end; at = header(at).end) {
    found.push(der.subarray(at, header(at).end).toString('hex'));
  }
  return found;
}

const sanName = 'X509v3 Subject Alternative Name';

function sanItems(openssl: string, tree: Tree): string[] {
  const file = join(tree.certDir, 'apiserver.crt');
  return items(extensionsIn(openssl, file).get(sanName)?.value ?? '3000');
}

function withTree(
  name: string,
  make: (t: TestContext) => Tree,
  run: (openssl: string, tree: Tree, t: TestContext) => Promise<void>,
): void {
  test(name, async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    await run(openssl, make(t), t);
  });
}

const configuredTree = (t: TestContext): Tree => copyFixture(t, 'stacked-etcd-ecdsa');
const customTree = (t: TestContext): Tree => copyFixture(t, 'custom-subject');

describe('renew --add-san and --remove-san', () => {
  withTree(
    'DNS names go behind the last DNS name, addresses behind the last address, in the order given',
    quickTree,
    async (openssl, tree) => {
      const added = ['--add-san', 'zz.example.com,192.0.2.77', '--add-san', 'aa.example.com'];
      const more = ['--add-san=*.apps.example.com', '--add-san', ' 2001:db8::99 , 203.0.113.1'];
      const { stdout, stderr } = await done(tree, 'renew', 'apiserver', ...added, ...more);
      assert.deepEqual(apiserver(openssl, tree), [
        ...quick,
        ...['DNS:zz.example.com', 'DNS:aa.example.com', 'DNS:*.apps.example.com'],
        ...quickAddresses,
        ...['IP Address:192.0.2.77', 'IP Address:2001:DB8:0:0:0:0:0:99', 'IP Address:203.0.113.1'],
      ]);
      assert.equal(stdout, 'certificate for serving the Kubernetes API renewed\n');
      assert.match(
        stderr,
        /^note: apiserver: SANs added DNS:zz\.example\.com, DNS:aa\.example\.com, DNS:\*\.apps\.example\.com, IP:192\.0\.2\.77, IP:2001:db8::99, IP:203\.0\.113\.1$/m,
      );
      execFileSync(openssl, [
        ...['verify', '-CAfile', join(tree.certDir, 'ca.crt'), '-verify_hostname', 'x.apps.example.com'],
        ...['-purpose', 'sslserver', join(tree.certDir, 'apiserver.crt')],
      ]);
    },
  );

  withTree(
    'DNS name, IPv4 and IPv6 are removed, the rest stays in order',
    quickTree,
    async (openssl, tree) => {
      const gone = ['--remove-san', 'control-plane-1,2001:db8::10', '--remove-san', 'fd00:10:96:0::1'];
      const { stderr } = await done(tree, 'renew', 'apiserver', ...gone);
      assert.deepEqual(apiserver(openssl, tree), ['DNS:kubernetes', 'IP Address:192.0.2.10', mapped]);
      assert.match(
        stderr,
        /^note: apiserver: SANs removed DNS:control-plane-1, IP:fd00:10:96::1, IP:2001:db8::10$/m,
      );
    },
  );

  withTree('an IPv4-mapped address is the IPv4 address', quickTree, async (openssl, tree) => {
    const { stderr } = await done(tree, 'renew', 'apiserver', '--remove-san', '192.0.2.11');
    assert.deepEqual(apiserver(openssl, tree), [...quick, ...quickAddresses.slice(0, 3)]);
    assert.match(stderr, /SANs removed IP:192\.0\.2\.11$/m);
    const again = await done(tree, 'renew', 'apiserver', '--add-san', '::ffff:192.0.2.10');
    assert.deepEqual(apiserver(openssl, tree), [...quick, ...quickAddresses.slice(0, 3)]);
    assert.match(again.stderr, /^note: apiserver: IP:192\.0\.2\.10 is among the SANs already$/m);
    await done(tree, 'renew', 'apiserver', '--add-san', '::ffff:c000:20b');
    assert.equal(apiserver(openssl, tree).at(-1), 'IP Address:192.0.2.11');
  });

  withTree('added and removed at once, for several certificates', configuredTree, async (openssl, tree) => {
    const peerBefore = sansOf(openssl, tree, 'etcd/peer');
    const args = ['apiserver', 'etcd-server', '--add-san', 'new.example.com', '--remove-san', '198.51.100.7'];
    const { stdout, stderr } = await done(tree, 'renew', ...args);
    assert.deepEqual(
      apiserver(openssl, tree),
      configured.toSpliced(7, 0, 'DNS:new.example.com').filter((name) => name !== 'IP Address:198.51.100.7'),
    );
    assert.deepEqual(sansOf(openssl, tree, 'etcd/server').slice(0, 3), [
      ...['DNS:control-plane-1', 'DNS:localhost', 'DNS:new.example.com'],
    ]);
    assert.deepEqual(sansOf(openssl, tree, 'etcd/peer'), peerBefore);
    assert.equal(stdout.split('\n').length, 3);
    assert.match(stderr, /^note: apiserver: SANs added DNS:new\.example\.com; removed IP:198\.51\.100\.7$/m);
    assert.match(stderr, /^note: etcd-server: SANs added DNS:new\.example\.com$/m);
    assert.match(stderr, /^note: etcd-server: IP:198\.51\.100\.7 is not among the SANs$/m);
    assert.match(stderr, /^note: restart etcd, kube-apiserver to use/m);
  });

  withTree(
    'what is there already and what is not is said; nothing is renewed for that',
    quickTree,
    async (_, tree) => {
      const before = snapshot(tree.certDir);
      const args = ['--add-san', 'KUBERNETES,2001:0DB8::0010', '--remove-san', 'nobody.example.com'];
      const { stderr, stdout } = await done(tree, 'renew', 'apiserver', ...args);
      assert.deepEqual(changes(before, snapshot(tree.certDir), { inodes: true }), []);
      assert.equal(
        stdout,
        'certificate for serving the Kubernetes API not renewed: its SANs are those asked for\n',
      );
      for (const line of [
        'note: apiserver: DNS:kubernetes is among the SANs already',
        'note: apiserver: IP:2001:db8::10 is among the SANs already',
        'note: apiserver: DNS:nobody.example.com is not among the SANs',
      ]) {
        assert.ok(stderr.split('\n').includes(line), stderr);
      }
    },
  );

  withTree('the same name given twice is added once', quickTree, async (openssl, tree) => {
    const args = ['--add-san', 'a.example.com,a.example.com', '--add-san', 'a.example.com,::9,0:0::9'];
    const { stderr } = await done(tree, 'renew', 'apiserver', ...args);
    assert.deepEqual(apiserver(openssl, tree), [
      ...quick,
      'DNS:a.example.com',
      ...quickAddresses,
      'IP Address:0:0:0:0:0:0:0:9',
    ]);
    assert.match(stderr, /SANs added DNS:a\.example\.com, IP:::9$/m);
  });

  withTree(
    'URI, e-mail, registered ID, otherName and directory name stay byte for byte, and so does every other extension',
    customTree,
    async (openssl, tree) => {
      const file = join(tree.certDir, 'apiserver.crt');
      const [before, extensions] = [sanItems(openssl, tree), extensionsIn(openssl, file)];
      const args = ['--add-san', 'new.example.com,198.51.100.1', '--remove-san', '*.apps.example.com'];
      await done(tree, 'renew', 'apiserver', ...args);
      const ascii = (tag: number, text: string): string =>
        Buffer.from([tag, text.length, ...Buffer.from(text)]).toString('hex');
      assert.deepEqual(sanItems(openssl, tree), [
        before[0],
        ascii(0x82, 'new.example.com'),
        before[2],
        before[3],
        '8704c6336401',
        ...before.slice(4),
      ]);
      const after = extensionsIn(openssl, file);
      const perCertificate = / (?:Key Identifier|Alternative Name|Basic Constraints)$/;
      const others = (all: typeof after): unknown => [...all].filter(([name]) => !perCertificate.test(name));
      assert.deepEqual(others(after), others(extensions));
      assert.ok(extensions.has('Netscape Comment'));
      const text = (): string =>
        execFileSync(openssl, ['x509', '-in', file, '-noout', '-subject'], { encoding: 'utf8' });
      assert.match(text(), /O = /);
    },
  );

  withTree(
    'a critical SAN stays critical, and any case is the same name',
    quickTree,
    async (openssl, tree) => {
      makeApiserver(
        openssl,
        tree,
        'subjectAltName=critical,DNS:API.Example.com,DNS:kubernetes,DNS:api.example.COM,URI:urn:x',
        'extendedKeyUsage=serverAuth',
      );
      const { stderr } = await done(
        tree,
        'renew',
        'apiserver',
        '--add-san',
        'api.example.com,new.example.com',
      );
      assert.match(stderr, /^note: apiserver: DNS:api\.example\.com is among the SANs already$/m);
      const file = join(tree.certDir, 'apiserver.crt');
      assert.equal(extensionsIn(openssl, file).get(sanName)?.critical, true);
      const all = ['DNS:API.Example.com', 'DNS:kubernetes', 'DNS:api.example.COM', 'DNS:new.example.com'];
      assert.deepEqual(apiserver(openssl, tree), [...all, 'URI:urn:x']);
      const removed = await done(tree, 'renew', 'apiserver', '--remove-san', 'api.example.com');
      assert.match(removed.stderr, /SANs removed DNS:API\.Example\.com, DNS:api\.example\.COM$/m);
      assert.equal(extensionsIn(openssl, file).get(sanName)?.critical, true);
      assert.deepEqual(apiserver(openssl, tree), ['DNS:kubernetes', 'DNS:new.example.com', 'URI:urn:x']);
    },
  );

  withTree('a certificate without SANs gets its first ones', quickTree, async (openssl, tree) => {
    makeApiserver(openssl, tree, 'extendedKeyUsage=serverAuth');
    assert.deepEqual(apiserver(openssl, tree), []);
    await done(tree, 'renew', 'apiserver', '--add-san', '192.0.2.1,a.example.com');
    assert.deepEqual(apiserver(openssl, tree), ['DNS:a.example.com', 'IP Address:192.0.2.1']);
    const file = join(tree.certDir, 'apiserver.crt');
    assert.equal(extensionsIn(openssl, file).get(sanName)?.critical, false);
    assert.ok(extensionsIn(openssl, file).has('X509v3 Extended Key Usage'));
  });

  withTree(
    'where there is no DNS name or no address yet, DNS names come first',
    quickTree,
    async (openssl, tree) => {
      makeApiserver(openssl, tree, 'subjectAltName=URI:urn:x,IP:192.0.2.1,email:a@example.com');
      await done(tree, 'renew', 'apiserver', '--add-san', 'a.example.com');
      const withDns = ['URI:urn:x', 'DNS:a.example.com', 'IP Address:192.0.2.1', 'email:a@example.com'];
      assert.deepEqual(apiserver(openssl, tree), withDns);
      makeApiserver(openssl, tree, 'subjectAltName=URI:urn:x,DNS:a.example.com,email:a@example.com');
      await done(tree, 'renew', 'apiserver', '--add-san', '192.0.2.1');
      assert.deepEqual(apiserver(openssl, tree), withDns);
    },
  );

  withTree('without one of the flags the SANs stay, as ever', customTree, async (openssl, tree) => {
    const before = sanItems(openssl, tree);
    const { stderr } = await done(tree, 'renew', 'apiserver');
    assert.deepEqual(sanItems(openssl, tree), before);
    assert.doesNotMatch(stderr, /SAN/);
  });

  withTree('rollback brings the old SANs back', configuredTree, async (openssl, tree) => {
    const before = readFileSync(join(tree.certDir, 'apiserver.crt'));
    await done(tree, 'renew', 'apiserver', '--add-san', 'new.example.com', '--remove-san', 'api.example.com');
    assert.ok(apiserver(openssl, tree).includes('DNS:new.example.com'));
    await done(tree, 'rollback');
    assert.deepEqual(readFileSync(join(tree.certDir, 'apiserver.crt')), before);
    assert.deepEqual(apiserver(openssl, tree), configured);
  });

  withTree('--dry-run shows the difference and changes nothing', configuredTree, async (openssl, tree) => {
    const before = snapshot(tree.directory);
    const args = ['--add-san', 'new.example.com', '--remove-san', '198.51.100.7,api.example.com'];
    const { stdout, stderr } = await done(tree, 'renew', 'apiserver', 'etcd-peer', ...args, '--dry-run');
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    assert.match(
      said(tree, stdout),
      /^would change apiserver: .*\n {2}SANs added DNS:new\.example\.com; removed DNS:api\.example\.com, IP:198\.51\.100\.7\n {2}\/etc\/kubernetes\/pki\/apiserver\.key\n {2}\/etc\/kubernetes\/pki\/apiserver\.crt\nwould change etcd-peer: .*\n {2}SANs added DNS:new\.example\.com\n/,
    );
    assert.doesNotMatch(stderr, /SANs added/);
    assert.deepEqual(apiserver(openssl, tree), configured);
    const same = await done(tree, 'renew', 'apiserver', '--add-san', 'api.example.com', '--dry-run');
    assert.equal(
      same.stdout,
      'certificate for serving the Kubernetes API not renewed: its SANs are those asked for\nnothing was changed (--dry-run)\n',
    );
  });

  test('a certificate of an external CA or one that is missing is not renewed, as ever', async (t) => {
    const tree = copyFixture(t, 'external-ca');
    const outcome = await certs(tree, 'renew', 'apiserver', '--add-san', 'new.example.com');
    assert.equal(outcome.code, 6);
    assert.match(outcome.stdout, /^Detected external ca, /);
    assert.doesNotMatch(outcome.stderr, /SANs/);
  });
});

describe('renew --sans-from-config', () => {
  const config = ['--config', '/kubeadm.yaml'];

  withTree(
    'brings back what was removed and takes away what was added',
    configuredTree,
    async (openssl, tree) => {
      const original = sanItems(openssl, tree);
      const args = ['--remove-san', 'api.example.com,2001:db8::10', '--add-san', 'x.example.com,192.0.2.99'];
      await done(tree, 'renew', 'apiserver', ...args);
      assert.notDeepEqual(apiserver(openssl, tree), configured);
      const { stderr } = await done(tree, 'renew', 'apiserver', '--sans-from-config', ...config);
      assert.deepEqual(apiserver(openssl, tree), configured);
      assert.deepEqual(sanItems(openssl, tree), original);
      assert.match(
        stderr,
        /^note: apiserver: SANs added DNS:api\.example\.com, IP:2001:db8::10; removed DNS:x\.example\.com, IP:192\.0\.2\.99$/m,
      );
      const again = await done(tree, 'renew', 'apiserver', '--sans-from-config', ...config);
      assert.match(again.stdout, / not renewed: its SANs are those asked for\n$/);
      assert.deepEqual(sanItems(openssl, tree), original);
    },
  );

  withTree('each certificate has its own', configuredTree, async (openssl, tree) => {
    writeFileSync(
      join(tree.directory, 'new.yaml'),
      readFileSync(join(tree.directory, 'kubeadm.yaml'), 'utf8') +
        'etcd: {local: {serverCertSANs: [etcd.example.com], peerCertSANs: [192.0.2.44]}}\n',
    );
    const names = ['apiserver', 'etcd-server', 'etcd-peer'];
    await done(tree, 'renew', ...names, '--sans-from-config', '--config', '/new.yaml');
    const addresses = ['192.0.2.10', '127.0.0.1', '0:0:0:0:0:0:0:1'].map((one) => `IP Address:${one}`);
    assert.deepEqual(apiserver(openssl, tree), configured);
    assert.deepEqual(sansOf(openssl, tree, 'etcd/server'), [
      ...['DNS:control-plane-1', 'DNS:etcd.example.com', 'DNS:localhost', ...addresses],
    ]);
    assert.deepEqual(sansOf(openssl, tree, 'etcd/peer'), [
      ...['DNS:control-plane-1', 'DNS:localhost', ...addresses, 'IP Address:192.0.2.44'],
    ]);
  });

  withTree('other kinds of SAN stay, byte for byte', customTree, async (openssl, tree) => {
    writeFileSync(
      join(tree.directory, 'kubeadm.yaml'),
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n' +
        'localAPIEndpoint: {advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: node-1}\n' +
        '---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n',
    );
    const before = sanItems(openssl, tree);
    const dryRun = await done(tree, 'renew', 'apiserver', '--sans-from-config', ...config, '--dry-run');
    assert.match(dryRun.stdout, /^ {2}SANs added .*; removed DNS:\*\.apps\.example\.com, IP:2001:db8::10$/m);
    assert.deepEqual(sanItems(openssl, tree), before);
    await done(tree, 'renew', 'apiserver', '--sans-from-config', ...config);
    assert.deepEqual(apiserver(openssl, tree).slice(0, 7), [
      ...[...kubernetes, 'DNS:kubernetes.default.svc.cluster.local', 'DNS:node-1'],
      ...['IP Address:10.96.0.1', 'IP Address:192.0.2.10'],
    ]);
    assert.deepEqual(sanItems(openssl, tree).slice(7), before.slice(4));
  });

  withTree(
    "what the node's own files say fills what the configuration leaves out, and is said",
    quickTree,
    async (_, tree) => {
      writeFileSync(
        join(tree.directory, 'kubeadm.yaml'),
        'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\napiServer: {certSANs: [192.0.2.10]}\n',
      );
      const { stderr } = await done(tree, 'renew', 'apiserver', '--sans-from-config', ...config, '--dry-run');
      assert.match(
        stderr,
        /^note: the node's name is that of \S+\.crt: control-plane-1 \(nodeRegistration\.name says otherwise\)$/m,
      );
      assert.match(stderr, /^note: the advertised address is that of \S+: 192\.0\.2\.10 /m);
      assert.doesNotMatch(stderr, /this machine/);
    },
  );

  withTree(
    'only the order differs: it is put right with the next renewal, and said',
    quickTree,
    async (openssl, tree) => {
      writeFileSync(
        join(tree.directory, 'kubeadm.yaml'),
        'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n' +
          'localAPIEndpoint: {advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: node-1}\n',
      );
      makeApiserver(
        openssl,
        tree,
        'extendedKeyUsage=serverAuth\nsubjectAltName=IP:192.0.2.10,IP:::ffff:10.96.0.1,DNS:NODE-1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local',
      );
      const before = apiserver(openssl, tree);
      await done(tree, 'renew', 'apiserver', '--sans-from-config', ...config);
      assert.deepEqual(apiserver(openssl, tree), before);
      const due = ['--within', '60d'];
      const { stderr } = await done(tree, 'renew', 'apiserver', '--sans-from-config', ...config, ...due);
      assert.match(stderr, /^note: apiserver: the SANs stay the same, written as kubeadm writes them$/m);
      assert.deepEqual(apiserver(openssl, tree), [
        ...[...kubernetes, 'DNS:kubernetes.default.svc.cluster.local', 'DNS:node-1'],
        ...['IP Address:10.96.0.1', 'IP Address:192.0.2.10'],
      ]);
    },
  );

  withTree('what is still used is not removed either', configuredTree, async (_, tree) => {
    writeFileSync(
      join(tree.directory, 'other.yaml'),
      readFileSync(join(tree.directory, 'kubeadm.yaml'), 'utf8').replace(
        'cluster.example.com',
        'other.example.com',
      ),
    );
    const args = ['apiserver', '--sans-from-config', '--config', '/other.yaml'];
    assert.match(
      await refused(tree, ...args),
      /DNS:cluster\.example\.com is still used by .*\/admin\.conf \(server\)/,
    );
    await done(tree, 'renew', ...args, '--force');
  });
});

describe('a SAN that is still used', () => {
  const hint = /^hint: change that first, or remove it all the same: --force$/m;

  withTree(
    'in the kubeconfigs it is refused, with each file named',
    configuredTree,
    async (openssl, tree) => {
      const stderr = await refused(tree, 'apiserver', '--remove-san', 'cluster.example.com,api.example.com');
      assert.match(
        stderr,
        /^error: \/etc\/kubernetes\/pki\/apiserver\.crt: DNS:cluster\.example\.com is still used by \/etc\/kubernetes\/admin\.conf \(server\), \/etc\/kubernetes\/kubelet\.conf \(server\) /m,
      );
      assert.match(stderr, hint);
      const before = snapshot(tree.directory);
      const dryRun = await certs(
        tree,
        'renew',
        'apiserver',
        '--remove-san',
        'cluster.example.com',
        '--dry-run',
      );
      assert.equal(dryRun.code, 1);
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
      const forced = await done(tree, 'renew', 'apiserver', '--remove-san', 'cluster.example.com', '--force');
      assert.ok(!apiserver(openssl, tree).includes('DNS:cluster.example.com'));
      assert.match(
        said(tree, forced.stderr),
        /^warning: apiserver: DNS:cluster\.example\.com is still used by \/etc\/kubernetes\/admin\.conf \(server\), /m,
      );
    },
  );

  // Which field uses which name: test/operations/names/change-sans.test.ts.
  withTree(
    'in the manifests it is refused, with each flag and probe named',
    configuredTree,
    async (_, tree) => {
      writeManifests(tree);
      const stderr = await refused(tree, 'etcd-server', '--remove-san', '127.0.0.1');
      for (const place of [
        'etcd.yaml (--listen-client-urls)',
        'etcd.yaml (livenessProbe)',
        'kube-apiserver.yaml (--etcd-servers)',
      ]) {
        assert.ok(stderr.includes(`/etc/kubernetes/manifests/${place}`), stderr);
      }
      assert.match(stderr, hint);
      await done(tree, 'renew', 'etcd-peer', '--remove-san', '127.0.0.1');
    },
  );

  withTree('by super-admin.conf alone', configuredTree, async (_, tree) => {
    const admin = readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8');
    writeFileSync(
      join(tree.kubeconfigDir, 'super-admin.conf'),
      admin.replace('https://cluster.example.com:6443', 'https://API.example.com:8443/k8s?x'),
      { mode: 0o600 },
    );
    assert.match(
      await refused(tree, 'apiserver', '--remove-san', 'api.example.com'),
      /super-admin\.conf \(server\)/,
    );
  });

  withTree('only in a context that is not the current one: not used', configuredTree, async (_, tree) => {
    const path = join(tree.kubeconfigDir, 'admin.conf');
    const other = '- cluster: {server: "https://api.example.com:6443"}\n  name: other\n';
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^contexts:/m, `${other}contexts:`));
    await done(tree, 'renew', 'apiserver', '--remove-san', 'api.example.com');
  });

  withTree(
    'a manifest or kubeconfig that cannot be read is a warning',
    configuredTree,
    async (openssl, tree) => {
      const manifests = join(tree.kubeconfigDir, 'manifests');
      writeFileSync(join(tree.kubeconfigDir, 'kubelet.conf'), 'clusters: 7\n');
      // What else is no pod: test/inventory/kubelet/static-pods.test.ts.
      for (const text of ['a: [', 'x'.repeat(2_000_000)]) {
        writeManifest(tree, 'kube-apiserver', text);
        const outcome = await done(
          tree,
          'renew',
          'apiserver',
          '--remove-san',
          'api.example.com',
          '--dry-run',
        );
        const shown = said(tree, outcome.stderr);
        assert.match(
          shown,
          /^warning: \/etc\/kubernetes\/manifests\/kube-apiserver\.yaml: .*; whether it uses what is removed is not known$/m,
        );
        assert.match(shown, /^warning: \/etc\/kubernetes\/kubelet\.conf: .*not known$/m);
      }
      rmSync(manifests, { recursive: true });
      mkdirSync(join(manifests, 'kube-apiserver.yaml'), { recursive: true });
      const { stderr } = await done(tree, 'renew', 'apiserver', '--remove-san', 'api.example.com');
      assert.match(stderr, /kube-apiserver\.yaml: is a directory, not a file; /);
      assert.ok(!apiserver(openssl, tree).includes('DNS:api.example.com'));
      // Nothing is removed: nobody wants to know.
      const added = await done(tree, 'renew', 'apiserver', '--add-san', 'api.example.com');
      assert.doesNotMatch(added.stderr, /warning/);
    },
  );

  withTree('all of them cannot be removed, not even with --force', quickTree, async (openssl, tree) => {
    const all = [
      '--remove-san',
      'control-plane-1,kubernetes,fd00:10:96::1,2001:db8::10,192.0.2.10,192.0.2.11',
    ];
    for (const force of [[], ['--force']]) {
      const stderr = await refused(tree, 'apiserver', ...all, ...force);
      assert.match(stderr, /apiserver\.crt: would be left without a DNS name or an IP address/);
    }
    makeApiserver(openssl, tree, 'subjectAltName=DNS:only.example.com,URI:urn:x');
    await refused(tree, 'apiserver', '--remove-san', 'only.example.com', '--force');
    await done(tree, 'renew', 'apiserver', '--remove-san', 'only.example.com', '--add-san', '192.0.2.1');
    assert.deepEqual(apiserver(openssl, tree), ['IP Address:192.0.2.1', 'URI:urn:x']);
  });

  withTree('a name that the CA must not sign for is refused', quickTree, async (openssl, tree) => {
    const [ca, key] = [join(tree.certDir, 'ca.crt'), join(tree.certDir, 'ca.key')];
    const constraints =
      'nameConstraints=critical,permitted;DNS:example.com,excluded;IP:203.0.113.0/255.255.255.0';
    execFileSync(openssl, [
      ...['req', '-x509', '-key', key, '-subj', '/CN=kubernetes', '-days', '30', '-out', ca],
      ...['-addext', constraints],
    ]);
    makeApiserver(openssl, tree, 'subjectAltName=DNS:a.example.com');
    for (const name of ['a.example.org', '203.0.113.9']) {
      assert.match(
        await refused(tree, 'apiserver', '--add-san', name),
        /^error: \/etc\/kubernetes\/pki\/ca\.crt: the CA must not sign for .*\(nameConstraints\)/,
      );
    }
    await done(tree, 'renew', 'apiserver', '--add-san', 'b.example.com,192.0.2.1');
    execFileSync(openssl, ['verify', '-CAfile', ca, join(tree.certDir, 'apiserver.crt')]);
  });

  withTree('the command for the rest keeps the flags', configuredTree, async (_, tree) => {
    writeManifests(tree);
    const args = ['apiserver', 'etcd-server', '--remove-san', '127.0.0.1', '--add-san', '*.example.com'];
    assert.match(
      await refused(tree, ...args),
      /to renew the rest: kubepki certs renew apiserver --add-san '\*\.example\.com' --remove-san 127\.0\.0\.1 --rootfs/,
    );
  });
});

describe('usage errors of the SAN flags', () => {
  async function usage(tree: Tree, expected: RegExp, ...args: readonly string[]): Promise<void> {
    const stderr = await refused(tree, ...args);
    assert.match(stderr, /^error: /);
    assert.match(stderr, expected, args.join(' '));
  }

  test('they need names, and names that can have SANs', async (t) => {
    const tree = configuredTree(t);
    const which = /apiserver, etcd-peer, etcd-server/;
    const config = ['--config', '/kubeadm.yaml'];
    for (const flags of [
      ['--add-san', 'a'],
      ['--remove-san', 'a'],
      ['--sans-from-config', ...config],
    ]) {
      for (const csrOnly of [[], ['--csr-only']]) {
        for (const names of [[], ['all'], ['admin.conf'], ['apiserver', 'front-proxy-client']]) {
          await usage(tree, which, ...names, ...flags, ...csrOnly);
        }
      }
    }
  });

  test('values that are neither address, DNS name nor wildcard', async (t) => {
    const tree = configuredTree(t);
    for (const value of [
      ...['', ',', 'a,', 'a,,b', 'a_b', '-a', 'a-', 'a..b', '.a', 'a.', '*', '*.', 'a.*.b', 'x*.b', '*.*.b'],
      ...[
        'https://a',
        'a:6443',
        '[::1]',
        '1.2.3.4:5',
        '10.0.0.0/8',
        'fe80::1%eth0',
        'ä.example.com',
        'a b',
        'a\nb',
        'DNS:a',
      ],
      `${'a.'.repeat(130)}a`,
    ]) {
      for (const flag of ['--add-san', '--remove-san']) {
        await usage(tree, new RegExp(flag), 'apiserver', `${flag}=${value}`);
      }
    }
    // Go would call it a DNS name, and so it is where it got into a certificate.
    await usage(tree, /"10\.0\.0\.300" must be an IP address/, 'apiserver', '--add-san', '10.0.0.300');
    const gone = await done(tree, 'renew', 'apiserver', '--remove-san', '10.0.0.300');
    assert.match(gone.stderr, /^note: apiserver: DNS:10\.0\.0\.300 is not among the SANs$/m);
  });

  test('flags that do not go together', async (t) => {
    const tree = configuredTree(t);
    const config = ['--config', '/kubeadm.yaml'];
    await usage(tree, /--sans-from-config.*--config/, 'apiserver', '--sans-from-config');
    for (const flag of ['--add-san', '--remove-san']) {
      await usage(
        tree,
        new RegExp(`--sans-from-config.*${flag}`),
        'apiserver',
        '--sans-from-config',
        ...config,
        flag,
        'a',
      );
    }
    await usage(
      tree,
      /a\.example\.com.*both/,
      'apiserver',
      '--add-san',
      'a.example.com',
      '--remove-san',
      'b,a.example.com',
    );
    await usage(
      tree,
      /192\.0\.2\.1.*both/,
      'apiserver',
      '--add-san',
      '192.0.2.1',
      '--remove-san',
      '::ffff:192.0.2.1',
    );
    await usage(tree, /--force goes with names/, 'all', '--force');
    await usage(tree, /--csr-dir goes with --csr-only/, 'apiserver', '--csr-dir', '/x', '--add-san', 'a');
  });

  test('the help shows an example of each', async () => {
    const { stdout } = await kubepki(['certs', 'renew', '--help']);
    assert.match(stdout, /kubepki certs renew apiserver .*--add-san /);
    assert.match(stdout, /kubepki certs renew .*--validity /);
    for (const flag of ['--add-san', '--remove-san', '--sans-from-config', '--validity', '--force']) {
      assert.match(stdout, new RegExp(`^ +${flag} `, 'm'));
    }
  });
});

describe('renew --csr-only with SANs', () => {
  const csr = (tree: Tree, name: string): string => join(tree.directory, 'csr', `${name}.csr`);
  const request = (tree: Tree, ...args: readonly string[]): Promise<Outcome> =>
    certs(tree, 'renew', ...args, '--csr-only', '--csr-dir', '/csr');

  withTree(
    'the CSR asks for the changed SANs, and the certificate stays',
    configuredTree,
    async (openssl, tree) => {
      const before = snapshot(tree.certDir);
      const args = ['--add-san', 'new.example.com,192.0.2.99', '--remove-san', 'api.example.com'];
      const outcome = await request(tree, 'apiserver', ...args);
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.match(
        outcome.stderr,
        /^note: apiserver: SANs added DNS:new\.example\.com, IP:192\.0\.2\.99; removed DNS:api\.example\.com$/m,
      );
      assert.doesNotMatch(outcome.stdout, /SANs/);
      assert.deepEqual(sansOfRequest(openssl, csr(tree, 'apiserver')), [
        ...configured.slice(1, 7),
        'DNS:new.example.com',
        ...configured.slice(7),
        'IP Address:192.0.2.99',
      ]);
      assert.deepEqual(fileChanges(before, snapshot(tree.certDir)), []);
    },
  );

  withTree('and other kinds of SAN as they are', customTree, async (openssl, tree) => {
    const before = sansOf(openssl, tree, 'apiserver');
    const outcome = await request(tree, 'apiserver', '--remove-san', 'kubernetes');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(sansOfRequest(openssl, csr(tree, 'apiserver')), before.slice(1));
  });

  withTree(
    'works with an external CA, and what it signs is installed',
    configuredTree,
    async (openssl, tree) => {
      const caDir = join(tree.directory, 'ca');
      mkdirSync(caDir);
      for (const name of ['ca.crt', 'ca.key']) cpSync(join(tree.certDir, name), join(caDir, name));
      rmSync(join(tree.certDir, 'ca.key'));
      const outcome = await request(tree, 'apiserver', '--add-san', 'new.example.com');
      assert.equal(outcome.code, 0, outcome.stderr);
      writeFileSync(join(caDir, 'ext'), 'extendedKeyUsage=serverAuth\n');
      execFileSync(
        openssl,
        [
          ...['x509', '-req', '-in', csr(tree, 'apiserver'), '-copy_extensions', 'copy', '-days', '9'],
          ...['-CA', join(caDir, 'ca.crt'), '-CAkey', join(caDir, 'ca.key'), '-extfile', join(caDir, 'ext')],
          ...['-out', join(tree.directory, 'csr', 'apiserver.crt')],
        ],
        { stdio: 'ignore' },
      );
      await done(tree, 'install', '--csr-dir', '/csr');
      assert.ok(apiserver(openssl, tree).includes('DNS:new.example.com'));
    },
  );

  withTree('--sans-from-config', configuredTree, async (openssl, tree) => {
    await done(tree, 'renew', 'apiserver', '--remove-san', 'api.example.com');
    const outcome = await request(tree, 'apiserver', '--sans-from-config', '--config', '/kubeadm.yaml');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stderr, /^note: apiserver: SANs added DNS:api\.example\.com$/m);
    assert.deepEqual(sansOfRequest(openssl, csr(tree, 'apiserver')), configured);
  });

  withTree('--dry-run shows the difference and makes nothing', configuredTree, async (_, tree) => {
    const before = snapshot(tree.directory);
    const outcome = await request(tree, 'apiserver', '--add-san', 'new.example.com', '--dry-run');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /would be requested\n {2}SANs added DNS:new\.example\.com\n {2}CSR /);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });

  withTree(
    'what is still used is refused, and --force makes the request',
    configuredTree,
    async (openssl, tree) => {
      const args = ['apiserver', '--csr-only', '--csr-dir', '/csr', '--remove-san', 'cluster.example.com'];
      assert.match(await refused(tree, ...args), /DNS:cluster\.example\.com is still used by .*admin\.conf/);
      const { stderr } = await done(tree, 'renew', ...args, '--force');
      assert.match(stderr, /^warning: apiserver: DNS:cluster\.example\.com is still used by /m);
      assert.ok(!sansOfRequest(openssl, csr(tree, 'apiserver')).includes('DNS:cluster.example.com'));
    },
  );

  withTree(
    'a request that waits and asks for other SANs is not taken for this one',
    configuredTree,
    async (openssl, tree) => {
      assert.equal((await request(tree, 'apiserver')).code, 0);
      const args = ['apiserver', '--csr-only', '--csr-dir', '/csr', '--add-san', 'new.example.com'];
      assert.match(
        await refused(tree, ...args),
        /\/csr\/apiserver\.csr: waits already, and asks for other SANs: .*\nhint: .*--force/,
      );
      await done(tree, 'renew', ...args, '--force');
      assert.ok(sansOfRequest(openssl, csr(tree, 'apiserver')).includes('DNS:new.example.com'));
      // Now it is this one.
      const again = await done(tree, 'renew', ...args);
      assert.match(again.stdout, /waits already, kept as it is/);
    },
  );
});
