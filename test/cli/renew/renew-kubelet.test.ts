/** `renew kubelet.conf`: what kubeadm leaves to a kubelet that can no longer do it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, readlinkSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { encodeCertificates, parseCertificates } from '../../../src/pki/certificate/certificate.ts';
import { encodePrivateKey } from '../../../src/pki/key/private-key.ts';
import {
  certsInProcess as certs,
  doneInProcess as done,
  kubepkiInProcess as kubepki,
} from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import type { Outcome } from '../../support/kubepki.ts';
import { issueFor, spareKey } from '../../support/planners/planned-node.ts';
import { edit, put, verifiedNode } from '../../support/planners/verified-node.ts';
import { fileChanges, snapshot, type Tree } from '../../support/tree.ts';

const store = 'var/lib/kubelet/pki';
const dated = `${store}/kubelet-client-2026-11-28-20-50-00.pem`;
const current = `${store}/kubelet-client-current.pem`;
const conf = 'etc/kubernetes/kubelet.conf';
const sentence = 'certificate embedded in the kubeconfig file for the kubelet to use';

const at = (tree: Tree, path: string): string => join(tree.directory, path);
const pemOf = (tree: Tree): string =>
  lstatSync(at(tree, current)).isSymbolicLink()
    ? at(tree, readlinkSync(at(tree, current)).slice(1))
    : at(tree, current);

/** openssl's word: of this CA, for a client, with the key beside it. @returns the subject */
function judged(t: TestContext, tree: Tree): string | undefined {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const pem = pemOf(tree);
  const run = (...args: readonly string[]): string => execFileSync(openssl, args, { encoding: 'utf8' });
  const ca = join(tree.certDir, 'ca.crt');
  assert.match(run('verify', '-purpose', 'sslclient', '-CAfile', ca, pem), /: OK\n$/);
  assert.equal(run('x509', '-in', pem, '-noout', '-pubkey'), run('pkey', '-in', pem, '-pubout'));
  return run('x509', '-in', pem, '-noout', '-subject').trim();
}

/** What `verify` says of the kubelet. */
async function said(tree: Tree): Promise<string[]> {
  const { stdout } = await kubepki(['verify', '-o', 'json', '--rootfs', tree.directory]);
  const document = JSON.parse(stdout) as {
    readonly checks: readonly {
      readonly id: string;
      readonly findings?: readonly { readonly hint?: string }[];
    }[];
  };
  return document.checks
    .filter(({ id }) => id === 'kubelet-kubeconfig' || id === 'kubelet-client')
    .flatMap(({ id, findings = [] }) => findings.map(({ hint = '' }) => `${id}: ${hint}`));
}

/** As kubeadm before 1.17 left the first control plane: kubelet.conf holds a certificate, which has expired by now. */
function embedExpired(tree: Tree): void {
  const [{ subject }] = parseCertificates(readFileSync(at(tree, dated)));
  const certificate = issueFor(tree, 'admin.conf', {
    key: spareKey,
    profile: { subject },
    from: new Date('2025-01-01T00:00:00Z'),
    until: new Date('2026-01-01T00:00:00Z'),
  });
  const data = (pem: string): string => Buffer.from(pem).toString('base64');
  edit(tree, conf, (text) =>
    text
      .replace(
        /client-certificate: \S+/,
        `client-certificate-data: ${data(encodeCertificates([certificate]))}`,
      )
      .replace(/client-key: \S+/, `client-key-data: ${data(encodePrivateKey(spareKey))}`),
  );
}

describe('renew kubelet.conf', () => {
  test('replaces what the link leads to, and says what the kubelet needs', async (t) => {
    const tree = verifiedNode(t);
    const before = snapshot(tree.directory);
    const [old, subject] = [readFileSync(at(tree, dated)), judged(t, tree)];
    const { stdout, stderr } = await done(tree, 'renew', 'kubelet.conf');
    assert.equal(stdout, `${sentence} renewed\n`);
    assert.match(
      stderr,
      /^note: restart the kubelet to use its new certificate\nhint: systemctl restart kubelet\n/m,
    );
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [`~ ${dated} content`]);
    assert.equal(readlinkSync(at(tree, current)), `/${dated}`);
    assert.ok(!readFileSync(at(tree, dated)).equals(old));
    assert.equal(judged(t, tree), subject);
    await done(tree, 'rollback');
    assert.ok(readFileSync(at(tree, dated)).equals(old));
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
  });

  test('makes the file and its link where they are gone; going back leaves no file', async (t) => {
    const tree = verifiedNode(t);
    put(tree, dated.replace('2026', '2025'), readFileSync(at(tree, dated), 'utf8'));
    for (const path of [dated, current]) rmSync(at(tree, path));
    await done(tree, 'renew', 'kubelet.conf');
    assert.match(
      readlinkSync(at(tree, current)),
      /^\/var\/lib\/kubelet\/pki\/kubelet-client-\d{4}(?:-\d\d){5}\.pem$/,
    );
    assert.equal(statSync(pemOf(tree)).mode & 0o777, 0o600);
    judged(t, tree);
    assert.deepEqual(await said(tree), []);
    const made = pemOf(tree);
    await done(tree, 'rollback');
    assert.throws(() => statSync(made), { code: 'ENOENT' });
  });

  test('makes a link of a file, without which the kubelet could not rotate', async (t) => {
    const tree = verifiedNode(t);
    const pem = readFileSync(at(tree, dated));
    unlinkSync(at(tree, current));
    writeFileSync(at(tree, current), pem, { mode: 0o600 });
    assert.match((await said(tree)).join(), /kubelet-client: kubepki certs renew kubelet\.conf/);
    await done(tree, 'renew', 'kubelet.conf');
    assert.ok(lstatSync(at(tree, current)).isSymbolicLink());
    assert.deepEqual(await said(tree), []);
    await done(tree, 'rollback', '--force');
    assert.ok(readFileSync(pemOf(tree)).equals(pem));
  });

  test('an expired certificate in kubelet.conf: the file, which kubelet.conf names from then on', async (t) => {
    const tree = verifiedNode(t);
    embedExpired(tree);
    const text = readFileSync(at(tree, conf));
    const command = `kubepki certs renew kubelet.conf --rootfs ${tree.directory}; systemctl restart kubelet`;
    assert.deepEqual(await said(tree), [`kubelet-kubeconfig: ${command}`]);
    const { stdout } = await done(tree, 'renew', 'kubelet.conf', '-o', 'json');
    const { certificates } = JSON.parse(stdout) as {
      certificates: readonly {
        readonly name: string;
        readonly outcome: string;
        readonly files: readonly string[];
      }[];
    };
    assert.deepEqual(
      certificates.map(({ name, outcome, files }) => ({ name, outcome, files })),
      [{ name: 'kubelet.conf', outcome: 'renewed', files: [at(tree, current), at(tree, conf)] }],
    );
    assert.deepEqual(await said(tree), []);
    judged(t, tree);
    assert.doesNotMatch(readFileSync(at(tree, conf), 'utf8'), /client-\w+-data/);
    await done(tree, 'rollback', '--force');
    assert.ok(readFileSync(at(tree, conf)).equals(text));
  });

  test('a dry run shows it, and changes nothing', async (t) => {
    const tree = verifiedNode(t);
    const before = snapshot(tree.directory);
    const { stdout } = await done(tree, 'renew', 'kubelet.conf', '--dry-run');
    assert.match(
      stdout,
      /^would change kubelet\.conf: ends .*\n {2}\S+kubelet-client-current\.pem\nnothing was changed/,
    );
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
  });

  test('is no part of all, and may stand beside other names', async (t) => {
    const tree = verifiedNode(t);
    const before = snapshot(tree.directory);
    const outcome = await done(tree, 'renew', 'all');
    assert.doesNotMatch(outcome.stdout + outcome.stderr, /kubelet to use|systemctl/);
    assert.ok(
      fileChanges(before, snapshot(tree.directory)).every(
        (line) => !/ var\/lib| etc\/kubernetes\/kubelet/.test(line),
      ),
    );
    const { stdout } = await done(tree, 'renew', 'kubelet.conf', 'scheduler.conf');
    assert.match(stdout, new RegExp(`^.* scheduler .* renewed\n${sentence} renewed\n$`));
  });

  test('is not due with --within, and the record of --quiet has the command', async (t) => {
    const tree = verifiedNode(t);
    const idle = await done(tree, 'renew', 'kubelet.conf', '--within', '30d');
    assert.equal(idle.stdout, 'nothing is due within 30d\n');
    const { stdout, stderr } = await done(tree, 'renew', 'kubelet.conf', '--quiet');
    assert.equal(stdout, '');
    assert.match(stderr, /to have the kubelet use its new certificate: systemctl restart kubelet/);
  });

  test('is not due before the kubelet has started, which then takes the pair in kubelet.conf', async (t) => {
    const tree = verifiedNode(t);
    for (const path of [conf, dated, current]) rmSync(at(tree, path));
    await done(tree, 'generate', 'kubelet.conf');
    const { stdout } = await done(tree, 'renew', 'kubelet.conf', '--within', '30d');
    assert.equal(stdout, 'nothing is due within 30d\n');
  });
});

describe('renew kubelet.conf where it is not done', () => {
  test("without the CA's key verify names kubeadm's way", async (t) => {
    const tree = verifiedNode(t);
    embedExpired(tree);
    rmSync(at(tree, dated));
    rmSync(join(tree.certDir, 'ca.key'));
    assert.match(
      (await said(tree)).join(),
      /kubelet-kubeconfig: .*kubeadm kubeconfig user --org system:nodes/,
    );
  });

  test('the CA is elsewhere: exit 6, and how the node joins again', async (t) => {
    const tree = verifiedNode(t);
    rmSync(join(tree.certDir, 'ca.key'));
    const before = snapshot(tree.directory);
    const { code, stdout, stderr } = await certs(tree, 'renew', 'kubelet.conf');
    assert.equal(code, 6);
    assert.equal(stdout, `Detected external ca, ${sentence} can't be renewed\n`);
    assert.match(stderr, /hint: where the key of the CA is: kubeadm token create --print-join-command/);
    assert.doesNotMatch(stderr, /--csr-only/);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
  });

  test('there is no kubelet.conf: exit 6', async (t) => {
    const tree = verifiedNode(t);
    rmSync(at(tree, conf));
    const { code, stdout } = await certs(tree, 'renew', 'kubelet.conf');
    assert.deepEqual([code, stdout], [6, `MISSING! ${sentence}\n`]);
  });

  for (const flag of ['--csr-only', '--use-api']) {
    test(`${flag}: the kubelet asks by itself`, async (t) => {
      const refused = (outcome: Outcome): void => {
        assert.equal(outcome.code, 1);
        assert.match(
          outcome.stderr,
          /^error: the kubelet asks for its certificates itself, so that none is renewed in this way\nhint: .*kubepki certs renew kubelet\.conf/,
        );
      };
      refused(await certs(verifiedNode(t), 'renew', 'kubelet.conf', flag));
    });
  }

  test('SANs are nothing for it', async (t) => {
    const { code, stderr } = await certs(verifiedNode(t), 'renew', 'kubelet.conf', '--add-san', 'a.example');
    assert.equal(code, 1);
    assert.match(stderr, /--add-san does not go with kubelet\.conf, which has no SANs/);
  });
});
