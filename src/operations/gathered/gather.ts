import { KubepkiError } from '../../errors/error.ts';
import { isoSeconds } from '../../pki/der/time.ts';

/** What another node has printed. */
export interface Received<Body> {
  /** The file, or a place in standard input, by which the operator finds it. */
  readonly source: string;
  /** undefined: it does not say. */
  readonly node: string | undefined;
  /** When it was made; undefined: it does not say. */
  readonly time: Date | undefined;
  /** Why it does not tell enough, whatever its age; undefined: it does. */
  readonly lack: KubepkiError | undefined;
  readonly body: Body;
}

/** A text that is no document of the kind. */
export interface Unread {
  readonly source: string;
  readonly error: KubepkiError;
}

/** What is known of one node. */
export interface Gathered<Body> {
  /** Its name; of a document that has none, the document's. */
  readonly node: string;
  readonly time: Date | undefined;
  /** undefined: there is no document of it that could be read. */
  readonly body: Body | undefined;
  /** Why the document does not count as a report of now; undefined: it does. */
  readonly doubt: Doubt | undefined;
}

export interface Doubt {
  /** For a column: `too old`. */
  readonly word: string;
  readonly error: KubepkiError;
}

export interface Gathering {
  readonly now: Date;
  readonly maxAgeMs: number;
  /** As `--max-age` was typed. */
  readonly maxAge: string;
  /** The nodes that must have sent a document, and no others; undefined: any. */
  readonly expected: readonly string[] | undefined;
  /** How such a document is printed. */
  readonly command: string;
}

/** Clocks of two machines may differ by so much. */
export const clockDifferenceMs = 5 * 60_000;

/**
 * One report for each node, in the order in which they came, then those that are expected and have sent none. Of several documents of
 * one node the newest counts: files are kept, and what was measured last is what is known.
 * @returns also what was passed over, a line each
 */
export function gather<Body>(
  received: readonly Received<Body>[],
  unread: readonly Unread[],
  gathering: Gathering,
): { readonly nodes: readonly Gathered<Body>[]; readonly notes: readonly string[] } {
  const byNode = new Map<string, Received<Body>[]>();
  for (const one of received) {
    // Two that do not say whose they are may be of two nodes.
    const name = one.node ?? one.source;
    const others = byNode.get(name);
    if (others === undefined) byNode.set(name, [one]);
    else others.push(one);
  }
  const notes: string[] = [];
  const reported = [...byNode].map(([node, documents]) => {
    const newest = documents.reduce((best, one) => (timeOf(one) > timeOf(best) ? one : best));
    const { time, body, source } = newest;
    const { length: count } = documents;
    if (documents.some((one) => timeOf(one) < timeOf(newest)))
      notes.push(`${node}: of ${String(count)} documents the newest counts: ${source}`);
    return { node, time, body, doubt: doubtOf(newest, gathering) ?? contradiction(newest, documents) };
  });
  const { expected = [], command } = gathering;
  const absent = [...new Set(expected)].filter((name) => !byNode.has(name));
  return {
    nodes: [
      ...reported,
      ...unread.map(({ source, error }) => ({
        node: source,
        time: undefined,
        body: undefined,
        doubt: { word: 'unreadable', error },
      })),
      ...absent.map((node) => ({ node, ...nothingOf(node, command) })),
    ],
    notes,
  };
}

function timeOf({ time }: { readonly time: Date | undefined }): number {
  return time?.getTime() ?? -Infinity;
}

function nothingOf(node: string, command: string): Pick<Gathered<never>, 'time' | 'body' | 'doubt'> {
  const error = new KubepkiError('not-found', 'is expected, and has sent no document', {
    file: node,
    hint: `have it print one, or take it from --expect: ${command}`,
  });
  return { time: undefined, body: undefined, doubt: { word: 'no document', error } };
}

/** Two machines that take themselves for one node must not hide each other. */
function contradiction<Body>(
  newest: Received<Body>,
  documents: readonly Received<Body>[],
): Doubt | undefined {
  const other = documents.find(
    (one) => one !== newest && timeOf(one) === timeOf(newest) && !isSame(one.body, newest.body),
  );
  if (other === undefined) return undefined;
  const error = new KubepkiError(
    'verification',
    `is of the same node and moment as ${other.source}, and differs`,
    {
      file: newest.source,
      hint: 'see whether two machines have one name; else leave one of them out',
    },
  );
  return { word: 'contradicted', error };
}

/** One document may come by itself and in a list. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The first that is found, the gravest first. */
function doubtOf(
  { source, node, time, lack }: Received<unknown>,
  { now, maxAgeMs, maxAge, expected, command }: Gathering,
): Doubt | undefined {
  const doubt = (word: string, message: string, hint: string): Doubt => ({
    word,
    error: new KubepkiError('verification', message, { file: source, hint }),
  });
  const again = `have it printed again: ${command}`;
  if (lack !== undefined) return { word: 'incomplete', error: lack };
  if (node === undefined) return doubt('nameless', 'does not say which node it is of', again);
  if (time === undefined)
    return doubt('no time', 'does not say when it was made, so that nobody knows its age', again);
  const ageMs = now.getTime() - time.getTime();
  if (ageMs > maxAgeMs)
    return doubt('too old', `is of ${isoSeconds(time)}, which is longer ago than ${maxAge}`, again);
  if (ageMs < -clockDifferenceMs)
    return doubt(
      'from the future',
      `is of ${isoSeconds(time)}, which is yet to come`,
      "look at both machines' clocks",
    );
  if (expected !== undefined && !expected.includes(node))
    return doubt(
      'not expected',
      `is of ${node}, which is not expected`,
      'name it with --expect, or leave its document out',
    );
  return undefined;
}
