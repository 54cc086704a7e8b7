import { checkExpiration } from '../../../src/commands/check-expiration/check-expiration.ts';
import { renewCertificates } from '../../../src/commands/renew/renew.ts';
import type { Timed } from '../campaign.ts';
import { collected, type Said } from './said.ts';

/** What the commands that only read make of one tree. */
export interface Outputs {
  readonly text: Said;
  readonly json: Said;
  readonly yaml: Said;
  readonly prometheus: Said;
  readonly nagios: Said;
  readonly dryRun: Said;
}

// Before anything in fixtures ends.
const at = new Date('2026-12-01T00:00:00Z');

/** @param config below the tree's root */
export async function outputsOf(rootfs: string, config: string | undefined, timed: Timed): Promise<Outputs> {
  const node = { rootfs, ...(config === undefined ? {} : { config: `/${config}` }) };
  const check = (kind: Exclude<keyof Outputs, 'dryRun'>): Promise<Said> =>
    timed(() =>
      collected((terminal) =>
        checkExpiration(
          { ...node, rootfs: [rootfs], output: { kind }, allowMissingTemplateKeys: true, at },
          terminal,
        ),
      ),
    );
  return {
    text: await check('text'),
    json: await check('json'),
    yaml: await check('yaml'),
    prometheus: await check('prometheus'),
    nagios: await check('nagios'),
    dryRun: await timed(() =>
      collected((terminal) =>
        renewCertificates(
          ['all'],
          {
            ...node,
            output: 'text',
            dryRun: true,
            keepBackups: 5,
            lockTimeout: 0,
            stopTimeout: 0,
            startTimeout: 0,
            lease: false,
            leaseTimeout: 0,
          },
          undefined,
          terminal,
        ),
      ),
    ),
  };
}

/** Without the plugin's, whose exit codes are of another kind. */
export function saidIn({ text, json, yaml, prometheus, dryRun }: Outputs): readonly Said[] {
  return [text, json, yaml, prometheus, dryRun];
}
