/** A run of base64 in a file: the body of a PEM block, or a value of a kubeconfig. */
export interface Base64Part {
  readonly index: number;
  readonly text: string;
  /** Encodes other bytes in the same shape: lines where there are lines. */
  encode(bytes: Buffer): string;
}

// Longer than any word of a configuration; no line of a PEM block but its last is shorter.
const run = /[A-Za-z0-9+/]{40,}={0,2}(?:\r?\n[A-Za-z0-9+/]+={0,2}(?=\r?\n))*/g;

export function base64Parts(file: Buffer): Base64Part[] {
  return [...file.toString('latin1').matchAll(run)].map(({ index, 0: text }) => ({
    index,
    text,
    encode: (bytes) => {
      const line = bytes.toString('base64');
      return text.includes('\n') ? (line.match(/.{1,64}/g) ?? []).join('\n') : line;
    },
  }));
}
