/** What `npm run package` has put into dist/. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const dist = join(root, 'dist');
export const version = packageJson.version;

/** Of this machine, as dpkg and rpm call it. */
const machine = process.arch === 'arm64' ? { deb: 'arm64', rpm: 'aarch64' } : { deb: 'amd64', rpm: 'x86_64' };
export const deb = join(dist, `kubepki_${version}-1_${machine.deb}.deb`);
export const rpm = join(dist, `kubepki-${version}-1.${machine.rpm}.rpm`);
export const executable = join(dist, `kubepki-linux-${process.arch}`);

/** The paths of the packages, with those for another machine. */
export function packages(ending: '.deb' | '.rpm'): readonly string[] {
  return readdirSync(dist)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(dist, name));
}

/** The time of the commit, as in SOURCE_DATE_EPOCH. */
export function commitSeconds(): number {
  return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }));
}
