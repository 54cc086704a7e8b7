/**
 * The first process of a node, in namespaces of its own: it runs the static pods, the kubelet, and what is run on the node. What is
 * there ends with it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { startKubelet } from '../../kubelet/kubelet.ts';

export interface Settings {
  /** The command lines of what manifests call by its name. */
  readonly programs: Readonly<Record<string, readonly string[]>>;
  readonly kubelet: readonly [string, ...string[]];
  readonly kubepki: readonly [string, ...string[]];
  /** For every process but kubepki. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  /** What starts it, with its words; none: nothing does. */
  readonly through: readonly string[];
}

/** What the tests may ask of a node. */
export type Question =
  | { readonly call: 'pid' | 'log'; readonly file: string }
  | { readonly call: 'starts' }
  | { readonly call: 'restart-kubelet' }
  | ({ readonly call: 'run'; readonly args: readonly string[] } & Surroundings)
  | { readonly call: 'kill'; readonly run: number; readonly signal: NodeJS.Signals };

/** Questions have numbers, and an answer that of its question; a run is called by that of the question that began it. */
export interface Numbered<T> {
  readonly number: number;
  readonly value: T;
}

const settings = JSON.parse(process.argv[2] ?? '') as Settings;
const manifestsDir = '/etc/kubernetes/manifests';
mkdirSync(manifestsDir, { recursive: true });

const pods = startKubelet({
  manifestsDir,
  checkMs: 300,
  container: ([program = '', ...words]) => [...(settings.programs[program] ?? [program]), ...words],
  variable: (value) => value,
  env: settings.env,
});

const runs = new Map<number, ChildProcess>();
let kubelet = startService();

/** As systemd does, it starts it anew when it has ended. */
function startService(): ChildProcess {
  const [program, ...words] = settings.kubelet;
  const service = spawn(program, words, {
    env: { PATH: '/usr/bin:/bin', ...settings.env },
    stdio: 'inherit',
  });
  service.on('exit', () => {
    setTimeout(() => {
      if (kubelet === service) kubelet = startService();
    }, 1000);
  });
  return service;
}

async function restartKubelet(): Promise<void> {
  const before = kubelet;
  const ended = before.exitCode !== null || before.signalCode !== null ? undefined : once(before, 'exit');
  before.kill('SIGKILL');
  await ended;
  kubelet = startService();
}

async function answer({ number, value }: Numbered<Question>): Promise<unknown> {
  switch (value.call) {
    case 'pid':
      return pods.pid(value.file);
    case 'log':
      return pods.log(value.file);
    case 'starts':
      return pods.starts;
    case 'restart-kubelet':
      return restartKubelet();
    case 'run':
      return run(number, value.args, value);
    case 'kill':
      return runs.get(value.run)?.kill(value.signal);
  }
}

function run(number: number, args: readonly string[], { env, through }: Surroundings): Promise<object> {
  const [program = '', ...words] = [...through, ...settings.kubepki, ...args];
  const child = spawn(program, words, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
  runs.set(number, child);
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      runs.delete(number);
      resolve({ ...said, code, signal });
    });
  });
}

process.on('message', (question: Numbered<Question>) => {
  void answer(question).then((value) => {
    process.send?.({ number: question.number, value } satisfies Numbered<unknown>);
  });
});
// Without the tests it has no reason to be there.
process.on('disconnect', () => process.exit(0));
