import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { besideChangeNote } from '../../support/change-note.ts';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { kubepkiCommand, type Outcome } from '../../support/kubepki.ts';
import { runProgram } from '../../support/program.ts';
import {
  changes,
  copyFixture,
  fileChanges,
  fixturePath,
  snapshot,
  temporaryDirectory,
} from '../../support/tree.ts';

interface Node {
  readonly root: string;
  readonly etc: string;
  readonly pki: string;
}

/** With kubeadm's configuration of a fixture: ECDSA, unless the keys of another are what a test is about. */
function node(t: TestContext, role = 'stacked-etcd-ecdsa'): Node {
  const root = temporaryDirectory(t);
  const etc = join(root, 'etc/kubernetes');
  mkdirSync(join(etc, 'pki/etcd'), { recursive: true });
  copyFileSync(fixturePath(role, 'kubeadm.yaml'), join(root, 'kubeadm.yaml'));
  return { root, etc, pki: join(etc, 'pki') };
}

function generate({ root }: Node, ...args: readonly string[]): Promise<Outcome> {
  return kubepki(['certs', 'generate', ...args, '--config', '/kubeadm.yaml', '--rootfs', root]);
}

async function generated(at: Node, ...args: readonly string[]): Promise<Outcome> {
  const outcome = await generate(at, ...args);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome;
}

/** Everything in a certificate that is not made anew each time, as openssl reads it. */
function described(openssl: string, certificate: string): Record<string, string> {
  const text = execFileSync(openssl, ['x509', '-in', certificate, '-noout', '-text'], { encoding: 'utf8' });
  const extension = (name: string): string =>
    new RegExp(`X509v3 ${name}:(.*)\n +(.*)`).exec(text)?.slice(1).join('|') ?? '';
  const field = (name: string): string => new RegExp(`${name}: *(.*)`).exec(text)?.[1] ?? '';
  return {
    subject: field('Subject'),
    issuer: field('Issuer'),
    version: field('Version'),
    algorithm: field('Public Key Algorithm'),
    signature: field('Signature Algorithm'),
    names: extension('Subject Alternative Name'),
    usage: extension('Key Usage'),
    extended: extension('Extended Key Usage'),
  };
}

/** What was generated is like what kubeadm has made of the fixture's configuration, in all but what is made anew each time. */
function requireLike(t: TestContext, openssl: string, at: Node, role: string): void {
  const reference = copyFixture(t, role);
  const made = snapshot(at.etc);
  const theirs = snapshot(reference.kubeconfigDir);
  const taken = /(?:^|\/)(?:ca|front-proxy-ca)\.key$|^pki\/apiserver\.(?:crt|key)$|^scheduler\.conf$/;
  for (const [path, { type, mode }] of theirs)
    assert.deepEqual(
      [path, made.get(path)?.type, made.get(path)?.mode],
      [path, type, path.endsWith('sa.pub') ? '0600' : mode],
    );
  for (const path of made.keys()) {
    if (!path.includes('.kubepki') && !theirs.has(path)) assert.match(path, taken);
  }
  const own = (path: string): string => join(at.etc, path);
  for (const path of [...theirs.keys()].filter((one) => one.endsWith('.crt'))) {
    const ours = described(openssl, own(path));
    const expected = described(openssl, join(reference.kubeconfigDir, path));
    if (/(?:^|\/)(?:ca|front-proxy-ca)\.crt$/.test(path)) {
      // Since kubeadm 1.23 a CA has its own name as a SAN.
      assert.match(ours['names'] ?? '', /\|DNS:(?:kubernetes|etcd-ca|front-proxy-ca)$/);
      expected['names'] = ours['names'] ?? '';
    }
    assert.deepEqual(ours, expected, path);
    const text = execFileSync(openssl, ['x509', '-in', own(path), '-noout', '-ext', 'basicConstraints'], {
      encoding: 'utf8',
    });
    assert.match(
      text,
      /(?:^|\/)(?:ca|front-proxy-ca)\.crt$/.test(path) ? /critical\s+CA:TRUE$/m : /critical\s+CA:FALSE$/m,
    );
  }
  for (const path of [...theirs.keys()].filter((one) => /^[^/]+\.conf$/.test(one))) {
    const [ours, expected] = [
      readFileSync(own(path), 'utf8'),
      readFileSync(join(reference.kubeconfigDir, path), 'utf8'),
    ];
    // kubeadm 1.20 still wrote an empty mapping that nothing reads.
    const bare = (text: string): string =>
      text.replace(/-data: \S+$/gm, '-data: X').replace(/^preferences: \{\}\n/m, '');
    assert.equal(bare(ours), bare(expected), path);
    const subject = (text: string): string => {
      const certificate = join(at.root, 'embedded.crt');
      writeFileSync(
        certificate,
        Buffer.from(/client-certificate-data: (\S+)/.exec(text)?.[1] ?? '', 'base64'),
      );
      const { subject: name, usage, extended } = described(openssl, certificate);
      return [name, usage, extended].join('\n');
    };
    assert.equal(subject(ours), subject(expected), path);
  }
}

describe('what kubeadm itself makes of the same configuration', () => {
  // The others were made of the configuration of the first, byte for byte, and something of them was taken away.
  for (const roles of [
    ['stacked-etcd-rsa', 'external-front-proxy', 'external-ca', 'missing-leaf'],
    ['stacked-etcd-ecdsa'],
    ['external-etcd'],
  ] as const) {
    const [configured] = roles;
    test(`${roles.join(', ')}: the same files with the same modes, the same fields, the same kubeconfigs`, async (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const at = node(t, configured);
      rmSync(join(at.pki, 'etcd'), { recursive: true });
      await generated(at, '--compat', '1.28');
      for (const role of roles) {
        const configuration = readFileSync(fixturePath(role, 'kubeadm.yaml'), 'utf8');
        assert.equal(configuration, readFileSync(join(at.root, 'kubeadm.yaml'), 'utf8'), role);
        requireLike(t, openssl, at, role);
      }
      const table = await kubepki([
        'certs',
        'check-expiration',
        '--config',
        '/kubeadm.yaml',
        '--rootfs',
        at.root,
      ]);
      // The files for an external etcd are not kubeadm's to make.
      const named =
        configured === 'external-etcd'
          ? /^warning: \S+\/etc\/etcd\/client\.crt: no such file: [^\n]*\nhint: [^\n]*\n$/
          : /^$/;
      assert.equal(table.code, 0);
      assert.match(table.stderr, named);
      assert.doesNotMatch(table.stdout, /!/);
    });
  }

  test('the organisations are those since 1.29, with --compat 1.28 the older ones', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const expected = {
      current: ['kubeadm:cluster-admins', '', ''],
      older: ['system:masters', 'system:masters', 'system:masters'],
    };
    for (const [compat, flags] of [
      ['current', []],
      ['older', ['--compat', 'v1.28.4']],
    ] as const) {
      const at = node(t, 'stacked-etcd-ecdsa');
      await generated(at, ...flags);
      const organisations: string[] = [
        'apiserver-kubelet-client',
        'apiserver-etcd-client',
        'etcd/healthcheck-client',
      ].map(
        (name) =>
          /O = ([^,]+),/.exec(described(openssl, join(at.pki, `${name}.crt`))['subject'] ?? '')?.[1] ?? '',
      );
      assert.deepEqual(organisations, expected[compat]);
      assert.equal(existsSync(join(at.etc, 'super-admin.conf')), compat === 'current');
    }
  });

  test("the API server's kubelet client of a new kubeadm has no organisation, and a renewal leaves each as it is", async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const version = ({ root }: Node, text: string): void => {
      const path = join(root, 'kubeadm.yaml');
      writeFileSync(path, readFileSync(path, 'utf8').replace(/^kubernetesVersion: .*$/m, text));
    };
    const bare = 'CN = kube-apiserver-kubelet-client';
    for (const [made, other, expected] of [
      ['v1.36.1', 'v1.36.0', bare],
      ['v1.36.0', 'v1.36.1', `O = kubeadm:cluster-admins, ${bare}`],
    ] as const) {
      const at = node(t, 'stacked-etcd-ecdsa');
      version(at, `kubernetesVersion: ${made}`);
      await generated(at);
      const subject = (): string =>
        described(openssl, join(at.pki, 'apiserver-kubelet-client.crt'))['subject'] ?? '';
      assert.equal(subject(), expected);
      version(at, `kubernetesVersion: ${other}`);
      // What is there is right for another version, too.
      assert.equal((await generated(at)).stderr, '');
      const renewed = await kubepki([
        ...['certs', 'renew', 'apiserver-kubelet-client', '--config', '/kubeadm.yaml', '--rootfs', at.root],
      ]);
      assert.equal(renewed.code, 0, renewed.stderr);
      assert.equal(subject(), expected);
      const verified = await kubepki(['verify', '--config', '/kubeadm.yaml', '--rootfs', at.root]);
      assert.deepEqual([verified.stderr, verified.code], ['', 0], verified.stdout);
      assert.doesNotMatch(verified.stdout, /^(?!OK|-)./m);
    }
  });

  test('says it in the words and the order of kubeadm init, and the second time that it is all there', async (t) => {
    const at = node(t);
    const { stdout, stderr } = await generated(at);
    assert.match(
      stderr,
      /^note: generated 15 certificates and sa, the earliest ends \w{3} \d\d, \d{4} \d\d:\d\d UTC; backup \S+\n$/,
    );
    assert.equal(
      stdout.replaceAll(at.root, ''),
      `[certs] Using certificateDir folder "/etc/kubernetes/pki"
[certs] Generating "ca" certificate and key
[certs] Generating "apiserver" certificate and key
[certs] apiserver serving cert is signed for DNS names [api.example.com cluster.example.com control-plane-1 kubernetes kubernetes.default kubernetes.default.svc kubernetes.default.svc.cluster.local] and IPs [10.96.0.1 192.0.2.10 198.51.100.7 2001:db8::10]
[certs] Generating "apiserver-kubelet-client" certificate and key
[certs] Generating "front-proxy-ca" certificate and key
[certs] Generating "front-proxy-client" certificate and key
[certs] Generating "etcd/ca" certificate and key
[certs] Generating "etcd/server" certificate and key
[certs] etcd/server serving cert is signed for DNS names [control-plane-1 localhost] and IPs [192.0.2.10 127.0.0.1 ::1]
[certs] Generating "etcd/peer" certificate and key
[certs] etcd/peer serving cert is signed for DNS names [control-plane-1 localhost] and IPs [192.0.2.10 127.0.0.1 ::1]
[certs] Generating "etcd/healthcheck-client" certificate and key
[certs] Generating "apiserver-etcd-client" certificate and key
[certs] Generating "sa" key and public key
[kubeconfig] Using kubeconfig folder "/etc/kubernetes"
[kubeconfig] Writing "admin.conf" kubeconfig file
[kubeconfig] Writing "super-admin.conf" kubeconfig file
[kubeconfig] Writing "kubelet.conf" kubeconfig file
[kubeconfig] Writing "controller-manager.conf" kubeconfig file
[kubeconfig] Writing "scheduler.conf" kubeconfig file
`,
    );
    const before = snapshot(at.root);
    const again = await generated(at);
    assert.deepEqual(changes(before, snapshot(at.root), { inodes: true }), []);
    const lines = again.stdout.split('\n').filter((line) => line !== '');
    assert.equal(lines.filter((line) => /Using (?:the )?existing /.test(line)).length, lines.length - 2);
  });
});

interface Mixed {
  readonly what: string;
  readonly lay: (at: Node) => void;
  readonly args?: readonly string[];
  readonly code: number;
  readonly stdout?: readonly RegExp[];
  readonly stderr?: readonly RegExp[];
}

/** What kubeadm made, as far as it is to be there. */
function lay(role: string, ...names: readonly string[]): (at: Node) => void {
  return ({ etc }) => {
    for (const name of names) {
      mkdirSync(dirname(join(etc, name)), { recursive: true });
      cpSync(fixturePath(role, join('etc/kubernetes', name)), join(etc, name), { recursive: true });
    }
  };
}

const everything = ['pki', 'admin.conf', 'controller-manager.conf', 'kubelet.conf', 'scheduler.conf'];

function without(role: string, ...names: readonly string[]): (at: Node) => void {
  return (at) => {
    lay(role, ...everything)(at);
    for (const name of names) rmSync(join(at.etc, name));
  };
}

/** One of each kind: what is refused in which case says test/operations/generation/plan-generation.test.ts. */
const mixed: readonly Mixed[] = [
  {
    what: 'a CA of one’s own signs the rest',
    lay: lay('stacked-etcd-ecdsa', 'pki/ca.crt', 'pki/ca.key'),
    code: 0,
    stdout: [
      /^\[certs\] Using existing ca certificate authority$/m,
      /^\[certs\] Generating "apiserver" /m,
      /Generating "sa"/,
    ],
  },
  {
    what: 'a leaf that was deleted is made anew',
    lay: without('stacked-etcd-ecdsa', 'pki/apiserver.crt', 'pki/apiserver.key'),
    code: 0,
    stdout: [/Generating "apiserver" certificate/, /Using existing etcd\/ca certificate authority/],
  },
  {
    what: 'an external CA with everything in place',
    lay: (at) => {
      lay('external-ca', ...everything)(at);
    },
    code: 0,
    // Only the first node has that one.
    stderr: [/^warning: .*super-admin\.conf: no such file, and the key of/],
    stdout: [
      /^\[certs\] Using existing ca keyless certificate authority$/m,
      /Using existing apiserver certificate/,
    ],
  },
  {
    what: 'an external CA of which things are missing: each is named',
    lay: (at) => {
      lay('external-ca', ...everything)(at);
      for (const name of [
        'pki/apiserver.crt',
        'pki/apiserver.key',
        'pki/etcd/peer.crt',
        'pki/etcd/peer.key',
        'scheduler.conf',
      ]) {
        rmSync(join(at.etc, name));
      }
    },
    code: 1,
    stderr: [
      /pki\/apiserver\.crt: no such file, and the key of .*\/ca\.crt is not here/,
      /pki\/etcd\/peer\.crt: no such file, and the key of .*etcd\/ca\.crt is not here/,
      /scheduler\.conf: no such file, and the key of/,
    ],
  },
  {
    what: 'a certificate without its key',
    lay: without('stacked-etcd-ecdsa', 'pki/etcd/server.key'),
    code: 1,
    stderr: [
      /etcd\/server\.crt: is there without .*etcd\/server\.key \(so etcd-server cannot be generated\)/,
    ],
  },
  {
    what: 'no CA, but what it has signed: not a second one',
    lay: without('stacked-etcd-ecdsa', 'pki/ca.crt', 'pki/ca.key'),
    code: 1,
    stderr: [/ca\.crt: no such file, but .*apiserver\.crt is there: a second one .*\nhint: .*generate ca /],
  },
  {
    what: 'no sa key, and it is named',
    lay: without('stacked-etcd-ecdsa', 'pki/sa.key', 'pki/sa.pub'),
    args: ['sa'],
    code: 0,
    stdout: [/Generating "sa" key and public key/],
  },
  {
    what: 'a name that the configuration has got since: used, with a warning and the command that adds it',
    lay: (at) => {
      lay('stacked-etcd-ecdsa', ...everything)(at);
      writeFileSync(
        join(at.root, 'kubeadm.yaml'),
        readFileSync(join(at.root, 'kubeadm.yaml'), 'utf8').replace(
          'certSANs: [',
          'certSANs: [new.example.com, 192.0.2.77, ',
        ),
      );
    },
    code: 0,
    stdout: [/Using existing apiserver certificate and key on disk/],
    stderr: [
      /^warning: .*apiserver\.crt: lacks SANs .*: DNS:new\.example\.com, IP:192\.0\.2\.77; .*renew apiserver --add-san new\.example\.com,192\.0\.2\.77 /m,
    ],
  },
  {
    what: 'a cert dir on a disk that is not mounted',
    lay: ({ pki }) => {
      rmSync(pki, { recursive: true });
      symlinkSync('/mnt/usb/pki', pki);
    },
    code: 1,
    stderr: [/pki: the symbolic link .*\/pki leads to something that is not there\nhint: mount/],
  },
  {
    what: 'a new CA beside old leaves, insisted upon: made, and said',
    lay: without('stacked-etcd-ecdsa', 'pki/front-proxy-ca.crt', 'pki/front-proxy-ca.key'),
    args: ['front-proxy-ca'],
    code: 0,
    stdout: [/Generating "front-proxy-ca"/],
    stderr: [
      /^warning: .*front-proxy-client\.crt: is there already, and is not signed by the new front-proxy-ca$/m,
    ],
  },
  {
    what: 'an unknown name',
    lay: () => undefined,
    args: ['apiservr'],
    code: 1,
    stderr: [/unknown certificate "apiservr"\nhint: did you mean: kubepki certs generate apiserver /],
  },
];

describe('directories in which something is there already', () => {
  for (const { what, lay: prepare, args = [], code, stdout = [], stderr = [] } of mixed) {
    test(`${what}: exit ${String(code)}`, async (t) => {
      const at = node(t);
      prepare(at);
      const before = snapshot(at.root);
      const dry = await generate(at, ...args, '--dry-run');
      assert.equal(dry.code, code, dry.stderr);
      assert.deepEqual(changes(before, snapshot(at.root), { inodes: true }), []);
      const outcome = await generate(at, ...args);
      assert.equal(outcome.code, code, outcome.stderr);
      for (const line of stdout) assert.match(outcome.stdout, line);
      for (const line of stderr) assert.match(outcome.stderr, line);
      if (code !== 0) assert.equal(outcome.stdout, '');
      // What was there is there, byte for byte, and not even written again.
      const changed = fileChanges(before, snapshot(at.root), { inodes: true });
      assert.deepEqual(
        changed.filter((line) => !line.startsWith('+ ')),
        [],
      );
      if (code !== 0) assert.deepEqual(changed, []);
    });
  }
});

describe("another machine's disk", () => {
  const withoutConfig = ({ root }: Node, ...args: readonly string[]): Promise<Outcome> =>
    kubepki(['certs', 'generate', ...args, '--rootfs', root]);
  const serverIn = (at: Node, name: string): string =>
    /server: (\S+)/.exec(readFileSync(join(at.etc, name), 'utf8'))?.[1] ?? '';

  test('its own files tell whose kubelet.conf is made anew', async (t) => {
    const at = node(t);
    without('stacked-etcd-rsa', 'kubelet.conf')(at);
    const { code, stdout, stderr } = await withoutConfig(at, 'kubelet.conf');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Writing "kubelet\.conf"/);
    assert.equal(
      besideChangeNote(stderr).replaceAll(at.root, ''),
      `note: the node's name is that of /etc/kubernetes/pki/etcd/server.crt: control-plane-1 (--node-name or nodeRegistration.name says otherwise)
note: the advertised address is that of /etc/kubernetes/pki/etcd/server.crt: 192.0.2.10 (--advertise-address or localAPIEndpoint.advertiseAddress says otherwise)
`,
    );
    assert.match(readFileSync(join(at.etc, 'kubelet.conf'), 'utf8'), /user: system:node:control-plane-1$/m);
    assert.equal(serverIn(at, 'kubelet.conf'), 'https://192.0.2.10:6443');
  });

  test('never this machine: what no file tells is asked for', async (t) => {
    const at = node(t);
    lay('stacked-etcd-rsa', 'pki/ca.crt', 'pki/ca.key')(at);
    const before = snapshot(at.root);
    const nameless = await withoutConfig(at, 'kubelet.conf');
    assert.deepEqual([nameless.code, nameless.stdout], [1, '']);
    assert.match(
      nameless.stderr,
      /^error: the node's name is not known: no file below \S+ tells it\nhint: name it: --node-name, or nodeRegistration\.name in --config\n$/,
    );
    const homeless = await withoutConfig(at, 'kubelet.conf', '--node-name', 'cp-1');
    assert.match(
      homeless.stderr,
      /^error: the advertised address is not known: .*\nhint: name it: --advertise-address, or localAPIEndpoint\.advertiseAddress /,
    );
    const requested = await kubepki(['certs', 'generate-csr', '--rootfs', at.root]);
    assert.match(
      requested.stderr,
      /^error: the node's name is not known: .*\nhint: name it: nodeRegistration\.name in --config\n$/,
    );
    assert.deepEqual(changes(before, snapshot(at.root), { inodes: true }), []);
    // What has neither in it needs neither.
    const other = await withoutConfig(at, 'front-proxy-ca', 'front-proxy-client', 'sa');
    assert.deepEqual([other.code, besideChangeNote(other.stderr)], [0, '']);
  });

  test('a kubeconfig that leads to a name which apiserver.crt does not have', async (t) => {
    const at = node(t);
    without('stacked-etcd-rsa', 'kubelet.conf', 'admin.conf')(at);
    const flags = ['--node-name', 'control-plane-1', '--advertise-address', '192.0.2.66'];
    const { code, stderr } = await withoutConfig(at, 'kubelet.conf', ...flags);
    assert.equal(code, 0);
    assert.match(
      stderr,
      /^warning: \S+kubelet\.conf: leads to https:\/\/192\.0\.2\.66:6443, and \S+apiserver\.crt lacks the SAN IP:192\.0\.2\.66; to add it: kubepki certs renew apiserver --add-san 192\.0\.2\.66 --rootfs /,
    );
    // Where the certificate itself is looked at, it is said once.
    const both = await withoutConfig(at, 'admin.conf', 'apiserver', ...flags);
    assert.equal(both.stderr.match(/192\.0\.2\.66/g)?.length, 2, both.stderr);
    assert.match(both.stderr, /apiserver\.crt: lacks SANs that the configuration asks for/);
  });
});

describe('the server of kubelet.conf', () => {
  const own = 'https://192.0.2.10:6443';
  const shared = 'https://cluster.example.com:6443';
  const versioned = ({ root }: Node, version: string): void => {
    const path = join(root, 'kubeadm.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/kubernetesVersion: .*\n/, `${version}\n`));
  };
  // By version, by gate, and where neither is known: test/operations/names/node-names.test.ts and
  // test/operations/generation/plan-generation.test.ts.
  const made: readonly (readonly [what: string, version: string, flags: string[], string])[] = [
    ['1.33', 'kubernetesVersion: v1.33.0', [], own],
    ['1.33 with --compat 1.32', 'kubernetesVersion: v1.33.0', ['--compat', '1.32'], shared],
  ];
  for (const [what, version, flags, expected] of made) {
    test(`as kubeadm has it: ${what}`, async (t) => {
      const at = node(t, 'stacked-etcd-ecdsa');
      without('stacked-etcd-ecdsa', 'kubelet.conf')(at);
      versioned(at, version);
      await generated(at, 'kubelet.conf', ...flags);
      const text = readFileSync(join(at.etc, 'kubelet.conf'), 'utf8');
      assert.ok(text.includes(`server: ${expected}\n`), text.replaceAll(/-data: \S+/g, ''));
      assert.doesNotMatch(text, /preferences/);
      // What has just been made is right.
      const again = await generated(at, 'kubelet.conf', ...flags);
      assert.equal(again.stderr, '');
      const other = expected === own ? shared : own;
      writeFileSync(join(at.etc, 'kubelet.conf'), text.replace(expected, other));
      const { stderr } = await generated(at, 'kubelet.conf', ...flags);
      assert.ok(stderr.includes(`unexpected API Server URL: expected: ${expected}, got: ${other}`), stderr);
    });
  }

  test('generate-csr for a new kubeadm: no organisation for the kubelet client, and all the others as before', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    for (const [flags, expected] of [
      [[], 'subject=CN = kube-apiserver-kubelet-client\n'],
      [['--compat', '1.34.7'], 'subject=O = kubeadm:cluster-admins, CN = kube-apiserver-kubelet-client\n'],
    ] as const) {
      const at = node(t, 'stacked-etcd-ecdsa');
      versioned(at, 'kubernetesVersion: v1.37.2');
      const args = ['--config', '/kubeadm.yaml', '--rootfs', at.root, ...flags];
      const { code, stderr } = await kubepki(['certs', 'generate-csr', ...args]);
      assert.equal(code, 0, stderr);
      const subject = (path: string): string =>
        execFileSync(openssl, ['req', '-in', join(at.etc, path), '-noout', '-subject'], { encoding: 'utf8' });
      assert.equal(subject('pki/apiserver-kubelet-client.csr'), expected);
      assert.equal(subject('admin.conf.csr'), 'subject=O = kubeadm:cluster-admins, CN = kubernetes-admin\n');
      assert.equal(
        subject('super-admin.conf.csr'),
        'subject=O = system:masters, CN = kubernetes-super-admin\n',
      );
    }
  });

  test('generate-csr --compat 1.28: the older organisations, no super-admin.conf, the endpoint', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const at = node(t, 'stacked-etcd-ecdsa');
    versioned(at, '');
    const args = ['--config', '/kubeadm.yaml', '--rootfs', at.root, '--compat', '1.28'];
    const { code, stderr } = await kubepki(['certs', 'generate-csr', ...args]);
    assert.equal(code, 0, stderr);
    assert.ok(readFileSync(join(at.etc, 'kubelet.conf'), 'utf8').includes(`server: ${shared}\n`));
    assert.equal(existsSync(join(at.etc, 'super-admin.conf')), false);
    const csr = ['req', '-in', join(at.etc, 'admin.conf.csr'), '-noout', '-subject'];
    assert.match(execFileSync(openssl, csr, { encoding: 'utf8' }), /O = system:masters/);
  });
});

describe('generate', () => {
  test('flags stand above the configuration', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const at = node(t, 'stacked-etcd-ecdsa');
    await generated(
      at,
      ...[
        '--node-name',
        'flagged',
        '--advertise-address',
        '2001:db8::7',
        '--control-plane-endpoint',
        'lb.test:7443',
      ],
      ...['--service-cidr', '10.5.0.0/16', '--dns-domain', 'k8s.test', '--validity', '10d'],
      ...[
        '--cert-extra-sans',
        '*.extra.test,198.51.100.9',
        '--cert-extra-sans',
        'one.test',
        '--at',
        '2027-01-01T00:00:00Z',
      ],
    );
    const { names = '' } = described(openssl, join(at.pki, 'apiserver.crt'));
    for (const name of [
      'DNS:flagged',
      'DNS:kubernetes.default.svc.k8s.test',
      'DNS:lb.test',
      'DNS:*.extra.test',
      'DNS:one.test',
      'IP Address:10.5.0.1',
      'IP Address:2001:DB8:0:0:0:0:0:7',
      'IP Address:198.51.100.9',
      'DNS:api.example.com',
    ]) {
      assert.ok(names.includes(name), `${name}: ${names}`);
    }
    const dates = execFileSync(openssl, ['x509', '-in', join(at.pki, 'apiserver.crt'), '-noout', '-dates'], {
      encoding: 'utf8',
    });
    assert.equal(dates, 'notBefore=Dec 31 23:55:00 2026 GMT\nnotAfter=Jan 11 00:00:00 2027 GMT\n');
    const ca = execFileSync(openssl, ['x509', '-in', join(at.pki, 'ca.crt'), '-noout', '-enddate'], {
      encoding: 'utf8',
    });
    assert.equal(ca, 'notAfter=Dec 29 00:00:00 2036 GMT\n');
    const { clusters } = parse(readFileSync(join(at.etc, 'admin.conf'), 'utf8')) as {
      clusters: { cluster: { server: string } }[];
    };
    assert.equal(clusters[0]?.cluster.server, 'https://lb.test:7443');
  });

  for (const [flag, value] of [
    ['--node-name', 'Node_1'],
    ['--advertise-address', 'here'],
    ['--control-plane-endpoint', 'a:b:c'],
    ['--service-cidr', '10.0.0.0'],
    ['--dns-domain', ''],
    ['--cert-extra-sans', 'ok.test,not a name'],
    ['--validity', '5 days'],
    ['--compat', 'newest'],
    ['--at', 'tomorrow'],
  ] as const) {
    test(`${flag} ${JSON.stringify(value)} is refused, and nothing is made`, async (t) => {
      const at = node(t);
      const before = snapshot(at.root);
      const { code, stdout, stderr } = await generate(at, flag, value);
      assert.deepEqual([code, stdout], [1, '']);
      assert.ok(stderr.includes(flag), stderr);
      assert.deepEqual(changes(before, snapshot(at.root), { inodes: true }), []);
    });
  }

  test('v1beta4: the algorithm and the periods of the configuration', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const at = node(t, 'super-admin');
    const text = readFileSync(join(at.root, 'kubeadm.yaml'), 'utf8');
    writeFileSync(
      join(at.root, 'kubeadm.yaml'),
      `${text}\ncaCertificateValidityPeriod: 43800h\n---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n`,
    );
    await generated(at, '--at', '2027-01-01T00:00:00Z');
    const shown = (path: string): string =>
      execFileSync(openssl, ['x509', '-in', join(at.pki, path), '-noout', '-text'], { encoding: 'utf8' });
    for (const path of ['ca.crt', 'apiserver.crt']) assert.match(shown(path), /NIST CURVE: P-384/);
    assert.match(shown('ca.crt'), /Not After : Dec 31 00:00:00 2031/);
    assert.match(shown('apiserver.crt'), /Not After : Dec 31 00:00:00 2028/);
    assert.match(readFileSync(join(at.pki, 'sa.key'), 'utf8'), /^-----BEGIN EC PRIVATE KEY-----/);
  });

  test('a CA that may not sign for these names signs nothing', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const at = node(t);
    execFileSync(
      openssl,
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=Root', '-days', '1000'],
        ...['-addext', 'nameConstraints=critical,permitted;DNS:acme.test'],
        ...['-keyout', join(at.pki, 'ca.key'), '-out', join(at.pki, 'ca.crt')],
      ],
      { stdio: 'pipe' },
    );
    const before = snapshot(at.root);
    const { code, stderr } = await generate(at, 'apiserver');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /for apiserver would be refused: it is signed by "CN=Root", which must not sign for /,
    );
    assert.deepEqual(changes(before, snapshot(at.root), { inodes: true }), []);
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`${signal} before anything is written leaves nothing, not even directories`, async (t) => {
      const strace = judge(t, 'strace');
      if (strace === undefined) return;
      const root = temporaryDirectory(t);
      writeFileSync(join(root, 'kubeadm.yaml'), readFileSync(fixturePath('super-admin', 'kubeadm.yaml')));
      const before = snapshot(root);
      // When the lock's file is about to be written: the directories are there by then.
      const run = await runProgram(strace, [
        ...[
          '-f',
          '-qq',
          '-o',
          '/dev/null',
          '-e',
          'trace=mkdir',
          '-e',
          `inject=mkdir:signal=${signal}:when=4`,
        ],
        ...[...kubepkiCommand, 'certs', 'generate', '--config', '/kubeadm.yaml', '--rootfs', root],
      ]);
      assert.equal(run.code, code, run.stderr);
      assert.match(run.stderr, /interrupted: nothing was changed/);
      assert.deepEqual(changes(before, snapshot(root)), []);
    });
  }

  for (const subnet of [
    '10.0.0.255/32',
    '10/8',
    '0x0a.1.1.1/12',
    '10.96.0.0/30',
    '10.96.0.0/12,10.97.0.0/16',
    'fe80::%eth0/64',
  ]) {
    test(`the service subnet ${subnet} is refused`, async (t) => {
      const at = node(t);
      const flag = await generate(at, '--service-cidr', subnet);
      assert.equal(flag.code, 1);
      assert.match(flag.stderr, /'--service-cidr' must be a CIDR/);
      writeFileSync(
        join(at.root, 'kubeadm.yaml'),
        `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {serviceSubnet: "${subnet}"}\n`,
      );
      const configured = await generate(at);
      assert.equal(configured.code, 3);
      assert.match(configured.stderr, /ClusterConfiguration\.networking\.serviceSubnet: must be a CIDR/);
    });
  }

  test('a node name is made lower case, as kubeadm does; an unspecified address is none', async (t) => {
    const at = node(t, 'stacked-etcd-ecdsa');
    const { stdout, stderr } = await generated(
      at,
      '--node-name',
      'CP-1',
      '--advertise-address',
      '0.0.0.0',
      'etcd-ca',
      'etcd-server',
    );
    assert.match(stdout, /for DNS names \[cp-1 localhost\]/);
    assert.match(stderr, /^note: generated 2 certificates, the earliest ends \w{3} .* UTC; backup \S+\n$/);
    writeFileSync(
      join(at.root, 'kubeadm.yaml'),
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: 0.0.0.0}\n',
    );
    assert.match(
      (await generate(at, 'etcd-peer')).stderr,
      /^note: the advertised address is that of \S+\/etcd\/server\.crt: 192\.0\.2\.10 /m,
    );
  });

  test('a leaf ends with its CA at the latest, which is said', async (t) => {
    const at = node(t);
    lay('ca-expiring', 'pki/ca.crt', 'pki/ca.key')(at);
    const { stderr } = await generated(at, 'apiserver', '--validity', '10y');
    assert.match(stderr, /^warning: .*apiserver.*ends with its CA/m);
  });

  test('kubeconfigs alone, and from a directory that another tool made', async (t) => {
    const at = node(t);
    await generated(at);
    for (const name of readdirSync(at.etc).filter((one) => one.endsWith('.conf'))) rmSync(join(at.etc, name));
    const { stdout } = await generated(at, 'kubeconfigs');
    assert.equal(stdout.match(/^\[kubeconfig\] Writing /gm)?.length, 5);
    assert.doesNotMatch(stdout, /\[certs\]/);
  });

  test('taken back only when somebody insists, as CAs go with it; and that can be taken back', async (t) => {
    const at = node(t, 'stacked-etcd-ecdsa');
    const empty = snapshot(at.root);
    await generated(at);
    const full = snapshot(at.root);
    const rollback = (...args: readonly string[]): Promise<Outcome> =>
      kubepki(['certs', 'rollback', '--rootfs', at.root, ...args]);
    const refused = await rollback();
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /pki\/ca\.key: was made by that change, .*\nhint: .*--force$/m);
    assert.deepEqual(changes(full, snapshot(at.root), { inodes: true }), []);
    const forced = await rollback('--force');
    assert.equal(forced.code, 0, forced.stderr);
    assert.deepEqual(fileChanges(empty, snapshot(at.root)), []);
    const again = await rollback('2', '--force');
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(fileChanges(full, snapshot(at.root)), []);
  });

  test('with --at two runs differ in nothing but keys, and what is made from them', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const [one, other] = [node(t), node(t)];
    for (const at of [one, other]) await generated(at, '--at', '2027-01-01T00:00:00Z');
    const shown = (path: string): string =>
      execFileSync(
        openssl,
        ['x509', '-in', path, '-noout', '-text', '-certopt', 'no_pubkey,no_sigdump,no_serial'],
        { encoding: 'utf8' },
      ).replaceAll(/(?:[0-9A-F]{2}:){19}[0-9A-F]{2}/g, 'KEY');
    const files = [...snapshot(one.pki).keys()].filter((path) => path.endsWith('.crt'));
    assert.equal(files.length, 10);
    for (const path of files) assert.equal(shown(join(one.pki, path)), shown(join(other.pki, path)));
  });

  test('renewed and rolled back like any other', async (t) => {
    const at = node(t, 'stacked-etcd-ecdsa');
    await generated(at);
    const before = snapshot(at.etc);
    for (const command of [['renew', 'all'], ['rollback']]) {
      const outcome = await kubepki(['certs', ...command, '--rootfs', at.root]);
      assert.equal(outcome.code, 0, outcome.stderr);
    }
    assert.deepEqual(fileChanges(before, snapshot(at.etc)), []);
    renameSync(join(at.pki, 'apiserver.crt'), join(at.pki, 'moved'));
    assert.equal((await generate(at)).code, 1);
  });
});
