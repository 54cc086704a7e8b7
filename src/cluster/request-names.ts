import { ApiException, HttpMethod } from '@kubernetes/client-node';
import type { ApiConfiguration, Ask } from './api.ts';
import { listAll, notList, partsOf, type Page } from './list-all.ts';

const kind = 'Table';
const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

/**
 * The names of all CertificateSigningRequests, and nothing else of them. A requestor decides how large a request is, up to a
 * megabyte and a half, labels included; but next to nothing of its row in the table that kubectl prints. So the list has a
 * size that can be relied on, and each object can be asked for by itself, with a bound of its own.
 * @throws ClusterFailure
 */
export function readRequestNames(ask: Ask): Promise<readonly string[]> {
  let nameColumn = 0;
  return listAll(ask, {
    kind,
    page: async (configuration, page) => {
      const table = await readTable(configuration, page);
      const { columnDefinitions, rows, metadata } = table;
      const columns = Array.isArray(columnDefinitions) ? columnDefinitions : [];
      nameColumn = columns.findIndex((column) => partsOf(column)['name'] === 'Name');
      // The client's name for it, as `continue` is no name in TypeScript.
      const goesOn = { _continue: partsOf(metadata)['continue'] };
      return { kind: table['kind'], metadata: goesOn, items: rows ?? [] };
    },
    parse: (row) => {
      const { cells } = partsOf(row);
      const name: unknown = Array.isArray(cells) ? cells[nameColumn] : undefined;
      if (typeof name !== 'string' || name === '') throw notList(kind, 'a row of it has no name');
      return name;
    },
  });
}

/** The client knows no tables. */
async function readTable(
  configuration: ApiConfiguration,
  { limit, _continue }: Page,
): Promise<Readonly<Record<string, unknown>>> {
  const asked = configuration.baseServer.makeRequestContext(path, HttpMethod.GET);
  asked.setHeaderParam('Accept', 'application/json;as=Table;v=v1;g=meta.k8s.io');
  asked.setQueryParam('includeObject', 'None');
  asked.setQueryParam('limit', String(limit));
  if (_continue !== undefined) asked.setQueryParam('continue', _continue);
  await configuration.authMethods.default?.applySecurityAuthentication(asked);
  const answer = await configuration.httpApi.send(asked).toPromise();
  const { httpStatusCode: status, headers } = answer;
  const text = await answer.body.text();
  if (status !== 200) throw new ApiException(status, 'not a table', text, headers);
  return partsOf(JSON.parse(text));
}
