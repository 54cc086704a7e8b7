import type { Found } from '../../operations/references/reference.ts';
import { renderDocument, type DocumentFormat } from '../document.ts';

/** Every field is always there, null where it says nothing. */
export function referencesDocument(found: Found, format: DocumentFormat): string {
  const { rotation, references, unpublished, unread } = found;
  return renderDocument(
    'CaReferences',
    {
      rotation: rotation ?? null,
      references: references.map(({ kind, namespace, name, field, held, says, command, advice }) => ({
        kind,
        namespace: namespace ?? null,
        name,
        field: field ?? null,
        authority: held?.authority ?? null,
        holds: held?.what ?? null,
        message: says,
        advice: advice ?? null,
        command: command ?? null,
      })),
      unpublished,
      notLookedAt: unread.map(({ what, why }) => ({ what, reason: why })),
    },
    format,
  );
}
