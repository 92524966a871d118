/** What schemas of both OpenAPI versions are, and how they refer to each other. */
export type Schema = Record<string, unknown>;
export type SpecVersion = 2 | 3;

export const refOf = (name: string, version: SpecVersion): string =>
  version === 2 ? `#/definitions/${name}` : `#/components/schemas/${name}`;
