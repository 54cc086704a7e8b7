/** One file with its runtime in it, of a program in TypeScript. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commitDefinition } from '../commit.mjs';
import { fetchRuntime } from './runtime.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The runtime, and the machines that there is one for. */
export const { version, targets } = JSON.parse(
  readFileSync(new URL('runtimes.json', import.meta.url), 'utf8'),
);

/**
 * @param entry the program, relative to the root of the checkout
 * @param name of the target
 * @returns the files that were bundled, relative to the root
 */
export function compile(entry, name, outfile) {
  const { target } = targets[name];
  const runtime = fetchRuntime(targets[name], version, join(root, 'node_modules', '.cache', 'kubepki'));
  const metafile = `${outfile}.json`;
  const flags = [
    ...['build', '--compile', '--minify', '--bytecode', '--format=esm'],
    // It runs as root in whatever directory root stands in.
    ...['--no-compile-autoload-bunfig', '--no-compile-autoload-dotenv'],
    ...['--no-compile-autoload-tsconfig', '--no-compile-autoload-package-json'],
    ...[`--target=${target}`, `--compile-executable-path=${runtime}`, `--metafile=${metafile}`],
    ...['--define', commitDefinition(root).join('=')],
    ...[entry, '--outfile', outfile],
  ];
  const { status, stderr } = spawnSync(compiler(), flags, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(stderr.trimEnd());
  const { inputs } = JSON.parse(readFileSync(metafile, 'utf8'));
  rmSync(metafile);
  return Object.keys(inputs);
}

/** The pinned one, with or without npm's lifecycle scripts: they move it. */
function compiler() {
  const places = [
    'bun/bin/bun.exe',
    `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/bin/bun`,
  ];
  const found = places
    .map((place) => join(root, 'node_modules', place))
    .find(
      (path) =>
        existsSync(path) && spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim() === version,
    );
  if (found !== undefined) return found;
  throw new Error(`bun ${version} is not installed for this machine: npm ci`);
}
