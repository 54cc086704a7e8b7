import { InvalidArgumentError, Option } from 'commander';
import { offering } from './names/offering.ts';
import { withoutEquals } from './output-option.ts';

export type ExpirationOutput =
  | { readonly kind: 'text' | 'json' | 'yaml' | 'prometheus' | 'nagios' }
  | { readonly kind: 'jsonpath'; readonly template: string };

const plain = ['text', 'json', 'yaml', 'prometheus', 'nagios'] as const;

export function expirationOutputOption(): Option {
  const description = 'text, json, yaml, jsonpath=TEMPLATE, prometheus or nagios';
  return offering(new Option('-o, --output <format>', description), [...plain, 'jsonpath='])
    .default({ kind: 'text' } satisfies ExpirationOutput, 'text')
    .argParser(parseExpirationOutput);
}

function parseExpirationOutput(value: string): ExpirationOutput {
  const format = withoutEquals(value);
  const kind = plain.find((one) => one === format);
  if (kind !== undefined) return { kind };
  const template = /^jsonpath=(.+)$/s.exec(format)?.[1];
  if (template !== undefined) return { kind: 'jsonpath', template };
  if (format === 'jsonpath' || format === 'jsonpath=') {
    throw new InvalidArgumentError("give a template: -o jsonpath='{.certificates[*].name}'");
  }
  throw new InvalidArgumentError('use text, json, yaml, jsonpath=TEMPLATE, prometheus or nagios');
}

/** kubectl's and kubeadm's: whether a template may ask for what is not there. */
export function missingKeysOption(): Option {
  return new Option(
    '--allow-missing-template-keys [bool]',
    'with -o jsonpath: false makes a missing field an error',
  )
    .preset('true')
    .default(true)
    .argParser((value: string) => {
      // Go's strconv.ParseBool.
      if (/^(?:1|t|T|true|TRUE|True)$/.test(value)) return true;
      if (/^(?:0|f|F|false|FALSE|False)$/.test(value)) return false;
      throw new InvalidArgumentError('use true or false');
    });
}
