import { KubepkiError } from '../errors/error.ts';

/**
 * Each once, in the order in which they were given.
 * @throws KubepkiError usage for what no object can be called
 */
export function requestNames(given: readonly string[]): readonly string[] {
  // k8s.io/apimachinery, IsValidPathSegmentName; anything else would be another path at the API server.
  const wrong = given.find((name) => name === '' || name === '.' || name === '..' || /[/%]/.test(name));
  if (wrong === undefined) return [...new Set(given)];
  throw new KubepkiError('usage', `${JSON.stringify(wrong)} is no name of a request`, {
    hint: 'kubepki csr list shows them',
  });
}
