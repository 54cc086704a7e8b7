import * as z from 'zod';

/** undefined: nothing, or something else than a text. It is never a reason not to believe the rest. */
const text = z.string().min(1).optional().catch(undefined);

const schema = z.object({
  kind: z.literal('Status'),
  /** For programs: `NotFound`, `AlreadyExists`. */
  reason: text,
  /** For people, and from the API server: it may be anything. */
  message: text,
  /** The object that it is about. */
  details: z.object({ name: text }).optional().catch(undefined),
});

/** A Status of the API (meta/v1), as far as it is to be believed. */
export type ApiStatus = z.output<typeof schema>;

/**
 * @param body of an answer
 * @returns undefined: it is no Status, so something other than an API server may have answered
 */
export function statusIn(body: string): ApiStatus | undefined {
  try {
    return schema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
