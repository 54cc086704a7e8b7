import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { certificates } from '../../../src/catalog/catalog.ts';
import { allComponents, changeNote, usersOf } from '../../support/change-note.ts';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { kubepkiCommand, kubepkiFromCron } from '../../support/kubepki.ts';
import { runProgram } from '../../support/program.ts';
import { changes, copyFixture, fileChanges, fixturePath, snapshot } from '../../support/tree.ts';

const recorded = [
  'stacked-etcd-rsa',
  'stacked-etcd-ecdsa',
  'external-etcd',
  'external-front-proxy',
  'missing-leaf',
];
const config = (role: string): string[] => (role === 'external-etcd' ? ['--config', '/kubeadm.yaml'] : []);
const recording = (role: string, name: string): string =>
  readFileSync(fixturePath(role, `kubeadm-1.20.2/${name}.stdout`), 'utf8');
const leafFiles = (...names: string[]): string[] =>
  names.flatMap((name) => [
    `~ etc/kubernetes/pki/${name}.crt content`,
    `~ etc/kubernetes/pki/${name}.key content`,
  ]);

/** What `renew` adds to kubeadm's lines about an external CA. */
function externalNote(names: readonly string[], flags: string): string {
  return (
    `note: not renewed, as the key of the CA is not here: ${names.join(', ')}\n` +
    `hint: have them signed by the external CA: kubepki certs renew ${names.join(' ')} --csr-only ${flags}\n`
  );
}

describe('renew prints what kubeadm printed and changes the same files', () => {
  for (const role of recorded) {
    test(`renew all on ${role}`, async (t) => {
      const tree = copyFixture(t, role);
      const before = snapshot(tree.directory);
      const outcome = await kubepki(['certs', 'renew', 'all', '--rootfs', tree.directory, ...config(role)]);
      const names = certificates
        .filter(({ longName }) => outcome.stdout.split('\n').includes(`${longName} renewed`))
        .map(({ name }) => name);
      const flags = [...config(role), '--rootfs', tree.directory].join(' ');
      assert.deepEqual(outcome, {
        stdout: recording(role, 'renew-all'),
        // kubeadm's last line names all the components; here it is those whose certificates have changed.
        stderr:
          (role === 'external-front-proxy' ? externalNote(['front-proxy-client'], flags) : '') +
          changeNote(t, tree, { names, restart: usersOf(names), flags }),
        code: 0,
        signal: undefined,
      });
      const changed = fileChanges(before, snapshot(tree.directory));
      const renewed = outcome.stdout
        .split('\n')
        .filter((line) => line.endsWith(' renewed') && !line.startsWith('Detected'));
      const kubeconfigs = renewed.filter((line) => line.includes('kubeconfig')).length;
      // Each kubeconfig is one file, every other certificate two; nothing is added, no mode changes.
      assert.equal(changed.length, kubeconfigs + 2 * (renewed.length - kubeconfigs));
      for (const line of changed) assert.match(line, /^~ etc\/kubernetes\/\S+ content$/);
    });

    test(`renew apiserver on ${role}`, async (t) => {
      const tree = copyFixture(t, role);
      const before = snapshot(tree.directory);
      const outcome = await kubepki(['certs', 'renew', 'apiserver', '--rootfs', tree.directory]);
      assert.equal(outcome.stdout, recording(role, 'renew-apiserver'));
      const missing = role === 'missing-leaf';
      // kubeadm leaves with 0 here; a certificate that was named and not renewed is 6.
      assert.equal(outcome.code, missing ? 6 : 0);
      assert.deepEqual(fileChanges(before, snapshot(tree.directory)), missing ? [] : leafFiles('apiserver'));
    });
  }

  for (const role of [
    'v1.35-stacked-etcd-rsa',
    'v1.35-stacked-etcd-p384',
    'v1.35-dual-stack',
    'v1.35-five-years',
    'v1.35-external-etcd',
    'v1.35-external-ca',
    'v1.35-expired-leaves',
    'v1.35-missing-apiserver',
  ]) {
    test(`renew apiserver, then all, on ${role}`, async (t) => {
      const tree = copyFixture(t, role);
      const read = (name: string): string =>
        readFileSync(fixturePath(role, `kubeadm-1.35.0/${name}`), 'utf8');
      const args = ['--rootfs', tree.directory, '--config', '/kubeadm.yaml'];
      const one = await kubepki(['certs', 'renew', 'apiserver', ...args]);
      assert.equal(one.stdout, read('renew-apiserver.stdout'));
      // kubeadm leaves with 0 here; a certificate that was named and not renewed is 6.
      const isLeft = role === 'v1.35-external-ca' || role === 'v1.35-missing-apiserver';
      assert.equal(one.code, isLeft ? 6 : Number(read('renew-apiserver.exit-code')));
      const all = await kubepki(['certs', 'renew', 'all', ...args]);
      assert.equal(all.stdout, read('renew-all.stdout'));
      assert.equal(all.code, Number(read('renew-all.exit-code')));
    });
  }

  test('external CAs: every certificate is said to be external, nothing changes, exit 0; named, exit 6', async (t) => {
    const tree = copyFixture(t, 'external-ca');
    const before = snapshot(tree.directory);
    const all = await kubepki(['certs', 'renew', 'all', '--rootfs', tree.directory]);
    assert.equal(all.code, 0);
    const everything = certificates.map(({ name }) => name).filter((name) => name !== 'super-admin.conf');
    assert.equal(all.stderr, externalNote(everything, `--rootfs ${tree.directory}`));
    const manifests = ['--manifests-dir', '/etc/kubernetes'];
    const server = ['renew', 'apiserver', '--add-san', 'a.example', '--offline', ...manifests];
    assert.ok(
      (await kubepki(['certs', ...server, '--rootfs', tree.directory])).stderr.endsWith(
        externalNote(
          ['apiserver'],
          `--add-san a.example --offline ${manifests.join(' ')} --rootfs ${tree.directory}`,
        ),
      ),
    );
    const lines = all.stdout.split('\n').slice(0, -1);
    assert.equal(lines.length, 10);
    for (const line of lines)
      assert.match(line, /^Detected external (ca|etcd\/ca|front-proxy-ca), .* can't be renewed$/);
    const one = await kubepki(['certs', 'renew', 'apiserver', '--rootfs', tree.directory]);
    assert.equal(one.stdout, recording('external-ca', 'renew-apiserver'));
    assert.equal(one.code, 6);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });
});

describe('renew', () => {
  test('without a name, and without a terminal, means all', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    const outcome = await kubepkiFromCron(['certs', 'renew', '--rootfs', tree.directory]);
    assert.deepEqual(outcome, {
      stdout: recording('stacked-etcd-ecdsa', 'renew-all'),
      stderr: changeNote(t, tree, { restart: allComponents }),
      code: 0,
      signal: undefined,
    });
  });

  test('several names: exactly these, each once, and what to restart is said on stderr', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    const before = snapshot(tree.directory);
    const args = ['etcd-server', 'front-proxy-client', 'etcd-server', 'scheduler.conf'];
    const outcome = await kubepki(['certs', 'renew', ...args, '--rootfs', tree.directory]);
    assert.equal(
      outcome.stdout,
      [
        'certificate for serving etcd renewed',
        'certificate for the front proxy client renewed',
        'certificate embedded in the kubeconfig file for the scheduler manager to use renewed',
        '',
      ].join('\n'),
    );
    assert.equal(
      outcome.stderr,
      changeNote(t, tree, {
        names: ['etcd-server', 'front-proxy-client', 'scheduler.conf'],
        restart: ['etcd', 'kube-apiserver', 'kube-scheduler'],
      }),
    );
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      ...leafFiles('etcd/server', 'front-proxy-client'),
      '~ etc/kubernetes/scheduler.conf content',
    ]);
  });

  test('a named certificate that is missing is exit 6, and the others are renewed', async (t) => {
    const tree = copyFixture(t, 'missing-leaf');
    const outcome = await kubepki(['certs', 'renew', 'apiserver', 'etcd-peer', '--rootfs', tree.directory]);
    assert.equal(outcome.code, 6);
    assert.match(
      outcome.stdout,
      /^MISSING! certificate for serving the Kubernetes API\ncertificate for etcd nodes .* renewed\n$/,
    );
  });

  test("with an external etcd, etcd's certificates are missing when they are named, as with kubeadm", async (t) => {
    const tree = copyFixture(t, 'external-etcd');
    const outcome = await kubepki([
      'certs',
      'renew',
      'etcd-server',
      '--rootfs',
      tree.directory,
      '--config',
      '/kubeadm.yaml',
    ]);
    assert.deepEqual([outcome.code, outcome.stdout], [6, 'MISSING! certificate for serving etcd\n']);
  });

  test('super-admin.conf: renewed where it is, silent in all where it is not, missing when named', async (t) => {
    const tree = copyFixture(t, 'super-admin');
    const all = await kubepki(['certs', 'renew', 'all', '--rootfs', tree.directory]);
    assert.match(
      all.stdout,
      /certificate embedded in the kubeconfig file for the super-admin renewed\n\nDone renewing/,
    );
    rmSync(join(tree.kubeconfigDir, 'super-admin.conf'));
    assert.doesNotMatch(
      (await kubepki(['certs', 'renew', 'all', '--rootfs', tree.directory])).stdout,
      /super-admin/,
    );
    const named = await kubepki(['certs', 'renew', 'super-admin.conf', '--rootfs', tree.directory]);
    assert.equal(named.code, 6);
    assert.equal(named.stdout, 'MISSING! certificate embedded in the kubeconfig file for the super-admin\n');
  });

  test('a missing or garbage leaf key does not stop a renewal, as with kubeadm; the new one is 0600', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    rmSync(join(tree.certDir, 'apiserver.key'));
    writeFileSync(join(tree.certDir, 'front-proxy-client.key'), 'garbage', { mode: 0o600 });
    const before = snapshot(tree.directory);
    const outcome = await kubepki([
      'certs',
      'renew',
      'apiserver',
      'front-proxy-client',
      '--rootfs',
      tree.directory,
    ]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      '~ etc/kubernetes/pki/apiserver.crt content',
      '+ etc/kubernetes/pki/apiserver.key 0600',
      ...leafFiles('front-proxy-client'),
    ]);
  });

  test('modes stay as they are, however odd', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    chmodSync(join(tree.kubeconfigDir, 'admin.conf'), 0o644);
    chmodSync(join(tree.certDir, 'etcd/server.key'), 0o440);
    const before = snapshot(tree.directory);
    const outcome = await kubepki([
      'certs',
      'renew',
      'admin.conf',
      'etcd-server',
      '--rootfs',
      tree.directory,
    ]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      '~ etc/kubernetes/admin.conf content',
      ...leafFiles('etcd/server'),
    ]);
  });

  test('keys that every user may read are named, whether they are renewed or not', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    // Any key will do.
    copyFileSync(join(tree.certDir, 'ca.key'), join(tree.certDir, 'sa.key'));
    const exposed = ['pki/ca.key', 'pki/sa.key', 'pki/etcd/server.key', 'scheduler.conf'];
    for (const name of exposed) chmodSync(join(tree.kubeconfigDir, name), 0o644);
    const paths = exposed.map((name) => join(tree.kubeconfigDir, name));
    for (const flags of [['--dry-run'], []]) {
      const { stderr } = await kubepki([
        ...['certs', 'renew', 'etcd-server', '--rootfs', tree.directory],
        ...flags,
      ]);
      const [, named = '', hinted = ''] =
        /^warning: every user of this machine may read these private keys: (.*)\nhint: chmod 0600 (.*)$/m.exec(
          stderr,
        ) ?? [];
      assert.deepEqual(named.split(', ').sort(), paths.sort());
      assert.deepEqual(hinted.split(' ').sort(), paths.sort());
      assert.doesNotMatch(stderr, /server\.crt/);
    }
  });

  test('a hard link keeps the old content under its other name, and that is said', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    const admin = join(tree.kubeconfigDir, 'admin.conf');
    linkSync(admin, join(tree.directory, 'kube-config'));
    const old = readFileSync(admin, 'utf8');
    const outcome = await kubepki(['certs', 'renew', 'admin.conf', '--rootfs', tree.directory]);
    assert.equal(outcome.code, 0);
    assert.equal(
      outcome.stderr,
      `warning: ${admin}: has other names (hard links), which keep the old content\n` +
        // No component uses it.
        changeNote(t, tree, { names: ['admin.conf'] }),
    );
    assert.equal(readFileSync(join(tree.directory, 'kube-config'), 'utf8'), old);
    assert.notEqual(readFileSync(admin, 'utf8'), old);
  });

  test('two certificates in one file are refused, and nothing changes', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    rmSync(join(tree.certDir, 'etcd/peer.crt'));
    execFileSync('ln', ['-s', 'server.crt', join(tree.certDir, 'etcd/peer.crt')]);
    const before = snapshot(tree.directory);
    const outcome = await kubepki(['certs', 'renew', 'all', '--rootfs', tree.directory]);
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /^error: .*server\.crt: is the same file as .*peer\.crt, and both would be written\nhint: /,
    );
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });

  test('a result that cannot be written is no success: 1 where nothing was changed, 8 where it was', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    const full = (...args: string[]): Promise<{ code: number | undefined; stderr: string }> =>
      runProgram('/bin/sh', [
        '-c',
        '"$@" >/dev/full',
        'sh',
        ...kubepkiCommand,
        'certs',
        ...args,
        '--rootfs',
        tree.directory,
      ]);
    const checked = await full('check-expiration');
    assert.equal(checked.code, 1);
    assert.match(checked.stderr, /^error: cannot write to standard output: /);
    assert.equal((await full('renew', 'all')).code, 8);
  });

  test('a reader that leaves early (| head -1) is no error', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    const script = '{ "$@"; echo "exit=$?" >&2; } | head -c 1 >/dev/null';
    const args = [...kubepkiCommand, 'certs', 'renew', 'all', '--rootfs', tree.directory];
    const { stderr } = await runProgram('/bin/sh', ['-c', script, 'sh', ...args]);
    assert.equal(stderr, `${changeNote(t, tree, { restart: allComponents })}exit=0\n`);
  });

  test('a CA without a subject key identifier signs, and openssl follows the path', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    for (const end of ['crt', 'key']) {
      cpSync(fixturePath('bad', `ca-without-ski.${end}`), join(tree.certDir, `ca.${end}`));
    }
    const outcome = await kubepki(['certs', 'renew', 'apiserver', '--force', '--rootfs', tree.directory]);
    assert.equal(outcome.code, 0, outcome.stderr);
    const verified = execFileSync(openssl, ['verify', '-CAfile', 'ca.crt', 'apiserver.crt'], {
      cwd: tree.certDir,
      encoding: 'utf8',
    });
    assert.equal(verified, 'apiserver.crt: OK\n');
  });

  test('all cannot be combined with names', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    const outcome = await kubepki(['certs', 'renew', 'all', 'apiserver', '--rootfs', tree.directory]);
    assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
    assert.match(outcome.stderr, /^error: "all" stands alone/);
  });
});

describe('whose kubeconfigs are renewed', () => {
  test('a restored PKI directory does not re-sign the kubeconfigs of the node it lies on', async (t) => {
    // The live node, and in it a restored directory of another cluster.
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    const restored = join(tree.directory, 'restore/pki');
    mkdirSync(join(tree.directory, 'restore'));
    cpSync(fixturePath('stacked-etcd-ecdsa', 'etc/kubernetes/pki'), restored, { recursive: true });
    const before = snapshot(tree.directory);
    const args = ['--rootfs', tree.directory, '--cert-dir', '/restore/pki'];
    const outcome = await kubepki(['certs', 'renew', 'all', ...args]);
    assert.equal(outcome.code, 1);
    assert.equal(outcome.stdout, '');
    assert.match(
      outcome.stderr,
      /^error: .*\/etc\/kubernetes\/admin\.conf: was signed by another CA than .*\/restore\/pki\/ca\.crt/,
    );
    assert.match(outcome.stderr, /^hint: .*--kubeconfig-dir/m);
    assert.match(
      outcome.stderr,
      /^hint: nothing was changed; to renew the rest: kubepki certs renew apiserver apiserver-etcd-client /m,
    );
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);

    // Said so on purpose, it is done, with a warning for each.
    const ours = [...args, '--kubeconfig-dir', '/etc/kubernetes'];
    const all = await kubepki(['certs', 'renew', 'all', ...ours]);
    assert.equal(all.code, 1);
    assert.equal(
      all.stderr.match(/^error: .*\.conf: is not signed by the CA of .*\/restore\/pki/gm)?.length,
      3,
    );
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    const names = ['admin.conf', 'controller-manager.conf', 'scheduler.conf'];
    const given = await kubepki(['certs', 'renew', ...names, '--force', ...ours]);
    assert.equal(given.code, 0, given.stderr);
    assert.equal(given.stderr.match(/^warning: .*\.conf: is not signed by the CA of /gm)?.length, 3);
  });

  test('the own kubeconfigs in /etc/kubernetes are renewed with a cert dir elsewhere', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    mkdirSync(join(tree.directory, 'var/lib'), { recursive: true });
    renameSync(tree.certDir, join(tree.directory, 'var/lib/pki'));
    const outcome = await kubepki([
      'certs',
      'renew',
      'all',
      '--rootfs',
      tree.directory,
      '--cert-dir',
      '/var/lib/pki',
    ]);
    const moved = {
      ...tree,
      certDir: join(tree.directory, 'var/lib/pki'),
    };
    const flags = `--cert-dir /var/lib/pki --rootfs ${tree.directory}`;
    assert.deepEqual(
      [outcome.code, outcome.stderr],
      [0, changeNote(t, moved, { restart: allComponents, flags })],
    );
    assert.equal(outcome.stdout, recording('stacked-etcd-rsa', 'renew-all'));
  });

  test('beside the PKI they are renewed after a change of the CA where that is insisted on, with a warning, and trust the new CA beside the old one', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    const old = readFileSync(join(tree.certDir, 'ca.crt'), 'utf8');
    for (const name of ['ca.crt', 'ca.key']) {
      cpSync(fixturePath('stacked-etcd-ecdsa', `etc/kubernetes/pki/${name}`), join(tree.certDir, name));
    }
    chmodSync(join(tree.certDir, 'ca.key'), 0o600);
    const args = ['certs', 'renew', 'admin.conf', '--rootfs', tree.directory];
    const unasked = await kubepki(args);
    assert.equal(unasked.code, 1);
    assert.match(
      unasked.stderr,
      /^error: .*admin\.conf: is not signed by the CA of .*ca\.crt \(.*\nhint: .* kubepki certs renew admin\.conf --force --rootfs /,
    );
    const outcome = await kubepki([...args, '--force']);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stderr, /^warning: .*admin\.conf: is not signed by the CA of .*ca\.crt\nnote: /);
    const admin = readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8');
    const embedded = /certificate-authority-data: (\S+)/.exec(admin)?.[1] ?? '';
    assert.equal(
      Buffer.from(embedded, 'base64').toString(),
      readFileSync(join(tree.certDir, 'ca.crt'), 'utf8') + old,
    );
  });
});

describe('symlinks', () => {
  test('are followed below the rootfs and stay links', async (t) => {
    const tree = copyFixture(t, 'symlinks');
    const before = snapshot(tree.directory);
    const outcome = await kubepki(['certs', 'renew', 'all', '--rootfs', tree.directory]);
    assert.equal(outcome.code, 0);
    // What reads the certificates for the exact line knows no links below another root.
    assert.match(
      outcome.stderr,
      /^note: renewed 10 certificates, the earliest ends [^;\n]* UTC; backup \S+\nnote: restart etcd, [^\n]*\nhint: kubepki restart etcd [^\n]*\n$/,
    );
    const after = snapshot(tree.directory);
    for (const line of fileChanges(before, after)) assert.match(line, /^~ \S+ content$/);
    const links = [...before].filter(([, { type }]) => type === 'link').map(([path]) => path);
    assert.ok(links.length >= 3, links.join(' '));
    for (const link of links) assert.ok(lstatSync(join(tree.directory, link)).isSymbolicLink(), link);
    assert.notEqual(
      after.get('srv/keys/apiserver.key')?.sha256,
      before.get('srv/keys/apiserver.key')?.sha256,
    );
  });
});
