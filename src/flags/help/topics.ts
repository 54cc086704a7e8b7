/** The pages of `kubepki help`: docs/NAME.md, which `npm run man` puts into pages.json. In the order of the list. */
export const topicNames = [
  'verification',
  'check',
  'renew',
  'restarts',
  'undo',
  'exit-codes',
  'files',
  'external-ca',
  'certificates-api',
  'generate',
  'configuration',
  'timer',
  'hooks',
  'monitoring',
  'json',
  'kubelet-serving',
  'ca',
  'service-account-key',
  'kubeadm',
] as const;

export type TopicName = (typeof topicNames)[number];

/** Commands of a group, by the page that is about them: `kubepki help rollback`. */
export const otherNames: Readonly<Record<string, TopicName>> = {
  'check-expiration': 'check',
  rollback: 'undo',
  history: 'undo',
  recover: 'undo',
  install: 'external-ca',
  'generate-csr': 'generate',
  'certificate-key': 'generate',
};

/** @returns undefined for a word that no page has as its name */
export function topicOf(word: string): TopicName | undefined {
  return (
    topicNames.find((name) => name === word) ??
    (Object.hasOwn(otherNames, word) ? otherNames[word] : undefined)
  );
}
