/** What discovery says of one resource, and of a version that another server serves. */
import type { GroupVersion } from "#apiserver/aggregation/priorities.ts";

export interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  group?: string;
  version?: string;
  /** group and version are the list's own. */
  isOwnKind?: true;
  kind: string;
  verbs: readonly string[];
  shortNames?: readonly string[];
  categories?: readonly string[];
  storageVersionHash?: string;
}

export interface RemoteVersion extends GroupVersion {
  groupPriority: number;
  versionPriority: number;
  isAvailable: boolean;
  resources: readonly ApiResource[];
}
