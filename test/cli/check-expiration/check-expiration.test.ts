import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { certificates } from '../../../src/catalog/catalog.ts';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { kubepki as startedKubepki, kubepkiFromCron } from '../../support/kubepki.ts';
import { changes, copyFixture, fixturePath, snapshot } from '../../support/tree.ts';
import { unprivileged } from '../../support/machine/unprivileged.ts';

const recorded = [
  'stacked-etcd-rsa',
  'stacked-etcd-ecdsa',
  'external-etcd',
  'external-front-proxy',
  'missing-leaf',
];

function recording(role: string): { at: string; stdout: string } {
  const read = (name: string): string => readFileSync(fixturePath(role, `kubeadm-1.20.2/${name}`), 'utf8');
  return { at: read('recorded-at').trim(), stdout: withCaColumn(read('check-expiration.stdout')) };
}

/** 1.20.2 left the CERTIFICATE AUTHORITY column of the kubeconfigs blank; since late 1.23 it says `ca`. */
function withCaColumn(table: string): string {
  const [header = ''] = table.split('\n');
  const column = header.indexOf('CERTIFICATE AUTHORITY');
  return table
    .split('\n')
    .map((line) => (/^\S+\.conf /.test(line) ? `${line.slice(0, column)}ca${line.slice(column + 2)}` : line))
    .join('\n');
}

const config = (role: string): string[] => (role === 'external-etcd' ? ['--config', '/kubeadm.yaml'] : []);

describe('check-expiration prints what kubeadm printed', () => {
  for (const role of recorded) {
    test(role, async (t) => {
      const tree = copyFixture(t, role);
      const before = snapshot(tree.directory);
      const { at, stdout } = recording(role);
      const args = ['certs', 'check-expiration', '--rootfs', tree.directory, '--at', at, ...config(role)];
      assert.deepEqual(await kubepki(args), { stdout, stderr: '', code: 0, signal: undefined });
      // The same from cron: no terminal, an empty environment, another directory.
      assert.deepEqual(await kubepkiFromCron(args), { stdout, stderr: '', code: 0, signal: undefined });
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
  }

  test('external-ca, on which kubeadm 1.20 failed: 13 rows `yes`', async () => {
    const { at } = recording('external-ca');
    const outcome = await kubepki([
      'certs',
      'check-expiration',
      '--rootfs',
      fixturePath('external-ca', ''),
      '--at',
      at,
    ]);
    assert.deepEqual([outcome.code, outcome.stderr], [0, '']);
    const rows = outcome.stdout.split('\n').filter((line) => /\d{4} \d\d:\d\d UTC/.test(line));
    assert.equal(rows.length, 13);
    for (const row of rows) assert.match(row, / yes {5}$/);
  });
});

/** Those made by a kubeadm of about v1.35, which prints documents too. */
const newest = [
  'v1.35-stacked-etcd-rsa',
  'v1.35-stacked-etcd-p384',
  'v1.35-dual-stack',
  'v1.35-five-years',
  'v1.35-external-etcd',
  'v1.35-external-ca',
  'v1.35-expired-leaves',
  'v1.35-missing-apiserver',
] as const;

describe('check-expiration prints what kubeadm 1.35 printed', () => {
  for (const role of newest) {
    test(role, async () => {
      const read = (name: string): string =>
        readFileSync(fixturePath(role, `kubeadm-1.35.0/${name}`), 'utf8');
      // It was recorded between this second and the next: residualTime is rounded towards zero.
      const recordedAt = Date.parse(read('recorded-at').trim());
      const at = ['--at', new Date(recordedAt + 500).toISOString()];
      const external = role === 'v1.35-external-etcd' ? ['--config', '/kubeadm.yaml'] : [];
      for (const [output, name] of [
        [[], 'check-expiration'],
        [['-o', 'json'], 'check-expiration-json'],
        [['-o', 'yaml'], 'check-expiration-yaml'],
      ] as const) {
        const root = ['--rootfs', fixturePath(role, '')];
        const outcome = await kubepki(['certs', 'check-expiration', ...root, ...at, ...external, ...output]);
        assert.equal(outcome.stdout, read(`${name}.stdout`), name);
        assert.equal(outcome.code, Number(read(`${name}.exit-code`)), name);
      }
    });
  }
});

describe('check-expiration', () => {
  const at = ['--at', '2027-01-01T00:00:00Z'];

  test('a PKI directory anywhere is checked with the kubeconfigs beside it', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    const outcome = await kubepki(['certs', 'check-expiration', '--cert-dir', tree.certDir, ...at]);
    assert.equal(outcome.code, 0);
    assert.match(outcome.stdout, /^admin\.conf +Nov 23, 2027 21:41 UTC/m);
  });

  test('a relative cert dir is one of the working directory', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    const outcome = await startedKubepki(['certs', 'check-expiration', '--cert-dir', 'pki', ...at], {
      cwd: tree.kubeconfigDir,
    });
    assert.match(outcome.stdout, /^admin\.conf +Nov 23, 2027 21:41 UTC/m);
  });

  test('an expired certificate shows <invalid>, exit 0, as kubeadm does', async () => {
    const outcome = await kubepki([
      'certs',
      'check-expiration',
      '--rootfs',
      fixturePath('stacked-etcd-rsa', ''),
      '--at',
      '2028-01-01T00:00:00Z',
    ]);
    assert.equal(outcome.code, 0);
    assert.match(outcome.stdout, /^apiserver +Nov 23, 2027 21:41 UTC {3}<invalid> {7}ca {22}no {6}$/m);
    assert.match(outcome.stdout, /^ca +Nov 20, 2036 21:41 UTC {3}8y {14}no {6}$/m);
  });

  test('super-admin.conf is a row where it is there, and never missing', async () => {
    const run = (role: string) =>
      kubepki(['certs', 'check-expiration', '--rootfs', fixturePath(role, ''), ...at]);
    assert.doesNotMatch((await run('stacked-etcd-rsa')).stdout, /super-admin/);
    assert.match((await run('super-admin')).stdout, /^super-admin\.conf +\w{3} \d\d, \d{4}/m);
  });

  test('-o json has the fields kubeadm has, and -o yaml the same values', async () => {
    const root = ['--rootfs', fixturePath('missing-leaf', ''), ...at];
    const { stdout } = await kubepki(['certs', 'check-expiration', '-o', 'json', ...root]);
    const document: unknown = JSON.parse(stdout);
    assert.deepEqual(document, {
      kind: 'CertificateExpirationInfo',
      apiVersion: 'output.kubeadm.k8s.io/v1alpha3',
      certificates: certificates
        .filter(({ name }) => name !== 'super-admin.conf')
        .map(({ name, caName }) =>
          name === 'apiserver' || name === 'scheduler.conf'
            ? { name, expirationDate: null, residualTime: 0, externallyManaged: false, missing: true }
            : {
                name,
                ...expires('2027-11-23', stdout, name),
                externallyManaged: false,
                caName,
                missing: false,
              },
        ),
      certificateAuthorities: ['ca', 'etcd-ca', 'front-proxy-ca'].map((name) => ({
        name,
        ...expires('2036-11-20', stdout, name),
        externallyManaged: false,
        missing: false,
      })),
    });
    for (const spelling of [['-o=json'], ['-ojson'], ['--output=json'], ['--output', 'json']]) {
      assert.equal((await kubepki(['certs', 'check-expiration', ...spelling, ...root])).stdout, stdout);
    }
  });

  test('--rootfs stands before the command as well, as with kubeadm', async () => {
    const root = fixturePath('stacked-etcd-rsa', '');
    const before = await kubepki(['--rootfs', root, 'certs', 'check-expiration', ...at]);
    const after = await kubepki(['certs', 'check-expiration', '--rootfs', root, ...at]);
    assert.equal(before.code, 0);
    assert.equal(before.stdout, after.stdout);
  });

  test('the flags of kubeadm that have no effect here are taken', async () => {
    const outcome = await kubepki([
      'certs',
      'check-expiration',
      '--rootfs',
      fixturePath('stacked-etcd-rsa', ''),
      ...at,
      '--allow-missing-template-keys=true',
      '--show-managed-fields=false',
      '-v=5',
    ]);
    assert.deepEqual([outcome.code, outcome.stderr], [0, '']);
  });

  test('an unprivileged reader needs no key, with --certs-only; without it is told what was not looked at', (t) => {
    const setpriv = judge(t, 'setpriv');
    if (setpriv === undefined) return;
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    // Kubeconfigs hold keys and are 0600; an operator who monitors gives a group access to them.
    for (const { kind, name } of certificates) {
      if (kind === 'kubeconfig' && name !== 'super-admin.conf')
        chmodSync(join(tree.kubeconfigDir, name), 0o644);
    }
    const check = (...flags: readonly string[]) =>
      unprivileged(t, setpriv, ['certs', 'check-expiration', '--rootfs', tree.directory, ...at, ...flags]);
    const outcome = check('--certs-only', '--within', '30d');
    assert.deepEqual([outcome.code, outcome.stderr], [0, '']);
    assert.doesNotMatch(outcome.stdout, /yes|!/);
    const whole = check();
    assert.deepEqual([whole.code, whole.stdout], [0, outcome.stdout]);
    const locked = [...whole.stderr.matchAll(/^warning: \S+\/pki\/(\S+\.key): permission denied/gm)];
    assert.equal(locked.length, 10, whole.stderr);
    assert.match(whole.stderr, /^hint: .*--certs-only$/m);
    assert.equal(check('--within', '30d').code, 5);
  });
});

/** The seconds are in the document only; openssl checks them elsewhere, here they agree with each other. */
function expires(day: string, json: string, name: string): { expirationDate: string; residualTime: number } {
  const found = new RegExp(`"name": "${name}",\\s+"expirationDate": "(${day}T[0-9:]{8}Z)"`).exec(json)?.[1];
  assert.ok(found !== undefined, name);
  return {
    expirationDate: found,
    residualTime: (Date.parse(found) - Date.parse('2027-01-01T00:00:00Z')) / 1000,
  };
}
