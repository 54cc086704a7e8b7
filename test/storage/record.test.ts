/** Files of ours: what was written is read, and nothing else is taken for one of them. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import fc from '../support/properties.ts';
import { KubepkiError } from '../../src/errors/error.ts';
import {
  deferred,
  isStaged,
  list,
  location,
  matching,
  nullable,
  numberIn,
  object,
  oneOf,
  optional,
  readRecord,
  shownLocation,
  text,
  writeRecord,
} from '../../src/storage/record.ts';
import type { StateDirectory } from '../../src/storage/state-directory.ts';
import { stateFor } from '../support/state.ts';
import { temporaryDirectory } from '../support/tree.ts';

interface Sample {
  readonly id: string;
  readonly status: 'open' | 'done';
  readonly digest: string | null;
  readonly count: number;
  readonly note?: string;
  readonly entries: readonly { readonly path: string; readonly where: string }[];
  readonly later: () => readonly string[];
}

const sample = object<Sample>({
  id: matching(/^[a-z]+$/),
  status: oneOf('open', 'done'),
  digest: nullable(text),
  count: numberIn(0, 9),
  note: optional(text),
  entries: list(object({ path: shownLocation, where: location }), { min: 1 }),
  later: deferred(list(location)),
});

const unusable = { code: 'no-backup', problem: 'is no sample' } as const;

function place(t: TestContext): { readonly state: StateDirectory; readonly path: string } {
  const certDir = join(temporaryDirectory(t), 'pki');
  mkdirSync(join(certDir, '.kubepki'), { recursive: true, mode: 0o700 });
  const state = stateFor(certDir);
  return { state, path: join(state.path, 'sample.json') };
}

function read(state: StateDirectory, path: string): Sample | 'unusable' | undefined {
  const record = readRecord(state, path, sample, unusable);
  if (record === undefined) return undefined;
  if (!(record instanceof KubepkiError)) return record.locate();
  assert.deepEqual([record.code, record.file], ['no-backup', path]);
  return 'unusable';
}

describe('a record', () => {
  test('is read as it was written, whatever is in it', (t) => {
    const { state, path } = place(t);
    const inside = fc
      .array(fc.stringMatching(/^[a-z.]{1,8}$/), { minLength: 1, maxLength: 3 })
      .map((parts) => join(state.certDir, ...parts.map((part) => `x${part}`)));
    fc.assert(
      fc.property(
        fc.record(
          {
            id: fc.stringMatching(/^[a-z]+$/),
            status: fc.constantFrom('open' as const, 'done' as const),
            digest: fc.option(fc.string()),
            count: fc.integer({ min: 0, max: 9 }),
            note: fc.string(),
            entries: fc.array(fc.record({ path: inside, where: inside }, { noNullPrototype: true }), {
              minLength: 1,
              maxLength: 4,
            }),
            later: fc.array(inside, { maxLength: 3 }),
          },
          { requiredKeys: ['id', 'status', 'digest', 'count', 'entries', 'later'], noNullPrototype: true },
        ),
        ({ later, ...rest }) => {
          writeRecord(state, path, sample, { ...rest, later: () => later });
          const found = read(state, path);
          assert.ok(typeof found === 'object');
          const { later: files, ...others } = found;
          assert.deepEqual(others, { ...rest });
          assert.deepEqual(files(), later);
        },
      ),
    );
  });

  test('of which any part is of another kind, missing or out of reach is none', (t) => {
    const { state, path } = place(t);
    const file = join(state.certDir, 'a.crt');
    writeRecord(state, path, sample, {
      id: 'id',
      status: 'open',
      digest: null,
      count: 3,
      entries: [{ path: file, where: file }],
      later: () => [file],
    });
    const good = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    assert.equal(typeof read(state, path), 'object');
    const wrong: readonly (readonly [string, unknown])[] = [
      ['version', 2],
      ['version', '1'],
      ['origin', null],
      ['origin', { certDir: 'relative', kubeconfigDir: null }],
      ['origin', { certDir: '/a/../b', kubeconfigDir: null }],
      ['id', 'ID'],
      ['id', 7],
      ['status', 'other'],
      ['digest', 5],
      ['count', 10],
      ['count', 2.5],
      ['count', '3'],
      ['note', null],
      ['entries', []],
      ['entries', {}],
      ['entries', [{ path: { in: 'cert-dir', path: 'a' } }]],
      ['entries', [{ path: { in: 'cert-dir', path: '/etc/shadow' }, where: { in: 'root', path: 'a' } }]],
      ['entries', [{ path: { in: 'elsewhere', path: 'a' }, where: { in: 'root', path: 'a' } }]],
      ['later', ['a']],
      ['later', undefined],
      ['entries', undefined],
      ['id', undefined],
    ];
    for (const [name, value] of wrong) {
      writeFileSync(path, JSON.stringify({ ...good, [name]: value }));
      assert.equal(read(state, path), 'unusable', `${name}: ${JSON.stringify(value)}`);
    }
    for (const content of ['', '{', 'null', '[]', '1', '"text"', '{}']) {
      writeFileSync(path, content);
      assert.equal(read(state, path), 'unusable', content);
    }
  });

  test('that is a link or a directory is not followed, and said to be one; where nothing is there is none', (t) => {
    const { state, path } = place(t);
    assert.equal(read(state, path), undefined);
    symlinkSync('/etc/hostname', path);
    const messageAt = (file: string): unknown => {
      const record = readRecord(state, file, sample, unusable);
      return record instanceof KubepkiError ? record.message : record;
    };
    assert.equal(messageAt(path), 'is a symbolic link, not a file');
    assert.equal(messageAt(state.path), 'is a directory, not a file');
  });

  test('names a path that cannot be reached from here only when it is asked for', (t) => {
    const { state, path } = place(t);
    const file = join(state.certDir, 'a.crt');
    writeRecord(state, path, sample, {
      id: 'id',
      status: 'open',
      digest: null,
      count: 3,
      entries: [{ path: file, where: file }],
      later: () => ['/elsewhere/a.key'],
    });
    const stored = JSON.parse(readFileSync(path, 'utf8')) as { origin: { certDir: string } };
    writeFileSync(path, JSON.stringify({ ...stored, origin: { ...stored.origin, certDir: '/another/pki' } }));
    const found = read(state, path);
    assert.ok(typeof found === 'object');
    assert.equal(found.entries[0]?.where, file);
    assert.throws(found.later, (error) => error instanceof KubepkiError && error.code === 'unfinished');
  });

  test('tells our own name of a staged file from every other', () => {
    const target = { in: 'cert-dir', path: 'etcd/server.key' };
    const staged = (path: string, where = 'cert-dir'): boolean => isStaged({ in: where, path }, target);
    assert.ok(staged('etcd/.server.key.kubepki-0123456789ab'));
    assert.ok(!staged('etcd/.server.key.kubepki-0123456789ab', 'root'));
    for (const path of [
      '.server.key.kubepki-0123456789ab',
      'etcd/server.key',
      'etcd/.peer.key.kubepki-0123456789ab',
      'etcd/.server.key.kubepki-0123456789',
      '/etc/shadow',
    ]) {
      assert.ok(!staged(path), path);
    }
  });
});
