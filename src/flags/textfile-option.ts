import type { Option } from 'commander';
import { pathOption } from './options.ts';

export interface TextfileOption {
  readonly textfile?: string;
}

export function textfileOption(): Option {
  return pathOption('--textfile <file>', 'also write metrics there, for node_exporter');
}
