/** Ten bare key generations, all at once, as `renew all` makes them: on every core, one thread of the pool for each. */
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const count = 10;
// Before its first use, as it is read only then.
process.env['UV_THREADPOOL_SIZE'] = String(count);
const generate = promisify(generateKeyPair);
// Without top-level await, which no CommonJS has; one that fails ends the process with an error all the same.
void Promise.all(Array.from({ length: count }, () => generate('rsa', { modulusLength: 2048 })));
