/** DeleteOptions from body and query, checked. Upstream: handlers/delete.go, metav1/validation ValidateDeleteOptions. */
import type { FieldError } from "#api/field-error.ts";
import { decodeOptions } from "#api/decode/decode.ts";
import { builtInType } from "#api/schema/built-in.ts";
import { invalid, invalidObject, notSupported } from "#api/validation/field-errors.ts";
import type { Operation } from "#apiserver/operation.ts";
import type { Query } from "#apiserver/request.ts";
import { bodyFormat } from "./body.ts";
import { integer } from "./list-options.ts";
import { dryRunErrors } from "./options.ts";
import { addWarning } from "./warnings.ts";

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: string[];
  /** Known, checked and without effect: nothing stored here can be unreadable. */
  ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
}

export async function readDeleteOptions(operation: Operation): Promise<DeleteOptions> {
  const { request } = operation;
  const fromBody = await bodyOptions(operation);
  const options = fromBody ?? queryOptions(request.query);
  checkDeleteOptions(options);
  const { propagationWarning } = operation.resource.definition;
  const isOpen = options.propagationPolicy === undefined && options.orphanDependents === undefined;
  if (isOpen && propagationWarning !== undefined) addWarning(operation.warnings, propagationWarning);
  return options;
}

export function checkDeleteOptions(options: DeleteOptions): void {
  const errors = optionErrors(options);
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
}

async function bodyOptions({ request }: Operation): Promise<DeleteOptions | undefined> {
  if (request.bodyObject !== undefined) return request.bodyObject as DeleteOptions;
  const format = bodyFormat(request);
  const bytes = await request.body();
  if (bytes.length === 0) return undefined;
  const struct = builtInType("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions");
  return decodeOptions({ format, bytes }, "DeleteOptions", struct) as DeleteOptions;
}

function queryOptions(query: Query): DeleteOptions {
  const gracePeriodSeconds = integer(query, "gracePeriodSeconds");
  const propagationPolicy = query.get("propagationPolicy");
  const orphanDependents = query.flag("orphanDependents");
  const dryRun = query.all("dryRun");
  const uid = query.get("uid") ?? "";
  const resourceVersion = query.get("resourceVersion") ?? "";
  const preconditions = { ...(uid === "" ? {} : { uid }), ...(resourceVersion === "" ? {} : { resourceVersion }) };
  const ignoreUnreadable = query.flag("ignoreStoreReadErrorWithClusterBreakingPotential") ?? false;
  return {
    ...(ignoreUnreadable ? { ignoreStoreReadErrorWithClusterBreakingPotential: true } : {}),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(uid === "" && resourceVersion === "" ? {} : { preconditions }),
    ...(dryRun.length === 0 ? {} : { dryRun: [...dryRun] }),
  };
}

const policies = ["Foreground", "Background", "Orphan"];

function optionErrors(options: DeleteOptions): FieldError[] {
  const { propagationPolicy, orphanDependents, dryRun = [] } = options;
  const errors: FieldError[] = [];
  if (propagationPolicy !== undefined && orphanDependents !== undefined)
    errors.push(
      invalid("propagationPolicy", propagationPolicy, "orphanDependents and deletionPropagation cannot be both set"),
    );
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy))
    errors.push(notSupported("propagationPolicy", propagationPolicy, [...policies, "nil"]));
  errors.push(...dryRunErrors(dryRun), ...ignoringErrors(options));
  return errors;
}

const neverWithIgnoring = [
  "dryRun",
  "propagationPolicy",
  "orphanDependents",
  "gracePeriodSeconds",
  "preconditions",
] as const;

/** Who deletes what cannot be read may ask for nothing else. */
function ignoringErrors(options: DeleteOptions): FieldError[] {
  const field = "ignoreStoreReadErrorWithClusterBreakingPotential";
  if (options[field] !== true) return [];
  const isSaid = (name: (typeof neverWithIgnoring)[number]) =>
    name === "dryRun" ? (options.dryRun?.length ?? 0) > 0 : options[name] !== undefined;
  return neverWithIgnoring.filter(isSaid).map((name) => invalid(field, true, `cannot be set together with .${name}`));
}
