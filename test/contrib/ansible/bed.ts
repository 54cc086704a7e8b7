/** Hosts of Ansible's that are directories of this machine: connections are `local`, and each has a root of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { kubepkiLine } from '../../support/kubepki.ts';
import { judge } from '../../support/judge.ts';
import { makeRoots, type NodePlace } from '../../support/rotation/roots.ts';
import { temporaryDirectory } from '../../support/tree.ts';

export const contrib = fileURLToPath(new URL('../../../contrib/ansible/', import.meta.url));

/** Of a host in the PLAY RECAP; undefined: it is not in it. */
export interface Recap {
  readonly ok: number;
  readonly changed: number;
  readonly failed: number;
}

export interface PlayOutcome {
  readonly code: number | undefined;
  readonly output: string;
  readonly recap: Readonly<Record<string, Recap>>;
}

/** A host, and the directory that stands for its root. */
export interface Host {
  readonly name: string;
  readonly root: string;
}

export interface Bed {
  /** What is copied to the hosts: a program that starts the one under test. */
  readonly executable: string;
  readonly digest: string;
  /** @param heard is called with all that was said so far, whenever something is said */
  play(
    playbook: string,
    variables: Readonly<Record<string, unknown>>,
    flags?: readonly string[],
    heard?: (output: string) => void,
  ): Promise<PlayOutcome>;
}

export interface MadeBed extends Bed {
  readonly hosts: Readonly<Record<string, NodePlace>>;
}

/** Of nodes where nothing runs. */
export async function ansibleBed(
  t: TestContext,
  size: { readonly controlPlanes: number; readonly workers: number },
): Promise<MadeBed | undefined> {
  const directory = temporaryDirectory(t);
  const place = (name: string, index: number, isControlPlane: boolean): NodePlace => {
    const root = join(directory, name);
    mkdirSync(root);
    return { name, root, address: `192.0.2.${String(index + 1)}`, isControlPlane };
  };
  const controlPlanes = Array.from({ length: size.controlPlanes }, (_none, index) =>
    place(`cp-${String(index + 1)}`, index, true),
  );
  const workers = Array.from({ length: size.workers }, (_none, index) =>
    place(`worker-${String(index + 1)}`, index + 10, false),
  );
  const all = [...controlPlanes, ...workers];
  await makeRoots(all, { keys: 'ECDSA-P256', endpoint: '192.0.2.100' });
  const nothingRuns = { kubepki_live: false, kubepki_restart: false, kubepki_kubelet_service: '' };
  const bed = bedOf(t, { controlPlanes, workers }, nothingRuns);
  return bed && { ...bed, hosts: Object.fromEntries(all.map((one) => [one.name, one])) };
}

/** @param settings variables of all hosts */
export function bedOf(
  t: TestContext,
  { controlPlanes, workers }: Readonly<Record<'controlPlanes' | 'workers', readonly Host[]>>,
  settings: Readonly<Record<string, unknown>>,
): Bed | undefined {
  const ansible = judge(t, 'ansible-playbook');
  if (ansible === undefined) return undefined;
  const directory = temporaryDirectory(t);
  for (const { root } of [...controlPlanes, ...workers])
    mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  const executable = join(directory, 'kubepki');
  writeFileSync(executable, `#!/bin/sh\nexec ${kubepkiLine} "$@"\n`, { mode: 0o755 });
  const inventory = join(directory, 'inventory.json');
  const group = (places: readonly Host[]): object => ({
    hosts: Object.fromEntries(
      places.map(({ name, root }) => [
        name,
        { kubepki_rootfs: root, kubepki_path: join(root, 'usr/local/bin/kubepki') },
      ]),
    ),
  });
  const vars = {
    ansible_connection: 'local',
    ansible_become: false,
    ansible_python_interpreter: '/usr/bin/python3',
    ...settings,
  };
  const children = { control_planes: group(controlPlanes), workers: group(workers) };
  writeFileSync(inventory, JSON.stringify({ all: { vars, children } }));
  return {
    executable,
    digest: createHash('sha256').update(readFileSync(executable)).digest('hex'),
    play: (playbook, variables, flags = [], heard = () => undefined) =>
      new Promise((resolve, reject) => {
        const given = join(directory, 'variables.json');
        writeFileSync(given, JSON.stringify(variables));
        const child = spawn(
          ansible,
          ['-i', inventory, '-e', `@${given}`, ...flags, join(contrib, playbook)],
          { cwd: directory, env: environment(directory), stdio: ['ignore', 'pipe', 'pipe'] },
        );
        let output = '';
        for (const stream of [child.stdout, child.stderr])
          stream.setEncoding('utf8').on('data', (chunk: string) => {
            output += chunk;
            heard(output);
          });
        child.on('error', reject);
        child.on('close', (code) => {
          resolve({ code: code ?? undefined, output, recap: recapOf(output) });
        });
      }),
  };
}

function environment(directory: string): Record<string, string> {
  const { PATH = '/usr/bin:/bin' } = process.env;
  return {
    PATH,
    HOME: directory,
    LC_ALL: 'C.UTF-8',
    ANSIBLE_HOME: join(directory, '.ansible'),
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_PIPELINING: '1',
    // What is said is heard at once.
    PYTHONUNBUFFERED: '1',
  };
}

function recapOf(output: string): Record<string, Recap> {
  const [, recap = ''] = output.split('PLAY RECAP');
  const counts = (text: string): Record<string, number> =>
    Object.fromEntries(
      [...text.matchAll(/(\w+)=(\d+)/g)].map(([, name = '', count]) => [name, Number(count)]),
    );
  return Object.fromEntries(
    [...recap.matchAll(/^(\S+) +: (.*)$/gm)].map(([, host = '', text = '']) => {
      const { ok, changed, failed } = counts(text);
      assert.ok(ok !== undefined && changed !== undefined && failed !== undefined, text);
      return [host, { ok, changed, failed }];
    }),
  );
}
