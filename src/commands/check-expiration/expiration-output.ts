import { InvalidArgumentError } from 'commander';
import { KubepkiError } from '../../errors/error.ts';
import type { Typed } from '../../flags/table.ts';
import { withoutEquals } from '../../flags/values.ts';
import type { Thresholds } from '../../render/expiration/nagios.ts';

export type ExpirationOutput =
  | { readonly kind: 'text' | 'json' | 'yaml' | 'prometheus' | 'nagios' }
  | { readonly kind: 'jsonpath'; readonly template: string };

const plain = ['text', 'json', 'yaml', 'prometheus', 'nagios'] as const;

export const expirationOutput = {
  says: 'text, json, yaml, jsonpath=TEMPLATE, prometheus or nagios',
  offers: [...plain, 'jsonpath='],
  default: { kind: 'text' } satisfies ExpirationOutput,
  defaultText: 'text',
  parse: (value: string): ExpirationOutput => {
    const format = withoutEquals(value);
    const kind = plain.find((one) => one === format);
    if (kind !== undefined) return { kind };
    const template = /^jsonpath=(.+)$/s.exec(format)?.[1];
    if (template !== undefined) return { kind: 'jsonpath', template };
    if (format === 'jsonpath' || format === 'jsonpath=') {
      throw new InvalidArgumentError("give a template: -o jsonpath='{.certificates[*].name}'");
    }
    throw new InvalidArgumentError('use text, json, yaml, jsonpath=TEMPLATE, prometheus or nagios');
  },
};

const dayMs = 24 * 3_600_000;

/** @throws KubepkiError usage where a warning would come too late */
export function thresholdsOf({ output, warning, critical }: ThresholdOptions): Thresholds {
  const thresholds = {
    warningMs: warning?.milliseconds ?? 30 * dayMs,
    criticalMs: critical?.milliseconds ?? 7 * dayMs,
  };
  if (output.kind === 'nagios' && thresholds.warningMs <= thresholds.criticalMs) {
    throw new KubepkiError('usage', '--warning must be longer than --critical');
  }
  return thresholds;
}

/** The latter two with nagios alone. */
export interface ThresholdOptions extends Typed<'within' | 'warning' | 'critical'> {
  readonly output: ExpirationOutput;
}
