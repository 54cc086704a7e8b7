/** Nodes before each stage of a rotation, where nothing runs: files alone. */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepted, unasked } from '../../cli/ca-rotate/rotated-node.ts';
import { resign } from '../../support/certificates/resigned.ts';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { makeRoots } from '../../support/rotation/roots.ts';
import { temporaryDirectory, type Cleanup } from '../../support/tree.ts';

/** A command of a rotation, and the node before and after it. */
export interface Step {
  readonly name: string;
  /** Of `kubepki ca`. */
  readonly command: readonly string[];
  readonly before: string;
  readonly after: string;
}

const stages = ['trust', 'switch', 'distrust', 'finish'] as const;

/** A whole rotation of all three CAs on a control plane, and what a worker does in it. @returns by the name */
export async function rotatingTrees(t: Cleanup, openssl: string): Promise<ReadonlyMap<string, Step>> {
  const directory = temporaryDirectory(t);
  const [first, worker] = (['cp-1', 'worker-1'] as const).map((name, index) => {
    const root = join(directory, name);
    mkdirSync(root);
    return { name, root, address: `192.0.2.${String(index + 1)}`, isControlPlane: index === 0 };
  });
  assert.ok(first && worker);
  await makeRoots([first, worker], { keys: 'ECDSA-P256', endpoint: '192.0.2.100' });
  const steps = new Map<string, Step>();
  const step = async (
    { root }: { readonly root: string },
    name: string,
    ...command: readonly string[]
  ): Promise<void> => {
    const [before, after] = [join(directory, `before ${name}`), join(directory, `after ${name}`)];
    cpSync(root, before, { recursive: true, verbatimSymlinks: true });
    await done(root, ...command);
    cpSync(root, after, { recursive: true, verbatimSymlinks: true });
    steps.set(name, { name, command, before, after });
  };
  const follow = async (stage: string): Promise<void> => {
    const file = `/${stage}.tar`;
    await done(first.root, 'rotate', 'export', file);
    copyFileSync(join(first.root, file), join(worker.root, file));
    rmSync(join(first.root, file));
    await step(worker, `ca trust: ${stage}`, 'trust', file, '--offline');
  };
  await step(first, 'prepare', 'rotate', 'prepare', ...unasked);
  await follow('prepare');
  for (const stage of stages) {
    await step(first, stage, 'rotate', stage, '--offline', '--accept', accepted);
    if (stage === 'finish') continue;
    // No API server is there to ask: its kubelet has rotated its certificate.
    if (stage === 'distrust') renewKubelet(openssl, worker.root, join(first.root, 'etc/kubernetes/pki/ca'));
    await follow(stage);
  }
  const plan = readFileSync(join(first.root, 'etc/kubernetes/pki/.kubepki/rotation/plan.json'), 'utf8');
  const { id } = JSON.parse(plan) as { readonly id: string };
  await step(first, 'the end', 'rotate', 'finish', '--offline', '--destroy-old-key', id);
  return steps;
}

async function done(root: string, ...command: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await kubepki(['ca', ...command, '--rootfs', root]);
  assert.equal(code, 0, `ca ${command.join(' ')}: ${stdout}${stderr}`);
}

/** @param by path of the CA, without extension */
function renewKubelet(openssl: string, root: string, by: string): void {
  const file = join(root, readlinkSync(join(root, 'var/lib/kubelet/pki/kubelet-client-current.pem')));
  const scratch = `${file}.scratch`;
  const pem = readFileSync(file, 'utf8');
  const key = pem.slice(pem.search(/-----BEGIN [A-Z ]*PRIVATE KEY/));
  writeFileSync(`${scratch}.crt`, pem);
  writeFileSync(`${scratch}.key`, key);
  resign(openssl, scratch, { by });
  writeFileSync(file, readFileSync(`${scratch}.crt`, 'utf8') + key);
  for (const extension of ['crt', 'key']) rmSync(`${scratch}.${extension}`);
}
