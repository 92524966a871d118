/** The classes of a cluster's own pods stay. Upstream: pkg/registry/scheduling/priorityclass/storage. */
import { isSystemPriorityClass } from "#api/scheduling/priority-class.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import type { ResourceHook } from "./hooks.ts";

export const priorityClassHook: ResourceHook = {
  /** As upstream, only a DELETE of the class itself is refused: with the whole collection, it goes. */
  beginDelete({ metadata: { name = "" } }, { info, resource }) {
    if (info.verb === "delete" && isSystemPriorityClass(name))
      throw forbiddenRequest(resource.resourceName, name, "this is a system priority class and cannot be deleted");
    return "go on";
  },
};
