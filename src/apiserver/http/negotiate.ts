/**
 * Which form the client wants. Two stages as upstream: first the router looks whether any accepted type can be produced
 * at all, then negotiation looks at parameters (`as=Table` …). Upstream: go-restful; handlers/negotiation/negotiate.go.
 */
import { failure, type StatusError } from "#api/status-error.ts";

export interface MediaType {
  type: string;
  parameters: Readonly<Record<string, string>>;
}

export interface Form {
  encoding: "json" | "yaml" | "protobuf";
  /** What to turn the object into. */
  as: "object" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList" | "APIGroupDiscoveryList";
  /** Version of the form: v1 or v1beta1 of meta.k8s.io, v2 of apidiscovery. */
  version: string;
  pretty: boolean;
}

const encodings = new Map<string, Form["encoding"]>([
  ["application/json", "json"],
  ["application/yaml", "yaml"],
  ["application/vnd.kubernetes.protobuf", "protobuf"],
]);
export const producedTypes = [...encodings.keys()];
const watchTypes = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];

const plainJson: Form = { encoding: "json", as: "object", version: "", pretty: false };

/** The types of an Accept header, best first. */
export function parseAccept(header: string): MediaType[] {
  const ranked = header.split(",").flatMap((part, at) => {
    const media = parseMediaType(part);
    if (media === undefined) return [];
    const quality = media.parameters["q"] === undefined ? 1 : Number.parseFloat(media.parameters["q"]);
    return [{ media, quality: Number.isNaN(quality) ? 1 : quality, at }];
  });
  ranked.sort((a, b) => b.quality - a.quality || specificity(b.media) - specificity(a.media) || a.at - b.at);
  return ranked.map(({ media }) => media);
}

function specificity({ type }: MediaType): number {
  return type === "*/*" ? 0 : type.endsWith("/*") ? 1 : 2;
}

export function parseMediaType(text: string): MediaType | undefined {
  const [head = "", ...rest] = text.split(";");
  const type = head.trim().toLowerCase();
  if (type === "") return undefined;
  const parameters: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const item of rest) {
    const equals = item.indexOf("=");
    const name = (equals < 0 ? item : item.slice(0, equals)).trim().toLowerCase();
    if (name !== "")
      parameters[name] =
        equals < 0
          ? ""
          : item
              .slice(equals + 1)
              .trim()
              .replace(/^"(.*)"$/, "$1");
  }
  return { type, parameters };
}

/** The router's look: whether anything acceptable is among what this route produces. */
export function checkRoute(
  accept: string | undefined,
  isCollectionRead: boolean,
  alsoProduced: readonly string[] = [],
): void {
  if (accept === undefined || accept === "") return;
  const acceptable = accept
    .split(",")
    .map((part) => part.split(";")[0]!.trim())
    .some((type) => type === "*/*" || encodings.has(type) || alsoProduced.includes(type));
  const types = [...alsoProduced, ...producedTypes];
  if (!acceptable) throw routeNotAcceptable(isCollectionRead ? [...types, ...watchTypes] : types);
}

export function routeNotAcceptable(types: readonly string[]): StatusError {
  const message = `406: Not Acceptable\n\nAvailable representations: ${types.join(", ")}`;
  return failure(406, "NotAcceptable", message, {});
}

export function notAcceptable(types: readonly string[] = producedTypes): StatusError {
  return failure(406, "NotAcceptable", `only the following media types are accepted: ${types.join(", ")}`);
}

export interface Allowed {
  /** Forms beside the object itself, for example "Table". */
  as: readonly Form["as"][];
  watch?: boolean;
  /** Objects of this kind have no protobuf form of their own; Tables and metadata of them do. */
  isUntyped?: boolean;
}

export function negotiate(accept: string | undefined, pretty: boolean, allowed: Allowed): Form {
  if (accept === undefined || accept === "" || accept === "*/*" || accept === "application/json")
    return pretty ? { ...plainJson, pretty } : plainJson;
  const accepted = parseAccept(accept);
  // JSON is there already; protobuf would have to be made.
  const takesJson = accepted.some(
    ({ type, parameters }) => type === "application/json" && parameters["as"] === undefined,
  );
  for (const media of accepted) {
    const wanted = media.type === "*/*" || media.type === "application/*" ? "json" : encodings.get(media.type);
    if (wanted === undefined) continue;
    const encoding = wanted === "protobuf" && takesJson && media.parameters["as"] === undefined ? "json" : wanted;
    const form = formOf(media, encoding, allowed);
    if (form !== undefined) return { ...form, pretty: pretty || media.parameters["pretty"] === "1" };
  }
  throw notAcceptable(allowed.watch === true ? watchTypes : producedTypes);
}

function formOf(media: MediaType, encoding: Form["encoding"], allowed: Allowed): Form | undefined {
  if (allowed.watch === true && encoding === "yaml") return undefined;
  const { as, v = "", g = "", stream, sv = "" } = media.parameters;
  if (sv !== "" && sv !== "v1") return undefined;
  if (as === "Table" && encoding === "protobuf") return undefined; // a Table has no such form
  if (allowed.isUntyped === true && encoding === "protobuf" && as === undefined) return undefined;
  if (stream !== undefined && stream !== "" && (stream !== "watch" || encoding === "yaml")) return undefined;
  if (as === undefined)
    return v === "" && g === "" ? { encoding, as: "object", version: "", pretty: false } : undefined;
  if (!allowed.as.includes(as as Form["as"])) return undefined;
  const versions =
    as === "APIGroupDiscoveryList" ? { "apidiscovery.k8s.io": ["v2"] } : { "meta.k8s.io": ["v1", "v1beta1"] };
  if (!(versions as Record<string, readonly string[] | undefined>)[g]?.includes(v)) return undefined;
  return { encoding, as: as as Form["as"], version: v, pretty: false };
}
