/** Names of images as Docker reads them. Upstream: distribution/reference. */

export interface ImageName {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** With registry and, where neither tag nor digest was given, ":latest". */
  readonly full: string;
}

const component = "[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*";
const domain = String.raw`(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`;
const reference = new RegExp(
  `^(${domain})/(${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);
const repositoryCharactersMax = 255;

/** Throws with upstream's text. */
export function parseImageName(text: string): ImageName {
  if (/^[a-f0-9]{64}$/.test(text))
    throw new Error(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const { registry, rest } = splitRegistry(text);
  const repositoryPart = /^[^:@]*/.exec(rest)?.[0] ?? rest;
  const remote = rest.includes(":") ? rest.slice(0, rest.indexOf(":")) : repositoryPart;
  if (remote.toLowerCase() !== remote)
    throw new Error(`invalid reference format: repository name (${remote}) must be lowercase`);
  const found = reference.exec(`${registry}/${rest}`);
  if (found === null) throw new Error("invalid reference format");
  const [, host = "", repository = "", tag, digest] = found;
  if (repository.length > repositoryCharactersMax)
    throw new Error("repository name must not be more than 255 characters");
  const suffix = `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
  return {
    registry: host,
    repository,
    tag,
    digest,
    full: `${host}/${repository}${suffix === "" ? ":latest" : suffix}`,
  };
}

/** Without a registry it is Docker's own, whose plain names are in "library". */
function splitRegistry(text: string): { registry: string; rest: string } {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const isRegistry = slash >= 0 && (/[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first);
  const registry = isRegistry ? (first === "index.docker.io" ? "docker.io" : first) : "docker.io";
  const rest = isRegistry ? text.slice(slash + 1) : text;
  return { registry, rest: registry === "docker.io" && !rest.includes("/") ? `library/${rest}` : rest };
}
