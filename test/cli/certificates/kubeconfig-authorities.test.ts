/** The CAs that a kubeconfig trusts: none of them is lost. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { besideChangeNote } from '../../support/change-note.ts';
import { doneInProcess as done } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { quickTree } from '../../support/node.ts';
import { externalTree } from '../../support/certificates/openssl-ca.ts';
import { temporaryDirectory, type Tree } from '../../support/tree.ts';

function edit(tree: Tree, name: string, change: (text: string) => string): void {
  const path = join(tree.kubeconfigDir, name);
  const text = readFileSync(path, 'utf8');
  const changed = change(text);
  assert.notEqual(changed, text);
  writeFileSync(path, changed);
}

/** What the kubeconfig trusts, as PEM. */
function trustedBy(tree: Tree, name: string): string {
  const text = readFileSync(join(tree.kubeconfigDir, name), 'utf8');
  const [, data = ''] = /certificate-authority-data: (\S+)/.exec(text) ?? [];
  return Buffer.from(data, 'base64').toString();
}

function trust(tree: Tree, name: string, pem: string): void {
  const data = `certificate-authority-data: ${Buffer.from(pem).toString('base64')}`;
  edit(tree, name, (text) => text.replace(/certificate-authority-data: \S+/, data));
}

/** Another CA, such as a load balancer's. */
function balancer(t: TestContext, openssl: string): string {
  const file = join(temporaryDirectory(t), 'lb');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${file}.key`];
  execFileSync(openssl, ['req', '-x509', '-subj', '/CN=Load Balancer', ...key, '-out', file], {
    stdio: 'pipe',
  });
  return readFileSync(file, 'utf8');
}

describe('a kubeconfig that trusts another CA too', () => {
  test('renew: keeps it byte for byte, and says so, in the dry run as well', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = quickTree(t);
    const own = trustedBy(tree, 'admin.conf');
    const held = `# the cluster's\n${own}# the load balancer's\n${balancer(t, openssl)}`;
    trust(tree, 'admin.conf', held);
    const dry = await done(tree, 'renew', 'admin.conf', '--dry-run');
    const quiet = await done(tree, 'renew', 'admin.conf', '--quiet');
    assert.deepEqual([quiet.stdout, besideChangeNote(quiet.stderr)], ['', '']);
    const run = await done(tree, 'renew', 'admin.conf');
    assert.equal(trustedBy(tree, 'admin.conf'), held);
    assert.equal(dry.stderr, run.stderr.replace(/^(?!note: \S*admin\.conf: ).*\n/gm, ''));
    assert.match(
      dry.stderr,
      /^note: \S*admin\.conf: keeps the CA CN=Load Balancer \(until \S+Z\), which is not in \S*ca\.crt\n$/,
    );
  });

  test('after a change of the CA it gets the new one, and the plan says so', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = quickTree(t);
    const [other, own] = [balancer(t, openssl), trustedBy(tree, 'scheduler.conf')];
    trust(tree, 'scheduler.conf', other);
    const dry = await done(tree, 'renew', 'scheduler.conf', '--dry-run');
    assert.match(
      dry.stdout,
      /^would change scheduler\.conf: .*\n {2}also trusts the CA CN=kubernetes \(until \S+Z\)\n {2}\S+scheduler\.conf\n/,
    );
    assert.match(
      dry.stderr,
      /^note: \S*: gets the CA CN=kubernetes .*\nnote: \S*: keeps the CA CN=Load Balancer .*\nhint: to trust nothing but /,
    );
    await done(tree, 'renew', 'scheduler.conf');
    assert.equal(trustedBy(tree, 'scheduler.conf'), own + other);
    const [, command = ''] = /hint: to trust nothing but .*?: kubectl (.*)/.exec(dry.stderr) ?? [];
    const kubectl = judge(t, 'kubectl');
    if (kubectl === undefined) return;
    execFileSync(kubectl, command.split(' '), { stdio: 'pipe' });
    assert.equal(trustedBy(tree, 'scheduler.conf'), own);
  });

  test('install: keeps it', async (t) => {
    const set = externalTree(t, 'stacked-etcd-ecdsa');
    if (set === undefined) return;
    const { tree, ca, csrDir, openssl } = set;
    const other = balancer(t, openssl);
    const own = trustedBy(tree, 'admin.conf');
    trust(tree, 'admin.conf', other);
    await done(tree, 'renew', 'admin.conf', '--csr-only', '--csr-dir', '/csr');
    ca.signAll(csrDir);
    const dry = await done(tree, 'install', '--csr-dir', '/csr', '--dry-run');
    assert.match(
      dry.stderr,
      /note: \S*admin\.conf: gets the CA .*\nnote: \S*admin\.conf: keeps the CA CN=Load Balancer /,
    );
    await done(tree, 'install', '--csr-dir', '/csr');
    assert.equal(trustedBy(tree, 'admin.conf'), own + other);
  });

  test('in a file of its own: the file stays, and what it lacks is said', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = quickTree(t);
    const other = balancer(t, openssl);
    writeFileSync(join(tree.kubeconfigDir, 'lb.crt'), other);
    edit(tree, 'admin.conf', (text) =>
      text.replace(/certificate-authority-data: \S+/, 'certificate-authority: lb.crt'),
    );
    for (const more of [['--dry-run'], []]) {
      const { stderr } = await done(tree, 'renew', 'admin.conf', ...more);
      assert.match(
        stderr,
        /^note: \S*admin\.conf: names \S*\/lb\.crt for the CAs it trusts, which lacks the CA CN=kubernetes /,
      );
    }
    assert.equal(readFileSync(join(tree.kubeconfigDir, 'lb.crt'), 'utf8'), other);
  });
});
