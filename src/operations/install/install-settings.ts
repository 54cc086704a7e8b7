import type { CertificateFile } from '../../inventory/certificate-files.ts';
import type { PendingFiles } from '../../inventory/request-files.ts';
import type { Places } from '../../inventory/places.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import type { KeySettings } from '../owners/key-owner.ts';
import type { KeysInUse } from '../issuing/keys-in-use.ts';

export interface InstallSettings extends KeySettings {
  readonly now: Date;
  readonly allowChanges: boolean;
  readonly keysInUse: KeysInUse;
  readonly keys: PrivateKeys;
  /** All that waits, of every certificate, whichever are to be installed. */
  readonly waiting: readonly PendingFiles[];
  readonly files: readonly CertificateFile[];
  /** Host path, without symlinks, of the one among the files that may hold any certificate. */
  readonly bundle: string | undefined;
  readonly places: Places;
}
