import { readFileSync } from 'node:fs';

/** One request and its answer, as recorded from a real kube-apiserver. */
export interface Recorded {
  readonly note: string;
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

/** In the order in which it was recorded: what stands later is what the server said after what stands before. */
export const transcript = JSON.parse(
  readFileSync(new URL('transcript.json', import.meta.url), 'utf8'),
) as readonly Recorded[];

/** The exchange of that note. */
export function recorded(note: string): Recorded {
  const found = transcript.find((one) => one.note === note);
  if (found === undefined) throw new Error(`nothing was recorded as ${JSON.stringify(note)}`);
  return found;
}
