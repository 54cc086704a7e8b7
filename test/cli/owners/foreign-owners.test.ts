/**
 * Files of another user among those that root renews: that user gains nothing that he could not do himself. Whose the file is,
 * by what is in it, by what is asked for; and files that a foreign kubeconfig names.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { type Outcome } from '../../support/kubepki.ts';
import { makeCa, resign } from '../../support/certificates/resigned.ts';
import { mayChown } from '../../support/root.ts';
import { changes, copyFixture, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

const role = 'stacked-etcd-ecdsa';
const stranger = 12345;
const certs = (tree: Tree, ...args: string[]): Promise<Outcome> =>
  kubepki(['certs', ...args, '--rootfs', tree.directory]);

interface Place {
  readonly name: string;
  /** Below the cert dir. */
  readonly ca: string;
  /** In the fixture, which an older kubeadm made, and as the newest kubeadm has it. */
  readonly subject: string;
  readonly newest: string;
  readonly file: (tree: Tree) => string;
  /** Puts a certificate, and perhaps its key, in its place. */
  readonly put: (
    tree: Tree,
    pair: { readonly certificate: string; readonly key: string | undefined },
  ) => void;
  /** Writes what is in its place to `<path>.crt` and `<path>.key`. */
  readonly take: (tree: Tree, path: string) => void;
}

function kubeconfigData(text: string, field: string): Buffer {
  return Buffer.from(new RegExp(`${field}-data: (\\S+)`).exec(text)?.[1] ?? '', 'base64');
}

const places: readonly Place[] = [
  {
    name: 'scheduler.conf',
    ca: 'ca',
    subject: 'CN = system:kube-scheduler',
    newest: 'CN = system:kube-scheduler',
    file: ({ kubeconfigDir }) => join(kubeconfigDir, 'scheduler.conf'),
    put: ({ kubeconfigDir }, { certificate, key }) => {
      const file = join(kubeconfigDir, 'scheduler.conf');
      const text = readFileSync(file, 'utf8')
        .replace(/(client-certificate-data: )\S+/, `$1${readFileSync(certificate).toString('base64')}`)
        .replace(
          / *client-key-data: \S+\n?/,
          key === undefined ? '' : `    client-key-data: ${readFileSync(key).toString('base64')}\n`,
        );
      writeFileSync(file, text);
    },
    take: ({ kubeconfigDir }, path) => {
      const text = readFileSync(join(kubeconfigDir, 'scheduler.conf'), 'utf8');
      writeFileSync(`${path}.crt`, kubeconfigData(text, 'client-certificate'));
      writeFileSync(`${path}.key`, kubeconfigData(text, 'client-key'));
    },
  },
  {
    name: 'apiserver-kubelet-client',
    ca: 'ca',
    subject: 'O = system:masters, CN = kube-apiserver-kubelet-client',
    newest: 'O = kubeadm:cluster-admins, CN = kube-apiserver-kubelet-client',
    file: ({ certDir }) => join(certDir, 'apiserver-kubelet-client.crt'),
    put: ({ certDir }, { certificate, key }) => {
      copyFileSync(certificate, join(certDir, 'apiserver-kubelet-client.crt'));
      if (key === undefined) rmSync(join(certDir, 'apiserver-kubelet-client.key'));
      else copyFileSync(key, join(certDir, 'apiserver-kubelet-client.key'));
    },
    take: ({ certDir }, path) => {
      for (const end of ['crt', 'key']) {
        copyFileSync(join(certDir, `apiserver-kubelet-client.${end}`), `${path}.${end}`);
      }
    },
  },
];

/** What is in the file, and what becomes of it: in root's hands, by name and `--force`, and in the stranger's. */
const contents = [
  {
    what: 'what kubeadm made',
    make: () => undefined,
    root: 'renewed',
    forced: 'renewed',
    foreign: 'renewed',
  },
  {
    what: 'a certificate that it has signed itself, as system:masters',
    make: (openssl: string, path: string) => {
      makeCa(openssl, `${path}-ca`, 'mallory');
      resign(openssl, path, { by: `${path}-ca`, subject: '/O=system:masters/CN=mallory' });
    },
    root: 'refused',
    forced: 'by-catalog',
    foreign: 'refused',
  },
  {
    what: 'a certificate of this CA for another name',
    make: (openssl: string, path: string, ca: string) => {
      resign(openssl, path, { by: ca, subject: '/O=system:masters/CN=mallory' });
    },
    root: 'warned',
    forced: 'warned',
    foreign: 'refused',
  },
  {
    what: 'a certificate without its key',
    make: () => 'keyless',
    root: 'renewed',
    forced: 'renewed',
    foreign: 'refused',
  },
  {
    what: 'a certificate with the key of another',
    make: (openssl: string, path: string) => {
      execFileSync(openssl, ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${path}.key`]);
    },
    root: 'renewed',
    forced: 'renewed',
    foreign: 'refused',
  },
] as const;

function judged(
  openssl: string,
  tree: Tree,
  place: Place,
  outcome: Outcome,
  expected: 'renewed' | 'warned' | 'by-catalog' | 'refused',
  unchanged: () => readonly string[],
): void {
  if (expected === 'refused') {
    assert.equal(outcome.code, 1, outcome.stderr);
    assert.match(outcome.stderr, new RegExp(`^error: .*${place.name}.*\nhint: `));
    assert.deepEqual(unchanged(), []);
    return;
  }
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.equal(/^warning: /m.test(outcome.stderr), expected !== 'renewed', outcome.stderr);
  const path = join(tree.directory, 'taken');
  place.take(tree, path);
  const subject = execFileSync(openssl, ['x509', '-noout', '-subject', '-in', `${path}.crt`], {
    encoding: 'utf8',
  });
  const named = {
    renewed: place.subject,
    'by-catalog': place.newest,
    warned: 'O = system:masters, CN = mallory',
  }[expected];
  assert.equal(subject.trim().replaceAll(/ ?= ?/g, ' = '), `subject = ${named}`);
  const verified = execFileSync(
    openssl,
    ['verify', '-CAfile', join(tree.certDir, `${place.ca}.crt`), `${path}.crt`],
    {
      encoding: 'utf8',
    },
  );
  assert.match(verified, /: OK\n$/);
}

describe('whose file it is decides what becomes of what is in it', () => {
  for (const place of places) {
    for (const content of contents) {
      test(`${place.name}: ${content.what}`, async (t) => {
        const openssl = judge(t, 'openssl');
        if (openssl === undefined || !mayChown(t)) return;
        for (const owner of ['root', 'foreign'] as const) {
          const tree = copyFixture(t, role);
          const path = join(temporaryDirectory(t), 'pair');
          place.take(tree, path);
          const made = content.make(openssl, path, join(tree.certDir, place.ca));
          place.put(tree, {
            certificate: `${path}.crt`,
            key: made === 'keyless' ? undefined : `${path}.key`,
          });
          if (owner === 'foreign') chownSync(place.file(tree), stranger, stranger);
          const before = snapshot(tree.directory);
          const unchanged = (): readonly string[] => changes(before, snapshot(tree.directory));
          const expected = content[owner];
          const dry = await certs(tree, 'renew', place.name, '--dry-run');
          assert.equal(dry.code, expected === 'refused' ? 1 : 0, dry.stderr);
          assert.deepEqual(unchanged(), []);
          if (expected === 'refused') {
            const forced = owner === 'root' ? content.forced : 'refused';
            judged(openssl, tree, place, await certs(tree, 'renew', 'all'), 'refused', unchanged);
            judged(openssl, tree, place, await certs(tree, 'renew', place.name), 'refused', unchanged);
            const args = ['renew', place.name, '--force'];
            judged(openssl, tree, place, await certs(tree, ...args), forced, unchanged);
          } else {
            judged(openssl, tree, place, await certs(tree, 'renew', place.name), expected, unchanged);
          }
          assert.equal(
            statSync(place.file(tree)).uid,
            owner === 'foreign' ? stranger : 0,
            'it stays whose it is',
          );
        }
      });
    }
  }

  test('a request that is made for another CA asks for no other name either', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined || !mayChown(t)) return;
    const tree = copyFixture(t, role);
    const path = join(temporaryDirectory(t), 'pair');
    const [place] = places;
    assert.ok(place);
    place.take(tree, path);
    resign(openssl, path, { by: join(tree.certDir, 'ca'), subject: '/O=system:masters/CN=mallory' });
    place.put(tree, { certificate: `${path}.crt`, key: `${path}.key` });
    chownSync(place.file(tree), stranger, stranger);
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', place.name, '--csr-only', '--csr-dir', '/csr');
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /^error: .*scheduler\.conf: the certificate scheduler.conf is made out to .*O=system:masters.*uid 12345/,
    );
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
  });

  test('one that is not signed by this CA, and names no node, is not signed anew at all', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = copyFixture(t, role);
    const ca = join(temporaryDirectory(t), 'ca');
    makeCa(openssl, ca, 'etcd-ca');
    resign(openssl, join(tree.certDir, 'etcd/server'), { by: ca, subject: '/CN=Not A Node' });
    const outcome = await certs(tree, 'renew', 'etcd-server', '--force');
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /^error: .*server\.crt: .*CN=Not A Node, which is no name of a node.*\nhint: .*generate etcd-server/,
    );
  });

  test('an identity of any kubeadm is renewed without a word', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = copyFixture(t, role);
    const ever = [
      ['apiserver-kubelet-client', '/O=system:masters/CN=kube-apiserver-kubelet-client'],
      ['apiserver-kubelet-client', '/CN=kube-apiserver-kubelet-client'],
      ['apiserver-etcd-client', '/O=system:masters/CN=kube-apiserver-etcd-client'],
      ['etcd/healthcheck-client', '/O=system:masters/CN=kube-etcd-healthcheck-client'],
    ] as const;
    for (const [baseName, subject] of ever) {
      const by = join(tree.certDir, baseName === 'apiserver-kubelet-client' ? 'ca' : 'etcd/ca');
      resign(openssl, join(tree.certDir, baseName), { by, subject });
      const outcome = await certs(tree, 'renew', baseName.replace('/', '-'));
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.doesNotMatch(outcome.stderr, /^warning: /m);
    }
  });
});

describe('a file that a kubeconfig names', () => {
  /** scheduler.conf, whose key is in a file by that path within the root; the key itself, where it is to be there. */
  function naming(t: TestContext, path: string): { readonly tree: Tree; readonly key: string } {
    const tree = copyFixture(t, role);
    const conf = join(tree.kubeconfigDir, 'scheduler.conf');
    const text = readFileSync(conf, 'utf8');
    const key = kubeconfigData(text, 'client-key');
    const file = join(tree.directory, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, key, { mode: 0o600 });
    writeFileSync(conf, text.replace(/client-key-data: \S+/, `client-key: ${path}`));
    return { tree, key: file };
  }

  /** Who owns the kubeconfig, the file and its directory. */
  const matrix = [
    ['root', 'root', 'root', 0],
    [stranger, stranger, stranger, 0],
    [stranger, 'root', 'root', 1],
    [stranger, 'root', stranger, 1],
    [stranger, stranger, 'root', 1],
    ['root', stranger, stranger, 0],
    [stranger, stranger, stranger + 1, 1],
  ] as const;
  for (const [conf, file, directory, code] of matrix) {
    test(`kubeconfig: ${String(conf)}, key: ${String(file)}, its directory: ${String(directory)}`, async (t) => {
      if (!mayChown(t)) return;
      const { tree, key } = naming(t, '/home/somebody/scheduler.key');
      const give = (path: string, owner: number | 'root'): void => {
        if (owner !== 'root') chownSync(path, owner, owner);
      };
      give(join(tree.kubeconfigDir, 'scheduler.conf'), conf);
      give(key, file);
      give(join(key, '..'), directory);
      const before = snapshot(tree.directory);
      const dry = await certs(tree, 'renew', 'scheduler.conf', '--dry-run');
      assert.equal(dry.code, code, dry.stderr);
      const outcome = await certs(tree, 'renew', 'scheduler.conf');
      assert.equal(outcome.code, code, outcome.stderr);
      if (code === 0) {
        assert.equal(statSync(key).uid, file === 'root' ? 0 : file);
        return;
      }
      assert.match(outcome.stderr, /^error: /);
      assert.deepEqual(changes(before, snapshot(tree.directory)), []);
    });
  }

  test('is not replaced by a key where it holds none, whoever named it', async (t) => {
    const { tree, key } = naming(t, '/etc/shadow');
    for (const [content, code] of [
      ['root:HASH:1::::::\n', 1],
      ['', 0],
      ['\0'.repeat(227), 0],
      ['-----BEGIN EC PRIVATE KEY-----\ncut off', 0],
    ] as const) {
      writeFileSync(key, content);
      const outcome = await certs(tree, 'renew', 'scheduler.conf');
      assert.equal(outcome.code, code, outcome.stderr);
      if (code === 0) continue;
      assert.match(
        outcome.stderr,
        /^error: .*\/etc\/shadow: holds no private key, .*scheduler\.conf names it/,
      );
      assert.equal(readFileSync(key, 'utf8'), content);
    }
  });
});

describe('a directory', () => {
  const modes = [
    [0o755, 0, 0, 0],
    [0o777, 0, 0, 1],
    [0o1777, 0, 0, 0],
    [0o775, 0, 54321, 1],
    [0o775, 0, 0, 0],
    [0o775, stranger, stranger, 0],
    [0o770, stranger, 54321, 1],
  ] as const;
  for (const [mode, uid, gid, code] of modes) {
    test(`of mode 0${mode.toString(8)}, of ${String(uid)}:${String(gid)}: ${code === 0 ? 'is written to' : 'is refused'}`, async (t) => {
      if (!mayChown(t)) return;
      const tree = copyFixture(t, role);
      const directory = join(tree.certDir, 'etcd');
      chownSync(directory, uid, gid);
      chmodSync(directory, mode);
      const before = snapshot(tree.directory);
      const outcome = await certs(tree, 'renew', 'all');
      assert.equal(outcome.code, code, outcome.stderr);
      if (code === 0) return;
      assert.match(
        outcome.stderr,
        /^error: .*etcd: is a directory that other users can write to\nhint: .*chmod go-w/,
      );
      assert.deepEqual(changes(before, snapshot(tree.directory)), []);
    });
  }
});

describe('install with a key of another user’s', () => {
  /** A request in a directory of the stranger's, signed by the CA. */
  async function asked(
    t: TestContext,
    openssl: string,
  ): Promise<{ readonly tree: Tree; readonly at: (end: string) => string }> {
    const tree = copyFixture(t, role);
    const csrDir = join(tree.directory, 'csr');
    mkdirSync(csrDir);
    chownSync(csrDir, stranger, stranger);
    const outcome = await certs(tree, 'renew', 'apiserver-kubelet-client', '--csr-only', '--csr-dir', '/csr');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.ok(openssl);
    return { tree, at: (end) => join(csrDir, `apiserver-kubelet-client.${end}`) };
  }

  function sign(openssl: string, tree: Tree, at: (end: string) => string): void {
    const extensions = join(tree.directory, 'ext');
    writeFileSync(extensions, 'extendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n');
    const ca = [
      '-CA',
      join(tree.certDir, 'ca.crt'),
      '-CAkey',
      join(tree.certDir, 'ca.key'),
      '-set_serial',
      '77',
    ];
    execFileSync(
      openssl,
      ['x509', '-req', '-in', at('csr'), ...ca, '-days', '365', '-extfile', extensions, '-out', at('crt')],
      { stdio: 'pipe' },
    );
  }

  test('takes the key that was made here, even when the file has become his', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined || !mayChown(t)) return;
    const { tree, at } = await asked(t, openssl);
    for (const end of ['key', 'csr']) chownSync(at(end), stranger, stranger);
    sign(openssl, tree, at);
    const outcome = await certs(tree, 'install', '--csr-dir', '/csr');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.equal(statSync(join(tree.certDir, 'apiserver-kubelet-client.key')).uid, 0);
  });

  test('refuses one of his own', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined || !mayChown(t)) return;
    const { tree, at } = await asked(t, openssl);
    const subject = '/O=kubeadm:cluster-admins/CN=kube-apiserver-kubelet-client';
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at('key')];
    execFileSync(openssl, ['req', '-new', ...key, '-subj', subject, '-out', at('csr')], { stdio: 'pipe' });
    for (const end of ['key', 'csr']) chownSync(at(end), stranger, stranger);
    sign(openssl, tree, at);
    const before = snapshot(tree.certDir);
    const outcome = await certs(tree, 'install', '--csr-dir', '/csr');
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /^error: .*\.key: belongs to uid 12345, and is not the key .*\nhint: ask again, /,
    );
    assert.deepEqual(changes(before, snapshot(tree.certDir)), []);
    // Where all of it is his, he could have done it himself.
    for (const end of ['crt', 'key']) {
      chownSync(join(tree.certDir, `apiserver-kubelet-client.${end}`), stranger, stranger);
    }
    const his = await certs(tree, 'install', '--csr-dir', '/csr');
    assert.equal(his.code, 0, his.stderr);
  });

  test("puts nobody else's certificate into a file of his", async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined || !mayChown(t)) return;
    const { tree, at } = await asked(t, openssl);
    sign(openssl, tree, at);
    // Meanwhile he has put something else there.
    const leaf = join(tree.certDir, 'apiserver-kubelet-client');
    resign(openssl, leaf, { by: join(tree.certDir, 'ca'), subject: '/CN=mallory' });
    chownSync(`${leaf}.crt`, stranger, stranger);
    const before = snapshot(tree.certDir);
    const outcome = await certs(tree, 'install', '--csr-dir', '/csr');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /^error: .*\.crt: .*is made out to CN=mallory.*uid 12345/);
    assert.deepEqual(changes(before, snapshot(tree.certDir)), []);
  });

  test('puts no other certificate into a file of his, though all that waits is of root’s making', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined || !mayChown(t)) return;
    const tree = copyFixture(t, role);
    const csrDir = join(tree.directory, 'csr');
    mkdirSync(csrDir);
    chownSync(csrDir, stranger, stranger);
    chownSync(join(tree.kubeconfigDir, 'scheduler.conf'), stranger, stranger);
    const asks = await certs(
      tree,
      'renew',
      'admin.conf',
      'scheduler.conf',
      '--csr-only',
      '--csr-dir',
      '/csr',
    );
    assert.equal(asks.code, 0, asks.stderr);
    const admin = (end: string): string => join(csrDir, `admin.conf.${end}`);
    sign(openssl, tree, admin);
    // It is his directory: what is called how in it is for him to say.
    for (const end of ['csr', 'key', 'crt']) renameSync(admin(end), join(csrDir, `scheduler.conf.${end}`));
    const before = snapshot(tree.kubeconfigDir);
    const outcome = await certs(tree, 'install', '--csr-dir', '/csr');
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /^error: .*scheduler\.conf\.key: is where another user decides .*for scheduler\.conf was made with here/,
    );
    assert.deepEqual(changes(before, snapshot(tree.kubeconfigDir)), []);
  });

  test('reads no key in use over his link', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined || !mayChown(t)) return;
    const tree = copyFixture(t, role);
    const csrDir = join(tree.directory, 'csr');
    mkdirSync(csrDir);
    chownSync(join(tree.kubeconfigDir, 'scheduler.conf'), stranger, stranger);
    const key = join(tree.certDir, 'apiserver-kubelet-client.key');
    const subject = '/O=system:masters/CN=kube-apiserver-kubelet-client';
    const csr = join(csrDir, 'scheduler.conf.csr');
    execFileSync(openssl, ['req', '-new', '-key', key, '-subj', subject, '-out', csr], { stdio: 'pipe' });
    for (const end of ['key', 'crt']) {
      symlinkSync(
        `/etc/kubernetes/pki/apiserver-kubelet-client.${end}`,
        join(csrDir, `scheduler.conf.${end}`),
      );
    }
    assert.equal(spawnSync('chown', ['-hR', `${String(stranger)}:${String(stranger)}`, csrDir]).status, 0);
    const before = snapshot(tree.kubeconfigDir);
    const outcome = await certs(tree, 'install', '--csr-dir', '/csr');
    assert.equal(outcome.code, 1, outcome.stdout);
    assert.match(outcome.stderr, /^error: /);
    assert.deepEqual(changes(before, snapshot(tree.kubeconfigDir)), []);
  });

  test('a key that root made by other means is taken where nobody else decides what is called how', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined || !mayChown(t)) return;
    const waits = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const subject = '/O=system:masters/CN=kube-apiserver-kubelet-client';
    for (const [mode, group, link, code] of [
      [0o775, 0, undefined, 0],
      [0o775, 54321, undefined, 1],
      [0o777, 0, undefined, 1],
      [0o755, 0, 'root', 0],
      [0o755, 0, 'foreign', 1],
    ] as const) {
      const tree = copyFixture(t, role);
      const csrDir = join(tree.directory, 'csr');
      mkdirSync(csrDir);
      const at = (end: string): string => join(csrDir, `apiserver-kubelet-client.${end}`);
      const args = ['req', '-new', ...waits, '-keyout', at('key'), '-subj', subject, '-out', at('csr')];
      execFileSync(openssl, args, { stdio: 'pipe' });
      sign(openssl, tree, at);
      chownSync(csrDir, 0, group);
      chmodSync(csrDir, mode);
      const typed = link === undefined ? '/csr' : '/link';
      if (link !== undefined) symlinkSync('csr', join(tree.directory, 'link'));
      if (link === 'foreign') lchownSync(join(tree.directory, 'link'), stranger, stranger);
      const outcome = await certs(tree, 'install', '--csr-dir', typed);
      assert.equal(
        outcome.code,
        code,
        `${mode.toString(8)} ${String(group)} ${String(link)}: ${outcome.stderr}`,
      );
      if (code === 1) assert.match(outcome.stderr, /^error: .*(?:another user decides|belongs to uid)/m);
    }
  });

  test('a request that he has put there is not offered for signing', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined || !mayChown(t)) return;
    const tree = copyFixture(t, role);
    const csrDir = join(tree.directory, 'csr');
    mkdirSync(csrDir);
    const at = (end: string): string => join(csrDir, `scheduler.conf.${end}`);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at('key')];
    execFileSync(openssl, ['req', '-new', ...key, '-subj', '/O=system:masters/CN=evil', '-out', at('csr')], {
      stdio: 'pipe',
    });
    assert.equal(spawnSync('chown', ['-R', `${String(stranger)}:${String(stranger)}`, csrDir]).status, 0);
    const refused = await certs(tree, 'renew', 'scheduler.conf', '--csr-only', '--csr-dir', '/csr');
    assert.equal(refused.code, 1, refused.stdout);
    assert.match(
      refused.stderr,
      /^error: .*scheduler\.conf\.key: belongs to uid 12345, .*\nhint: ask again, .*--csr-only --force/,
    );
    // A backup is kept, and what waits then was made here.
    const forced = await certs(tree, 'renew', 'scheduler.conf', '--csr-only', '--force', '--csr-dir', '/csr');
    assert.equal(forced.code, 0, forced.stderr);
    const again = await certs(tree, 'renew', 'scheduler.conf', '--csr-only', '--csr-dir', '/csr');
    assert.equal(again.code, 0, again.stderr);
  });
});

test('a new key is for its owner alone where what was in its place was none', async (t) => {
  if (!mayChown(t)) return;
  const tree = copyFixture(t, role);
  const etcd = join(tree.certDir, 'etcd');
  chownSync(etcd, stranger, stranger);
  renameSync(join(etcd, 'healthcheck-client.crt'), join(etcd, 'server.key'));
  assert.equal(statSync(join(etcd, 'server.key')).mode & 0o777, 0o644);
  const outcome = await certs(tree, 'renew', 'etcd-server');
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.equal(statSync(join(etcd, 'server.key')).mode & 0o777, 0o600);
});
