import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createServer } from 'node:tls';
import { acceptanceOf, makeProbes, offeredBy } from '../../../src/node/rotation/trust-probes.ts';
import { encodeCertificates, parseCertificates } from '../../../src/pki/certificate/certificate.ts';
import { isIssuedBy } from '../../../src/pki/issue/issuer.ts';
import { encodePrivateKey } from '../../../src/pki/key/private-key.ts';
import { leafOf, newAuthority, now } from '../../support/certificates/new-authority.ts';
import { oldAuthority, type Pair } from '../../support/certificates/old-authority.ts';
import { judge } from '../../support/judge.ts';
import { serverFiles } from '../../support/servers/server-files.ts';
import { opensslServer } from '../../support/servers/tls-servers.ts';

const [old, next] = [newAuthority('kubernetes'), newAuthority('kubernetes-20261129')];
const rotated = { old: old.certificate, next: next.certificate };
const host = '127.0.0.1';

test('a probe is made of each CA whose key is here, and that can sign', async (t) => {
  const both = await makeProbes(rotated, [next.key, old.key], now);
  assert.ok(both.old && both.next);
  assert.ok(isIssuedBy(parseCertificates(both.old.certificate)[0], old.certificate));
  assert.ok(isIssuedBy(parseCertificates(both.next.certificate)[0], next.certificate));
  assert.notEqual(both.old.commonName, both.next.commonName);
  const alone = await makeProbes(rotated, [next.key], now);
  assert.deepEqual([alone.old, alone.next?.key.equals(both.next.key)], [undefined, false]);
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const ended = oldAuthority(openssl, { end: '20250101000000Z' });
  const left = await makeProbes({ ...rotated, old: ended.certificate }, [ended.key, next.key], now);
  assert.deepEqual([left.old, left.next === undefined], [undefined, false]);
});

test('what a server says to them, in the words of the status', async (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const files = serverFiles(t, leafOf(old), [next.certificate]);
  const verifying = ['-CAfile', files.ca, '-Verify', '1', '-verify_return_error'];
  const server = { kind: 'etcd', host, port: await opensslServer(t, openssl, files, verifying) } as const;
  const probes = await makeProbes(rotated, [old.key, next.key], now);
  const expected = { acceptsOld: 'no', acceptsNext: 'yes', why: undefined };
  assert.deepEqual(await acceptanceOf(server, rotated, probes, false), expected);
  const elsewhere = { old: newAuthority('x').certificate, next: newAuthority('y').certificate };
  const { why, ...unknown } = await acceptanceOf(server, elsewhere, probes, false);
  assert.deepEqual(unknown, { acceptsOld: 'unknown', acceptsNext: 'unknown' });
  assert.ok(why);
  assert.deepEqual(await acceptanceOf(server, elsewhere, probes, true), expected);
});

async function serverOffering(t: TestContext, authorities: readonly Pair[] | undefined): Promise<number> {
  const { certificate, key } = leafOf(old);
  const server = createServer({
    cert: encodeCertificates([certificate]),
    key: encodePrivateKey(key),
    ...(authorities === undefined
      ? {}
      : { requestCert: true, ca: encodeCertificates(authorities.map((one) => one.certificate)) }),
  });
  server.on('tlsClientError', () => undefined).listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('by the names that it offers', async (t) => {
  const of = async (...authorities: readonly Pair[]): Promise<readonly string[]> => {
    const { acceptsOld, acceptsNext } = await offeredBy(
      { host, port: await serverOffering(t, authorities) },
      rotated,
    );
    return [acceptsOld, acceptsNext];
  };
  const another = newAuthority('front-proxy-ca');
  assert.deepEqual(await of(another, old), ['yes', 'no']);
  assert.deepEqual(await of(old, another, next), ['yes', 'yes']);
  assert.deepEqual(await of(next), ['no', 'yes']);
  assert.deepEqual(await of(another), ['no', 'no']);
  const unknown = { acceptsOld: 'unknown', acceptsNext: 'unknown' };
  const server = { host, port: await serverOffering(t, undefined) };
  assert.deepEqual(await offeredBy(server, rotated), { ...unknown, why: 'it offers the names of no CAs' });
  const sameName = { old: old.certificate, next: newAuthority('kubernetes').certificate };
  assert.deepEqual(await offeredBy(server, sameName), {
    ...unknown,
    why: 'both CAs have the same name',
  });
  assert.deepEqual(await offeredBy({ host, port: 1 }, rotated), { ...unknown, why: 'connection refused' });
});
