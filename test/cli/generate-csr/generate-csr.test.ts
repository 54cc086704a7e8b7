import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { type Outcome } from '../../support/kubepki.ts';
import { takeCaAway } from '../../support/certificates/openssl-ca.ts';
import {
  changes,
  copyFixture,
  fileChanges,
  fixturePath,
  snapshot,
  temporaryDirectory,
} from '../../support/tree.ts';

/** An empty node. */
function emptyRoot(t: TestContext, configuration?: string): { root: string; pki: string; etc: string } {
  const root = temporaryDirectory(t);
  if (configuration !== undefined) writeFileSync(join(root, 'kubeadm.yaml'), configuration);
  const etc = join(root, 'etc/kubernetes');
  return { root, etc, pki: join(etc, 'pki') };
}

function generate(root: string, ...args: readonly string[]): Promise<Outcome> {
  return kubepki(['certs', 'generate-csr', '--rootfs', root, ...args]);
}

const configured = ['--config', '/kubeadm.yaml'];

async function generated(
  t: TestContext,
  configuration: string,
): Promise<{ root: string; pki: string; etc: string }> {
  const set = emptyRoot(t, configuration);
  const { code, stderr } = await generate(set.root, ...configured);
  assert.equal(code, 0, stderr);
  return set;
}

function openssl(t: TestContext): ((...args: readonly string[]) => string) | undefined {
  const program = judge(t, 'openssl');
  if (program === undefined) return undefined;
  return (...args) => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** DNS names sorted as they stand, then addresses, as openssl reads them from the text of a CSR or a certificate. */
function namesIn(text: string): string[] {
  const [, line = ''] = /Subject Alternative Name: *\n +(.*)\n/.exec(text) ?? [];
  return line.split(', ').filter((one) => one !== '');
}

// The others were made of the configuration of the first, byte for byte, and keys of CAs were taken away.
const kubeadmRoles = [
  ['stacked-etcd-rsa', 'external-ca', 'external-front-proxy'],
  ['stacked-etcd-ecdsa'],
] as const;

describe('generate-csr', () => {
  for (const roles of kubeadmRoles) {
    test(`asks for the names that kubeadm itself put into certificates of the same configuration (${roles.join(', ')})`, async (t) => {
      const run = openssl(t);
      if (run === undefined) return;
      const configuration = readFileSync(fixturePath(roles[0], 'kubeadm.yaml'), 'utf8');
      const { pki, etc } = await generated(t, configuration);
      for (const role of roles) {
        assert.equal(readFileSync(fixturePath(role, 'kubeadm.yaml'), 'utf8'), configuration, role);
        const made = (path: string): string => fixturePath(role, join('etc/kubernetes', path));
        const leaves = [
          ...['apiserver', 'apiserver-etcd-client', 'apiserver-kubelet-client', 'front-proxy-client'],
          ...['etcd/healthcheck-client', 'etcd/peer', 'etcd/server'],
        ];
        for (const baseName of leaves) {
          const csr = run('req', '-in', join(pki, `${baseName}.csr`), '-noout', '-text', '-verify');
          const certificate = run('x509', '-in', made(`pki/${baseName}.crt`), '-noout', '-text');
          assert.deepEqual(namesIn(csr), namesIn(certificate), baseName);
          const commonName = (text: string): string | undefined => /Subject:.*CN = ([^,\n]+)/.exec(text)?.[1];
          assert.equal(commonName(csr), commonName(certificate));
          // The CA decides what it is for.
          assert.doesNotMatch(csr, /Key Usage/);
          const algorithm = (text: string): string | undefined =>
            /Public Key Algorithm: (.*)/.exec(text)?.[1];
          assert.equal(algorithm(csr), algorithm(certificate));
        }
        for (const name of ['admin.conf', 'controller-manager.conf', 'kubelet.conf', 'scheduler.conf']) {
          const text = readFileSync(join(etc, name), 'utf8');
          // kubeadm 1.20 still wrote an empty mapping that nothing reads.
          const bare = (kubeconfig: string): string =>
            kubeconfig.replace(/^ +(?:client|certificate)-.*\n|^preferences: \{\}\n/gm, '');
          assert.equal(bare(text), bare(readFileSync(made(name), 'utf8')), name);
          const data = /client-key-data: (\S+)/.exec(text)?.[1] ?? '';
          writeFileSync(join(etc, 'key'), Buffer.from(data, 'base64'));
          assert.equal(
            run('pkey', '-in', join(etc, 'key'), '-pubout'),
            run('req', '-in', join(etc, `${name}.csr`), '-noout', '-pubkey'),
          );
        }
      }
    });
  }

  const kinds = (init: string, cluster: string): string =>
    `apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n${init}\n---\n` +
    `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nencryptionAlgorithm: ECDSA-P256\n${cluster}\n`;
  const always = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const dns = (...names: readonly string[]): string[] => [...names].sort().map((name) => `DNS:${name}`);
  const ip = (...addresses: readonly string[]): string[] =>
    addresses.map((address) => `IP Address:${address}`);

  // kubeadm: GetAPIServerAltNames, GetEtcdAltNames, GetEtcdPeerAltNames, GetControlPlaneEndpoint.
  const configurations = [
    {
      what: 'IPv6, an endpoint in brackets',
      text: kinds(
        'localAPIEndpoint: {advertiseAddress: "2001:db8::5", bindPort: 7443}\nnodeRegistration: {name: six}',
        'controlPlaneEndpoint: "[2001:db8::100]:443"\nnetworking: {serviceSubnet: "fd00:10:96::/112", dnsDomain: k8s.test}',
      ),
      apiserver: [
        ...dns('six', ...always, 'kubernetes.default.svc.k8s.test'),
        ...ip('FD00:10:96:0:0:0:0:1', '2001:DB8:0:0:0:0:0:5', '2001:DB8:0:0:0:0:0:100'),
      ],
      server: [...dns('six', 'localhost'), ...ip('2001:DB8:0:0:0:0:0:5', '127.0.0.1', '0:0:0:0:0:0:0:1')],
      everywhere: 'https://[2001:db8::100]:443',
      here: 'https://[2001:db8::5]:7443',
    },
    {
      what: 'dual-stack, no endpoint, names twice',
      text: kinds(
        'localAPIEndpoint: {advertiseAddress: 192.0.2.9}\nnodeRegistration: {name: dual.example.com}',
        'networking: {serviceSubnet: "10.1.0.0/16,fd00::/108"}\n' +
          'apiServer: {certSANs: [192.0.2.9, kubernetes, "*.example.com", 198.51.100.1]}\n' +
          'etcd: {local: {serverCertSANs: [etcd.example.com, 127.0.0.1], peerCertSANs: [peer.example.com, 203.0.113.4]}}',
      ),
      apiserver: [
        ...dns('dual.example.com', ...always, 'kubernetes.default.svc.cluster.local', '*.example.com'),
        ...ip('10.1.0.1', '192.0.2.9', '198.51.100.1'),
      ],
      server: [
        ...dns('dual.example.com', 'localhost', 'etcd.example.com'),
        ...ip('192.0.2.9', '127.0.0.1', '0:0:0:0:0:0:0:1'),
      ],
      peer: [
        ...dns('dual.example.com', 'localhost', 'peer.example.com'),
        ...ip('192.0.2.9', '127.0.0.1', '0:0:0:0:0:0:0:1', '203.0.113.4'),
      ],
      everywhere: 'https://192.0.2.9:6443',
      here: 'https://192.0.2.9:6443',
    },
    {
      what: 'an endpoint without a port, and a subnet that is given by an address inside it',
      text: kinds(
        'localAPIEndpoint: {advertiseAddress: 192.0.2.9, bindPort: 8443}\nnodeRegistration: {name: plain}',
        'controlPlaneEndpoint: lb.example.com\nclusterName: prod\nnetworking: {serviceSubnet: 10.20.31.7/20}',
      ),
      apiserver: [
        ...dns('plain', ...always, 'kubernetes.default.svc.cluster.local', 'lb.example.com'),
        ...ip('10.20.16.1', '192.0.2.9'),
      ],
      server: [...dns('plain', 'localhost'), ...ip('192.0.2.9', '127.0.0.1', '0:0:0:0:0:0:0:1')],
      everywhere: 'https://lb.example.com:8443',
      here: 'https://192.0.2.9:8443',
    },
  ];
  for (const { what, text, apiserver, server, peer = server, everywhere, here } of configurations) {
    test(what, async (t) => {
      const run = openssl(t);
      if (run === undefined) return;
      const { pki, etc } = await generated(t, text);
      const names = (baseName: string): string[] =>
        namesIn(run('req', '-in', join(pki, `${baseName}.csr`), '-noout', '-text'));
      assert.deepEqual(names('apiserver'), apiserver);
      assert.deepEqual(names('etcd/server'), server);
      assert.deepEqual(names('etcd/peer'), peer);
      for (const baseName of ['front-proxy-client', 'apiserver-etcd-client', 'etcd/healthcheck-client']) {
        assert.deepEqual(names(baseName), []);
      }
      const serverOf = (name: string): string | undefined =>
        /server: (\S+)/.exec(readFileSync(join(etc, name), 'utf8'))?.[1]?.replaceAll(/["']/g, '');
      for (const name of ['admin.conf', 'super-admin.conf']) {
        assert.equal(serverOf(name), everywhere, name);
      }
      for (const name of ['controller-manager.conf', 'scheduler.conf', 'kubelet.conf']) {
        assert.equal(serverOf(name), here, name);
      }
    });
  }

  test("without a configuration: this machine's name and an address of it, and both are said", async (t) => {
    const run = openssl(t);
    if (run === undefined) return;
    const { pki, etc } = emptyRoot(t);
    const { code, stderr } = await kubepki([
      ...['certs', 'generate-csr', '--cert-dir', pki, '--kubeconfig-dir', etc],
    ]);
    assert.equal(code, 0, stderr);
    const name = hostname().toLowerCase();
    assert.ok(stderr.includes(`note: the node's name is this machine's: ${name} `), stderr);
    assert.match(stderr, /^note: the advertised address is this machine's: \S+ /m);
    const csr = run('req', '-in', join(pki, 'apiserver.csr'), '-noout', '-text');
    assert.ok(namesIn(csr).includes(`DNS:${name}`));
    assert.ok(namesIn(csr).includes('IP Address:10.96.0.1'));
  });

  test('says it as kubeadm does, in one order; keys, CSRs and kubeconfigs are 0600, directories 0755', async (t) => {
    const { root } = emptyRoot(t, readFileSync(fixturePath('stacked-etcd-ecdsa', 'kubeadm.yaml'), 'utf8'));
    const before = snapshot(root);
    const { stdout, stderr } = await generate(root, ...configured);
    assert.equal(
      stdout,
      `generating keys and CSRs in ${root}/etc/kubernetes/pki
  apiserver
  apiserver-etcd-client
  apiserver-kubelet-client
  etcd/healthcheck-client
  etcd/peer
  etcd/server
  front-proxy-client
generating keys and CSRs in ${root}/etc/kubernetes
  admin.conf
  controller-manager.conf
  kubelet.conf
  scheduler.conf
  super-admin.conf
`,
    );
    assert.match(
      stderr,
      /^hint: have the CSRs signed, .*: kubepki certs install --config \/kubeadm\.yaml --rootfs /m,
    );
    const made = fileChanges(before, snapshot(root));
    const files = made.filter((line) => /\.(?:key|csr|conf) /.test(line));
    assert.equal(files.length, 7 * 2 + 5 * 2);
    for (const line of files) assert.match(line, / 0600$/);
    assert.deepEqual(
      made.filter((line) => !files.includes(line)),
      ['+ etc 0755', '+ etc/kubernetes 0755', '+ etc/kubernetes/pki 0755', '+ etc/kubernetes/pki/etcd 0755'],
    );
  });

  test('--dry-run says the same and makes nothing', async (t) => {
    const { root } = emptyRoot(t, readFileSync(fixturePath('stacked-etcd-ecdsa', 'kubeadm.yaml'), 'utf8'));
    const before = snapshot(root);
    const { code, stdout } = await generate(root, ...configured, '--dry-run');
    assert.equal(code, 0);
    assert.match(stdout, /^would generate keys and CSRs in .*\n {2}apiserver\n[^]*nothing was changed/);
    assert.deepEqual(changes(before, snapshot(root), { inodes: true }), []);
  });

  const taken = [
    ['pki/apiserver.key', 'key or CSR ROOT/etc/kubernetes/pki/apiserver'],
    ['pki/etcd/server.csr', 'key or CSR ROOT/etc/kubernetes/pki/etcd/server'],
    ['scheduler.conf', 'kube config: ROOT/etc/kubernetes/scheduler.conf'],
    ['admin.conf.csr', 'csr: ROOT/etc/kubernetes/admin.conf.csr'],
  ] as const;
  for (const [path, message] of taken) {
    test(`refuses everything where ${path} is there, in kubeadm's words`, async (t) => {
      const { root, etc } = emptyRoot(t);
      mkdirSync(dirname(join(etc, path)), { recursive: true });
      writeFileSync(join(etc, path), 'mine');
      const before = snapshot(root);
      const { code, stdout, stderr } = await generate(root);
      assert.deepEqual([code, stdout], [1, '']);
      const hint = `hint: nothing was changed; bring the signed certificates home (kubepki certs install --rootfs ${root}), or move the files away\n`;
      assert.ok(stderr.includes(`file already exists: ${message.replace('ROOT', root)}\n${hint}`), stderr);
      assert.deepEqual(changes(before, snapshot(root), { inodes: true }), []);
    });
  }

  const wrong = [
    ['nodeRegistration: {name: Node_1}', '', 'InitConfiguration.nodeRegistration.name: must be a DNS name'],
    [
      'localAPIEndpoint: {advertiseAddress: here}',
      '',
      'InitConfiguration.localAPIEndpoint.advertiseAddress: must',
    ],
    [
      'localAPIEndpoint: {bindPort: 70000}',
      '',
      'InitConfiguration.localAPIEndpoint.bindPort: must be a port',
    ],
    [
      '',
      'apiServer: {certSANs: [ok.example.com, "not a name"]}',
      'ClusterConfiguration.apiServer.certSANs.1: must',
    ],
    ['', 'controlPlaneEndpoint: "a:b:c"', 'ClusterConfiguration.controlPlaneEndpoint: must be a DNS name'],
    [
      '',
      'networking: {serviceSubnet: 10.0.0.0}',
      'ClusterConfiguration.networking.serviceSubnet: must be a CIDR',
    ],
    [
      '',
      'etcd: {local: {peerCertSANs: one}}',
      'ClusterConfiguration.etcd.local.peerCertSANs: must be a list',
    ],
  ] as const;
  for (const [init, cluster, message] of wrong) {
    test(`exit 3, and nothing is made, for ${init}${cluster}`, async (t) => {
      const { root } = emptyRoot(t, kinds(init, cluster));
      const before = snapshot(root);
      const { code, stdout, stderr } = await generate(root, ...configured);
      assert.deepEqual([code, stdout], [3, ''], stderr);
      assert.ok(stderr.includes(`kubeadm.yaml: ${message}`), stderr);
      assert.deepEqual(changes(before, snapshot(root), { inodes: true }), []);
    });
  }

  test('install brings it home into an empty directory', async (t) => {
    const program = judge(t, 'openssl');
    if (program === undefined) return;
    const source = copyFixture(t, 'stacked-etcd-rsa');
    const ca = takeCaAway(program, source, temporaryDirectory(t));
    const { root, etc, pki } = await generated(
      t,
      readFileSync(fixturePath('stacked-etcd-ecdsa', 'kubeadm.yaml'), 'utf8'),
    );
    for (const name of ['ca.crt', 'front-proxy-ca.crt', 'etcd/ca.crt']) {
      writeFileSync(join(pki, name), readFileSync(join(source.certDir, name)));
    }
    for (const directory of [pki, join(pki, 'etcd'), etc]) ca.signAll(directory);
    const installed = await kubepki(['certs', 'install', '--rootfs', root]);
    assert.equal(installed.code, 0, installed.stderr);
    assert.equal(installed.stdout.match(/ installed, ends /g)?.length, 5);
    // Where the CA's answer is expected is where it is used.
    assert.equal(installed.stdout.match(/ is in its place and has been checked, ends /g)?.length, 7);
    assert.deepEqual(
      [...snapshot(root).keys()].filter((path) => /\.csr$|\.conf\.crt$|\.new$/.test(path)),
      [],
    );
    for (const name of readdirSync(etc).filter((one) => one.endsWith('.conf'))) {
      const text = readFileSync(join(etc, name), 'utf8');
      assert.match(text, /client-certificate-data: /);
      assert.match(text, /certificate-authority-data: /);
    }
    const table = await kubepki(['certs', 'check-expiration', '--rootfs', root]);
    assert.deepEqual([table.code, table.stderr], [0, '']);
    assert.doesNotMatch(table.stdout, /!/);
    // And back: the certificates wait again.
    assert.equal((await kubepki(['certs', 'rollback', '--rootfs', root])).code, 0);
    assert.ok(existsSync(join(pki, 'etcd/server.csr')));
    assert.ok(existsSync(join(etc, 'kubelet.conf.crt')));
  });
});
