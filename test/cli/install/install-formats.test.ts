/** How the file with the signed certificate is called, and what is in it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { externalTree, type ExternalTree } from '../../support/certificates/openssl-ca.ts';
import { changes, snapshot } from '../../support/tree.ts';

const back = ['--csr-dir', '/csr'];

interface Signed extends ExternalTree {
  /** A file in the CSR dir. */
  readonly at: (name: string) => string;
}

/** The certificate of apiserver has been asked for, and is signed as `signed.crt`, elsewhere. */
async function asked(t: TestContext): Promise<Signed | undefined> {
  const set = externalTree(t, 'ipv6');
  if (set === undefined) return undefined;
  await done(set.tree, 'renew', 'apiserver', '--csr-only', ...back);
  const at = (name: string): string => join(set.csrDir, name);
  set.ca.sign(at('apiserver.csr'), join(set.tree.directory, 'signed.crt'), { days: 1000 });
  return { ...set, at };
}

const signed = ({ tree }: Signed): string => join(tree.directory, 'signed.crt');

describe('a certificate beside its CSR', () => {
  for (const name of ['apiserver.pem', 'apiserver.cer']) {
    test(`called ${name} is installed, and cleared away`, async (t) => {
      const set = await asked(t);
      if (set === undefined) return;
      copyFileSync(signed(set), set.at(name));
      const { stdout, stderr } = await done(set.tree, 'install', ...back);
      assert.match(stdout, /^certificate for serving the Kubernetes API installed, ends /);
      // The name tells whose it is.
      assert.doesNotMatch(stderr, /warning/);
      assert.equal(
        readFileSync(join(set.tree.certDir, 'apiserver.crt'), 'utf8').includes(
          /-----BEGIN[^]*/.exec(readFileSync(signed(set), 'utf8'))?.[0] ?? '-',
        ),
        true,
      );
      assert.deepEqual(readdirSync(set.csrDir), []);
    });
  }

  test('in the cert dir, and beside a kubeconfig', async (t) => {
    const set = externalTree(t, 'ipv6');
    if (set === undefined) return;
    const { tree, ca } = set;
    const pki = (name: string): string => join(tree.certDir, name);
    // What has such a name and no CSR beside it is left alone, whatever it is.
    writeFileSync(pki('front-proxy-client.pem'), 'something else');
    await done(tree, 'renew', 'apiserver', 'scheduler.conf', '--csr-only');
    ca.sign(pki('apiserver.csr'), pki('apiserver.pem'), { days: 1000 });
    ca.sign(pki('scheduler.conf.csr'), pki('scheduler.conf.cer'), { days: 1000 });
    const { stdout } = await done(tree, 'install');
    assert.equal(stdout.match(/ installed, ends /g)?.length, 2);
    assert.deepEqual(
      readdirSync(tree.certDir).filter((name) => /\.(?:pem|cer|csr|new)$/.test(name)),
      ['front-proxy-client.pem'],
    );
  });

  test('by a name of its own is found by its key; a .pem that is none is passed over', async (t) => {
    const set = await asked(t);
    if (set === undefined) return;
    copyFileSync(signed(set), set.at('answer.pem'));
    copyFileSync(set.at('apiserver.key'), set.at('apiserver.pem'));
    writeFileSync(set.at('notes.pem'), 'no certificate');
    const { stderr } = await done(set.tree, 'install', ...back);
    assert.match(stderr, /^warning: \S+answer\.pem: holds the certificate for apiserver, by its key$/m);
    assert.deepEqual(readdirSync(set.csrDir).sort(), ['apiserver.pem', 'notes.pem']);
  });

  test('twice: the one that ends last is taken, and the other is named', async (t) => {
    const set = await asked(t);
    if (set === undefined) return;
    set.ca.sign(set.at('apiserver.csr'), set.at('apiserver.crt'), { days: 500 });
    copyFileSync(signed(set), set.at('apiserver.pem'));
    const { stderr } = await done(set.tree, 'install', ...back);
    assert.match(
      stderr,
      /^warning: \S+apiserver\.pem: the certificate for apiserver is taken, and not the one in \S+apiserver\.crt, which ends no later$/m,
    );
  });

  test('twice the same: nothing has to be said', async (t) => {
    const set = await asked(t);
    if (set === undefined) return;
    for (const name of ['apiserver.crt', 'apiserver.cer']) copyFileSync(signed(set), set.at(name));
    assert.doesNotMatch((await done(set.tree, 'install', ...back)).stderr, /warning/);
  });

  test('is stale when its request is replaced', async (t) => {
    const set = await asked(t);
    if (set === undefined) return;
    renameSync(signed(set), set.at('apiserver.pem'));
    await done(set.tree, 'renew', 'apiserver', '--csr-only', ...back, '--force');
    assert.deepEqual(readdirSync(set.csrDir).sort(), ['apiserver.csr', 'apiserver.key']);
  });
});

describe('what is no certificate in PEM says how to make it one', () => {
  const pkcs7 = ['crl2pkcs7', '-nocrl', '-certfile'];
  for (const [name, how, message] of [
    [
      'apiserver.cer',
      ['x509', '-outform', 'der', '-in'],
      /apiserver\.cer: is DER, not PEM\nhint: convert it: openssl x509 -inform der -in FILE -out FILE\.pem\n/,
    ],
    [
      'apiserver.crt',
      ['x509', '-outform', 'der', '-in'],
      /apiserver\.crt: is DER, not PEM\nhint: convert it: openssl x509 -inform der /,
    ],
    [
      'apiserver.p7b',
      pkcs7,
      /apiserver\.p7b: holds no certificate, but a PEM block PKCS7\nhint: unpack it: openssl pkcs7 -print_certs /,
    ],
    [
      'apiserver.pem',
      pkcs7,
      /apiserver\.pem: holds no certificate, but a PEM block PKCS7\nhint: unpack it: /,
    ],
    [
      'apiserver.cer',
      ['crl2pkcs7', '-nocrl', '-outform', 'der', '-certfile'],
      /apiserver\.cer: is PKCS#7 in DER, not PEM\nhint: unpack it: openssl pkcs7 -inform der -print_certs /,
    ],
  ] as const) {
    test(`${name}, made by openssl ${how.slice(0, -1).join(' ')}`, async (t) => {
      const set = await asked(t);
      if (set === undefined) return;
      writeFileSync(set.at(name), execFileSync(set.openssl, [...how, signed(set)]));
      const before = snapshot(set.tree.directory);
      const outcome = await certs(set.tree, 'install', ...back);
      assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
      assert.match(outcome.stderr, message);
      assert.deepEqual(changes(before, snapshot(set.tree.directory)), []);

      // As the hint says, with the command that it gives.
      const command = /: (openssl .*)$/m.exec(outcome.stderr)?.[1] ?? '';
      execFileSync('/bin/sh', ['-c', command.replaceAll('FILE', set.at(name))], { stdio: 'ignore' });
      if (name.endsWith('.crt')) renameSync(set.at(name), join(set.tree.directory, 'away'));
      await done(set.tree, 'install', ...back);
    });
  }
});
