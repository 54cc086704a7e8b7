import { KubepkiError } from '../errors/error.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';

/** How an error names it. */
export const standardInput = 'standard input';

/** All of it. @throws KubepkiError for more than so many bytes, and when it cannot be read */
export async function readStandardInput(maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) {
        throw new KubepkiError('too-large', `is larger than ${String(maxBytes / 1024 / 1024)} MiB`);
      }
      chunks.push(chunk);
    }
  } catch (cause) {
    throw filesystemError(cause, standardInput);
  }
  return Buffer.concat(chunks);
}
