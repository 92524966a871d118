/** Whom a request wants to act as: its Impersonate-* headers, as they stand. Upstream: processImpersonationHeaders. */
import { goQuote } from "#api/go-text.ts";
import { badRequest } from "#api/status-catalogue.ts";
import type { ServerRequest } from "#apiserver/request.ts";

export interface Wish {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

const extraPrefix = "impersonate-extra-";

/** undefined: the request wants to be nobody else. Throws 400 for parts of a user without its name. */
export function wishOf(request: ServerRequest): Wish | undefined {
  const name = request.header("impersonate-user") ?? "";
  const uid = request.header("impersonate-uid") ?? "";
  const groups = valuesOf(request, "impersonate-group");
  const extra: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const header of Object.keys(request.headers())) {
    if (!header.startsWith(extraPrefix)) continue;
    const key = decodeKey(header.slice(extraPrefix.length));
    extra[key] = [...(extra[key] ?? []), ...valuesOf(request, header)];
  }
  const wantsMore = uid !== "" || groups.length > 0 || Object.keys(extra).length > 0;
  if (name === "" && wantsMore)
    throw badRequest(`requested ${goUser({ name, uid, groups, extra })} without impersonating a user name`);
  return name === "" ? undefined : { name, uid, groups, extra };
}

/** Each header's value by itself: names of groups may hold commas. */
export function valuesOf(request: ServerRequest, header: string): string[] {
  const raw = request.rawHeaders;
  if (raw !== undefined) return raw.filter((_, index) => index % 2 === 1 && raw[index - 1]!.toLowerCase() === header);
  const value = request.headers()[header];
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : [...value];
}

/** What is not encoded properly stands as it is. */
export function decodeKey(text: string): string {
  const lower = text.toLowerCase();
  try {
    return decodeURIComponent(lower);
  } catch {
    return lower;
  }
}

/** As Go prints the struct, in the one text that shows it. */
function goUser({ name, uid, groups, extra }: Wish): string {
  const strings = (values: readonly string[]) => `[]string{${values.map(goQuote).join(", ")}}`;
  const keys = Object.keys(extra).sort();
  const entries = keys.map((key) => `${goQuote(key)}:${strings(extra[key]!)}`).join(", ");
  const groupText = groups.length === 0 ? "[]string(nil)" : strings(groups);
  const extraText = `map[string][]string${keys.length === 0 ? "(nil)" : `{${entries}}`}`;
  return `&user.DefaultInfo{Name:${goQuote(name)}, UID:${goQuote(uid)}, Groups:${groupText}, Extra:${extraText}}`;
}
