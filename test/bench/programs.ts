/** What is measured: kubepki on both runtimes, and the probes that it is compared with. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { compile } from '../../bin/standalone/compile.mjs';
import { temporary } from './place.ts';
import type { Words } from './timers/timing.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const probes = 'test/bench/probe';

export const runtimes = ['executable', 'node'] as const;
export type Runtime = (typeof runtimes)[number];

/** How the table calls a program. */
export const titles: Readonly<Record<Runtime, string>> = { executable: 'executable', node: 'Node.js' };

export interface Programs {
  readonly kubepki: Readonly<Record<Runtime, Words>>;
  /** Ten bare key generations. */
  readonly generateKeys: Readonly<Record<Runtime, Words>>;
  readonly readAndParse: Words;
  readonly bareNode: Words;
}

/** All of this source: what `npm run build:standalone` has left in dist/ may be of another. */
export async function buildPrograms(): Promise<Programs> {
  // On one disk with the bundle.
  const { directory } = temporary(join(root, 'dist'));
  const executable = (entry: string, name: string): Words => {
    const file = join(directory, name);
    compile(entry, process.arch, file);
    chmodSync(file, 0o755);
    return [file];
  };
  const generateKeys = join(directory, 'generate-keys.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: [`${probes}/generate-keys.ts`],
    outfile: generateKeys,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minify: true,
    logLevel: 'warning',
  });
  return {
    kubepki: {
      executable: executable('src/cli/main.ts', 'kubepki'),
      node: [process.execPath, join(root, 'bin/kubepki.js')],
    },
    generateKeys: {
      executable: executable(`${probes}/generate-keys.ts`, 'generate-keys'),
      node: [process.execPath, generateKeys],
    },
    readAndParse: executable(`${probes}/read-and-parse.ts`, 'read-and-parse'),
    bareNode: [process.execPath, '-e', '0'],
  };
}
