import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseCertificates } from '../../src/pki/certificate.ts';
import { fingerprintOf, serialOf } from '../../src/pki/facts.ts';
import { factsOf } from '../support/change-document.ts';
import { judge } from '../support/judge.ts';
import { temporaryDirectory } from '../support/tree.ts';

describe('facts of a certificate', () => {
  // The first byte of the last two would make the number negative without a byte before it.
  for (const serial of ['01', '0D7005C3', '7F00', '80', 'FF00000000000000']) {
    test(`serial number ${serial} is written as openssl writes it`, (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const scratch = temporaryDirectory(t);
      const [file, key] = [join(scratch, 'crt'), join(scratch, 'key')];
      execFileSync(
        openssl,
        [
          ...[
            'req',
            '-x509',
            '-nodes',
            '-newkey',
            'ec',
            '-pkeyopt',
            'ec_paramgen_curve:P-256',
            '-subj',
            '/CN=a',
          ],
          ...['-set_serial', `0x${serial}`, '-keyout', key, '-out', file],
        ],
        { stdio: 'pipe' },
      );
      const [certificate] = parseCertificates(readFileSync(file));
      const facts = factsOf(openssl, file);
      assert.equal(facts.serial, serial);
      assert.deepEqual(
        [serialOf(certificate), fingerprintOf(certificate)],
        [facts.serial, facts.fingerprint],
      );
    });
  }
});
