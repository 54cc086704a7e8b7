import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../support/judge.ts';
import { runProgram } from '../support/program.ts';
import { renewAll } from '../support/renewed.ts';
import { renewableRoles } from '../support/roles.ts';

for (const role of renewableRoles) {
  test(`certtool accepts every certificate renewed in ${role}`, async (t) => {
    const certtool = judge(t, 'certtool');
    if (certtool === undefined) return;
    const { leaves } = await renewAll(t, role);

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

        const printed = await runProgram(certtool, ['--certificate-info', `--infile=${certificate}`]);
        assert.equal(printed.code, 0, printed.stderr);
        assert.equal(printed.stderr, '');
        assert.doesNotMatch(printed.stdout, /warning|error|unknown|invalid/i);
      });
    }
  });
}
