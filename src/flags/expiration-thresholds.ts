import { KubepkiError } from '../errors/error.ts';
import type { Thresholds } from '../render/expiration/nagios.ts';
import type { ExpirationOutput } from './expiration-output-option.ts';
import type { Period, WithinOption } from './period-option.ts';

export interface ThresholdOptions extends WithinOption {
  readonly output: ExpirationOutput;
  /** With nagios alone. */
  readonly warning?: Period;
  readonly critical?: Period;
}

const dayMs = 24 * 3_600_000;

/** @throws KubepkiError usage for flags that do not go together */
export function thresholdsOf({ output, within, warning, critical }: ThresholdOptions): Thresholds {
  const thresholds = {
    warningMs: warning?.milliseconds ?? 30 * dayMs,
    criticalMs: critical?.milliseconds ?? 7 * dayMs,
  };
  if (output.kind !== 'nagios') {
    const given = warning === undefined ? (critical === undefined ? undefined : '--critical') : '--warning';
    if (given !== undefined) throw new KubepkiError('usage', `${given} goes with -o nagios`);
  } else if (within !== undefined) {
    throw new KubepkiError('usage', '--within does not go with -o nagios', {
      hint: 'use --warning and --critical',
    });
  } else if (thresholds.warningMs <= thresholds.criticalMs) {
    throw new KubepkiError('usage', '--warning must be longer than --critical');
  }
  return thresholds;
}
