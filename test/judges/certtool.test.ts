import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leafFile } from '../support/certificates/certificates.ts';
import { judge } from '../support/judge.ts';
import { runProgram } from '../support/program.ts';
import { renewAll } from '../support/renewed.ts';
import { renewableRoles } from '../support/roles.ts';

for (const role of renewableRoles) {
  test(`certtool accepts every certificate renewed in ${role}`, async (t) => {
    const certtool = judge(t, 'certtool');
    if (certtool === undefined) return;
    const { leaves, originals } = await renewAll(t, role);

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
  });
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
