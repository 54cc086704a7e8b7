import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { takeCaAway } from '../support/certificates/openssl-ca.ts';
import { copyFixtureTo, fixturePath, temporaryDirectory, type Tree } from '../support/tree.ts';
import { faultPoints, hit, shift, traced, type FaultPoint, type TracedRun } from './strace.ts';
import { kubepkiInProcess as kubepki } from '../support/in-process.ts';

// ECDSA: the keys are made in no time, and what is tried here is not how they are made.
const role = 'ipv6';

const requests = ['renew', 'all', '--csr-only', '--csr-dir', '/csr'];

/** A command to be disturbed, and the tree it is run on. */
export interface Scenario {
  readonly name: string;
  /** Lays the tree anew at a path that does not exist. */
  readonly lay: (directory: string) => void;
  /** Takes a laid tree away, where it takes more than removing it. */
  readonly clear?: (directory: string) => void;
  readonly command: readonly string[];
  /** What makes the change instead of kubepki. */
  readonly program?: readonly string[];
  /** What the command belongs to; `certs` by default. */
  readonly group?: readonly string[];
  /** strace's words for what goes wrong in every run of it, the undisturbed one too. */
  readonly injections?: readonly string[];
}

export interface Fault {
  readonly kind: 'killed' | 'failed' | 'signalled';
  /** strace's words: `signal=SIGKILL`, `error=EIO`. */
  readonly effect: string;
  /** From that call on every call of the same name: a disk that stays broken. */
  readonly lasting?: boolean;
}

export function treeAt(directory: string): Tree {
  const kubeconfigDir = join(directory, 'etc/kubernetes');
  return { directory, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
}

export const renewal: Scenario = {
  name: 'renew all',
  lay: (directory) => {
    copyFixtureTo(role, directory);
  },
  command: ['renew', 'all'],
};

/** `ca renew all`: three CA files and the kubeconfigs that hold the first of them. The fixture's CAs end in 2056. */
export const authorityRenewal: Scenario = {
  name: 'ca renew all',
  lay: renewal.lay,
  group: ['ca'],
  command: ['renew', 'all', '--validity', '60y'],
};

/** `generate` on an empty node. */
export const generation: Scenario = {
  name: 'generate',
  lay: (directory) => {
    mkdirSync(join(treeAt(directory).certDir, 'etcd'), { recursive: true });
    copyFileSync(fixturePath('super-admin', 'kubeadm.yaml'), join(directory, 'kubeadm.yaml'));
  },
  command: ['generate', '--config', '/kubeadm.yaml'],
};

/** `rollback` of a renewal. */
export async function rollbackScenario(t: TestContext): Promise<Scenario> {
  const renewed = join(temporaryDirectory(t), 'renewed');
  renewal.lay(renewed);
  const { code, stderr } = await kubepki(['certs', 'renew', 'all', '--rootfs', renewed]);
  assert.equal(code, 0, stderr);
  return { name: 'rollback', lay: copyOf(renewed), command: ['rollback'] };
}

/**
 * `renew kubelet.conf admin.conf`: four files in four directories, one of which becomes a link. kubelet.conf holds its certificate,
 * as before the kubelet has started.
 */
export async function kubeletScenario(t: TestContext): Promise<Scenario> {
  const node = join(temporaryDirectory(t), 'kubelet');
  const { kubeconfigDir } = copyFixtureTo(role, node);
  for (const path of [kubeletStore, 'home']) mkdirSync(join(node, path), { recursive: true });
  cpSync(join(kubeconfigDir, 'admin.conf'), join(node, 'home/config'));
  chmodSync(join(node, 'home/config'), 0o600);
  const { code, stderr } = await kubepki(['certs', 'generate', 'kubelet.conf', '--rootfs', node]);
  assert.equal(code, 0, stderr);
  return {
    name: 'renew kubelet.conf admin.conf',
    lay: copyOf(node),
    command: ['renew', 'kubelet.conf', 'admin.conf', '--update-kubeconfig', '/home/config'],
  };
}

export const kubeletStore = 'var/lib/kubelet/pki';

/** `renew all --csr-only`, with the CA elsewhere. */
export function requestScenario(t: TestContext, openssl: string): Scenario {
  const external = join(temporaryDirectory(t), 'external');
  takeCaAway(openssl, copyFixtureTo(role, external), temporaryDirectory(t));
  return {
    name: 'renew all --csr-only',
    lay: copyOf(external),
    command: requests,
  };
}

/** `install` of what such a CA has signed. */
export async function installScenario(t: TestContext, openssl: string): Promise<Scenario> {
  const signed = join(temporaryDirectory(t), 'signed');
  const ca = takeCaAway(openssl, copyFixtureTo(role, signed), temporaryDirectory(t));
  const { code, stderr } = await kubepki(['certs', ...requests, '--rootfs', signed]);
  assert.equal(code, 0, stderr);
  ca.signAll(join(signed, 'csr'));
  return { name: 'install', lay: copyOf(signed), command: ['install', '--csr-dir', '/csr'] };
}

/**
 * `recover` after a renewal that was killed when half of its files were in place.
 * @param direction `back`: one of its staged files is damaged, so it cannot go forward
 */
export async function recoveryScenario(
  t: TestContext,
  strace: string,
  direction: 'forward' | 'back',
): Promise<Scenario> {
  const halfDone = join(temporaryDirectory(t), 'half-done');
  const points = await pointsOf(t, strace, renewal);
  const renames = points.filter(({ call, line }) => call === 'rename' && line.includes('.kubepki-'));
  assert.equal(renames.length, 17);
  const middle = renames[8];
  assert.ok(middle);
  await inject(strace, temporaryDirectory(t), halfDone, renewal, middle, points, {
    kind: 'killed',
    effect: 'signal=SIGKILL',
  });
  if (direction === 'back') {
    const { kubeconfigDir } = treeAt(halfDone);
    const staged = readdirSync(kubeconfigDir).find((name) => name.startsWith('.scheduler.conf.kubepki-'));
    assert.ok(staged);
    writeFileSync(join(kubeconfigDir, staged), 'damaged');
  }
  return { name: `recover, going ${direction}`, lay: copyOf(halfDone), command: ['recover'] };
}

/** Takes a laid tree away. */
export function clear(scenario: Scenario, directory: string): void {
  scenario.clear?.(directory);
  rmSync(directory, { recursive: true, force: true });
}

export function copyOf(source: string): (directory: string) => void {
  return (directory) => {
    cpSync(source, directory, { recursive: true, verbatimSymlinks: true });
  };
}

/** Every call of an undisturbed run that changes something in the tree. */
export async function pointsOf(t: TestContext, strace: string, scenario: Scenario): Promise<FaultPoint[]> {
  const directory = join(temporaryDirectory(t), 'undisturbed');
  scenario.lay(directory);
  const { injections, program } = scenario;
  const run = await traced(strace, commandLine(scenario, directory), temporaryDirectory(t), injections, {
    program,
  });
  assert.equal(run.code, 0, run.stderr);
  // What always fails cannot be made to fail otherwise.
  const failing = (injections ?? []).map((injection) => injection.split(':')[0]);
  return faultPoints(run.log, directory).filter(({ call }) => !failing.includes(call));
}

/** Runs the scenario with a fault at a point. Tries again where the counts have shifted and it hit a call of node's own. */
export async function inject(
  strace: string,
  scratch: string,
  directory: string,
  scenario: Scenario,
  point: FaultPoint,
  all: readonly FaultPoint[],
  { kind, effect, lasting = false }: Fault,
): Promise<TracedRun> {
  let { when } = point;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    clear(scenario, directory);
    scenario.lay(directory);
    const injection = `${point.call}:${effect}:when=${String(when)}${lasting ? '+' : ''}`;
    const run = await traced(
      strace,
      commandLine(scenario, directory),
      scratch,
      [...(scenario.injections ?? []), injection],
      { program: scenario.program },
    );
    if (hit(run.log, directory, kind, point.call)) return run;
    const shifted = shift(run.log, point, directory, all);
    // It came too early to see by how much: a step later.
    when = shifted === undefined ? when + 1 : point.when + shifted;
  }
  throw new Error(`${effect} at ${point.line}: never hit a call on the tree`);
}

function commandLine({ group = ['certs'], command }: Scenario, directory: string): string[] {
  return [...group, ...command, '--rootfs', directory];
}
