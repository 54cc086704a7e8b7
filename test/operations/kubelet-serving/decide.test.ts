import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { checks, decide, mayBeDenied } from '../../../src/operations/kubelet-serving/kubelet-serving.ts';
import { judge } from '../../support/judge.ts';
import { derToPem, pemToDer, RequestMaker, type Wanted } from '../../support/certificates/serving-request.ts';
import { temporaryDirectory } from '../../support/tree.ts';
import { refusals } from './refusals.ts';
import { all, byName, object, selection, surroundings, wanted } from './sample.ts';

test('a request with one thing wrong is refused for that', async (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const maker = new RequestMaker(openssl, temporaryDirectory(t));
  const right = { ...object, request: maker.make(wanted) };
  assert.deepEqual(decide(right, surroundings(), byName), { approve: true });
  assert.deepEqual(decide(right, surroundings(), all), { approve: true });

  for (const { title, check, spoil, claims, ...refusal } of refusals) {
    await t.test(`${check}: ${title}`, () => {
      const pem = maker.make({ ...wanted, ...refusal.wanted });
      const decision = decide(
        { ...object, ...refusal.object, request: spoil === undefined ? pem : spoil(pem, maker) },
        surroundings(claims, refusal.surroundings),
        refusal.selection ?? byName,
      );
      assert.ok(!decision.approve, 'it is approved');
      assert.equal(decision.check, check, decision.reason);
      assert.match(decision.reason, /^(?:it|its|there|")[^\n]{8,600}[^.\n]$/);
    });
  }
  await t.test('every check has been seen to fail', () => {
    assert.deepEqual(
      checks.filter((check) => !refusals.some((refusal) => refusal.check === check)),
      [],
    );
  });
});

test('a request with nothing wrong is approved', async (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const maker = new RequestMaker(openssl, temporaryDirectory(t));
  const approved = async (title: string, changes: Partial<Wanted>, usages = object.usages): Promise<void> => {
    await t.test(title, () => {
      const request = maker.make({ ...wanted, ...changes });
      for (const by of [byName, all]) {
        assert.deepEqual(decide({ ...object, usages, request }, surroundings(), by), { approve: true });
      }
    });
  };
  await approved('RSA 2048', { key: 'RSA-2048' });
  await approved('P-384 with SHA-256', { key: 'P-384', options: ['-sha256'] });
  await approved('P-384 with SHA-384', { key: 'P-384', options: ['-sha384'] });
  await approved('RSA with SHA-512', { key: 'RSA-2048', options: ['-sha512'] });
  await approved('only an IPv4 address', { names: ['IP:192.0.2.10'] });
  await approved('only an IPv6 address', { names: ['IP:2001:0db8:0:0:0:0:0:10'] });
  await approved('an IPv4-mapped address', { names: ['IP:::ffff:192.0.2.10'] });
  await approved('only a name', { names: ['DNS:node-1'] });
  await approved('a name in capitals', { names: ['DNS:NODE-1.EXAMPLE.internal'] });
  await approved('a name twice', { names: ['DNS:node-1', 'DNS:node-1'] });
  await approved('the subject the other way round', {
    subject: ['CN = system:node:node-1', 'O = system:nodes'],
  });
  await approved('no key encipherment', {}, ['server auth', 'digital signature']);
  await approved('usages in another order', {}, ['server auth', 'key encipherment', 'digital signature']);
});

test('lists given with a name count too, and only for what they are about', (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const request = new RequestMaker(openssl, temporaryDirectory(t)).make({ ...wanted, names: ['DNS:node-1'] });
  const decided = (cidrs: string[], dns: string[]) =>
    decide({ ...object, request }, surroundings(), selection('name', cidrs, dns));
  assert.equal(decided(['198.51.100.0/24'], []).approve, true);
  assert.equal(decided([], ['node-1']).approve, true);
  assert.equal(decided([], ['node-2']).approve, false);
});

test('a request that Go made, as kubelets are, is approved', (t) => {
  const cfssl = judge(t, 'cfssl');
  if (cfssl === undefined) return;
  const hosts = ['node-1', '192.0.2.10', '2001:db8::10'];
  for (const key of [
    { algo: 'ecdsa', size: 256 },
    { algo: 'ecdsa', size: 384 },
    { algo: 'rsa', size: 2048 },
  ]) {
    const input = JSON.stringify({ CN: object.username, names: [{ O: 'system:nodes' }], hosts, key });
    const output = execFileSync(cfssl, ['genkey', '-loglevel', '5', '-'], {
      input,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const { csr } = JSON.parse(output) as { readonly csr: string };
    assert.deepEqual(decide({ ...object, request: Buffer.from(csr) }, surroundings(), all), {
      approve: true,
    });
  }
});

test('whatever byte of a request is changed, it is refused, and nothing is thrown', (t) => {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return;
  const der = pemToDer(new RequestMaker(openssl, temporaryDirectory(t)).make(wanted));
  for (let at = 0; at < der.length; at += 1) {
    for (const mask of [0x01, 0x20, 0x80, 0xff]) {
      const changed = Buffer.from(der);
      changed.writeUInt8(changed.readUInt8(at) ^ mask, at);
      const { approve } = decide({ ...object, request: derToPem(changed) }, surroundings(), byName);
      assert.equal(approve, false, `byte ${String(at)} xor ${String(mask)}`);
    }
  }
});

test('nesting beyond any stack is a refusal', () => {
  let der = Buffer.alloc(0);
  for (let depth = 0; depth < 9000; depth += 1) {
    const head = Buffer.from([0x30, 0x83, 0, 0, 0]);
    head.writeUIntBE(der.length, 2, 3);
    der = Buffer.concat([der.length < 128 ? Buffer.from([0x30, der.length]) : head, der]);
  }
  const decision = decide({ ...object, request: derToPem(der) }, surroundings(), byName);
  assert.equal(decision.approve || decision.check, 'request');
});

test('what is decided, or for another signer, is not denied', () => {
  assert.deepEqual(
    checks.filter((check) => !mayBeDenied(check)),
    ['pending', 'signer'],
  );
});
