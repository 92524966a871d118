/**
 * Custom objects in another version of their kind: only the version changes its name, or a webhook of the user's converts
 * them. Upstream: apiextensions-apiserver/pkg/apiserver/conversion.
 */
import { randomUUID } from "node:crypto";
import type { V1CustomResourceDefinition } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import type { KubernetesObject } from "#api/object.ts";
import { unknownFailure } from "#api/status-catalogue.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import { callWebhook, WebhookError } from "#apiserver/webhook/call.ts";
import type { ClientConfig } from "#apiserver/webhook/destination.ts";
import { checkedConversion } from "./converted-object.ts";

export interface Converter {
  /** Private copies in the version asked for, in their order, made with at most one call. Throws StatusError. */
  convert(objects: readonly KubernetesObject[], apiVersion: string): Promise<KubernetesObject[]>;
  /** The same at once, where nobody has to be asked. */
  convertNow?(object: KubernetesObject, apiVersion: string): KubernetesObject;
}

export interface ConverterParts {
  cache: ClusterCache;
  random: () => number;
}

const timeoutSeconds = 30;
const reviewGroup = "apiextensions.k8s.io";

export function converterOf({ spec }: V1CustomResourceDefinition, parts: ConverterParts): Converter {
  const { webhook } = spec.conversion ?? {};
  if (spec.conversion?.strategy !== "Webhook" || webhook === undefined) return renaming;
  const reviewVersion = webhook.conversionReviewVersions.find((one) => one === "v1" || one === "v1beta1");
  const ask = (objects: readonly KubernetesObject[], apiVersion: string) =>
    asked(objects, apiVersion, reviewVersion, (review) =>
      callWebhook({ ...parts, config: (webhook.clientConfig ?? {}) as ClientConfig, timeoutSeconds, review }),
    );
  return {
    async convert(objects, apiVersion) {
      const others = objects.filter((one) => one.apiVersion !== apiVersion);
      const converted = others.length === 0 ? [] : await ask(others, apiVersion);
      let next = 0;
      return objects.map((one) => (one.apiVersion === apiVersion ? structuredClone(one) : converted[next++]!));
    },
  };
}

const renamed = (object: KubernetesObject, apiVersion: string): KubernetesObject => ({
  ...structuredClone(object),
  apiVersion,
});

const renaming: Converter = {
  convert: (objects, apiVersion) => Promise.resolve(objects.map((one) => renamed(one, apiVersion))),
  convertNow: renamed,
};

interface ConversionReview {
  apiVersion?: string;
  kind?: string;
  response?: {
    uid?: string;
    convertedObjects?: readonly KubernetesObject[];
    result?: { status?: string; message?: string };
  };
}

async function asked(
  objects: readonly KubernetesObject[],
  apiVersion: string,
  reviewVersion: string | undefined,
  call: (review: object) => Promise<unknown>,
): Promise<KubernetesObject[]> {
  if (reviewVersion === undefined) throw unknownFailure("no supported conversion review versions");
  const uid = randomUUID();
  const review = {
    kind: "ConversionReview",
    apiVersion: `${reviewGroup}/${reviewVersion}`,
    request: { uid, desiredAPIVersion: apiVersion, objects },
  };
  const what = `conversion webhook for ${kindText(objects[0]!)}`;
  try {
    const answer = ((await call(review)) ?? {}) as ConversionReview;
    const converted = convertedObjects(answer, uid, reviewVersion);
    if (converted.length !== objects.length)
      throw unknownFailure(`${what} returned ${converted.length} objects, expected ${objects.length}`);
    return converted.map((one, index) => checkedConversion(objects[index]!, one, apiVersion, what, index));
  } catch (error) {
    if (!(error instanceof WebhookError)) throw error;
    throw unknownFailure(`${what} failed: ${error.message}`);
  }
}

const kindText = ({ apiVersion, kind }: KubernetesObject): string => `${apiVersion}, Kind=${kind}`;

function convertedObjects(
  { apiVersion, kind, response }: ConversionReview,
  uid: string,
  reviewVersion: string,
): readonly KubernetesObject[] {
  const expected = `${reviewGroup}/${reviewVersion}`;
  // The first version of the review checked neither.
  const isStrict = reviewVersion === "v1";
  if (isStrict && (apiVersion !== expected || kind !== "ConversionReview"))
    throw new WebhookError(
      `expected webhook response of ${expected}, Kind=ConversionReview, got ${apiVersion ?? ""}, Kind=${kind ?? ""}`,
    );
  if (response === undefined || response === null) throw new WebhookError("no response provided");
  if (isStrict && response.uid !== uid)
    throw new WebhookError(`expected response.uid=${goQuote(uid)}, got ${goQuote(response.uid ?? "")}`);
  const { status = "", message = "" } = response.result ?? {};
  if (status !== "Success")
    throw new WebhookError(message === "" ? `response.result.status was '${status}', not 'Success'` : message);
  const { convertedObjects: objects = [] } = response;
  if (!Array.isArray(objects) || objects.some((one) => typeof one !== "object" || one === null))
    throw new WebhookError("response.convertedObjects is no list of objects");
  return objects as readonly KubernetesObject[];
}
