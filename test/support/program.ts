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
 */
export function runProgram(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
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
