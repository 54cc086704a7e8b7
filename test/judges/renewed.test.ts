import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { leafFacts, leafFile, purposes } from '../support/certificates/certificates.ts';
import { judge } from '../support/judge.ts';
import { runProgram } from '../support/program.ts';
import { renewAll, type RenewedTree } from '../support/renewed.ts';
import { renewableRoles } from '../support/roles.ts';

const minute = 60_000;
const year = 365 * 24 * 60 * minute;
// Certificates count in whole seconds.
const second = 1000;

for (const role of renewableRoles) {
  test(`renewed in ${role}`, async (t) => {
    const renewed = await renewAll(t, role);
    await t.test(
      'openssl accepts every certificate, and finds it the same but for key, serial and time',
      (judged) => acceptedByOpenssl(judged, renewed),
    );
    await t.test('certtool accepts every certificate', (judged) => acceptedByCerttool(judged, renewed));
  });
}

async function acceptedByOpenssl(
  t: TestContext,
  { leaves, originals, began, ended }: RenewedTree,
): Promise<void> {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  assert.deepEqual(
    leaves.map(({ name }) => name),
    originals.map(({ name }) => name),
  );

  for (const leaf of leaves) {
    await t.test(leaf.name, () => {
      const facts = leafFacts(openssl, leaf);
      const before = leafFacts(openssl, leafFile(originals, leaf.name));

      assert.notEqual(purposes(facts).length, 0);
      for (const purpose of purposes(facts)) {
        const verdict: string = execFileSync(
          openssl,
          ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', leaf.ca, leaf.certificate],
          { encoding: 'utf8' },
        );
        assert.equal(verdict, `${leaf.certificate}: OK\n`);
      }

      assert.equal(facts.publicKey, facts.publicKeyOfKeyFile);
      assert.equal(facts.subject, before.subject);
      assert.equal(facts.subjectAltName, before.subjectAltName);
      assert.equal(facts.extendedKeyUsage, before.extendedKeyUsage);
      assert.equal(facts.keyUsage, before.keyUsage);
      assert.match(facts.basicConstraints, /critical\n\s*CA:FALSE/);

      assert.notEqual(facts.publicKey, before.publicKey);
      assert.notEqual(facts.serial, before.serial);
      // At least 64 bits of it are drawn; one in 2^24 of them begins with 24 zero bits.
      assert.ok(facts.serial.length >= 10, facts.serial);

      within(facts.notBefore, began.getTime() - 5 * minute, ended.getTime() - 5 * minute);
      within(facts.notAfter, began.getTime() + year, ended.getTime() + year);
    });
  }
}

function within(date: Date, from: number, to: number): void {
  const time = date.getTime();
  assert.ok(time >= from - second && time <= to + second, `${date.toISOString()} is not the promised time`);
}

async function acceptedByCerttool(t: TestContext, { leaves, originals }: RenewedTree): Promise<void> {
  const certtool = judge(t, 'certtool');
  if (certtool === undefined) return;
  for (const { name, certificate, ca } of leaves) {
    await t.test(name, async () => {
      const verified = await runProgram(certtool, [
        '--verify',
        '--verify-profile=medium',
        `--load-ca-certificate=${ca}`,
        `--infile=${certificate}`,
      ]);
      assert.equal(verified.code, 0, verified.stdout + verified.stderr);
      assert.match(verified.stdout, /Chain verification output: Verified\. The certificate is trusted\./);

      // What is strange to certtool in a certificate (an extension it does not know) was strange before, no more.
      const original = leafFile(originals, name).certificate;
      assert.deepEqual(await complaints(certtool, certificate), await complaints(certtool, original));
    });
  }
}

async function complaints(certtool: string, certificate: string): Promise<readonly string[]> {
  const { code, stdout, stderr } = await runProgram(certtool, [
    '--certificate-info',
    `--infile=${certificate}`,
  ]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => /warning|error|unknown|invalid/i.test(line));
}
