import type { ChangeFlags } from '../../change/change-node.ts';
import type { Typed } from '../../flags/table.ts';

type RotateFlag =
  | ('from' | 'accept' | 'offline' | 'kubeconfig')
  | ('caCert' | 'crossCert')
  | ('import' | 'withKeys' | 'passphraseFile' | 'destroyOldKey');

export interface RotateOptions extends ChangeFlags, Typed<RotateFlag> {
  readonly keepBackups: number;
}
