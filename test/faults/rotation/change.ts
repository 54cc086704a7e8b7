/** Run by files.test.ts: a change of the files of a rotation and of the CA's file, as a stage makes it. */
import { join } from 'node:path';
import { argv } from 'node:process';
import { replaceFile, type ChangeSet } from '../../../src/changeset/change-set.ts';
import { readRegularFile } from '../../../src/filesystem/regular-file.ts';
import { destroyRotation } from '../../../src/storage/destroy-key.ts';
import { readRotationFile } from '../../../src/storage/rotation-files.ts';
import { openTransaction } from '../../../src/storage/transaction.ts';
import { stateFor } from '../../support/state.ts';
import { plan } from './plan.ts';

const [, , kind, , directory = ''] = argv;
const certDir = join(directory, 'pki');
const state = stateFor(certDir);
const certificate = join(certDir, 'ca.crt');
const before = readRegularFile(certificate, certificate)?.facts;
const kept = (['plan.json', 'ca.next.crt', 'ca.next.key'] as const).map(
  (name) => readRotationFile(state, name).target,
);
if (kind === 'destroy') destroyRotation(state, plan, () => true);
else change();

function change(): void {
  const changes: ChangeSet = [
    replaceFile({ path: certificate, resolvedPath: certificate, before }, `${String(kind)}\n`, 0o644),
    ...kept.map((target) =>
      kind === 'make' ? replaceFile(target, 'made\n', 0o600) : { target, after: undefined },
    ),
  ];
  const occasion = {
    time: '2026-12-01T00:00:00.000Z',
    command: 'test',
    user: 'root',
    certificates: [],
    restored: null,
  };
  const transaction = openTransaction(
    state,
    changes.map(({ target }) => target),
    { occasion },
  );
  for (const change of changes) transaction.stage(change);
  transaction.prepare({ occasion, verify: () => undefined, keepBackups: 5 }).finish();
}
