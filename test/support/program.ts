import { spawn } from 'node:child_process';

export interface ProgramOutcome {
  readonly stdout: string;
  readonly stderr: string;
  /** undefined when a signal ended it. */
  readonly code: number | undefined;
}

/**
 * Runs another program to its end without blocking this process, which may be its server. The environment holds a PATH,
 * the given HOME and nothing of the machine's (no proxies, no kubeconfig).
 * @param input is written to its standard input, which stays open until it ends; it is killed after ten seconds
 */
export function runProgram(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<ProgramOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(input === undefined ? {} : { timeout: 10_000, killSignal: 'SIGKILL' }),
    });
    // It may end without having read it.
    child.stdin.on('error', () => undefined);
    if (input === undefined) child.stdin.end();
    else child.stdin.write(input);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ stdout, stderr, code: code ?? undefined });
    });
  });
}
