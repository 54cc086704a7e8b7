/** What goes over the wire for a request, and what comes back of its answer. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import * as z from 'zod';
import type { ApiCredentials } from '../../src/cluster/connection.ts';
import { withApi, type ApiRequest } from '../../src/cluster/api.ts';
import { ClusterFailure } from '../../src/cluster/failure.ts';
import { always, type Answer } from '../support/cluster/server.ts';
import { never, signingBed, type Bed } from './signing-bed.ts';

const anything = { what: 'anything', schema: z.looseObject({}) };

function asked<T>(
  bed: Bed,
  request: ApiRequest<T>,
  { credentials, below = '' }: { readonly credentials?: ApiCredentials; readonly below?: string } = {},
): Promise<T> {
  const access = bed.access();
  const server = new URL(`${access.server.origin}${below}`);
  return withApi({ ...access, server, ...(credentials && { credentials }) }, never, (ask) => ask(request));
}

async function failure(outcome: Promise<unknown>): Promise<ClusterFailure> {
  const error: unknown = await outcome.then(
    () => assert.fail('it was believed'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ClusterFailure, String(error));
  return error;
}

describe('a request', () => {
  const answer = always({ status: 200, body: { kind: 'Any' } });

  test('to read: JSON is asked for, and nothing is sent', async (t) => {
    const bed = await signingBed(t, { before: answer });
    if (bed === undefined) return;
    const path = '/api/v1/nodes';
    assert.deepEqual(await asked(bed, { path, answer: anything }), { kind: 'Any' });
    const [{ method, headers, ...seen } = assert.fail('it was not asked')] = bed.server.seen;
    const { 'user-agent': agent, accept, authorization, 'content-type': type } = headers;
    assert.deepEqual([method, seen.path, seen.body], ['GET', path, undefined]);
    assert.deepEqual(
      [agent, accept, authorization, type],
      ['kubepki', 'application/json', undefined, undefined],
    );
  });

  test('with a query and another form of the answer, below a path', async (t) => {
    const bed = await signingBed(t, { before: answer });
    if (bed === undefined) return;
    const query = { labelSelector: 'a/b=c&d', limit: '1' };
    const request = { path: '/api/v1/nodes', query, accept: 'application/json;as=Table', answer: anything };
    for (const below of ['/k8s/c-1', '/k8s/c-1/']) {
      await asked(bed, request, { below });
      const seen = bed.server.seen.at(-1);
      assert.equal(seen?.path, '/k8s/c-1/api/v1/nodes');
      assert.deepEqual(Object.fromEntries(seen.query), query);
      assert.equal(seen.accept, 'application/json;as=Table');
    }
  });

  for (const [method, type] of [
    ['POST', 'application/json'],
    ['PUT', 'application/json'],
    ['PATCH', 'application/merge-patch+json'],
  ] as const) {
    test(`${method}: what is sent is JSON`, async (t) => {
      const bed = await signingBed(t, { before: answer });
      if (bed === undefined) return;
      const body = { metadata: { name: 'ü' }, left: undefined };
      await asked(bed, { method, path: '/api/v1/x', body, answer: anything });
      const [{ headers, ...seen } = assert.fail('it was not asked')] = bed.server.seen;
      assert.deepEqual([seen.method, seen.body], [method, { metadata: { name: 'ü' } }]);
      assert.deepEqual([headers['content-type'], headers['content-length']], [type, '26']);
    });
  }

  test('DELETE: without a body', async (t) => {
    const bed = await signingBed(t, { before: answer });
    if (bed === undefined) return;
    await asked(bed, { method: 'DELETE', path: '/api/v1/x', answer: anything });
    const [seen] = bed.server.seen;
    assert.deepEqual([seen?.method, seen?.body], ['DELETE', undefined]);
  });

  test('with a token, and no certificate', async (t) => {
    const bed = await signingBed(t, { before: answer });
    if (bed === undefined) return;
    const credentials = { kind: 'token', token: 'abc.def' } as const;
    await asked(bed, { path: '/api/v1/x', answer: anything }, { credentials });
    const [seen] = bed.server.seen;
    assert.equal(seen?.headers.authorization, 'Bearer abc.def');
    assert.equal(seen.identity.username, 'system:anonymous');
  });
});

describe('an answer', () => {
  const answered = async (bed: Bed, mostBytes?: number): Promise<unknown> =>
    asked(bed, { path: '/x', answer: anything, ...(mostBytes !== undefined && { mostBytes }) });

  test('is JSON, by its own word', async (t) => {
    const forms: readonly (readonly [string, boolean])[] = [
      ['application/json', true],
      ['application/json; charset=utf-8', true],
      ['Application/JSON ;as=Table', true],
      ['application/apply-patch+json', true],
      ['text/plain', false],
      ['text/plain; application/json', false],
      ['application/jsonp', false],
      ['', false],
    ];
    for (const [type, isJson] of forms) {
      const given: Answer = { status: 200, headers: { 'content-type': type }, body: { a: 1 } };
      const bed = await signingBed(t, { before: always(given) });
      if (bed === undefined) return;
      if (isJson) assert.deepEqual(await answered(bed), { a: 1 }, type);
      else
        assert.match((await failure(answered(bed))).message, /did not answer as an API server does$/, type);
    }
  });

  test('has as many bytes as it may have, and no more', async (t) => {
    const bed = await signingBed(t, { before: always({ status: 200, body: { a: 'b' } }) });
    if (bed === undefined) return;
    assert.deepEqual(await answered(bed, 9), { a: 'b' });
    const { message, retryable } = await failure(answered(bed, 8));
    assert.match(message, /its answer is larger than/);
    assert.equal(retryable, false);
  });

  test('that is a refusal is told by its own words, if they are a Status', async (t) => {
    const said = { kind: 'Status', message: 'no, thank you' };
    for (const [status, body, sentence] of [
      [403, said, 'refused (403): no, thank you'],
      [403, { message: 'no, thank you' }, 'refused (403)'],
      // A user that is not known is told nothing more.
      [401, said, 'does not know the user of the kubeconfig (401)'],
      [301, '', 'answered 301'],
    ] as const) {
      const bed = await signingBed(t, { before: always({ status, body }) });
      if (bed === undefined) return;
      const { message } = await failure(answered(bed));
      assert.equal(message, `the API server at ${bed.access().server.origin} ${sentence}`);
    }
  });

  test('that is malformed is told by its first fault, and quotes nothing of it', async (t) => {
    const bed = await signingBed(t, {
      before: always({ status: 200, body: { kind: '\u001b[31m', a: [1] } }),
    });
    if (bed === undefined) return;
    for (const [schema, why] of [
      [z.object({ kind: z.literal('Pod') }), 'kind is not Pod'],
      [z.object({ a: z.array(z.string()) }), 'a.0 is not a text'],
      [z.object({ b: z.string() }), 'b is missing'],
      [z.object({ kind: z.object({}) }), 'kind is not an object'],
    ] as const) {
      const { message } = await failure(
        asked<unknown>(bed, { path: '/x', answer: { what: 'the Pod p', schema } }),
      );
      assert.equal(message, `the API server's answer is not the Pod p: ${why}`);
    }
  });
});

test('many requests over one connection leave nothing with the signal that bounds them all', async (t) => {
  const bed = await signingBed(t, { before: always({ status: 200, body: {} }) });
  if (bed === undefined) return;
  const { signal } = new AbortController();
  await withApi(bed.access(), signal, async (ask) => {
    for (let left = 30; left > 0; left -= 1) await ask({ path: '/x', answer: anything });
    assert.equal(bed.server.open(), 1);
  });
  assert.deepEqual(getEventListeners(signal, 'abort'), []);
});
