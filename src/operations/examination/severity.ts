/** `error`: it does not work, or will not be accepted. `warning`: it works, and deserves a look. */
export type Severity = 'error' | 'warning';
