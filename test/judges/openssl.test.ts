import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { leafFacts, leafFile, purposes } from '../support/certificates/certificates.ts';
import { judge } from '../support/judge.ts';
import { renewAll } from '../support/renewed.ts';
import { renewableRoles } from '../support/roles.ts';

const minute = 60_000;
const year = 365 * 24 * 60 * minute;
// Certificates count in whole seconds.
const second = 1000;

for (const role of renewableRoles) {
  test(`openssl accepts every certificate renewed in ${role}, and finds it the same but for key, serial and time`, async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const { leaves, originals, began, ended } = await renewAll(t, role);
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
  });
}

function within(date: Date, from: number, to: number): void {
  const time = date.getTime();
  assert.ok(time >= from - second && time <= to + second, `${date.toISOString()} is not the promised time`);
}
