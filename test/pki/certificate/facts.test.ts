import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseCertificates } from '../../../src/pki/certificate/certificate.ts';
import {
  fingerprintOf,
  hasNegativeSerial,
  serialNumberOf,
  serialOf,
} from '../../../src/pki/certificate/facts.ts';
import { factsOf } from '../../support/change-document.ts';
import { judge } from '../../support/judge.ts';
import { temporaryDirectory } from '../../support/tree.ts';

describe('facts of a certificate', () => {
  // The first byte of `80` and of what begins with FF would make the number negative without a byte before it.
  for (const serial of [
    ...['00', '01', '0D7005C3', '7F00', '80', 'FF00000000000000'],
    ...['-01', '-05', '-7F', '-80', '-81', '-0100', '-FF00000000000000'],
  ]) {
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
          ...['-set_serial', serial.replace(/^-?/, '$&0x'), '-keyout', key, '-out', file],
        ],
        { stdio: 'pipe' },
      );
      const [certificate] = parseCertificates(readFileSync(file));
      const facts = factsOf(openssl, file);
      const negative = serial.startsWith('-');
      assert.equal(facts.serial, serial);
      assert.deepEqual(
        [serialOf(certificate), fingerprintOf(certificate)],
        [facts.serial, facts.fingerprint],
      );
      assert.equal(
        serialNumberOf(certificate),
        BigInt(`0x${serial.replace('-', '')}`) * (negative ? -1n : 1n),
      );
      assert.equal(hasNegativeSerial(certificate), negative);
    });
  }
});
