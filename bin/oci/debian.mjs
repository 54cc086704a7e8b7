/** Packages of Debian for any machine, by apt: it verifies Debian's signature, and takes the newest of the release. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @param architecture as Debian calls it
 * @param names of packages
 * @param cache a directory; what it has and is still the newest is not fetched again
 * @returns the packages' files by their names
 */
export function fetchPackages(architecture, names, cache) {
  const state = join(cache, `debian-${architecture}`);
  const packages = join(state, 'packages');
  for (const directory of ['lists/partial', 'archives/partial'])
    mkdirSync(join(state, directory), { recursive: true });
  rmSync(packages, { recursive: true, force: true });
  mkdirSync(packages);
  // This machine's packages, architectures and sources are none of the image's.
  writeFileSync(join(state, 'status'), '');
  const settings = {
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Dir::Cache': state,
    'Dir::Etc::sourcelist': fileURLToPath(new URL('debian.sources', import.meta.url)),
    'Dir::Etc::sourceparts': '-',
    'Dir::State': state,
    'Dir::State::status': join(state, 'status'),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const apt = (...words) =>
    execFileSync('apt-get', ['--quiet', ...options, ...words], {
      cwd: packages,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  apt('update', '--error-on=any');
  apt('download', ...names);
  const files = readdirSync(packages).map((name) => join(packages, name));
  return new Map(files.map((file) => [field(file, 'Package'), file]));
}

/** A field of the package's description. */
export function field(file, name) {
  return execFileSync('dpkg-deb', ['--field', file, name], { encoding: 'utf8' }).trim();
}

/** All of it. */
export function description(file) {
  return execFileSync('dpkg-deb', ['--field', file], { encoding: 'utf8' });
}

/** Unpacks these paths of a package, and no others. */
export function unpack(file, paths, directory) {
  const content = execFileSync('dpkg-deb', ['--fsys-tarfile', file], { maxBuffer: 2 ** 30 });
  execFileSync('tar', ['-x', '-C', directory, ...paths.map((path) => `./${path}`)], { input: content });
}
