import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { judge } from '../../support/judge.ts';
import { kubepkiInProcess } from '../../support/in-process.ts';
import { changes, snapshot, temporaryDirectory } from '../../support/tree.ts';
import { accepted, ca, done, freshNode, isTakenBy, stage, unasked } from './rotated-node.ts';

const extensions =
  'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,digitalSignature\nsubjectKeyIdentifier=hash\n';

describe('a CA whose key is elsewhere', () => {
  test('is replaced with certificates from there, and its leaves come home by install', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const { directory, certDir } = await freshNode(t);
    const vault = temporaryDirectory(t);
    const at = (name: string): string => join(vault, name);
    const run = (...args: readonly string[]): void => {
      execFileSync(openssl, args, { stdio: 'pipe' });
    };
    renameSync(join(certDir, 'front-proxy-ca.key'), at('old.key'));
    const old = join(certDir, 'front-proxy-ca.crt');
    writeFileSync(at('old.crt'), readFileSync(old));
    writeFileSync(at('ca.ext'), extensions);
    run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', at('next.key'));
    run('req', '-new', '-key', at('next.key'), '-subj', '/CN=front-proxy-2', '-out', at('next.csr'));
    const sign = (request: string, out: string, ...by: readonly string[]): void => {
      run('x509', '-req', '-in', request, '-days', '90', '-out', out, ...by);
    };
    sign(at('next.csr'), at('next.crt'), '-signkey', at('next.key'), '-extfile', at('ca.ext'));
    const byOld = ['-CA', at('old.crt'), '-CAkey', at('old.key'), '-CAcreateserial'];
    sign(at('next.csr'), at('cross.crt'), ...byOld, '-extfile', at('ca.ext'));

    const refused = await ca(directory, 'rotate', 'prepare', 'front-proxy-ca');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /its key is not on this node\nhint: .*--ca-cert FILE --cross-cert FILE/);
    // The files of the command line are looked up below the root.
    for (const name of ['next.crt', 'cross.crt', 'old.crt'])
      writeFileSync(join(directory, name), readFileSync(at(name)));
    const before = snapshot(directory);
    const wrong = [
      ['/cross.crt', '/next.crt', /cross-certificate|key of the old one|does not sign itself/],
      ['/next.crt', '/old.crt', /no cross-certificate of this rotation/],
      ['/old.crt', '/cross.crt', /has the key of the old one/],
    ] as const;
    for (const [next, cross, why] of wrong) {
      const args = ['rotate', 'prepare', 'front-proxy-ca', '--ca-cert', next, '--cross-cert', cross];
      const { code, stderr } = await ca(directory, ...args);
      assert.equal(code, 1);
      assert.match(stderr, why);
    }
    assert.deepEqual(changes(before, snapshot(directory)), []);

    const brought = ['--ca-cert', '/next.crt', '--cross-cert', '/cross.crt'];
    await done(directory, 'rotate', 'prepare', 'front-proxy-ca', ...brought, ...unasked);
    const again = await done(directory, 'rotate', 'prepare', 'front-proxy-ca', ...brought, ...unasked);
    assert.match(again.stdout, /is prepared already/);
    const { code } = await ca(directory, 'rotate', 'prepare', 'front-proxy-ca');
    assert.equal(code, 1);
    await stage(directory, 'trust');
    const switched = await stage(directory, 'switch');
    assert.match(switched.stderr, /the keys are elsewhere: .* front-proxy-ca signed by the new CA/);
    const { stdout: between } = await done(directory, 'status', '--offline');
    assert.match(between, /front-proxy-ca: between trust and switch/);
    const early = await ca(directory, 'rotate', 'distrust', '--offline', '--accept', accepted);
    assert.equal(early.code, 1);
    assert.match(early.stderr, /not that far with front-proxy-ca/);

    const certs = async (...args: readonly string[]): Promise<void> => {
      const outcome = await kubepkiInProcess(['certs', ...args, '--rootfs', directory]);
      assert.equal(outcome.code, 0, outcome.stderr);
    };
    await certs('renew', 'front-proxy-client', '--csr-only');
    writeFileSync(at('leaf.ext'), 'extendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n');
    const byNext = [
      '-CA',
      at('next.crt'),
      '-CAkey',
      at('next.key'),
      '-CAcreateserial',
      '-copy_extensions',
      'none',
    ];
    const request = join(certDir, 'front-proxy-client.csr');
    sign(request, join(certDir, 'front-proxy-client.crt.new'), ...byNext, '-extfile', at('leaf.ext'));
    await certs('install', 'front-proxy-client');
    const leaf = join(certDir, 'front-proxy-client.crt');
    assert.ok(isTakenBy(openssl, at('old.crt'), leaf, 'sslclient'), 'who knows the old CA alone');
    assert.ok(isTakenBy(openssl, at('next.crt'), leaf, 'sslclient'), 'who knows the new CA alone');
    const { stdout: after } = await done(directory, 'status', '--offline');
    assert.match(after, /front-proxy-ca: at switch/);

    // It was put there by hand, without what stands behind it: no key is needed to mend that.
    const whole = readFileSync(leaf, 'utf8');
    writeFileSync(leaf, whole.slice(0, whole.indexOf('-----BEGIN', 1)));
    const { stdout: without } = await done(directory, 'status', '--offline');
    assert.match(without, /front-proxy-ca: between trust and switch/);
    const mended = await stage(directory, 'switch');
    assert.doesNotMatch(mended.stderr, /the keys are elsewhere/);
    assert.equal(readFileSync(leaf, 'utf8'), whole);
    await stage(directory, 'distrust');
    await stage(directory, 'finish');
    assert.equal(isTakenBy(openssl, at('old.crt'), leaf, 'sslclient'), false);
    assert.ok(isTakenBy(openssl, old, leaf, 'sslclient'));
    const { stdout } = await kubepkiInProcess(['verify', '--rootfs', directory]);
    assert.doesNotMatch(stdout, /^ERROR/m);
  });
});
