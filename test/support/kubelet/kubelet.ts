import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';

export interface KubeletOptions {
  readonly manifestsDir: string;
  /** How often it looks, as fileCheckFrequency. */
  readonly checkMs: number;
  /** The command line of a container, program and arguments, and one of its variables, as the process is to get them. */
  readonly container: (words: readonly string[]) => readonly string[];
  readonly variable: (value: string) => string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Kubelet {
  /** Every start of a pod so far, by the manifest's file name. */
  readonly starts: readonly string[];
  pid(file: string): number | undefined;
  /** What the pod's process has written since its last start. */
  log(file: string): string;
  stop(): Promise<void>;
}

interface Pod {
  readonly text: string;
  process: ChildProcess;
  log: string;
}

/**
 * A stand-in for the kubelet, as far as static pods go: it looks at the files of a directory every so often, passes over
 * subdirectories and names that begin with a dot (pkg/kubelet/config/file.go), runs the first container of each manifest
 * as a process, stops it with SIGTERM when its file is gone or says something else, and starts it anew when it has ended.
 */
export function startKubelet(options: KubeletOptions): Kubelet {
  const pods = new Map<string, Pod>();
  const starts: string[] = [];
  const stopping = new Set<Promise<void>>();
  const halt = new AbortController();
  const busy = new Set<string>();

  const start = (file: string, text: string): void => {
    const container = containerIn(text);
    // As the kubelet: what it cannot read it does not run.
    if (container === undefined) return;
    const [program = '', ...args] = options.container(container.command);
    const variables = (container.env ?? []).map(
      ({ name, value }) => [name, options.variable(value)] as const,
    );
    const process = spawn(program, args, {
      env: { PATH: '/usr/bin:/bin', ...options.env, ...Object.fromEntries(variables) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const pod: Pod = { text, process, log: '' };
    for (const stream of [process.stdout, process.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (pod.log += chunk));
    }
    process.on('error', (error) => (pod.log += error.message));
    pods.set(file, pod);
    starts.push(file);
  };

  const end = async (file: string): Promise<void> => {
    const pod = pods.get(file);
    if (pod === undefined || busy.has(file)) return;
    busy.add(file);
    await terminate(pod.process, 'SIGTERM');
    pods.delete(file);
    busy.delete(file);
  };

  const look = (): void => {
    const found = manifestsIn(options.manifestsDir);
    for (const [file, pod] of pods) {
      if (found.get(file) !== pod.text) {
        const stopped = end(file);
        stopping.add(stopped);
        void stopped.finally(() => stopping.delete(stopped));
      }
    }
    for (const [file, text] of found) {
      const pod = pods.get(file);
      if (pod === undefined) start(file, text);
      // restartPolicy: Always
      else if (hasEnded(pod.process) && !busy.has(file) && pod.text === text) start(file, text);
    }
  };

  const loop = (async () => {
    while (!halt.signal.aborted) {
      look();
      await pause(options.checkMs, undefined, { signal: halt.signal }).catch(() => undefined);
    }
  })();

  return {
    starts,
    pid: (file) => pods.get(file)?.process.pid,
    log: (file) => pods.get(file)?.log ?? '',
    async stop() {
      halt.abort();
      await loop;
      // Also those that are being stopped and do not listen.
      await Promise.all([...pods.values()].map(({ process }) => terminate(process, 'SIGKILL')));
      await Promise.all(stopping);
    },
  };
}

function manifestsIn(directory: string): ReadonlyMap<string, string> {
  const files = readdirSync(directory, { withFileTypes: true }).filter(
    (entry) => !entry.isDirectory() && !entry.name.startsWith('.'),
  );
  return new Map(
    files.flatMap(({ name }) => {
      try {
        return [[name, readFileSync(join(directory, name), 'utf8')] as const];
      } catch {
        // Gone since it was listed.
        return [];
      }
    }),
  );
}

interface Container {
  readonly command: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
}

/** @returns undefined for what is no pod */
function containerIn(text: string): Container | undefined {
  try {
    const pod = parse(text) as { readonly spec: { readonly containers: readonly Container[] } };
    return pod.spec.containers[0];
  } catch {
    return undefined;
  }
}

function hasEnded({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

async function terminate(process: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(process)) return;
  const exited = once(process, 'exit');
  process.kill(signal);
  await exited;
}
