import type { ErrorCode } from '../errors/error.ts';

/** What the process says to a cron job or a monitoring system; docs/exit-codes.md documents each. */
export const exitCodes = {
  done: 0,
  error: 1,
  invalidConfig: 3,
  expiring: 4,
  expired: 5,
  notRenewed: 6,
  busy: 7,
  changedButNotFinished: 8,
  unfinished: 9,
  interrupted: 130,
  terminated: 143,
} as const;

/** With `-o nagios` the numbers are those of the Monitoring Plugins guidelines. */
export const nagiosCodes = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;

export type ExitCode =
  (typeof exitCodes)[keyof typeof exitCodes] | (typeof nagiosCodes)[keyof typeof nagiosCodes];

/** kubeadm leaves with 3 when its configuration does not validate, with 1 for everything else. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  switch (code) {
    case 'bad-config':
    case 'unsupported-config':
      return exitCodes.invalidConfig;
    case 'busy':
      return exitCodes.busy;
    case 'unfinished':
      return exitCodes.unfinished;
    case 'not-restarted':
      return exitCodes.changedButNotFinished;
    default:
      return exitCodes.error;
  }
}
