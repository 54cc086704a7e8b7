import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExpirationRow } from '../../../src/operations/expiration/expiration-report.ts';
import { nextSteps } from '../../../src/operations/expiration/next-step.ts';

const day = 86_400_000;

function row(
  name: string,
  days: number,
  { external = false, ca }: { external?: boolean; ca?: string } = {},
): ExpirationRow {
  const common = {
    status: 'present',
    name,
    notAfter: new Date(0),
    residualMs: days * day,
    faults: [],
    refused: false,
  } as const;
  return { ...common, externallyManaged: external, ...(ca !== undefined && { caName: ca }) };
}

const ca = row('ca', 3650);
const missing: ExpirationRow = { status: 'missing', name: 'etcd-peer' };

test('everything expired: all of it, whatever is missing', () => {
  const certificates = [row('admin.conf', -1, { ca: 'ca' }), row('apiserver', 0, { ca: 'ca' }), missing];
  const steps = nextSteps({ certificates, certificateAuthorities: [ca] });
  assert.deepEqual(steps, [{ names: ['all'], externally: false }]);
});

test('some of it: these', () => {
  const certificates = [row('admin.conf', -1, { ca: 'ca' }), row('apiserver', 1, { ca: 'ca' })];
  const steps = nextSteps({ certificates, certificateAuthorities: [ca] });
  assert.deepEqual(steps, [{ names: ['admin.conf'], externally: false }]);
});

test('what an external CA has signed is asked of it', () => {
  const certificates = [
    row('apiserver', -1, { ca: 'ca' }),
    row('front-proxy-client', -1, { ca: 'front-proxy-ca', external: true }),
  ];
  const steps = nextSteps({ certificates, certificateAuthorities: [ca, row('front-proxy-ca', 9)] });
  assert.deepEqual(steps, [
    { names: ['apiserver'], externally: false },
    { names: ['front-proxy-client'], externally: true },
  ]);
});

test('nothing has expired, or its CA has too: nothing', () => {
  const certificates = [row('apiserver', -1, { ca: 'ca' }), row('etcd-server', 1, { ca: 'etcd-ca' })];
  assert.deepEqual(nextSteps({ certificates, certificateAuthorities: [row('ca', -1)] }), []);
  assert.deepEqual(nextSteps({ certificates: [missing], certificateAuthorities: [ca] }), []);
});
