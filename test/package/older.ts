/** Packages of a version before, with a kubepki that only says so. */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDeb } from '../../bin/package/deb.mts';
import { buildRpm } from '../../bin/package/rpm.mts';
import { type Cleanup, temporaryDirectory } from '../support/tree.ts';
import { root } from './built.ts';

const version = '0.0.1';
const machine = process.arch === 'arm64' ? 'arm64' : 'x64';

/** @returns path of the package */
export function olderPackage(t: Cleanup, kind: 'deb' | 'rpm', to: string): string {
  const scratch = temporaryDirectory(t);
  const dist = join(scratch, 'dist');
  mkdirSync(dist);
  writeFileSync(join(dist, 'THIRD-PARTY-NOTICES'), 'none');
  writeFileSync(join(dist, `kubepki-linux-${machine}`), `#!/bin/sh\necho ${version}\n`);
  const release = { root, dist, scratch, version, epoch: 1_700_000_000 };
  const made = kind === 'deb' ? buildDeb(release, machine) : buildRpm(release, machine);
  const file = join(to, `older.${kind}`);
  copyFileSync(made, file);
  chmodSync(file, 0o644);
  return file;
}
