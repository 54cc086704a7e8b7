/** Builds dist/ of this source. Imported first by run.mjs and demo.mjs, which start what is there. */
import { npm } from './setup.mjs';

npm('run', '--silent', 'build');
