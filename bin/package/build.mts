/**
 * `npm run package`: of the executables in dist/ a .deb and an .rpm each, and an SBOM, beside them; SHA256SUMS over all of it. Arguments
 * choose among x64 and arm64.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commitOf, commitTime } from '../commit.mjs';
import { buildDeb, executableOfDeb } from './deb.mts';
import type { Release } from './files.mts';
import { buildRpm, executableOfRpm } from './rpm.mts';
import { sbomText } from './sbom.mts';

const machines = ['x64', 'arm64'] as const;
const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');

try {
  packageAll(process.argv.slice(2));
} catch (error) {
  console.error(`package: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function packageAll(asked: readonly string[]): void {
  const unknown = asked.find((name) => !machines.some((machine) => machine === name));
  if (unknown !== undefined) throw new Error(`no machine ${unknown}: ${machines.join(' or ')}`);
  // What a program of the build creates by itself gets no other mode on another machine.
  process.umask(0o022);
  const executables = readExecutables();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const commit = commitOfExecutable();
  // Not in dist/: rpmbuild takes no directory with a space in its name.
  const scratch = mkdtempSync(join(tmpdir(), 'kubepki-package-'));
  process.on('exit', () => {
    rmSync(scratch, { recursive: true, force: true });
  });
  const release: Release = { root, dist, scratch, version, epoch: epoch() };
  const made = machines
    .filter((machine) => asked.length === 0 || asked.includes(machine))
    .flatMap((machine) => {
      const deb = buildDeb(release, machine);
      prove(release, deb, executableOfDeb(release, deb), machine);
      const rpm = buildRpm(release, machine);
      prove(release, rpm, executableOfRpm(release, rpm), machine);
      return [deb, rpm];
    });
  const sbom = join(scratch, `kubepki-${version}.cdx.json`);
  writeFileSync(sbom, sbomText(release, commit, executables));
  // Those of another build are in no sum.
  for (const name of readdirSync(dist).filter(isMadeHere)) rmSync(join(dist, name));
  const sums = [
    ...executables.map(({ name, sha256 }) => `${sha256}  ${name}\n`),
    ...[...made, sbom].map((file) => `${sha256Of(readFileSync(file))}  ${basename(file)}\n`),
  ];
  for (const file of [...made, sbom]) copyFileSync(file, join(dist, basename(file)));
  writeFileSync(join(dist, 'SHA256SUMS'), sums.join(''));
  for (const line of sums) console.log(line.trimEnd());
}

/** Those of one build: SHA256SUMS says of which. */
function readExecutables(): readonly { readonly name: string; readonly sha256: string }[] {
  const file = join(dist, 'SHA256SUMS');
  const sums = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return machines.map((machine) => {
    const name = `kubepki-linux-${machine}`;
    const path = join(dist, name);
    const sha256 = existsSync(path) ? sha256Of(readFileSync(path)) : undefined;
    if (sha256 === undefined || !sums.includes(`${sha256}  ${name}\n`))
      throw new Error(
        `dist/${name} is not there, or not the one of dist/SHA256SUMS: npm run build:standalone`,
      );
    return { name, sha256 };
  });
}

/** @throws Error when it is not that of the checkout: packages say what they were made from, with their times too */
function commitOfExecutable(): string | undefined {
  const said = execFileSync(join(dist, `kubepki-linux-${process.arch}`), ['version', '-o', 'json'], {
    encoding: 'utf8',
  });
  const { commit } = JSON.parse(said) as { commit: string | null };
  const here = commitOf(root);
  if (here !== undefined && commit !== here)
    throw new Error(
      `the executables are of ${String(commit)}, the checkout is at ${here}: npm run build:standalone`,
    );
  return commit ?? undefined;
}

/** @throws Error outside of a checkout, unless SOURCE_DATE_EPOCH is set (https://reproducible-builds.org/specs/source-date-epoch/) */
function epoch(): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  const seconds = given === undefined ? commitTime(root) : Number(given);
  if (seconds === undefined || !Number.isSafeInteger(seconds) || seconds < 0)
    throw new Error(
      'the time of the packages is that of the commit; outside of a checkout SOURCE_DATE_EPOCH has it',
    );
  return seconds;
}

/** A packager that strips leaves a plain Bun. So the executable is taken out of the package again. */
function prove(release: Release, file: string, packaged: Buffer, machine: (typeof machines)[number]): void {
  if (!packaged.equals(readFileSync(join(dist, `kubepki-linux-${machine}`))))
    throw new Error(`${basename(file)} has another executable in it than the one that was built`);
  if (machine !== process.arch) return;
  const program = join(release.scratch, 'packaged');
  writeFileSync(program, packaged, { mode: 0o755 });
  const said = execFileSync(program, ['version', '-o', 'short'], { encoding: 'utf8' });
  rmSync(program);
  if (said !== `${release.version}\n`) throw new Error(`${basename(file)}: its kubepki is ${said}`);
}

function isMadeHere(name: string): boolean {
  return /^kubepki[-_].*\.(?:deb|rpm|cdx\.json)$/.test(name);
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
