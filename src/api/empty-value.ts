/** An object of a type as it is when nothing was said: with the fields that are always written. A new one each time. */
import { builtInType } from "./schema/built-in.ts";
import { zeroStruct } from "./schema/zero.ts";

/** `type` as in "apps.v1.ReplicaSetStatus". */
export function emptyValue<T>(type: string): T {
  return zeroStruct(builtInType(type.startsWith("io.k8s.") ? type : `io.k8s.api.${type}`)) as T;
}
